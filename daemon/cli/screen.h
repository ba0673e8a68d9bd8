// Screen: the whole terminal, for a command that draws in place: another screen than the shell's,
// and keys as they are struck.
#pragma once

#include <termios.h>

#include <optional>
#include <string>
#include <vector>

#include "cli/environment.h"

namespace oj::cli {

// What came from the keyboard.
enum class Key : std::uint8_t { kOther, kQuit, kInterrupt, kSuspend, kPause, kUp, kDown };

// The keys in what was read. `rest`: the beginning of one that is not whole, from the last time.
std::vector<Key> KeysIn(std::string_view bytes, std::string& rest);

class Screen {
 public:
  // Takes the terminal, and gives it back when it is destroyed.
  explicit Screen(const Environment& environment) : environment_(environment) { Enter(); }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen() { Leave(); }

  // One write, which the terminal shows at once where it can. The lines fit its width. 0 or an
  // errno; EINTR also where the terminal was not taken because of an interruption.
  int Draw(const std::vector<std::string>& lines);
  // Stops this process as Ctrl-Z would; returns when it goes on.
  void Suspend();

 private:
  bool Interrupted() const;
  // Not if there is an interruption.
  void Enter();
  void Leave();

  const Environment& environment_;
  std::optional<termios> before_;  // as the keyboard's terminal was; none: it is none
  bool entered_ = false;
};

}  // namespace oj::cli
