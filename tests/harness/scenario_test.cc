// The scenario file: what it may say, and how it is refused.
#include "scenario/scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "scenario/scaled.h"

namespace oj::sim {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr const char* kClient = "[[client]]\nname = \"a\"\nsteps = [{ close = true }]\n";

Scenario Parsed(const std::string& text) {
  Result<Scenario> scenario = ParseScenario(text, "x.toml");
  EXPECT_TRUE(scenario.ok()) << scenario.error().message;
  return scenario.ok() ? std::move(*scenario) : Scenario{};
}

std::string Refused(const std::string& text) {
  const Result<Scenario> scenario = ParseScenario(text, "x.toml");
  if (scenario.ok()) return "it was not refused";
  EXPECT_EQ(scenario.error().code, ErrorCode::kInvalidRequest);
  return scenario.error().message;
}

std::vector<Step> Steps(const std::string& steps) {
  const Scenario scenario = Parsed("[[client]]\nname = \"a\"\nsteps = [" + steps + "]\n");
  return scenario.clients.empty() ? std::vector<Step>{} : scenario.clients[0].steps;
}

TEST(ScenarioFile, DefaultsAreTheSimulationAndTheDefaultConfig) {
  const Scenario scenario = Parsed(kClient);
  EXPECT_THAT(scenario.worlds, ElementsAre(World::kSim));
  EXPECT_THAT(scenario.settings, IsEmpty());
  EXPECT_EQ(scenario.config.tmux, Config().tmux);
  EXPECT_EQ(scenario.path, "x.toml");
}

TEST(ScenarioFile, SettingsAreKeptAndApplied) {
  const Scenario scenario = Parsed(std::string("[config]\ntimeouts.tmux = 1234\n") +
                                   "connection.half_close = \"keep\"\n" + kClient);
  EXPECT_EQ(scenario.config.tmux, milliseconds(1234));
  EXPECT_EQ(scenario.config.half_close, HalfClose::kKeep);
  EXPECT_THAT(scenario.settings,
              testing::UnorderedElementsAre(Pair("timeouts.tmux", "1234"),
                                            Pair("connection.half_close", "keep")));
}

TEST(ScenarioFile, RequestsBecomeJsonWithTheirTypesKept) {
  const auto steps = Steps(
      "{ call = { type = \"SessionNew\", id = \"w\", command = [\"sh\", \"-c\"], env = { A = "
      "\"1\" }, n = 7, b = false } }");
  ASSERT_EQ(steps.size(), 1u);
  EXPECT_EQ(steps[0].what, Step::Do::kCall);
  EXPECT_EQ(steps[0].text,
            "{\"b\":false,\"command\":[\"sh\",\"-c\"],\"env\":{\"A\":\"1\"},\"id\":\"w\",\"n\":7,"
            "\"type\":\"SessionNew\"}");
}

TEST(ScenarioFile, EveryVerbIsRead) {
  const auto steps = Steps(
      "{ send = { type = \"Ping\" } }, { receive = true, give_up_ms = 100 }, { sleep_ms = 10 },"
      "{ until_ms = 7000 }, { half_close = true }, { raw = \"a\\u0000b\" }, { close = true }");
  std::vector<Step::Do> verbs;
  for (const Step& step : steps) verbs.push_back(step.what);
  EXPECT_THAT(verbs,
              ElementsAre(Step::Do::kSend, Step::Do::kReceive, Step::Do::kSleep, Step::Do::kUntil,
                          Step::Do::kHalfClose, Step::Do::kRaw, Step::Do::kClose));
  EXPECT_EQ(steps.at(1).give_up, milliseconds(100));
  EXPECT_EQ(steps.at(2).time, milliseconds(10));
  EXPECT_EQ(steps.at(5).text, std::string("a\0b", 3));
}

TEST(ScenarioFile, ExpectIsAStringOrAList) {
  const auto steps = Steps(
      "{ receive = true, expect = \"Pong\" }, { receive = true, expect = [\"busy\", \"closed\"] },"
      "{ receive = true }");
  EXPECT_TRUE(Meets(steps.at(0), "Pong"));
  EXPECT_FALSE(Meets(steps.at(0), "gave_up"));
  EXPECT_TRUE(Meets(steps.at(1), "closed"));
  EXPECT_TRUE(Meets(steps.at(2), "anything"));
}

TEST(ScenarioFile, ToolsAndHangsAreRead) {
  const Scenario scenario = Parsed(
      std::string("[[hang]]\ntool = \"tmux\"\nfrom_ms = 5\nuntil_ms = 6\nignore_term = true\n"
                  "[[hang]]\ntool = \"git\"\n"
                  "[[tool]]\ntool = \"tmux\"\nmatch = \"peek\"\nnth = 2\ndelay_ms = 20\nexit = 1\n"
                  "out = \"o\"\nerr = \"e\"\ngrandchild = true\nsetsid = true\nsignal = 9\n"
                  "flood_bytes = 10\nhang = true\nignore_term = true\nexit_zero_on_term = true\n") +
      kClient);
  ASSERT_EQ(scenario.hangs.size(), 2u);
  EXPECT_EQ(scenario.hangs[0].until, milliseconds(6));
  EXPECT_EQ(scenario.hangs[1].until, std::nullopt);
  ASSERT_EQ(scenario.tools.size(), 1u);
  const ToolRule& rule = scenario.tools[0];
  EXPECT_EQ(rule.delay, milliseconds(20));
  EXPECT_EQ(rule.nth, 2);
  EXPECT_EQ(rule.exit, 1);
  EXPECT_EQ(rule.signal, 9);
  EXPECT_EQ(rule.out, "o");
  EXPECT_TRUE(rule.hang && rule.setsid && rule.grandchild && rule.exit_zero_on_term);
}

TEST(ScenarioFile, MixIsRead) {
  const Scenario scenario = Parsed(
      "[mix]\nclients = 6\ncalls = 4\nsessions = 3\nfaults = [\"process\", \"clock\"]\n"
      "requests = { Ping = 2, PeekSession = 6 }\n");
  EXPECT_EQ(scenario.mix.clients, 6);
  EXPECT_THAT(scenario.mix.faults, ElementsAre("process", "clock"));
  EXPECT_THAT(scenario.mix.requests, ElementsAre(Pair("PeekSession", 6), Pair("Ping", 2)));
}

TEST(ScenarioFile, KeysOfTheFakesAreKeptAsTheyAre) {
  const auto fakes = ParseScenario(
      "worlds = [\"fakes\"]\n[[tool]]\ntool = \"tmux\"\nwrap = true\nrelease = \"/a\\\"b\"\n"
      "[[client]]\nname = \"a\"\nsteps = [{ sleep_ms = 1 }]\n",
      "x.toml");
  ASSERT_TRUE(fakes.ok()) << fakes.error().message;
  using Key = std::pair<std::string, std::string>;
  EXPECT_THAT(fakes->tools.at(0).of_fakes,
              testing::UnorderedElementsAre(Key{"wrap", "true"}, Key{"release", "'/a\"b'"}));
}

TEST(ScenarioFile, StrikesAreReadWithTheirTimes) {
  const Scenario scenario = Parsed(
      "[[strike]]\nwhat = \"two-terms\"\nat_ms = 20\n[[strike]]\nwhat = \"wall\"\nat_ms = 30\n"
      "by_ms = -5000\n" +
      std::string(kClient));
  ASSERT_EQ(scenario.blows.size(), 2u);
  EXPECT_EQ(scenario.blows[0].kind, Blow::Kind::kTwoTerms);
  EXPECT_EQ(scenario.blows[0].at, milliseconds(20));
  EXPECT_EQ(scenario.blows[1].kind, Blow::Kind::kWall);
  EXPECT_EQ(scenario.blows[1].time, milliseconds(-5000));
}

TEST(ScenarioFile, CopiesOfAClientStartOneAfterTheOther) {
  const Scenario scenario = Parsed(
      "[[client]]\nname = \"a\"\nstart_ms = 5\ncopies = 3\nevery_ms = 10\n"
      "steps = [{ sleep_ms = 1, times = 4 }, { close = true }]\n");
  ASSERT_EQ(scenario.clients.size(), 3u);
  EXPECT_EQ(scenario.clients[2].name, "a-3");
  EXPECT_EQ(scenario.clients[2].start, milliseconds(25));
  EXPECT_EQ(scenario.clients[0].steps.size(), 5u);
}

TEST(ScenarioFile, RowsAreOneOrMany) {
  EXPECT_THAT(Parsed("failure = \"K1\"\n" + std::string(kClient)).failures, ElementsAre("K1"));
  EXPECT_THAT(Parsed("failure = [\"K1\", \"G12\"]\n" + std::string(kClient)).failures,
              ElementsAre("K1", "G12"));
}

struct Wrong {
  std::string text;
  std::string message;
};

// Each is followed by a client that is in order.
void AreRefused(const std::vector<Wrong>& wrong) {
  for (const auto& [text, message] : wrong) {
    EXPECT_THAT(Refused(text + kClient), testing::StartsWith(message)) << text;
  }
}

TEST(ScenarioFile, WrongFilesAreNamedByFileLineAndKey) {
  const std::vector<Wrong> wrong = {
      {"abuot = \"x\"\n", "x.toml:1: abuot: unknown key"},
      {"about = 3\n", "x.toml:1: about: must be a string"},
      {"\nworlds = [\"moon\"]\n", "x.toml:2: worlds: 'moon' must be one of sim fakes real"},
      {"worlds = [\"sim\", \"sim\"]\n", "x.toml:1: worlds: 'sim' comes twice"},
      {"[[strike]]\nat_ms = 1\n", "x.toml:1: what: is missing"},
      {"[[strike]]\nwhat = \"rain\"\n", "x.toml:2: what: 'rain' must be one of kill power term"},
      {"[[strike]]\nwhat = \"suspend\"\n",
       "x.toml:1: by_ms: goes with suspend and wall, and must be there"},
      {"worlds = [\"real\"]\n[[strike]]\nwhat = \"kill\"\n",
       "x.toml:2: strike: is for worlds = [\"sim\"] only"},
      {"failure = \"L\"\n", "x.toml:1: failure: 'L' must be a letter and a number"},
      {"[config]\ntimeouts.tmux = 0\n", "x.toml:2: config.timeouts.tmux: '0' is not a positive"},
      {"[config]\n\ntimeouts.tmx = 1\n", "x.toml:3: config.timeouts.tmx: unknown key"},
      {"[config]\ntimeouts.tmux = true\n",
       "x.toml:2: config.timeouts.tmux: must be an integer or a string"},
      {"[[session]]\nscreen = \"x\"\n", "x.toml:1: id: is missing"},
      {"[[session]]\nid = \"-x\"\n", "x.toml:2: id: is not a valid id"},
      {"[[session]]\nid = \"x\"\n[[session]]\nid = \"x\"\n", "x.toml:3: id: 'x' comes twice"},
      {"[[session]]\nid = \"x\"\nsize = 1\n", "x.toml:3: size: unknown key"},
      {"[session]\nid = \"x\"\n", "x.toml:1: session: must be a list"},
      {"[[hang]]\ntool = \"ls\"\n", "x.toml:2: tool: must be tmux or git"},
      {"[[hang]]\ntool = \"tmux\"\nfrom_ms = -1\n", "x.toml:3: from_ms: must be an integer from 0"},
      {"[[hang]]\ntool = \"tmux\"\nfrom_ms = 5\nuntil_ms = 5\n",
       "x.toml:1: until_ms: must be later"},
      {"[[hang]]\nfrom_ms = 5\n", "x.toml:1: tool: is missing"},
      {"[mix]\ncalls = 4\n", "x.toml:1: clients: is missing"},
      {"[mix]\nclients = 4\n", "x.toml:1: calls: is missing"},
      {"[mix]\nclients = 0\n", "x.toml:2: clients: must be an integer from 1"},
      {"[mix]\nclients = 1\ncalls = 1\nfaults = [\"fire\"]\n", "x.toml:4: faults: 'fire' must be"},
      {"[mix]\nclients = 1\ncalls = 1\nrequests = { Pink = 1 }\n",
       "x.toml:4: Pink: unknown request"},
      {"worlds = [\"real\"]\n[mix]\nclients = 1\ncalls = 1\n", "x.toml:2: mix: a generated"},
      {"[[client]]\nsteps = [{ close = true }]\n", "x.toml:1: name: is missing"},
      {"[[client]]\nname = \"b\"\n", "x.toml:1: steps: is missing or empty"},
      {"[[client]\n", "x.toml:1: syntax: "},
      {kClient, "x.toml:4: name: 'a' comes twice"},
      {"[[client]]\nname = \"b\"\ncopies = 2\nsteps = [{ close = true }]\n"
       "[[client]]\nname = \"b-2\"\nsteps = [{ close = true }]\n",
       "x.toml:5: name: 'b-2' comes twice"},
      {"[[client]]\nname = \"b\"\ncopies = 10000\nsteps = [{ close = true, times = 11 }]\n",
       "x.toml:1: steps: more than 100000 in all"},
      {"[[client]]\nname = \"b\"\nsteps = [{ raw = \"" + std::string(10'000, 'x') +
           "\", times = 7000 }]\n",
       "x.toml:3: steps: they send more than 64 MiB in all"},
  };
  AreRefused(wrong);
}

TEST(ScenarioFile, WrongRulesOfToolsAreNamedByFileLineAndKey) {
  AreRefused({
      {"[[tool]]\ntool = \"tmux\"\nwrap = true\n",
       "x.toml:3: wrap: is for worlds = [\"fakes\"] only"},
      {"worlds = [\"fakes\", \"sim\"]\n[[tool]]\ntool = \"git\"\nrelease = \"/x\"\n",
       "x.toml:4: release: is for worlds = [\"fakes\"] only"},
      {"worlds = [\"fakes\"]\n[[tool]]\ntool = \"git\"\nrelease = 5\n",
       "x.toml:4: release: must be a string"},
      {"worlds = [\"fakes\"]\n[[tool]]\ntool = \"git\"\nrelease = \"x\"\n",
       "x.toml:4: release: must be an absolute path"},
      {"worlds = [\"fakes\"]\n[[tool]]\ntool = \"git\"\nwrap = \"yes\"\n",
       "x.toml:4: wrap: must be true or false"},
      {"[[tool]]\ntool = \"git\"\nprobability = nan\n",
       "x.toml:3: probability: must be a number from 0 to 1"},
      {"[[tool]]\ntool = \"git\"\nsignal = 19\n",
       "x.toml:3: signal: must be the number of a signal that ends a process"},
      {"[[tool]]\ntool = \"git\"\nforks = 17\n",
       "x.toml:3: forks: must be an integer from 0 to 16"},
      {"[[tool]]\ntool = \"git\"\nlock_file = \"x\"\n",
       "x.toml:3: lock_file: must be an absolute path"},
      {"[[tool]]\ntool = \"git\"\nprobability = 2\n",
       "x.toml:3: probability: must be a number from 0 to 1"},
      {"[[tool]]\ntool = \"tmux\"\nat_ms = 2\n",
       "x.toml:1: at_ms or at_path: is of use only with tool = \"git\""},
      {"[[tool]]\ntool = \"tmux\"\ndelay = 5\n", "x.toml:3: delay: unknown key"},
      {"[[tool]]\ntool = \"tmux\"\nhang = 1\n", "x.toml:3: hang: must be true or false"},
      {"[[tool]]\ntool = \"tmux\"\nsetsid = true\n", "x.toml:1: setsid: is of use only"},
  });
}

TEST(ScenarioFile, WrongStepsAreNamedByTheirLine) {
  const std::vector<Wrong> wrong = {
      {"{ jump = true }", "x.toml:4: jump: unknown key"},
      {"{ }", "x.toml:4: steps: a step needs one of call"},
      {"{ close = true, sleep_ms = 1 }", "x.toml:4: steps: a step needs one of call"},
      {"{ close = false }", "x.toml:4: close: must be true"},
      {"{ sleep_ms = -5 }", "x.toml:4: sleep_ms: must be an integer from 0"},
      {"{ sleep_ms = 5, expect = \"Pong\" }", "x.toml:4: expect: goes with call and receive only"},
      {"{ send = { type = \"Ping\" }, give_up_ms = 5 }", "x.toml:4: give_up_ms: goes with call"},
      {"{ call = { id = \"x\" } }", "x.toml:4: call: a request needs a type"},
      {"{ call = { type = 3 } }", "x.toml:4: type: must be a string"},
      {"{ call = \"Ping\" }", "x.toml:4: call: must be a table"},
      {"{ call = { type = \"Ping\", at = 1979-05-27 } }", "x.toml:4: call: cannot be said in JSON"},
      {"{ call = { type = \"Ping\", n = nan } }", "x.toml:4: call: cannot be said in JSON"},
      {"{ call = { type = \"Ping\", n = [-inf] } }", "x.toml:4: call: cannot be said in JSON"},
      {"3", "x.toml:4: steps: must be a table"},
      {"{ receive = true, expect = 3 }", "x.toml:4: expect: must be a string or a list"},
  };
  for (const auto& [step, message] : wrong) {
    EXPECT_THAT(Refused("[[client]]\nname = \"a\"\nsteps = [\n" + step + "]\n"),
                testing::StartsWith(message))
        << step;
  }
}

TEST(ScenarioFile, OneInWhichNothingHappensIsRefused) {
  EXPECT_THAT(Refused("about = \"x\"\n"), HasSubstr("nothing would happen"));
}

TEST(ScenarioFile, RepositoriesWorkspacesAndAgentsAreRead) {
  const Result<Scenario> scenario = ParseScenario(R"(
[[repo]]
path = "/repos/main"
files = 7
[[workspace]]
id = "w1"
repo = "/repos/main"
state = ["untracked", "locked"]
age_hours = 1
[[agent]]
id = "a1"
workspace = "w1"
runs = false
[mix]
clients = 1
calls = 1
)",
                                                  "x.toml");
  ASSERT_TRUE(scenario) << scenario.error().message;
  EXPECT_EQ(scenario->repos.at(0).files, 7);
  EXPECT_THAT(scenario->workspaces.at(0).states, testing::ElementsAre("untracked", "locked"));
  EXPECT_EQ(scenario->workspaces.at(0).age_hours, 1);
  EXPECT_EQ(scenario->agents.at(0).workspace, "w1");
  EXPECT_FALSE(scenario->agents.at(0).runs);
}

TEST(ScenarioFile, WorkspacesOfNoRepositoryAndStatesThatAreNoneAreRefused) {
  const std::string mix = "[mix]\nclients = 1\ncalls = 1\n";
  EXPECT_THAT(Refused(mix + "[[workspace]]\nid = \"w\"\nrepo = \"/repos/x\"\n"),
              HasSubstr("'/repos/x' is no [[repo]]"));
  EXPECT_THAT(Refused(mix + "[[workspace]]\nid = \"w\"\nstate = \"odd\"\n"),
              HasSubstr("'odd' must be one of untracked"));
  EXPECT_THAT(Refused(mix + "[[repo]]\npath = \"/tmp/r\"\n"), HasSubstr("must be below /repos/"));
}

TEST(ScenarioFile, WhatExistsHasANameOfItsOwn) {
  const std::string repo = "[[repo]]\npath = \"/repos/r\"\n";
  const std::string workspace = "[[workspace]]\nid = \"w\"\nrepo = \"/repos/r\"\n";
  const std::string agent = "[[agent]]\nid = \"s\"\n";
  const std::string session = "[[session]]\nid = \"s\"\n";
  EXPECT_THAT(Refused(repo + repo + kClient), HasSubstr("path: '/repos/r' comes twice"));
  EXPECT_THAT(Refused(repo + workspace + workspace + kClient), HasSubstr("id: 'w' comes twice"));
  EXPECT_THAT(Refused(agent + agent + kClient), HasSubstr("id: 's' comes twice"));
  EXPECT_THAT(Refused(session + agent + kClient), HasSubstr("id: 's' comes twice"));
}

// What is made for a run on real processes is made in its directory.
TEST(ScenarioFile, NoPathLeadsOutOfTheRunsDirectory) {
  for (const char* path : {"/repos/../../home", "/repos/a/..", "/repos/./a", "/repos//a", "/repos/",
                           "/repos/a/", "/repos", "repos/a"}) {
    EXPECT_THAT(Refused("[[repo]]\npath = \"" + std::string(path) + "\"\n" + kClient),
                HasSubstr("path: must be below /repos/"))
        << path;
  }
  EXPECT_EQ(Parsed(std::string("[[repo]]\npath = \"/repos/a/.b..\"\n") + kClient).repos.size(), 1u);
  const std::string fakes = "worlds = [\"sim\", \"fakes\"]\n";
  for (const char* key : {"lock_file", "at_path"}) {
    for (const char* path : {"/tmp/x", "/state/../../x", "/repos/"}) {
      const std::string tool =
          "[[tool]]\ntool = \"git\"\n" + std::string(key) + " = \"" + path + "\"\n" + kClient;
      EXPECT_THAT(Refused(fakes + tool), HasSubstr(std::string("x.toml:4: ") + key +
                                                   ": must be below /repos/ or /state/"));
    }
  }
  const std::string add =
      "[[client]]\nname = \"a\"\nsteps = [{ call = { type = \"WorkspaceAdd\", "
      "repo = \"/home/me\" } }]\n";
  EXPECT_THAT(Refused(fakes + add), HasSubstr("x.toml:4: repo: must be below /repos/"));
  EXPECT_EQ(Parsed(add).clients.size(), 1u);
  EXPECT_THAT(Refused(std::string("[[agent]]\nid = \"s\"\nworkspace = \"../x\"\n") + kClient),
              HasSubstr("agent: '../x' is no [[workspace]]"));
}

TEST(ScenarioFile, ToolsOfTheWorldRealBehaveAsTheyDo) {
  const std::string real = "worlds = [\"sim\", \"real\"]\n";
  const std::string tool = "[[tool]]\ntool = \"tmux\"\n";
  EXPECT_THAT(Refused(real + tool + "hang = true\n" + kClient),
              HasSubstr("x.toml:2: tool: for the world real"));
  EXPECT_THAT(Refused(real + tool + "delay_ms = 6\n" + kClient), HasSubstr("for the world real"));
  EXPECT_EQ(Parsed(real + tool + "delay_ms = 5\n" + kClient).tools.size(), 1u);
  EXPECT_THAT(Refused(real + "[[hang]]\ntool = \"git\"\n" + kClient),
              HasSubstr("only tmux has a server"));
}

TEST(ScenarioFile, AMixThatAddsWorkspacesNeedsARepository) {
  const std::string mix = "[mix]\nclients = 1\ncalls = 1\nrequests = { WorkspaceAdd = 1 }\n";
  EXPECT_THAT(Refused(mix), HasSubstr("requests: WorkspaceAdd needs a [[repo]]"));
  EXPECT_EQ(Parsed(mix + "[[repo]]\npath = \"/repos/r\"\n").repos.size(), 1u);
  // All that is drawn where no requests are named may be named.
  EXPECT_EQ(Parsed("[mix]\nclients = 1\ncalls = 1\nrequests = { Query = 1 }\n").mix.clients, 1);
}

TEST(Scaled, OnlyTheLimitsOfRequestsThatTheDaemonTakes) {
  const Scenario scenario = Parsed(
      "[[client]]\nname = \"a\"\nsteps = [{ raw = \"x \\\"timeout_ms\\\": 1\" },"
      "{ send = { type = \"Ping\", timeout_ms = 1 } }, { call = { type = \"Ping\", timeout_ms = 0 "
      "} },"
      "{ call = { type = \"Ping\", timeout_ms = 9223372036854775807 } },"
      "{ call = { type = \"Shutdown\", drain_ms = 1000 } }]\n");
  const Scenario scaled = Scaled(scenario, 0.25);
  std::vector<std::string> texts;
  for (const Step& step : scaled.clients.at(0).steps) texts.push_back(step.text);
  EXPECT_THAT(texts, ElementsAre("x \"timeout_ms\": 1", R"({"timeout_ms":1,"type":"Ping"})",
                                 R"({"timeout_ms":0,"type":"Ping"})",
                                 R"({"timeout_ms":9223372036854775807,"type":"Ping"})",
                                 R"({"drain_ms":250,"type":"Shutdown"})"));
}

TEST(ScenarioFile, AFileThatIsNotThereIsNamed) {
  const Result<Scenario> scenario = LoadScenario("/no/such.toml");
  ASSERT_FALSE(scenario.ok());
  EXPECT_EQ(scenario.error().message, "/no/such.toml:0: file: cannot be read");
}

TEST(ScenarioFile, AllFilesOfTheProjectAreInOrder) {
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(OJ_SCENARIOS)) {
    if (entry.path().extension() != ".toml") continue;
    const Result<Scenario> scenario = LoadScenario(entry.path().string());
    EXPECT_TRUE(scenario.ok()) << scenario.error().message;
    ++files;
  }
  EXPECT_GE(files, 2);
}

}  // namespace
}  // namespace oj::sim
