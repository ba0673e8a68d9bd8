// State: what the daemon knows, all in memory; each change is durable in the store before it
// counts.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "oj/clock.h"
#include "oj/store.h"

namespace oj {

class State {
 public:
  template <class Record>
  using Table = std::map<std::string, Record>;  // by id

  State(Clock& clock, Store& store) : clock_(clock), store_(store) {}

  // Error: the state could not be read.
  Task<Status> Load();

  template <class Record>
  const Table<Record>& All() const {
    return std::get<Table<Record>>(tables_);
  }
  // Null if there is no record; valid until the next change.
  template <class Record>
  const Record* Find(const std::string& id) const {
    const auto& table = All<Record>();
    const auto at = table.find(id);
    return at == table.end() ? nullptr : &at->second;
  }

  // All changes or none, whatever the awaiter's scope says. Error kUnavailable: they could not be
  // written; nothing has changed.
  Task<Status> Commit(std::vector<Change> changes);
  Task<Status> Commit(Change change);

 private:
  void Apply(Change change);

  Clock& clock_;
  Store& store_;
  std::tuple<Table<SessionRecord>, Table<WorkspaceRecord>, Table<AgentRecord>, Table<IntentRecord>,
             Table<ReplyRecord>>
      tables_;
};

}  // namespace oj
