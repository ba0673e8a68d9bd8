// What the tests of single behaviours have in common.
#pragma once

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "run_tool.h"

namespace oj::fakes {

class FakeBehaviour : public testing::Test {
 protected:
  std::string rules() const { return dir_.path() + "/rules.toml"; }
  std::string journal() const { return dir_.path() + "/journal"; }
  Environment environment() const {
    return {{"OJ_FAKE_RULES", rules()},
            {"OJ_FAKE_STATE", dir_.path()},
            {"OJ_FAKE_JOURNAL", journal()},
            {"OJ_LEASE", "7"}};
  }
  void Rules(const std::string& text) { WriteFile(rules(), text); }
  static std::vector<std::string> Peek() {
    return {OJ_FAKE_TMUX, "capture-pane", "-t", "=work:", "-p"};
  }
  Ended Run() { return RunTool(Peek(), environment()); }

  std::vector<std::string> Journal() const {
    std::vector<std::string> lines;
    std::istringstream text(ReadFile(journal()));
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }
  bool Started(std::size_t count) const {
    return Eventually([&] { return Journal().size() >= count; });
  }

  TempDir dir_;
};

// A line of the journal: "S <pid> <ppid> <pgid> ...".
struct Start {
  char letter = 0;
  int pid = 0;
  int ppid = 0;
  int pgid = 0;
};
inline Start ParseStart(const std::string& line) {
  Start start;
  std::istringstream(line) >> start.letter >> start.pid >> start.ppid >> start.pgid;
  return start;
}

}  // namespace oj::fakes
