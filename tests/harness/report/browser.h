// Chromium without a screen: opens a page, lets it come to rest, and tells what became of it.
#pragma once

#include <filesystem>
#include <string>

namespace oj::sim {

struct Opened {
  std::string dom;      // as it was then, without styles and scripts; empty: the browser failed
  std::string console;  // what the page wrote to it, errors of scripts with it
  std::string why;      // the browser's own words, where it failed
};

enum class Mode { kLight, kDark };

// `fragment`: behind the page's address, such as "#law=L3"; `dir`: for the browser's own files.
Opened Open(const std::filesystem::path& page, const std::string& fragment,
            const std::filesystem::path& dir, Mode mode = Mode::kLight);

// The page as a PNG; empty: the browser failed.
std::string Picture(const std::filesystem::path& page, const std::filesystem::path& dir, Mode mode);

}  // namespace oj::sim
