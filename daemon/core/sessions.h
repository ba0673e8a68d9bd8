// Sessions: what the daemon knows of the sessions it made: all in memory, each change durable in
// the store before it counts.
#pragma once

#include <map>
#include <string>

#include "oj/clock.h"
#include "oj/store.h"

namespace oj {

class Sessions {
 public:
  Sessions(Clock& clock, Store& store) : clock_(clock), store_(store) {}

  // Error: the state could not be read.
  Task<Status> Load();
  // Null if there is no record; valid until the next change.
  const SessionRecord* Find(const std::string& id) const;
  const std::map<std::string, SessionRecord>& all() const { return records_; }

  // Both are carried out whole, whatever the awaiter's scope says. Error kUnavailable: the state
  // could not be written; nothing has changed.
  Task<Status> Put(SessionRecord record);
  Task<Status> Remove(std::string id);

 private:
  Task<Status> Commit(Change change);

  Clock& clock_;
  Store& store_;
  std::map<std::string, SessionRecord> records_;
};

}  // namespace oj
