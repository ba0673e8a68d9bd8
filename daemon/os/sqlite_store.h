// SqliteStore: the state in an embedded SQLite database, on a thread of its own. A commit is
// durable (WAL journal, synchronous=FULL) when it returns.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "oj/store.h"
#include "os/worker.h"

namespace oj {

class SqliteStore final : public Store {
 public:
  // Opens or creates the database and brings its schema up to date; blocks, for start-up only.
  // Error (kUnavailable): names file and cause, such as a database of a newer daemon, or a file
  // that is no database; the file is unchanged then.
  static Result<std::unique_ptr<SqliteStore>> Open(AsioLoop& loop, const std::string& file);
  ~SqliteStore() override;

  Task<Result<StateSnapshot>> Load() override;
  Task<Status> Commit(std::vector<Change> changes) override;

 private:
  class Database;
  SqliteStore(AsioLoop& loop, std::shared_ptr<Database> database);

  std::shared_ptr<Database> database_;  // used on the worker's thread only
  Worker worker_;
};

}  // namespace oj
