// Labs of a test: scripts that run in them, and what they have left.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "process.h"

namespace oj::e2e {

namespace fs = std::filesystem;

// "pid command" of all that live and were started in the lab.
std::vector<std::string> InLab(const std::string& lab);

// All labs of a test are in a directory of its own for temporary files: it finds no others.
class LabTest : public testing::Test {
 protected:
  LabTest();
  ~LabTest() override;

  Environment Variables() const;
  std::unique_ptr<Process> Start(std::vector<std::string> words);
  Ended Harness(const std::vector<std::string>& words) { return Start(words)->Wait(); }
  std::unique_ptr<Process> Script(const std::string& script);
  // In a shell that may mount what it likes.
  std::unique_ptr<Process> MountingScript(const std::string& script);
  bool CanMount() { return MountingScript("mount -t tmpfs none $T/tmp")->Wait().code == 0; }
  // A lab in which a script runs.
  std::unique_ptr<Process> Lab(const std::string& script, std::vector<std::string> options = {});
  // What a script has written to $T/NAME.
  std::string Told(const std::string& name);
  std::vector<std::string> Directories() const;
  void ExpectNothingLeft(const std::string& lab);

  static constexpr milliseconds kLong{20000};
  std::string dir_;
  int started_ = 0;
};

}  // namespace oj::e2e
