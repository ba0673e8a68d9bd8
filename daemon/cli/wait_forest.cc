#include "cli/wait_forest.h"

#include <map>
#include <set>

#include "cli/render_parts.h"

namespace oj::cli {
namespace {

namespace json = boost::json;

struct Wait {
  std::string key;
  std::vector<std::string> holders;
  std::string quarantine;
};

class Forest {
 public:
  Forest(const json::object& requests, const json::object& locks, bool utf8) : utf8_(utf8) {
    for (const json::object* each : Objects(requests, "requests")) {
      order_.push_back(TextField(*each, "id"));
      requests_[order_.back()] = each;
    }
    for (const json::object* lock : Objects(locks, "locks")) AddLock(*lock);
  }

  std::vector<WaitRow> Rows() {
    for (const std::string& id : order_) {
      if (!waits_.contains(id)) Add(id, "", "");
    }
    // Holders that are no requests any more, and whatever is left.
    for (const auto& [node, holder] : strangers_) Add(node, "", "");
    for (const std::string& id : order_) Add(id, "", "");
    return std::move(rows_);
  }

 private:
  // A waiter that is no request is the daemon itself, or has ended: it has no row.
  void AddLock(const json::object& lock) {
    const std::string holder = HolderOf(lock);
    const std::string key = TextField(lock, "key");
    // What the daemon does of its own accord is many things: one for each lock.
    const std::string node = holder == kOwnWork ? holder + " " + key : holder;
    bool awaited = false;
    for (const std::string& waiter : WaitersOf(lock)) {
      if (!requests_.contains(waiter)) continue;
      awaited = true;
      Wait& wait = waits_[waiter];
      if (wait.holders.empty()) below_[node].push_back(waiter);
      wait.key = key;
      wait.holders.push_back(holder);
      wait.quarantine = TextField(lock, "quarantine");
    }
    if (awaited && !requests_.contains(holder)) strangers_[node] = holder;
  }

  // `lead`: before the row's name; `below`: before those of the rows below it.
  void Add(const std::string& id, const std::string& lead, const std::string& below) {
    if (!seen_.insert(id).second) return;
    rows_.push_back(RowOf(id));
    rows_.back().name = lead + rows_.back().name;
    const std::vector<std::string>& waiters = below_[id];
    for (std::size_t i = 0; i < waiters.size(); ++i) {
      const bool last = i + 1 == waiters.size();
      Add(waiters[i],
          below + (last    ? utf8_ ? "└─" : "`-"
                   : utf8_ ? "├─"
                           : "|-"),
          below + (last    ? "  "
                   : utf8_ ? "│ "
                           : "| "));
    }
  }

  WaitRow RowOf(const std::string& id) const {
    const auto at = requests_.find(id);
    if (at == requests_.end()) {
      const std::string& holder = strangers_.at(id);
      const bool own = holder == kOwnWork;
      return {holder, "-", "-", "-", "-", own ? "ojd's own work" : "ended; ojd goes on with it"};
    }
    const json::object& request = *at->second;
    WaitRow row{id,
                OrDash(TextField(request, "type")),
                OrDash(TextField(request, "client_pid")),
                DurationField(request, "age_ms"),
                DurationField(request, "deadline_ms"),
                WhatFor(request)};
    row.blocked = waits_.contains(id);
    row.cancelling = TextField(request, "state") == "cancelling";
    if (row.blocked) row.waits_for = WhatFor(waits_.at(id));
    if (row.cancelling) row.waits_for = "cancelled; " + row.waits_for;
    return row;
  }

  static std::string WhatFor(const Wait& wait) {
    std::string text = wait.key + ", held by " + wait.holders.front();
    if (wait.holders.size() > 1)
      text += " and " + std::to_string(wait.holders.size() - 1) + " more";
    if (!wait.quarantine.empty()) text += " (quarantine)";
    return text;
  }

  static std::string WhatFor(const json::object& request) {
    const auto children = Objects(request, "children");
    if (children.empty()) {
      const std::string waiting = TextField(request, "waiting_for");
      return waiting.empty() ? OrDash(TextField(request, "state")) : waiting;
    }
    const json::object& child = *children.front();
    std::string text = ShortCommand(TextField(child, "argv")) + ", pid " + TextField(child, "pid") +
                       ", " + DurationField(child, "age_ms");
    if (children.size() > 1) text += ", and " + std::to_string(children.size() - 1) + " more";
    return text;
  }

  const bool utf8_;
  std::vector<std::string> order_;
  std::map<std::string, const json::object*> requests_;
  std::map<std::string, Wait> waits_;
  std::map<std::string, std::vector<std::string>> below_;
  std::map<std::string, std::string> strangers_;  // by node: the holder's name
  std::set<std::string> seen_;
  std::vector<WaitRow> rows_;
};

}  // namespace

std::vector<WaitRow> WaitForest(const json::object& requests, const json::object& locks,
                                bool utf8) {
  return Forest(requests, locks, utf8).Rows();
}

std::string ShortCommand(const std::string& line) {
  std::string text;
  std::size_t words = 0;
  for (std::size_t at = 0; at < line.size() && words < 2;) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    const std::string word = line.substr(at, end - at);
    at = end + 1;
    if (words == 0) {
      text = word.substr(word.rfind('/') + 1);
    } else if (word.empty() || word[0] == '-' || word.find('/') != std::string::npos) {
      continue;
    } else {
      text += " " + word;
    }
    ++words;
  }
  return text;
}

}  // namespace oj::cli
