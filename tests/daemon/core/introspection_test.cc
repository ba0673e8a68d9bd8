// What the daemon tells of itself: Requests, Locks, Status, and the sessions that it knows.
#include <boost/json.hpp>

#include "server_fixture.h"

namespace oj {
namespace {

using ::testing::HasSubstr;
namespace json = boost::json;

constexpr char kKill[] = R"({"type":"SessionKill","id":"a"})";

class IntrospectionTest : public ServerTest {
 protected:
  // The reply to `payload` on a connection of its own.
  json::object Ask(std::string_view payload) {
    Peer peer = Connect();
    peer.Ask(payload);
    const auto replies = peer.Replies();
    peer.Close();
    EXPECT_EQ(replies.size(), 1U);
    return replies.empty() ? json::object() : json::parse(replies[0]).as_object();
  }
  json::array Requests() { return Ask(R"({"type":"Requests"})").at("requests").as_array(); }
  json::array Locks() { return Ask(R"({"type":"Locks"})").at("locks").as_array(); }
  json::object Status() { return Ask(R"({"type":"Status"})"); }
};

TEST_F(IntrospectionTest, RequestsShowHolderWithItsChildAndWaiterWithItsLock) {
  Serve();
  Peer peeking = Connect();
  Peer killing = Connect();
  runner.Hangs("capture-pane");
  peeking.Ask(R"({"type":"PeekSession","session_id":"a","timeout_ms":1000})");
  killing.Ask(kKill);
  loop.Advance(100ms);
  EXPECT_EQ(Requests(), json::parse(R"([
    {"id":"r1","type":"PeekSession","client_pid":4001,"age_ms":100,"state":"running",
     "locks":["session:a"],
     "children":[{"pid":50,"argv":"tmux capture-pane -t =a: -p -S -40","age_ms":100}],
     "waiters":1,"deadline_ms":800,"waiting_for":"tmux"},
    {"id":"r2","type":"SessionKill","client_pid":4002,"age_ms":100,"state":"waiting",
     "locks":[],"children":[],"waiters":1,"deadline_ms":119900,"waiting_for":"session:a"}])"));
}

TEST_F(IntrospectionTest, SharedRequestShowsHowManyWaitForIt) {
  Serve();
  Peer first = Connect();
  Peer second = Connect();
  runner.Hangs("capture-pane");
  for (Peer* each : {&first, &second}) each->Ask(kPeek);
  const json::array requests = Requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].at("waiters"), 2);
}

TEST_F(IntrospectionTest, NothingInFlightIsAnEmptyListNotAnError) {
  Serve();
  EXPECT_TRUE(Requests().empty());
  EXPECT_TRUE(Locks().empty());
}

TEST_F(IntrospectionTest, LocksShowHolderModeAgeAndWaiters) {
  Serve();
  Peer first = Connect();
  Peer second = Connect();
  runner.Hangs("kill-session");
  first.Ask(kKill);
  second.Ask(kKill);
  loop.Advance(30ms);
  EXPECT_EQ(Locks(), json::parse(R"([{"key":"session:a","mode":"exclusive","holder":"r1",
                                      "held_ms":30,"waiters":["r2"]}])"));
}

TEST_F(IntrospectionTest, QuarantinedKeyIsNamedInLocksAndStatusAndItsRefusalIsLogged) {
  Serve();
  auto undead = runner.HangsUndead("capture-pane");
  Peer peeking = Connect();
  peeking.Ask(kPeek);
  loop.Advance(config.tmux);
  const std::string why = "process 77 (state D) could not be killed";
  EXPECT_EQ(Locks().at(0).at("quarantine").as_string(), why);
  EXPECT_EQ(Status().at("quarantined"), json::array({"session:a: " + why}));
  EXPECT_EQ(Ask(kKill).at("code").as_string(), "busy");
  EXPECT_EQ(events.entries[events.entries.size() - 2].kind, EventKind::kRequestEnded);
  EXPECT_EQ(events.entries[events.entries.size() - 2].text, "busy");
  undead->dead.Set();
  loop.RunReady();
  EXPECT_EQ(Status().at("quarantined"), json::array());
}

class QuarantineDumpTest : public IntrospectionTest {
 protected:
  void QuarantineAKey() {
    loop.wall += 1;  // by which a file is named
    auto undead = runner.HangsUndead("capture-pane");
    Peer peeking = Connect();
    peeking.Ask(kPeek);
    loop.Advance(config.tmux);
    undead->dead.Set();
    loop.RunReady();
  }
  std::ptrdiff_t Dumps() const {
    return std::count_if(files.contents.begin(), files.contents.end(), [](const auto& file) {
      return file.first.find("/dumps/dump-") != std::string::npos;
    });
  }
};

TEST_F(QuarantineDumpTest, QuarantinesAreDumpedAtMostOnceAMinute) {
  Serve();
  for (const auto& [rest, expected] : {std::pair{0s, 1}, {1s, 1}, {60s, 2}}) {
    loop.Advance(rest);
    QuarantineAKey();
    EXPECT_EQ(Dumps(), expected) << "after " << rest.count() << " s more";
  }
}

TEST_F(QuarantineDumpTest, OneThatCouldNotBeWrittenIsWrittenAtAQuarantineSoonAfter) {
  config.tmux = 1s;
  Serve();
  files.write_fails = Error{ErrorCode::kUnavailable, "write: no space left", ""};
  QuarantineAKey();
  EXPECT_EQ(Dumps(), 0);
  const auto told = std::find_if(events.entries.begin(), events.entries.end(),
                                 [](const auto& each) { return each.kind == EventKind::kDumped; });
  ASSERT_NE(told, events.entries.end());
  EXPECT_EQ(told->text, "write: no space left");
  EXPECT_EQ(told->value, 1);
  files.write_fails.reset();
  QuarantineAKey();
  EXPECT_EQ(Dumps(), 0) << "a full disk is left alone for some seconds";
  loop.Advance(4s);
  QuarantineAKey();
  EXPECT_EQ(Dumps(), 1);
}

TEST_F(IntrospectionTest, StatusCountsWhatIsActiveAndWhatWas) {
  KnowSession("a");
  KnowSession("gone");
  store.snapshot.sessions.back().status = SessionStatus::kGone;
  Serve();
  Peer peeking = HungPeek();
  loop.Advance(70ms);
  EXPECT_EQ(Status(), json::parse(R"({"type":"Status","version":"0.1.0","pid":1,"uptime_ms":70,
    "requests_active":1,"children_active":1,"connections":2,
    "limits":{"requests":512,"children":256,"connections":2048},"sessions":1,"workspaces":0,"agents":0,
    "locks_held":1,"quarantined":[],"counters":{"requests":1,"connections":2}})"));
  peeking.Close();
  const json::object after = Status();
  for (const char* key : {"requests_active", "children_active", "locks_held"}) {
    EXPECT_EQ(after.at(key), 0) << key;
  }
}

TEST_F(IntrospectionTest, SessionsAreListedAndShownAsRecorded) {
  KnowSession("a");
  Serve();
  const json::value record = json::parse(R"({"id":"a","namespace":"","agent_id":null,"cwd":"/src",
    "command":["make"],"created_at_ms":1700000000000,"status":"live"})");
  EXPECT_EQ(Ask(R"({"type":"Query","query":{"type":"ListSessions"}})").at("sessions"),
            json::array({record}));
  EXPECT_EQ(Ask(R"({"type":"Query","query":{"type":"GetSession","id":"a"}})").at("session"),
            record);
  EXPECT_TRUE(
      Ask(R"({"type":"Query","query":{"type":"GetSession","id":"b"}})").at("session").is_null());
}

TEST_F(IntrospectionTest, HelloTellsVersionAndProtocol) {
  Serve();
  const json::object hello = Ask(R"({"type":"Hello","version":"9"})");
  EXPECT_EQ(hello.at("version").as_string(), kVersion);
  EXPECT_EQ(hello.at("protocol"), kProtocol);
}

}  // namespace
}  // namespace oj
