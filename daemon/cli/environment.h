// Environment: where the client speaks, what time it is, and when it is to stop, so that tests can
// stand in for the terminal.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "oj/deadline.h"

namespace oj::cli {

// Of a terminal, in characters; 0: unknown.
struct Size {
  int rows = 0;
  int columns = 0;
};

struct Environment {
  // Write all of the text; 0 or an errno. EPIPE: the reader has gone. EINTR: interrupted.
  std::function<int(std::string_view)> out;
  std::function<int(std::string_view)> err;
  std::function<WallMillis()> wall_now;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  // Of the terminal on err, which may change its size; 0: unknown.
  std::function<int()> err_columns = [] { return 0; };
  // Of the terminal on out, as it is now.
  std::function<Size()> size = [] { return Size{}; };
  int keys_fd = -1;  // a terminal that keys come from, that of out; not owned; -1: none
  // Becomes another program, found on PATH; an errno where it cannot.
  std::function<int(const std::vector<std::string>&)> become = {};
  int interrupt_fd = -1;       // becomes readable when the user wants to stop; not owned; -1: never
  std::string daemon_program;  // path of ojd; empty: beside this program, else on PATH
};

}  // namespace oj::cli
