// RunTest: a fixture that calls RunOj in a state directory of its own and keeps what it says.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>
#include <memory>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "cli/run_oj.h"
#include "core/protocol.h"
#include "fake_server.h"

namespace oj::cli {

class RunTest : public testing::Test {
 protected:
  RunTest() {
    environment_.out = [this](std::string_view text) { return Take(out_, out_errno_, text); };
    environment_.err = [this](std::string_view text) { return Take(err_, 0, text); };
    environment_.wall_now = [] { return WallMillis{1'000'000'000'000}; };
    environment_.daemon_program = "/nonexistent/ojd";
    Set("LC_ALL", "C");
    Set("OJ_STATE_DIR", directory_.path());
    Set("XDG_CONFIG_HOME", directory_.path() + "/config");
  }
  ~RunTest() override {
    for (const std::string& name : set_) unsetenv(name.c_str());
  }

  // Sets an environment variable until the test ends.
  void Set(const std::string& name, const std::string& value) {
    setenv(name.c_str(), value.c_str(), 1);
    set_.push_back(name);
  }

  // Forgets what was said before.
  int Run(std::vector<std::string> arguments) {
    out_.clear();
    err_.clear();
    return RunOj(std::move(arguments), environment_);
  }
  void Serve(FakeServer::Script script) {
    server_ = std::make_unique<FakeServer>(directory_.path(), std::move(script), lookup_);
  }
  // Before Serve: whoever asks for the sessions, workspaces or agents, to tell what a word means,
  // hears of these; no such request is the script's, or in `requests_`.
  void Know(const std::vector<std::string>& ids = {}) {
    std::string records;
    for (const std::string& id : ids) {
      records += (records.empty() ? "" : ",") + ("{\"id\":\"" + id + "\"}");
    }
    lookup_ = [records](const std::string& request) {
      std::smatch kind;
      if (!std::regex_search(request, kind, std::regex("List(Sessions|Workspaces|Agents)"))) {
        return std::string();
      }
      std::string list = kind[1];
      list[0] = static_cast<char>(std::tolower(list[0]));
      return R"({"type":")" + kind[1].str() + R"(",")" + list + "\":[" + records + "]}";
    };
  }
  void ServeReply(std::string payload) {
    Serve(FakeServer::Answer(std::move(payload), &requests_));
  }
  // The only request is this one, its timeout_ms being N and its request_id R.
  void ExpectRequest(const std::string& expected) { EXPECT_EQ(Plain(OnlyRequest()), expected); }
  static std::string Plain(const std::string& request) {
    const std::string timed =
        std::regex_replace(request, std::regex("\"timeout_ms\":[0-9]+"), "\"timeout_ms\":N");
    return std::regex_replace(timed, std::regex("\"request_id\":\"[0-9a-f]{32}\""),
                              "\"request_id\":\"R\"");
  }
  // The only request that came. Ends the server.
  std::string OnlyRequest() {
    server_.reset();
    return requests_.size() == 1 ? requests_[0] : std::to_string(requests_.size()) + " requests";
  }

  TemporaryDirectory directory_;
  Environment environment_;
  std::string out_;
  std::string err_;
  int out_errno_ = 0;
  std::vector<std::string> requests_;
  FakeServer::Lookup lookup_;
  std::unique_ptr<FakeServer> server_;

 private:
  static int Take(std::string& to, int error, std::string_view text) {
    if (error == 0) to += text;
    return error;
  }
  std::vector<std::string> set_;
};

}  // namespace oj::cli
