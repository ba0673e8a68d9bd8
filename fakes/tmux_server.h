// What a tmux server keeps, as files: `<state>/sessions/<name>` holds the second of creation, a
// newline and the screen's text. No such directory: there never was a server; an empty one: there
// is none any more. Without a state directory the server is built in, and empty for ever.
#pragma once

#include <string>
#include <vector>

namespace oj::fakes {

class TmuxServer {
 public:
  explicit TmuxServer(std::string state);

  bool EverRan() const;
  std::vector<std::string> Sessions() const;  // by name
  bool Has(const std::string& name) const;
  void Create(const std::string& name);
  void Kill(const std::string& name);
  void Type(const std::string& name, const std::string& text);
  std::string Created(const std::string& name) const;  // seconds since the epoch
  // The lines as the pane shows them, wrapped at 80 columns, blanks at their ends cut off; the
  // last 24 are visible, the others history. At least 24.
  std::vector<std::string> Screen(const std::string& name) const;

 private:
  std::string FileOf(const std::string& name) const;
  std::string sessions_;  // the directory, or empty
};

}  // namespace oj::fakes
