// oj workspace: what is asked of the daemon, and what is said of what came of it.
#include "run_test_base.h"

namespace oj::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

using WorkspaceTest = RunTest;

constexpr const char* kPruned =
    R"({"type":"WorkspacesPruned","pruned":[{"id":"a","path":"/home/me/a","branch":"oj/a"}],)"
    R"("skipped":2,"failed":[],"remaining":[]})";

TEST_F(WorkspaceTest, AddSendsAbsolutePathNameBranchAndNamespace) {
  ServeReply(R"({"type":"WorkspaceCreated","id":"w","path":"/home/me/w","branch":"b"})");
  Set("HOME", "/home/me");
  EXPECT_EQ(Run({"workspace", "add", "/tmp/", "--name", "w", "--branch", "b", "--namespace", "n"}),
            0);
  EXPECT_EQ(out_, "workspace w created (~/w), branch b\n");
  ExpectRequest(R"({"type":"WorkspaceAdd","repo":"/tmp","name":"w","branch":"b","namespace":"n",)"
                R"("request_id":"R","timeout_ms":N})");
}

TEST_F(WorkspaceTest, ListShowsAgesAndShortensPathsInTextOnly) {
  const std::string reply =
      R"({"type":"Workspaces","workspaces":[{"id":"w","repo":"/home/me/src","branch":"b",)"
      R"("status":"failed","created_at_ms":999999880000,"error":"no space"}]})";
  ServeReply(reply);
  Set("HOME", "/home/me");
  EXPECT_EQ(Run({"workspace", "list"}), 0);
  EXPECT_EQ(out_,
            "ID  STATUS  AGE    BRANCH  AGENT  REPO\n"
            "w   failed  2 min  b       -      ~/src\n"
            "    no space\n");
  EXPECT_EQ(Run({"workspace", "list", "-o", "json"}), 0);
  EXPECT_EQ(out_, reply + "\n");
}

TEST_F(WorkspaceTest, ShowTakesTheOnlyOneThatTheWordBegins) {
  ServeReply(R"({"type":"Workspaces","workspaces":[{"id":"login","path":"/w"},{"id":"x"}]})");
  EXPECT_EQ(Run({"workspace", "show", "lo"}), 0);
  EXPECT_THAT(out_, HasSubstr("login"));
  EXPECT_EQ(Run({"workspace", "show", "lo", "-o", "json"}), 0);
  EXPECT_EQ(out_, R"({"type":"Workspace","workspace":{"id":"login","path":"/w"}})"
                  "\n");
}

TEST_F(WorkspaceTest, ShowOfAWordThatBeginsSeveralListsThemAndExits4) {
  ServeReply(R"({"type":"Workspaces","workspaces":[{"id":"ab1"},{"id":"ab2"},{"id":"c"}]})");
  EXPECT_EQ(Run({"workspace", "show", "ab"}), 4);
  EXPECT_THAT(err_, HasSubstr("'ab' begins several ids: ab1, ab2\n"));
}

TEST_F(WorkspaceTest, ShowTakesAnIdThatOthersBeginWith) {
  ServeReply(R"({"type":"Workspaces","workspaces":[{"id":"ab"},{"id":"ab2"}]})");
  EXPECT_EQ(Run({"workspace", "show", "ab"}), 0);
}

TEST_F(WorkspaceTest, PruneAsksForProgressAndSendsItsFlags) {
  ServeReply(kPruned);
  Set("HOME", "/home/me");
  EXPECT_EQ(Run({"workspace", "prune", "--all", "--force", "--delete-branch", "--namespace", "n"}),
            0);
  EXPECT_EQ(out_, "workspace a removed (~/a), branch oj/a deleted\n");
  EXPECT_EQ(err_, "1 workspace removed, 2 skipped (in use)\n");
  ExpectRequest(R"({"type":"WorkspacePrune","force":true,"delete_branch":true,"dry_run":false,)"
                R"("all":true,"namespace":"n","request_id":"R","progress":true,"timeout_ms":N})");
}

TEST_F(WorkspaceTest, DryRunSaysWhatWouldBeRemoved) {
  ServeReply(kPruned);
  EXPECT_EQ(Run({"workspace", "prune", "--dry-run"}), 0);
  EXPECT_THAT(out_, HasSubstr("workspace a would be removed"));
  EXPECT_THAT(OnlyRequest(), HasSubstr(R"("dry_run":true)"));
}

std::string PrunedWithFailure(const std::string& code) {
  return R"({"type":"WorkspacesPruned","pruned":[{"id":"a","path":"/a"}],"skipped":0,)"
         R"("failed":[{"id":"b","code":")" +
         code + R"(","message":"workspace 'b' stays: it has untracked files"}],"remaining":[]})";
}

TEST_F(WorkspaceTest, WorkspaceThatStaysForAConflictIsNamedAndExits4) {
  ServeReply(PrunedWithFailure("conflict"));
  EXPECT_EQ(Run({"workspace", "prune"}), 4);
  EXPECT_EQ(out_, "workspace a removed (/a)\n");
  EXPECT_THAT(err_, HasSubstr("oj: workspace 'b' stays: it has untracked files\n"));
  EXPECT_THAT(err_, HasSubstr("1 workspace removed, 1 failed\n"));
}

TEST_F(WorkspaceTest, WorkspaceThatFailedOtherwiseExits1) {
  ServeReply(PrunedWithFailure("tool_failed"));
  EXPECT_EQ(Run({"workspace", "prune"}), 1);
  EXPECT_EQ(Run({"workspace", "prune", "-o", "json"}), 1);
  EXPECT_EQ(out_, PrunedWithFailure("tool_failed") + "\n");
}

TEST_F(WorkspaceTest, ReplyThatLeavesSomethingToDoIsNoSuccess) {
  ServeReply(R"({"type":"WorkspacesPruned","pruned":[],"failed":[],"remaining":["a","b"]})");
  EXPECT_EQ(Run({"workspace", "prune"}), 1);
  EXPECT_THAT(err_, HasSubstr("not done yet: a b\n"));
}

TEST_F(WorkspaceTest, ErrorOfAPruneTellsWhatWasDoneAndWhatRemains) {
  ServeReply(R"({"type":"Error","code":"deadline_exceeded","message":"cancelled at its deadline",)"
             R"("detail":{"pruned":[{"id":"a","path":"/a"}],"failed":[{"id":"b","code":"busy",)"
             R"("message":"full"}],"remaining":["c","d"],"limit_ms":4500}})");
  EXPECT_EQ(Run({"workspace", "prune"}), 124);
  EXPECT_THAT(err_, HasSubstr("workspace a removed (/a)\n"));
  EXPECT_THAT(err_, HasSubstr("oj: workspace b: full\n"));
  EXPECT_THAT(err_, HasSubstr("not done yet: c d\n"));
  EXPECT_THAT(err_, HasSubstr("oj: cancelled at its deadline\n"));
  EXPECT_EQ(out_, "");
}

// Answers each WorkspaceDrop by the id that it names.
FakeServer::Script DropOf(const std::string& conflicting) {
  return [conflicting](ServedConnection& connection) {
    for (std::string request; !(request = connection.ReadFrame()).empty();) {
      const std::size_t at = request.find("\"id\":\"") + 6;
      const std::string id = request.substr(at, request.find('"', at) - at);
      connection.Write(Frame(id == conflicting
                                 ? R"({"type":"Error","code":"conflict","message":"workspace ')" +
                                       id + R"(' stays"})"
                                 : R"({"type":"WorkspacesDropped","dropped":[{"id":")" + id +
                                       R"(","path":"/w"}],"failed":[],"remaining":[]})"));
    }
  };
}

TEST_F(WorkspaceTest, DropOfSeveralGoesOnAfterTheOneThatStays) {
  Know();
  Serve(DropOf("b"));
  EXPECT_EQ(Run({"workspace", "drop", "a", "b", "c"}), 4);
  EXPECT_EQ(out_, "workspace a removed (/w)\nworkspace c removed (/w)\n");
  EXPECT_THAT(err_, HasSubstr("dropping: 2 of 3 done: b\n"));
  EXPECT_THAT(err_, HasSubstr("oj: workspace 'b' stays\n2 workspaces removed, 1 failed\n"));
}

TEST_F(WorkspaceTest, DropOfOneThatStaysIsTheDaemonsError) {
  Know();
  Serve(DropOf("b"));
  EXPECT_EQ(Run({"workspace", "drop", "b"}), 4);
  EXPECT_EQ(err_, "oj: workspace 'b' stays\n");
}

TEST_F(WorkspaceTest, DropThatIsCutOffTellsWhatWasDoneAndWhatIsLeft) {
  Know();
  Serve([](ServedConnection& connection) {
    const std::string request = connection.ReadFrame();
    if (request.find(R"("id":"a")") != std::string::npos) {
      connection.Write(Frame(R"({"type":"WorkspacesDropped","dropped":[{"id":"a"}]})"));
    }
    connection.AwaitClose();
  });
  EXPECT_EQ(Run({"--timeout", "200", "workspace", "drop", "a", "b", "c"}), 124);
  EXPECT_THAT(err_, HasSubstr("workspace a removed\nnot done yet: b c\n"));
}

TEST_F(WorkspaceTest, DropOfAllOrOfTheFailedIsOneRequest) {
  ServeReply(R"({"type":"WorkspacesDropped","dropped":[],"failed":[],"remaining":[]})");
  EXPECT_EQ(Run({"workspace", "drop", "--failed", "--dry-run"}), 0);
  EXPECT_EQ(err_, "0 workspaces would be removed\n");
  ExpectRequest(R"({"type":"WorkspaceDropFailed","force":false,"delete_branch":false,)"
                R"("dry_run":true,"request_id":"R","progress":true,"timeout_ms":N})");
}

TEST_F(WorkspaceTest, SessionPruneSendsItsFlags) {
  ServeReply(R"({"type":"SessionsPruned","pruned":[{"id":"s"}],"skipped":0,"failed":[]})");
  EXPECT_EQ(Run({"session", "prune", "--all", "--dry-run", "--namespace", "n"}), 0);
  EXPECT_EQ(out_, "session s would be ended\n");
  ExpectRequest(R"({"type":"SessionPrune","all":true,"dry_run":true,"namespace":"n",)"
                R"("request_id":"R","progress":true,"timeout_ms":N})");
}

}  // namespace
}  // namespace oj::cli
