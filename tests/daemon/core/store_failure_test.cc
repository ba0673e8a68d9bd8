// A state file that cannot be read or written: what each request answers, and that the daemon goes
// on.
#include "server_fixture.h"

namespace oj {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kNew[] = R"({"type":"SessionNew","id":"a","cwd":"/src","command":["make"]})";
constexpr char kKill[] = R"({"type":"SessionKill","id":"a"})";
constexpr char kShow[] = R"({"type":"Query","query":{"type":"GetSession","id":"a"}})";
const auto kDiskFull = AllOf(HasSubstr(R"("code":"unavailable")"), HasSubstr("disk is full"));

class StoreFailureTest : public ServerTest {
 protected:
  void FillDisk(std::size_t good_commits = 0) {
    store.good_commits = good_commits;
    store.failure = Error{ErrorCode::kUnavailable, "state.db: database or disk is full", ""};
  }
  void Absent() { runner.Answer("has-session", 1, "", "can't find session: a"); }
  std::string Ask(std::string_view payload) {
    Peer peer = Connect();
    peer.Ask(payload);
    loop.Advance(10ms);
    const auto replies = peer.Replies();
    peer.Close();
    return replies.size() == 1 ? replies[0] : std::to_string(replies.size()) + " replies";
  }
  // L4, L9: nothing is held, and others are served.
  void ExpectServing() {
    EXPECT_EQ(Ask(R"({"type":"Ping"})"), R"({"type":"Pong"})");
    EXPECT_EQ(Ask(R"({"type":"Locks"})"), R"({"type":"Locks","locks":[]})");
  }
};

TEST_F(StoreFailureTest, StateThatCannotBeReadEndsTheStartAndServesNobody) {
  store.failure = Error{ErrorCode::kUnavailable, "state.db: it is no database", ""};
  Serve();
  ASSERT_TRUE(ended.has_value());
  ASSERT_FALSE(ended->ok());
  EXPECT_EQ(ended->error().message, "state.db: it is no database");
  EXPECT_THAT(events.entries, IsEmpty());
}

TEST_F(StoreFailureTest, StateThatIsNotReadInTimeEndsTheStartToo) {
  store.hangs = true;
  Serve();
  loop.Advance(4999ms);
  EXPECT_FALSE(ended.has_value());
  loop.Advance(1ms);
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(ended->error().message, HasSubstr("5000 ms"));
}

TEST_F(StoreFailureTest, NewStartsNothingThatCouldNotBeRecorded) {
  Serve();
  FillDisk();
  Absent();
  EXPECT_THAT(Ask(kNew), kDiskFull);
  EXPECT_THAT(runner.Commands(), Not(Contains("new-session")));
  EXPECT_THAT(Ask(kShow), HasSubstr(R"("session":null)"));
  ExpectServing();
}

// L5: no request need come for the truth to be known.
TEST_F(StoreFailureTest, NewThatCouldNotBeConfirmedIsLiveWhenTmuxHasBeenAsked) {
  Serve();
  FillDisk(1);
  Absent();
  EXPECT_THAT(Ask(kNew), kDiskFull);
  store.failure.reset();
  for (int i = 0; i < 3; ++i) runner.Answer("list-panes", 0, "a 0 \n");
  loop.Advance(2s);
  EXPECT_THAT(Ask(kShow), HasSubstr(R"("status":"live")"));
}

// L5, L6: it runs, but is not called live; a retry takes it over.
TEST_F(StoreFailureTest, NewThatCouldNotBeConfirmedStaysUnknownAndARetryConverges) {
  Serve();
  FillDisk(1);
  Absent();
  EXPECT_THAT(Ask(kNew), kDiskFull);
  EXPECT_THAT(Ask(kShow), HasSubstr(R"("status":"unknown")"));
  store.failure.reset();
  EXPECT_EQ(Ask(kNew), R"({"type":"SessionCreated","id":"a"})");
  EXPECT_THAT(Ask(kShow), HasSubstr(R"("status":"live")"));
  ExpectServing();
}

TEST_F(StoreFailureTest, KillThatCouldNotBeRecordedIsNotCalledDoneAndARetryConverges) {
  KnowSession("a");
  Serve();
  FillDisk();
  Absent();
  EXPECT_THAT(Ask(kKill), kDiskFull);
  EXPECT_THAT(Ask(kShow), HasSubstr(R"("status":"live")"));
  store.failure.reset();
  runner.Answer("kill-session", 1, "", "can't find session: a");
  Absent();
  EXPECT_EQ(Ask(kKill), R"({"type":"Ok"})");
  EXPECT_THAT(Ask(kShow), HasSubstr(R"("status":"gone")"));
  ExpectServing();
}

TEST_F(StoreFailureTest, PeekAndSendNeedNoDisk) {
  KnowSession("a");
  Serve();
  FillDisk();
  EXPECT_THAT(Ask(kPeek), HasSubstr("SessionPeek"));
  EXPECT_EQ(Ask(R"({"type":"SessionSend","id":"a","input":"x"})"), R"({"type":"Ok"})");
}

TEST_F(StoreFailureTest, ShutdownThatKillsStopsOnAFullDiskToo) {
  KnowSession("a");
  Serve();
  FillDisk();
  Absent();
  EXPECT_EQ(Ask(R"({"type":"Shutdown","kill":true})"), R"({"type":"ShuttingDown"})");
  EXPECT_TRUE(ended.has_value());
}

TEST_F(StoreFailureTest, DiskThatHangsIsUnavailableAfterItsLimitAndHoldsUpNoPing) {
  Serve();
  store.hangs = true;
  Absent();
  Peer creating = Connect();
  creating.Ask(kNew);
  EXPECT_EQ(Ask(R"({"type":"Ping"})"), R"({"type":"Pong"})");
  loop.Advance(5s);
  EXPECT_THAT(creating.Replies(),
              ElementsAre(AllOf(HasSubstr("unavailable"), HasSubstr("5000 ms"))));
  store.hangs = false;
  ExpectServing();
}

TEST_F(StoreFailureTest, DiskThatHangsKeepsNoClientWaitingPastItsLimit) {
  Serve();
  store.hangs = true;
  Absent();
  Peer creating = Connect();
  std::string request(kNew);
  request.insert(request.size() - 1, R"(,"timeout_ms":1000)");
  creating.Ask(request);
  loop.Advance(900ms + 500ms +
               50ms);  // the limit less the margin, the kill grace, and what is over
  EXPECT_THAT(creating.Replies(),
              ElementsAre(AllOf(HasSubstr("deadline_exceeded"), HasSubstr("has not ended yet"))));
  loop.Advance(5s);
  store.hangs = false;
  ExpectServing();
}

}  // namespace
}  // namespace oj
