// A program on a terminal of its own, as a person has it: what it draws, keys, and the terminal's
// settings.
#pragma once

#include <sys/types.h>
#include <termios.h>

#include <map>
#include <string>
#include <vector>

#include "process.h"

namespace oj::e2e {

class Pty {
 public:
  Pty(const std::vector<std::string>& argv, const Environment& environment, int rows, int columns);
  Pty(const Pty&) = delete;
  Pty& operator=(const Pty&) = delete;
  ~Pty();

  pid_t pid() const { return pid_; }
  void Type(const std::string& keys) const;
  void Resize(int rows, int columns) const;
  // Reads until what came since the last Forget() holds `text`; false: not within ten seconds.
  bool Shows(const std::string& text);
  void Forget() { seen_.clear(); }
  // As a window that is closed.
  void HangUp();
  const std::string& seen() const { return seen_; }
  termios Settings() const;
  // The exit status; -1: it has not ended within twenty seconds, or of a signal.
  int ExitStatus();

 private:
  // Reads what there is; false: the terminal is closed.
  bool Read(int wait_ms);

  pid_t pid_ = -1;
  int master_ = -1;
  bool reaped_ = false;
  std::string seen_;
};

}  // namespace oj::e2e
