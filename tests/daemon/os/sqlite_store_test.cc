#include "os/sqlite_store.h"

#include <gmock/gmock.h>

#include "../store_conformance.h"
#include "os/sqlite.h"
#include "os_test_support.h"

namespace oj {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Takes the task only: the commit goes on when its awaiter is cancelled.
Task<void> Commit(Store& store, std::vector<Change> changes) {
  auto commit = store.Commit(std::move(changes));
  const Status status = co_await std::move(commit);
  EXPECT_TRUE(status.ok());
}

class SqliteStoreTest : public testing::Test {
 protected:
  std::unique_ptr<SqliteStore> Open() {
    auto store = SqliteStore::Open(loop_, file_);
    EXPECT_TRUE(store.ok()) << store.error().message;
    return store ? std::move(store).value() : nullptr;
  }
  std::string OpenError() {
    const auto store = SqliteStore::Open(loop_, file_);
    return store.ok() ? "no error" : store.error().message;
  }
  StateSnapshot Load(Store& store) {
    auto all = RunOn(loop_, store.Load());
    EXPECT_TRUE(all.ok()) << all.error().message;
    return all ? *all : StateSnapshot();
  }
  TempDir dir_;
  const std::string file_ = dir_ / "state.db";
  AsioLoop loop_;
};

TEST_F(SqliteStoreTest, ConformsToStore) {
  auto store = Open();
  StoreRunner runner;
  runner.load = [this](Task<Result<StateSnapshot>> task) { return RunOn(loop_, std::move(task)); };
  runner.commit = [this](Task<Status> task) { return RunOn(loop_, std::move(task)); };
  RunStoreConformance(*store, runner);
}

TEST_F(SqliteStoreTest, EverythingIsThereAfterReopening) {
  auto store = Open();
  ASSERT_TRUE(RunOn(loop_, store->Commit(FullRecords("a"))).ok());
  store = nullptr;
  store = Open();
  EXPECT_EQ(Load(*store), SnapshotOf(FullRecords("a")));
}

TEST_F(SqliteStoreTest, FailureInTheMiddleOfACommitChangesNothing) {
  auto store = Open();
  ASSERT_TRUE(RunOn(loop_, store->Commit(FullRecords("a"))).ok());
  {
    Sqlite other(file_);
    other.Execute(
        "CREATE TRIGGER fail BEFORE INSERT ON intents WHEN new.id='bad'"
        " BEGIN SELECT RAISE(FAIL, 'no room'); END");
  }
  std::vector<Change> changes = BareRecords("a");
  IntentRecord bad;
  bad.id = "bad";
  changes.emplace_back(bad);
  changes.emplace_back(Delete{RecordKind::kAgent, "a"});

  const Status status = RunOn(loop_, store->Commit(changes));

  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(status.error().message, AllOf(HasSubstr(file_), HasSubstr("no room")));
  EXPECT_EQ(Load(*store), SnapshotOf(FullRecords("a")));
  EXPECT_TRUE(RunOn(loop_, store->Commit(FullRecords("b"))).ok()) << "the store is of use again";
}

TEST_F(SqliteStoreTest, CommitIsCarriedOutThoughItsAwaiterIsCancelled) {
  auto store = Open();
  {
    // Holds the commit up until its awaiter has gone.
    Sqlite other(file_);
    other.Execute("BEGIN IMMEDIATE");
    EXPECT_FALSE(EndsWithin(loop_, 20ms, Commit(*store, FullRecords("a"))));
    other.Execute("ROLLBACK");
  }
  EXPECT_EQ(Load(*store), SnapshotOf(FullRecords("a")));
}

TEST_F(SqliteStoreTest, CommitsBegunAreCarriedOutBeforeTheStoreIsGone) {
  auto store = Open();
  EXPECT_FALSE(EndsWithin(loop_, 0ms, Commit(*store, FullRecords("a"))) &&
               EndsWithin(loop_, 0ms, Commit(*store, FullRecords("b"))));
  store = nullptr;
  store = Open();
  EXPECT_FALSE(Load(*store).sessions.empty());
}

TEST_F(SqliteStoreTest, DatabaseOfANewerDaemonIsRefusedAndUnchanged) {
  {
    Sqlite(file_).Execute("PRAGMA user_version=99");
  }
  const std::string before = ReadFile(file_);
  EXPECT_THAT(OpenError(), AllOf(HasSubstr(file_), HasSubstr("version 99")));
  EXPECT_EQ(ReadFile(file_), before);
}

TEST_F(SqliteStoreTest, FileThatIsNoDatabaseIsRefusedAndUnchanged) {
  const std::string text(4096, 'x');
  WriteFile(file_, text);
  EXPECT_THAT(OpenError(), AllOf(HasSubstr(file_), HasSubstr("not a database")));
  EXPECT_EQ(ReadFile(file_), text);
}

TEST_F(SqliteStoreTest, MissingDirectoryIsAnErrorThatNamesTheFile) {
  auto store = SqliteStore::Open(loop_, dir_ / "absent/state.db");
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(store.error().message, HasSubstr("absent/state.db"));
}

}  // namespace
}  // namespace oj
