// Retries: requests with a request_id, requests that are the same, and clients that wait as long as
// there is progress.
#include "core/agents.h"
#include "core/handlers/session_steps.h"
#include "server_fixture.h"

namespace oj {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kKill[] = R"({"type":"SessionKill","id":"a","request_id":"k1"})";
constexpr char kOk[] = R"({"type":"Ok"})";
constexpr char kPrune[] = R"({"type":"SessionPrune","all":true,"timeout_ms":2000,"progress":true})";

class RetryTest : public ServerTest {
 protected:
  RetryTest() { KnowSession("a"); }
  // The next kill finds the session gone afterwards, or already.
  void Killed() { runner.Answer("has-session", 1, "", "can't find session: a"); }
  // Of another daemon's, `age` ago.
  void KnowReply(Duration age) {
    ReplyRecord record;
    record.request_id = "k1";
    record.finished_at_ms = loop.WallNow() - Millis(age);
    record.digest = ParseRequest(kKill)->digest;
    record.reply = R"({"type":"Ok","of":"another life"})";
    store.snapshot.replies.push_back(record);
  }
  std::size_t Kills() const {
    const Log all = runner.Commands();
    return static_cast<std::size_t>(std::count(all.begin(), all.end(), "kill-session"));
  }
  std::vector<std::string> Ask(std::string_view payload) {
    Peer peer = Connect();
    peer.Ask(payload);
    return peer.Replies();
  }
};

// Lesson: a slow daemon gets the same event twice, because the client retries on timeout.
TEST_F(RetryTest, ARetryOfOneInFlightJoinsItAndBothHaveTheReply) {
  Serve();
  Peer first = Connect();
  Peer second = Connect();
  runner.Takes("kill-session", 1s);
  Killed();
  first.Ask(kKill);
  second.Ask(kKill);
  loop.Advance(1s);
  EXPECT_THAT(first.Replies(), ElementsAre(kOk));
  EXPECT_THAT(second.Replies(), ElementsAre(kOk));
  EXPECT_EQ(Kills(), 1U);
}

// A laptop that wakes up, or a first look at a time server.
TEST_F(RetryTest, AReplyIsKeptThoughTheWallClockJumps) {
  Serve();
  Killed();
  EXPECT_THAT(Ask(kKill), ElementsAre(kOk));
  loop.wall += Millis(std::chrono::hours(48));
  EXPECT_THAT(Ask(kKill), ElementsAre(kOk));
  EXPECT_EQ(Kills(), 1U);
}

TEST_F(RetryTest, ARetryOfOneThatHasEndedHasItsReply) {
  Serve();
  Killed();
  EXPECT_THAT(Ask(kKill), ElementsAre(kOk));
  EXPECT_THAT(Ask(kKill), ElementsAre(kOk));
  EXPECT_EQ(Kills(), 1U);
}

TEST_F(RetryTest, TheNextDaemonKnowsTheReplyToo) {
  KnowReply(config.reply_cache);
  Serve();
  EXPECT_THAT(Ask(kKill), ElementsAre(HasSubstr("another life")));
  EXPECT_EQ(Kills(), 0U);
}

TEST_F(RetryTest, AReplyIsForgottenAfterItsTimeAndGoesFromTheStore) {
  KnowReply(config.reply_cache + 1ms);
  store.snapshot.replies[0].request_id = "k0";
  Serve();
  Killed();
  EXPECT_THAT(Ask(R"({"type":"SessionKill","id":"a","request_id":"k0"})"), ElementsAre(kOk));
  EXPECT_EQ(Kills(), 1U);
  ASSERT_FALSE(store.commits.empty());
  const auto& last = store.commits.back();
  EXPECT_EQ(std::get<Delete>(last.front()).id, "k0");
}

TEST_F(RetryTest, TheSameIdWithAnotherBodyIsInvalidInFlightAndAfterwards) {
  Serve();
  Peer first = Connect();
  runner.Takes("kill-session", 1s);
  Killed();
  first.Ask(kKill);
  constexpr char kOther[] = R"({"type":"SessionKill","id":"b","request_id":"k1"})";
  EXPECT_THAT(Ask(kOther), ElementsAre(HasSubstr("invalid_request")));
  loop.Advance(1s);
  EXPECT_THAT(Ask(kOther), ElementsAre(HasSubstr("invalid_request")));
  // Limits and the order of fields are no part of the body.
  EXPECT_THAT(Ask(R"({"request_id":"k1","id":"a","timeout_ms":900,"type":"SessionKill"})"),
              ElementsAre(kOk));
  EXPECT_EQ(Kills(), 1U);
}

TEST_F(RetryTest, ANewcomerNeverJoinsOneThatIsBeingCancelled) {
  Serve();
  Peer first = Connect();
  runner.Hangs("kill-session");
  first.Ask(kKill);
  first.Close();
  Killed();
  // The fence: the server answers before the key is handed on.
  loop.Advance(200ms);
  EXPECT_THAT(Ask(kKill), ElementsAre(kOk));
  EXPECT_EQ(Kills(), 2U);
}

TEST_F(RetryTest, TheFlightIsCancelledWhenItsLastWaiterHasLeft) {
  Serve();
  Peer first = Connect();
  Peer second = Connect();
  runner.Hangs("kill-session");
  first.Ask(kKill);
  second.Ask(kKill);
  first.Close();
  EXPECT_EQ(events.Count(EventKind::kRequestLatched), 0U);
  second.Close();
  EXPECT_EQ(events.Count(EventKind::kRequestLatched), 1U);
  loop.Advance(200ms);
}

// What came in the way is no reply to keep: a retry may fare better.
TEST_F(RetryTest, AFailureThatPassesIsNotKept) {
  Serve();
  runner.SpawnFails("kill-session", 11);
  EXPECT_THAT(Ask(kKill), ElementsAre(HasSubstr(R"("code":"busy")")));
  Killed();
  EXPECT_THAT(Ask(kKill), ElementsAre(kOk));
}

// Asked for once more when "job-1" is gone and forgotten, while "job-12" lives.
class WholeIdTest : public RetryTest, public ::testing::WithParamInterface<const char*> {
 protected:
  WholeIdTest() {
    KnowSession("job-12");
    AgentRecord agent;
    agent.id = "job-12";
    agent.session_id = "job-12";
    agent.status = AgentStatus::kRunning;
    store.snapshot.agents.push_back(agent);
    WorkspaceRecord workspace;
    workspace.id = "job-12";
    workspace.path = "/state/workspaces/job-12";
    workspace.repo = "/repo";
    workspace.status = WorkspaceStatus::kReady;
    store.snapshot.workspaces.push_back(workspace);
  }
};

TEST_P(WholeIdTest, AChangeTouchesNoOtherThatItsIdBegins) {
  Serve();
  const std::size_t looks = runner.specs.size();
  for (const char* command : {"kill-session", "has-session", "send-keys"}) {
    runner.Answer(command, 1, "", "can't find session: job-1");
  }
  EXPECT_THAT(Ask(GetParam()), ElementsAre(HasSubstr(R"("code":"not_found")")));
  for (std::size_t i = looks; i < runner.specs.size(); ++i) {
    for (const std::string& word : runner.specs[i].argv)
      EXPECT_THAT(word, Not(HasSubstr("job-12")));
  }
}

INSTANTIATE_TEST_SUITE_P(
    , WholeIdTest,
    ::testing::Values(R"({"type":"SessionKill","id":"job-1"})",
                      R"({"type":"SessionSend","id":"job-1","input":"x"})",
                      R"({"type":"WorkspaceDrop","id":"job-1"})",
                      R"({"type":"AgentSend","agent_id":"job-1","message":"x"})",
                      R"({"type":"AgentResume","agent_id":"job-1","kill":true})",
                      R"({"type":"AgentRun","name":"a","command":["sh"],"workspace":"job-1"})"));

TEST_F(RetryTest, APeekTakesTheBeginningOfAnIdAndListsSeveral) {
  KnowSession("job-12");
  KnowSession("work-1");
  KnowSession("work-2");
  Serve();
  EXPECT_THAT(Ask(R"({"type":"PeekSession","session_id":"job"})"),
              ElementsAre(HasSubstr("SessionPeek")));
  EXPECT_THAT(Ask(R"({"type":"PeekSession","session_id":"work"})"),
              ElementsAre(AllOf(HasSubstr("ambiguous"), HasSubstr("work-1, work-2"))));
}

TEST_F(RetryTest, EqualPrunesShareOneRunAndOtherOnesDoNot) {
  Serve();
  runner.Takes("kill-session", 1s);
  Killed();
  std::vector<Peer> peers;
  for (int i = 0; i < 3; ++i) peers.push_back(Connect());
  for (Peer& each : peers) each.Ask(R"({"type":"SessionPrune","all":true})");
  EXPECT_THAT(Ask(R"({"type":"SessionPrune","all":true,"dry_run":true})"), SizeIs(1));
  loop.Advance(1s);
  for (Peer& each : peers) EXPECT_THAT(each.Replies(), ElementsAre(HasSubstr("SessionsPruned")));
  EXPECT_EQ(Kills(), 1U);
}

// L5: the screen may be another one by the time the first reply is stored.
TEST_F(RetryTest, APeekDoesNotShareOneThatHasSeenTheScreenAndIsBeingStored) {
  Serve();
  runner.Answer("capture-pane", 0, "old");
  runner.Answer("capture-pane", 0, "new");
  store.hangs = true;
  Peer first = Connect();
  first.Ask(R"({"type":"PeekSession","session_id":"a","request_id":"k"})");
  Peer second = Connect();
  second.Ask(kPeek);
  EXPECT_THAT(second.Replies(), ElementsAre(HasSubstr("new")));
}

// What has a made-up id.
class MadeUpIdTest : public RetryTest {
 protected:
  MadeUpIdTest() { runner.Hangs("list-panes"); }
  std::string Member(const std::string& payload, std::string_view name) {
    const auto replies = Ask(payload);
    if (replies.size() != 1) return std::to_string(replies.size()) + " replies";
    const std::size_t at = replies[0].find("\"" + std::string(name) + "\":\"");
    if (at == std::string::npos) return replies[0];
    const std::size_t begin = at + name.size() + 4;
    return replies[0].substr(begin, replies[0].find('"', begin) - begin);
  }
  std::string Run(const std::string& more) {
    return Member(R"({"type":"AgentRun","name":"a","command":["sh"],"cwd":"/src")" + more + "}",
                  "agent_id");
  }
  std::string Add(const std::string& more) {
    runner.Answer("rev-parse", 0, "/repo/.git\n");
    return Member(R"({"type":"WorkspaceAdd","repo":"/repo")" + more + "}", "id");
  }
  std::size_t Count(const std::string& command) const {
    const Log all = runner.Commands();
    return static_cast<std::size_t>(std::count(all.begin(), all.end(), command));
  }
  // The stored replies are forgotten, as by a daemon that died before it stored them.
  void ForgetReplies() { loop.Advance(config.reply_cache + 1ms); }
};

TEST_F(MadeUpIdTest, ARunThatIsAskedForOnceMoreFindsTheFirstAlsoWhenItsReplyIsForgotten) {
  Serve();
  const std::string id = Run(R"(,"request_id":"r")");
  EXPECT_THAT(id, ::testing::MatchesRegex("a-[0-9a-f]+"));
  ForgetReplies();
  EXPECT_EQ(Run(R"(,"request_id":"r")"), id);
  EXPECT_EQ(Count("new-session"), 1U);
}

TEST_F(MadeUpIdTest, OtherRequestsAndOnesWithoutARequestIdStartOtherAgents) {
  Serve();
  std::set<std::string> ids;
  for (const char* more : {R"(,"request_id":"r")", R"(,"request_id":"s")", "", ""}) {
    ids.insert(Run(more));
  }
  EXPECT_THAT(ids, SizeIs(4));
  EXPECT_EQ(Count("new-session"), 4U);
}

// A request_id may be used again when it is forgotten, and digits may be the same by chance.
TEST_F(MadeUpIdTest, AnAgentThatIsOldOrAnotherIsNeverTakenForTheFirst) {
  Serve();
  const std::string id = Run(R"(,"request_id":"r")");
  ForgetReplies();
  EXPECT_NE(Run(R"(,"request_id":"r","namespace":"other")"), id);
  EXPECT_EQ(Count("new-session"), 2U);
  loop.wall += Millis(config.reply_cache + config.handler) + 1;
  ForgetReplies();
  EXPECT_NE(Run(R"(,"request_id":"r")"), id);
  EXPECT_EQ(Count("new-session"), 3U);
}

TEST_F(MadeUpIdTest, AnAddWithoutANameFindsTheFirstToo) {
  files.directories = {{"/state/workspaces"}};
  Serve();
  const std::string id = Add(R"(,"request_id":"r")");
  EXPECT_THAT(id, ::testing::MatchesRegex("ws-[0-9a-f]+"));
  ForgetReplies();
  EXPECT_EQ(Add(R"(,"request_id":"r")"), id);
  EXPECT_EQ(Count("worktree add"), 1U);
  EXPECT_NE(Add(""), id);
}

// Another daemon died in it, and tmux did not answer until now: nobody has settled it yet.
TEST_F(MadeUpIdTest, ARunThatWasLeftHalfDoneIsSettledBeforeItIsBegunAnew) {
  Flight named(0, "AgentRun", "", 0, loop.Now(), events, "r");
  AgentRecord agent;
  agent.id = "a-" + DigitsFor(named);
  agent.name = "a";
  agent.session_id = agent.id;
  agent.command = {"sh"};
  agent.status = AgentStatus::kStarting;
  store.snapshot.agents.push_back(agent);
  SessionRecord session;
  session.id = agent.id;
  session.status = SessionStatus::kUnknown;
  store.snapshot.sessions.push_back(session);
  store.snapshot.intents.push_back({RunIntentId(agent.id), "run", agent.id, "{}", 0});
  runner.Hangs("has-session");
  Serve();
  loop.Advance(config.tmux);
  for (int i = 0; i < 2; ++i) runner.Answer("has-session", 1, "", "can't find session");
  EXPECT_EQ(Run(R"(,"request_id":"r")"), agent.id);
  EXPECT_EQ(Count("kill-session"), 1U);
  EXPECT_EQ(Count("new-session"), 1U);
}

// A start that failed leaves nothing that a retry could take for a running agent.
TEST_F(MadeUpIdTest, ARunThatFailedIsBegunAnew) {
  Serve();
  runner.SpawnFails("new-session", 11);
  EXPECT_THAT(Run(R"(,"request_id":"r")"), HasSubstr(R"("code":"busy")"));
  const std::string id = Run(R"(,"request_id":"r")");
  EXPECT_THAT(id, ::testing::MatchesRegex("a-[0-9a-f]+"));
  EXPECT_EQ(Count("new-session"), 2U);
}

class ProgressTest : public RetryTest {
 protected:
  // Four sessions, each of which takes 1.5 s to kill.
  ProgressTest() {
    for (const char* id : {"b", "c", "d"}) KnowSession(id);
    for (int i = 0; i < 4; ++i) {
      runner.Takes("kill-session", 1500ms);
      runner.Answer("has-session", 1, "", "can't find session");
    }
  }
};

TEST_F(ProgressTest, TheLimitOfAClientThatSeesProgressCountsFromTheLastSignOfLife) {
  Serve();
  Peer peer = Connect();
  peer.Ask(kPrune);
  for (int i = 0; i < 60; ++i) loop.Advance(100ms);
  const auto frames = peer.Replies();
  // The last unit's progress is the reply.
  ASSERT_THAT(frames, SizeIs(5));
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_THAT(frames[i], AllOf(HasSubstr(R"("type":"Progress")"), HasSubstr(R"("total":4)"),
                                 HasSubstr("\"done\":" + std::to_string(i))));
  }
  EXPECT_THAT(frames[4], HasSubstr("SessionsPruned"));
}

// Else one whose first unit is large looks dead.
TEST_F(ProgressTest, TheSelectionAndTheFirstUnitAreToldBeforeAnythingIsDone) {
  Serve();
  Peer peer = Connect();
  peer.Ask(kPrune);
  EXPECT_THAT(peer.Replies(),
              ElementsAre(R"({"type":"Progress","done":0,"total":4,"item":"","message":"a"})"));
  loop.Advance(1500ms);
  EXPECT_THAT(peer.Replies(),
              ElementsAre(R"({"type":"Progress","done":1,"total":4,"item":"a","message":"b"})"));
  peer.Close();
  for (int i = 0; i < 30; ++i) loop.Advance(100ms);
}

// Lesson: no overall deadline: N items times the limit of each.
TEST_F(ProgressTest, AClientWithoutProgressHasOneReplyAtItsLimitWithWhatRemains) {
  Serve();
  Peer peer = Connect();
  peer.Ask(R"({"type":"SessionPrune","all":true,"timeout_ms":2000})");
  for (int i = 0; i < 40; ++i) loop.Advance(100ms);
  EXPECT_THAT(peer.Replies(),
              ElementsAre(AllOf(HasSubstr("deadline_exceeded"), HasSubstr(R"("id":"a")"),
                                HasSubstr(R"("remaining":["b","c","d"])"))));
}

TEST_F(ProgressTest, AUnitThatHangsEndsTheWaitWithWhatIsDone) {
  Serve();
  Peer peer = Connect();
  loop.Advance(10ms);
  peer.Ask(kPrune);
  loop.Advance(1500ms);
  EXPECT_THAT(peer.Replies(), ElementsAre(HasSubstr(R"("done":0)"), HasSubstr(R"("done":1)")));
  peer.Close();
  EXPECT_EQ(events.Count(EventKind::kRequestLatched), 1U);
  for (int i = 0; i < 30; ++i) loop.Advance(100ms);
  EXPECT_EQ(Kills(), 2U) << "the others stay untouched";
}

// What is pruned.
class SelectionTest : public ServerTest {
 protected:
  void Know(const std::string& id, const std::string& name_space, WallMillis age,
            std::optional<AgentStatus> owner = {}) {
    SessionRecord record;
    record.id = id;
    record.name_space = name_space;
    record.created_at_ms = loop.WallNow() - age;
    record.status = SessionStatus::kGone;
    if (owner) {
      AgentRecord agent;
      agent.id = "agent-" + id;
      agent.status = *owner;
      store.snapshot.agents.push_back(agent);
      record.agent_id = agent.id;
    }
    store.snapshot.sessions.push_back(record);
  }
  std::string Pruned(const std::string& more) {
    Peer peer = Connect();
    peer.Ask(R"({"type":"SessionPrune","dry_run":true)" + more + "}");
    const auto replies = peer.Replies();
    return replies.empty() ? "" : replies[0];
  }
};

TEST_F(SelectionTest, OldOnesWhoseOwnerIsOverAreSelectedOfTheNamespaceOnly) {
  constexpr WallMillis kOld = WallMillis{12} * 3600 * 1000;
  Know("alive", "x", kOld, AgentStatus::kRunning);
  Know("doubtful", "x", kOld, AgentStatus::kUnknown);
  Know("exited", "x", kOld, AgentStatus::kExited);
  Know("free", "x", kOld);
  Know("other", "y", kOld);
  Know("young", "x", kOld - 1000);
  runner.Hangs("list-panes");  // nobody is seen to end
  Serve();
  const std::string reply = Pruned(R"(,"namespace":"x")");
  for (const char* id : {"exited", "free"})
    EXPECT_THAT(reply, HasSubstr("\"id\":\"" + std::string(id)));
  for (const char* id : {"alive", "doubtful", "other", "young"}) {
    EXPECT_THAT(reply, ::testing::Not(HasSubstr("\"id\":\"" + std::string(id))));
  }
  EXPECT_THAT(reply, HasSubstr(R"("skipped":3)"));
  EXPECT_THAT(Pruned(R"(,"all":true)"), HasSubstr("\"id\":\"young"));
  EXPECT_THAT(Pruned(R"(,"all":true)"), ::testing::Not(HasSubstr("\"id\":\"alive")));
}

}  // namespace
}  // namespace oj
