// The beginning of an id, where something is to be changed: `oj` finds out what it means, and the
// daemon gets the whole id.
#include "run_test_base.h"

namespace oj::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct ChangeCase {
  std::string name;
  std::vector<std::string> arguments;  // with "job-1" for the id
  std::string field;                   // of the request, that has the id
  std::string reply;
};
std::string NameOf(const testing::TestParamInfo<ChangeCase>& info) { return info.param.name; }

class LookupTest : public RunTest, public testing::WithParamInterface<ChangeCase> {
 protected:
  int Change(const std::vector<std::string>& ids) {
    Know(ids);
    ServeReply(GetParam().reply);
    const int exit = Run(GetParam().arguments);
    server_.reset();
    return exit;
  }
  std::string Field(const std::string& id) const {
    return "\"" + GetParam().field + "\":\"" + id + "\"";
  }
};

TEST_P(LookupTest, TheOnlyIdThatTheWordBeginsIsSentWhole) {
  EXPECT_EQ(Change({"job-12", "other"}), 0) << err_;
  ASSERT_EQ(requests_.size(), 1U);
  EXPECT_THAT(requests_[0], HasSubstr(Field("job-12")));
}

TEST_P(LookupTest, AnIdIsItselfWhateverItBegins) {
  EXPECT_EQ(Change({"job-1", "job-12"}), 0) << err_;
  ASSERT_EQ(requests_.size(), 1U);
  EXPECT_THAT(requests_[0], HasSubstr(Field("job-1")));
}

TEST_P(LookupTest, AWordThatBeginsSeveralIdsIsNotSentListsThemAndExits4) {
  EXPECT_EQ(Change({"job-11", "job-12"}), 4);
  EXPECT_THAT(err_, HasSubstr("'job-1' begins several ids: job-11, job-12\n"));
  EXPECT_THAT(requests_, IsEmpty());
}

TEST_P(LookupTest, AWordThatBeginsNoIdIsTheDaemonsToRefuse) {
  EXPECT_EQ(Change({"other"}), 0) << err_;
  ASSERT_EQ(requests_.size(), 1U);
  EXPECT_THAT(requests_[0], HasSubstr(Field("job-1")));
}

constexpr const char* kOk = R"({"type":"Ok"})";
INSTANTIATE_TEST_SUITE_P(
    , LookupTest,
    testing::Values(ChangeCase{"SessionKill", {"session", "kill", "job-1"}, "id", kOk},
                    ChangeCase{"SessionSend", {"session", "send", "job-1", "x"}, "id", kOk},
                    ChangeCase{"WorkspaceDrop",
                               {"workspace", "drop", "job-1"},
                               "id",
                               R"({"type":"WorkspacesDropped","dropped":[{"id":"w"}]})"},
                    ChangeCase{"AgentSend", {"agent", "send", "job-1", "x"}, "agent_id", kOk},
                    ChangeCase{"AgentResume",
                               {"agent", "resume", "job-1"},
                               "agent_id",
                               R"({"type":"AgentResumed","resumed":["a"]})"},
                    ChangeCase{
                        "AgentRun",
                        {"agent", "run", "fix", "--workspace", "job-1", "--", "make"},
                        "workspace",
                        R"({"type":"AgentStarted","agent_id":"fix-1","session_id":"fix-1"})"}),
    NameOf);

using LookupOfSeveralTest = RunTest;

// Else the second word would mean what the first has left.
TEST_F(LookupOfSeveralTest, WordsMeanWhatTheyMeantBeforeTheFirstWasRemoved) {
  Know({"w", "w2"});
  ServeReply(R"({"type":"WorkspacesDropped","dropped":[{"id":"w"}]})");
  EXPECT_EQ(Run({"workspace", "drop", "w", "w"}), 0);
  server_.reset();
  ASSERT_EQ(requests_.size(), 2U);
  for (const std::string& each : requests_) EXPECT_THAT(each, HasSubstr(R"("id":"w")"));
}

TEST_F(LookupOfSeveralTest, OneThatBeginsSeveralLeavesTheOthersToBeRemoved) {
  Know({"a1", "a2", "b"});
  ServeReply(R"({"type":"WorkspacesDropped","dropped":[{"id":"b"}]})");
  EXPECT_EQ(Run({"workspace", "drop", "a", "b"}), 4);
  EXPECT_THAT(err_, HasSubstr("'a' begins several ids: a1, a2"));
  EXPECT_EQ(out_, "workspace b removed\n");
}

TEST_F(LookupOfSeveralTest, AmbiguousIsAnErrorReplyInJson) {
  Know({"a1", "a2"});
  ServeReply(R"({"type":"Ok"})");
  EXPECT_EQ(Run({"session", "kill", "a", "-o", "json"}), 4);
  EXPECT_THAT(out_, HasSubstr(R"("type":"Error","code":"ambiguous")"));
  EXPECT_THAT(out_, HasSubstr("a1, a2"));
}

}  // namespace
}  // namespace oj::cli
