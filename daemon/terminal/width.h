// How many columns of a terminal a text takes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace oj::terminal {

// Of UTF-8: most characters take one column, those of East Asia and emoji two, marks that combine
// with the character before them none. A byte that is no UTF-8 takes one.
std::size_t WidthOf(std::string_view text);

// The beginning of `text` in at most `width` columns, `mark` (one column) at its end where
// something is cut.
std::string Cut(std::string_view text, std::size_t width, std::string_view mark);

}  // namespace oj::terminal
