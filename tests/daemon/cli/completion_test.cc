// What may come next, word by word; and the script in a real bash.
#include "cli/completion.h"

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>

#include "cli/command.h"
#include "run_test_base.h"

namespace oj::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

class CompletionTest : public RunTest {
 protected:
  // The candidates for the last word.
  std::vector<std::string> Next(std::vector<std::string> words) {
    words.insert(words.begin(), {"__complete", "--"});
    EXPECT_EQ(Run(words), 0) << err_;
    std::vector<std::string> candidates;
    std::istringstream lines(out_);
    for (std::string line; std::getline(lines, line);) {
      candidates.push_back(line.substr(0, line.find('\t')));
    }
    return candidates;
  }
};

TEST_F(CompletionTest, CommandsThatTheWordBegins) {
  EXPECT_THAT(Next({"w"}), ElementsAre("workspace"));
  EXPECT_THAT(Next({"workspace", "p"}), ElementsAre("prune"));
  EXPECT_THAT(Next({"top", "--in"}), ElementsAre("--interval"));
  EXPECT_THAT(Next({"-o", "json", "workspace", "p"}), ElementsAre("prune"));
  EXPECT_THAT(Next({""}), Not(testing::Contains("__complete")));
}

TEST_F(CompletionTest, OptionsOfTheCommandAndOfAll) {
  EXPECT_THAT(Next({"workspace", "prune", "--d"}),
              UnorderedElementsAre("--dry-run", "--delete-branch"));
  EXPECT_THAT(Next({"workspace", "prune", "--st"}), ElementsAre("--state-dir"));
  EXPECT_THAT(Next({"session", "list", "--force"}), IsEmpty());
  EXPECT_THAT(Next({"--all="}), IsEmpty());
  EXPECT_THAT(Next({"session", "peek", "--typo="}), IsEmpty());
}

TEST_F(CompletionTest, ValuesOfOptions) {
  EXPECT_THAT(Next({"-o", ""}), ElementsAre("text", "json"));
  EXPECT_THAT(Next({"agent", "list", "--status", "e"}), ElementsAre("exited"));
  EXPECT_THAT(Next({"agent", "run", "x", "--repo", "/t"}), ElementsAre(":dirs"));
  EXPECT_THAT(Next({"completion", "z"}), ElementsAre("zsh"));
}

TEST_F(CompletionTest, ValueBehindAnEqualsSign) {
  EXPECT_THAT(Next({"--output=j"}), ElementsAre("--output=json"));
  EXPECT_THAT(Next({"debug", "dump", "--out=/t"}), ElementsAre(":files"));
  // As bash has it.
  EXPECT_THAT(Next({"--output", "=", "j"}), ElementsAre("json"));
  EXPECT_THAT(Next({"--output", "="}), ElementsAre("text", "json"));
  EXPECT_THAT(Next({"--output", "=", "json", "workspace", "p"}), ElementsAre("prune"));
  ServeReply(R"({"type":"Sessions","sessions":[{"id":"work"}]})");
  const std::string directory = directory_.path();
  Set("OJ_STATE_DIR", "/nonexistent");
  EXPECT_THAT(Next({"--state-dir=" + directory, "session", "peek", ""}), ElementsAre("work"));
  EXPECT_THAT(Next({"--state-dir", "=", directory, "session", "peek", ""}), ElementsAre("work"));
}

TEST_F(CompletionTest, NothingIsOfferedThatWouldBeTyped) {
  ServeReply(R"({"type":"Sessions","sessions":[{"id":"work"}]})");
  for (const char* what : {"session", "agent"}) {
    EXPECT_THAT(Next({what, "send", "work", "-"}), IsEmpty());
    EXPECT_THAT(Next({what, "send", "work", "--output", ""}), IsEmpty());
    EXPECT_THAT(Next({what, "send", "work", "--", ""}), IsEmpty());
    EXPECT_THAT(Next({what, "send", "work", "x", "--output=j"}), IsEmpty());
    EXPECT_THAT(Next({what, "send", "--time"}), ElementsAre("--timeout"));
  }
}

void AddUnknown(const CLI::App& app, std::vector<std::string>& unknown) {
  for (const CLI::Option* option : app.get_options()) {
    const std::string type = option->get_type_name();
    const std::string name =
        option->get_positional() ? option->get_name(true) : type.substr(0, type.find(':'));
    if (option->get_items_expected_max() > 0 && !KnowsValue(name)) {
      unknown.push_back(app.get_name() + " " + option->get_name() + " " + name);
    }
  }
  for (const CLI::App* each : app.get_subcommands({})) AddUnknown(*each, unknown);
}

TEST_F(CompletionTest, WhatMayStandForEachValueIsKnown) {
  Invocation invocation{.environment = environment_};
  const std::unique_ptr<CLI::App> app = MakeApp(invocation);
  std::vector<std::string> unknown;
  AddUnknown(*app, unknown);
  EXPECT_THAT(unknown, IsEmpty());
  EXPECT_FALSE(KnowsValue("PLANET"));
  EXPECT_THAT(Next({"debug", "dump", "--out", ""}), ElementsAre(":files"));
}

TEST_F(CompletionTest, IdsComeFromTheDaemon) {
  ServeReply(R"({"type":"Workspaces","workspaces":[{"id":"ab"},{"id":"ac"},{"id":"b"}]})");
  EXPECT_THAT(Next({"workspace", "show", "a"}), ElementsAre("ab", "ac"));
  EXPECT_THAT(Next({"workspace", "drop", "ab", "--force", "b"}), ElementsAre("b"));
  EXPECT_THAT(Next({"agent", "run", "x", "--workspace", "a"}), ElementsAre("ab", "ac"));
}

TEST_F(CompletionTest, NothingMoreComesAfterTheOnlyId) {
  ServeReply(R"({"type":"Workspaces","workspaces":[{"id":"ab"}]})");
  EXPECT_THAT(Next({"workspace", "show", "ab", ""}), IsEmpty());
}

TEST_F(CompletionTest, NoDaemonIsStartedForIds) {
  EXPECT_THAT(Next({"session", "peek", ""}), IsEmpty());
  EXPECT_EQ(err_, "");
  EXPECT_FALSE(std::filesystem::exists(directory_.path() + "/daemon.log"));
}

TEST_F(CompletionTest, DaemonThatHangsIsNotWaitedForLong) {
  static std::atomic<bool> closed = false;  // the server outlives the test
  Serve(FakeServer::Stall(&closed));
  const Instant begun = Now();
  EXPECT_THAT(Next({"session", "peek", ""}), IsEmpty());
  EXPECT_LT(Now() - begun, std::chrono::seconds(4));
}

TEST_F(CompletionTest, StateDirectoryOnTheLineIsTheOneAsked) {
  ServeReply(R"({"type":"Sessions","sessions":[{"id":"work"}]})");
  Set("OJ_STATE_DIR", "/nonexistent");
  EXPECT_THAT(Next({"--state-dir", directory_.path(), "session", "peek", ""}), ElementsAre("work"));
}

TEST_F(CompletionTest, WordsAfterDashesAreACommandAndFiles) {
  EXPECT_THAT(Next({"session", "new", "x", "--", "l"}), ElementsAre(":commands"));
  EXPECT_THAT(Next({"session", "new", "x", "--", "ls", "/"}), ElementsAre(":files"));
}

// Every place for an id has a name that tells which ids.
TEST_F(CompletionTest, EveryCommandThatTakesAnIdCompletesIt) {
  const std::vector<std::vector<std::string>> commands = {{"session", "show"},
                                                          {"session", "send"},
                                                          {"session", "peek"},
                                                          {"session", "kill"},
                                                          {"peek"},
                                                          {"session", "attach"},
                                                          {"workspace", "show"},
                                                          {"workspace", "drop"},
                                                          {"agent", "show"},
                                                          {"agent", "send"},
                                                          {"agent", "peek"},
                                                          {"agent", "resume"},
                                                          {"cancel"},
                                                          {"agent", "attach"}};
  Serve([this](ServedConnection& connection) {
    requests_.push_back(connection.ReadFrame());
    connection.Write(Frame("{}"));
  });
  for (auto command : commands) {
    command.emplace_back("");
    Next(command);
  }
  server_.reset();
  EXPECT_EQ(requests_.size(), commands.size());
}

struct Shell {
  int status = 0;
  std::string out;
};
Shell Bash(const std::string& script) {
  FILE* pipe = popen(("timeout 20 bash --norc --noprofile -c '" + script + "' 2>&1").c_str(), "r");
  Shell shell;
  std::array<char, 4096> chunk;
  for (std::size_t got; (got = fread(chunk.data(), 1, chunk.size(), pipe)) > 0;) {
    shell.out.append(chunk.data(), got);
  }
  shell.status = WEXITSTATUS(pclose(pipe));
  return shell;
}

// Completes as readline would: the words, the index, the word itself.
TEST_F(CompletionTest, ScriptWorksInARealBash) {
  ServeReply(R"({"type":"Sessions","sessions":[{"id":"work-1"},{"id":"work-2"},{"id":"x"}]})");
  const Shell shell =
      Bash("source <(" OJ_PROGRAM " completion bash); complete -p oj; COMP_WORDS=(" OJ_PROGRAM
           " session peek wo); COMP_CWORD=3; _oj oj wo peek; echo \"${COMPREPLY[@]}\"");
  EXPECT_EQ(shell.status, 0);
  EXPECT_EQ(shell.out, "complete -F _oj oj\nwork-1 work-2\n");
}

TEST_F(CompletionTest, ScriptsOfTheOtherShellsCallBack) {
  for (const char* shell : {"zsh", "fish"}) {
    EXPECT_EQ(Run({"completion", shell}), 0);
    EXPECT_THAT(out_, HasSubstr("__complete -- "));
  }
  EXPECT_EQ(Run({"completion", "csh"}), 2);
}

}  // namespace
}  // namespace oj::cli
