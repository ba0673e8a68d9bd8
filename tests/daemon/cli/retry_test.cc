// A connection that breaks before the reply: what is asked for once more, and what never is.
#include "run_test_base.h"

namespace oj::cli {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class RetryTest : public RunTest {
 protected:
  // Closes the first `losses` connections without an answer.
  void ServeAfter(std::size_t losses, const std::string& reply) {
    Serve([this, losses, reply](ServedConnection& connection) {
      requests_.push_back(connection.ReadFrame());
      if (requests_.size() <= losses) return;
      connection.Write(Frame(reply));
      connection.ReadFrame();
    });
  }
  static std::string IdOf(const std::string& request) {
    std::smatch id;
    if (!std::regex_search(request, id, std::regex("\"request_id\":\"([0-9a-f]+)\""))) return "";
    return id[1];
  }
};

TEST_F(RetryTest, ChangeIsAskedForOnceMoreWithTheSameRequestId) {
  Know();
  ServeAfter(1, R"({"type":"Ok"})");
  EXPECT_EQ(Run({"session", "kill", "work"}), 0) << err_;
  server_.reset();
  ASSERT_THAT(requests_, SizeIs(2));
  EXPECT_THAT(IdOf(requests_[0]), SizeIs(32));
  EXPECT_EQ(IdOf(requests_[0]), IdOf(requests_[1]));
}

TEST_F(RetryTest, TwoChangesHaveDifferentRequestIds) {
  Know();
  ServeAfter(0, R"({"type":"Ok"})");
  EXPECT_EQ(Run({"session", "kill", "work"}), 0);
  EXPECT_EQ(Run({"session", "kill", "work"}), 0);
  server_.reset();
  ASSERT_THAT(requests_, SizeIs(2));
  EXPECT_NE(IdOf(requests_[0]), IdOf(requests_[1]));
}

TEST_F(RetryTest, SecondLossIsTold) {
  ServeAfter(9, "");
  EXPECT_EQ(Run({"workspace", "prune"}), 1);
  EXPECT_THAT(err_, HasSubstr("ojd closed the connection without an answer"));
  EXPECT_THAT(err_, HasSubstr("may have taken effect before that: see `oj workspace list`"));
  server_.reset();
  EXPECT_THAT(requests_, SizeIs(2));
}

TEST_F(RetryTest, LossAfterProgressIsAskedForOnceMoreToo) {
  Serve([this](ServedConnection& connection) {
    requests_.push_back(connection.ReadFrame());
    connection.Write(Frame(R"({"type":"Progress","done":1,"total":2,"item":"a"})"));
    if (requests_.size() == 1) return;
    connection.Write(Frame(R"({"type":"WorkspacesPruned","pruned":[{"id":"a"},{"id":"b"}]})"));
    connection.ReadFrame();
  });
  EXPECT_EQ(Run({"workspace", "prune"}), 0) << err_;
  EXPECT_EQ(out_, "workspace a removed\nworkspace b removed\n");
}

// What a word meant when it was given, it means when it is asked once more.
TEST_F(RetryTest, WordIsLookedUpOnceAndAskedForTwiceAsAWholeId) {
  Know({"job-12"});
  ServeAfter(1, R"({"type":"Ok"})");
  EXPECT_EQ(Run({"session", "kill", "job-1"}), 0) << err_;
  server_.reset();
  ASSERT_THAT(requests_, SizeIs(2));
  for (const std::string& each : requests_) EXPECT_THAT(each, HasSubstr(R"("id":"job-12")"));
}

struct OnceCase {
  std::vector<std::string> arguments;
  bool looks_up = true;
};
class OnceOnly : public RetryTest, public testing::WithParamInterface<OnceCase> {};

TEST_P(OnceOnly, IsNeverAskedForTwice) {
  if (GetParam().looks_up) Know();
  ServeAfter(1, R"({"type":"Ok"})");
  EXPECT_EQ(Run(GetParam().arguments), 1);
  server_.reset();
  EXPECT_THAT(requests_, SizeIs(1));
}

// What is typed into a session would be typed twice; a query is the user's to repeat.
INSTANTIATE_TEST_SUITE_P(, OnceOnly,
                         testing::Values(OnceCase{{"session", "send", "work", "x"}},
                                         OnceCase{{"agent", "send", "work", "x"}},
                                         OnceCase{{"session", "list"}, false}));

// Silence is no loss: the first may still be at it.
TEST_F(RetryTest, TimeoutIsNotFollowedByASecondRequest) {
  Know();
  Serve([this](ServedConnection& connection) {
    requests_.push_back(connection.ReadFrame());
    connection.AwaitClose();
  });
  EXPECT_EQ(Run({"--timeout", "100", "session", "kill", "work"}), 124);
  server_.reset();
  EXPECT_THAT(requests_, SizeIs(1));
}

}  // namespace
}  // namespace oj::cli
