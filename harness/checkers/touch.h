// Touches: what a tool's command line says that it works on, and whether it changes it: sessions of
// tmux, repositories and working trees of git.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace oj::sim {

struct Touch {
  enum class What : std::uint8_t { kSession, kRepo, kTree };
  What what = What::kSession;
  // A session's name; a repository's directory without "/.git"; a working tree's path. A view into
  // the command line.
  std::string_view name;
  bool changes = false;
};

class Touches {
 public:
  void Add(Touch::What what, std::string_view name, bool changes) {
    if (count_ < all_.size() && !name.empty()) all_[count_++] = {what, name, changes};
  }
  const Touch* begin() const { return all_.data(); }
  const Touch* end() const { return all_.data() + count_; }
  bool empty() const { return count_ == 0; }

 private:
  std::array<Touch, 3> all_;
  std::size_t count_ = 0;
};

// Of a command line whose words are joined by blanks. Whatever git does that is not known to only
// read is taken for a change. `rev-parse` touches nothing: what it looks at no command here
// changes.
Touches TouchesOf(std::string_view argv);

// The session that a tmux command line names, as `-t =ID`, `-t =ID:` or `-s ID`; empty: none.
std::string_view SessionOf(std::string_view argv);
// Its subcommand: the second word.
std::string_view CommandOf(std::string_view argv);

// What the key of a lease stands for; false: nothing that a command line could name.
// "workspace:ID" is the tree of that name, in whatever directory it is.
bool CoveredBy(std::string_view key, const Touch& touch);

}  // namespace oj::sim
