#include "cli/top_view.h"

#include <algorithm>

#include "cli/render_parts.h"
#include "cli/wait_forest.h"
#include "terminal/width.h"

namespace oj::cli {
namespace {

namespace json = boost::json;

// Silence of less than this is no news.
constexpr Duration kNews = std::chrono::milliseconds(1500);

using Lines = std::vector<std::string>;

Lines Split(const std::string& text) {
  Lines lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string Faint(const std::string& text, const View& view) {
  const auto columns = static_cast<std::size_t>(view.columns);
  return Styled(view.columns > 0 ? CutTo(text, columns, view) : text, Style::kDim, view.color);
}

// Words of a line, packed into as many lines as they need.
class Packed {
 public:
  explicit Packed(const View& view) : view_(view) {}
  void Add(const std::string& text, Style style = Style::kPlain) {
    const std::size_t width = terminal::WidthOf(text);
    const auto columns = static_cast<std::size_t>(view_.columns);
    if (view_.columns > 0 && used_ > 0 && used_ + kGap + width > columns) {
      lines_.emplace_back();
      used_ = 0;
    }
    std::string& line = lines_.back();
    if (used_ > 0) line.append(kGap, ' ');
    used_ += (used_ > 0 ? kGap : 0) + width;
    line += Styled(view_.columns > 0 ? CutTo(text, columns, view_) : text, style, view_.color);
  }
  Lines Take() { return std::move(lines_); }

 private:
  static constexpr std::size_t kGap = 3;
  const View& view_;
  Lines lines_ = {""};
  std::size_t used_ = 0;
};

// `own`: so many are ours, and no news.
void AddUse(Packed& facts, const json::object& status, const char* what, const char* field,
            std::int64_t own = 0) {
  const std::int64_t used = std::max<std::int64_t>(0, NumberField(status, field, 0) - own);
  std::int64_t limit = 0;
  if (const json::value* limits = status.if_contains("limits"); limits && limits->is_object()) {
    limit = NumberField(limits->get_object(), what, 0);
  }
  const bool near = limit > 0 && used * 10 >= limit * 8;
  std::string text = std::string(what) + " " + std::to_string(used);
  if (limit > 0) text += "/" + std::to_string(limit);
  if (own > 0) text += " (and this)";
  facts.Add(text, used >= limit && near ? Style::kBad : near ? Style::kWarning : Style::kPlain);
}

void AddHealth(Packed& line, const TopLook& look) {
  if (!look.trouble.empty()) {
    line.Add(look.trouble, Style::kBad);
  } else if (look.silent >= kNews + look.every) {
    line.Add("no answer for " + Humanise(look.silent), Style::kBad);
  }
  if (look.paused) line.Add("paused", Style::kWarning);
}

// `small`: there is no room for what one can do without.
Lines Head(const TopLook& look, const View& view, bool small) {
  Packed first(view);
  if (look.status.empty()) {
    AddHealth(first, look);
    if (look.trouble.empty()) first.Add("asking ojd");
    if (look.keys) first.Add("q quit", Style::kDim);
    return first.Take();
  }
  first.Add("ojd " + TextField(look.status, "version") + ", pid " + TextField(look.status, "pid") +
                ", up " + DurationField(look.status, "uptime_ms"),
            Style::kBold);
  AddHealth(first, look);
  if (look.every > Duration{} && !small) {
    first.Add("every " + Humanise(look.every) + (look.keys ? "  space pause  q quit" : ""),
              Style::kDim);
  }
  Packed facts(view);
  AddUse(facts, look.status, "requests", "requests_active");
  AddUse(facts, look.status, "children", "children_active");
  AddUse(facts, look.status, "connections", "connections", 1);
  std::string records;
  for (const char* count : {"sessions", "workspaces", "agents"}) {
    records += (records.empty() ? "" : "  ") + std::string(count) + " " +
               OrDash(TextField(look.status, count));
  }
  if (!small) facts.Add(records);
  Lines lines = first.Take();
  for (std::string& each : facts.Take()) lines.push_back(std::move(each));
  return lines;
}

// What a narrow terminal has no room for is left out: who waits for what is the point.
Lines Requests(const TopLook& look, const View& view) {
  struct Column {
    const char* title;
    std::string WaitRow::* text;
    int from;  // columns of the terminal
  };
  constexpr Column kColumns[] = {{"ID", &WaitRow::name, 0},        {"TYPE", &WaitRow::type, 46},
                                 {"CLIENT", &WaitRow::client, 72}, {"AGE", &WaitRow::age, 0},
                                 {"LEFT", &WaitRow::left, 56},     {"WAITS FOR", nullptr, 0}};
  const auto fits = [&view](const Column& column) {
    return view.columns == 0 || view.columns >= column.from;
  };
  std::vector<std::string> header;
  for (const Column& each : kColumns) {
    if (fits(each)) header.emplace_back(each.title);
  }
  Table table(std::move(header));
  for (const WaitRow& row : WaitForest(look.requests, look.locks, view.utf8)) {
    std::vector<Table::Cell> cells;
    for (const Column& each : kColumns) {
      if (each.text != nullptr && fits(each)) cells.push_back({row.*each.text});
    }
    const Style style = row.cancelling ? Style::kBad
                        : row.blocked  ? Style::kWarning
                                       : Style::kPlain;
    cells.push_back({row.waits_for, style});
    table.Row(std::move(cells));
  }
  return table.empty() ? Lines{} : Split(table.Text(view));
}

Lines Leases(const TopLook& look, const View& view) {
  Table table({"LEASE", "MODE", "HELD", "HOLDER", "WAITERS"});
  for (const json::object* lock : Objects(look.locks, "locks")) {
    const std::string quarantine = JoinedField(*lock, "quarantine");
    const Style style = quarantine.empty() ? Style::kPlain : Style::kBad;
    const std::string waiters = WaitersField(*lock);
    table.Row({{OrDash(TextField(*lock, "key")), style},
               {OrDash(TextField(*lock, "mode"))},
               {DurationField(*lock, "held_ms")},
               {OrDash(HolderOf(*lock))},
               {OrDash(waiters), waiters.empty() ? Style::kPlain : Style::kWarning}});
    if (!quarantine.empty()) table.Note("quarantine: " + quarantine, Style::kBad);
  }
  return table.empty() ? Lines{} : Split(table.Text(view));
}

void AddChildren(Table& table, const json::object& of, std::string_view list,
                 const std::string& owner) {
  for (const json::object* child : Objects(of, list)) {
    const json::value* ending = child->if_contains("ending");
    const bool dying = ending != nullptr && ending->is_bool() && ending->get_bool();
    table.Row({{OrDash(TextField(*child, "pid"))},
               {DurationField(*child, "age_ms")},
               {owner},
               {(dying ? "being killed: " : "") + CommandField(*child, "argv"),
                dying ? Style::kBad : Style::kPlain}});
  }
}

Lines Children(const TopLook& look, const View& view) {
  Table table({"CHILD", "AGE", "OF", "COMMAND"});
  for (const json::object* request : Objects(look.requests, "requests")) {
    AddChildren(table, *request, "children", OrDash(TextField(*request, "id")));
  }
  AddChildren(table, look.requests, "own_children", "ojd");
  return table.empty() ? Lines{} : Split(table.Text(view));
}

// Its first line, its last that fits, and how many more there are; the first is a header.
// `skip` is lowered to how many are left out before those.
Lines Shortened(Lines lines, std::size_t room, std::size_t& skip, const View& view) {
  if (lines.size() <= room) {
    skip = 0;
    return lines;
  }
  const std::size_t shown = room < 2 ? 0 : room - 2;
  skip = std::min(skip, lines.size() - 1 - shown);
  const std::size_t after = lines.size() - 1 - skip - shown;
  Lines out = {std::move(lines[0])};
  for (std::size_t i = 0; i < shown; ++i) out.push_back(std::move(lines[1 + skip + i]));
  if (room < 2) return out;
  std::string more = std::to_string(after) + " more";
  if (skip > 0) more = std::to_string(skip) + " before, " + more;
  out.push_back(Faint("    " + more, view));
  return out;
}

// How many lines each section gets: all it wants where there is room; else the first one half of
// it, and what is left goes to all in turn. Before each there is an empty line.
std::vector<std::size_t> Shares(const std::vector<Lines>& sections, std::size_t room) {
  std::vector<std::size_t> shares(sections.size(), 0);
  shares[0] = std::min(sections[0].size(), room / 2);
  if (shares[0] > 0) room -= shares[0] + 1;
  for (bool grew = true; grew;) {
    grew = false;
    for (std::size_t i = 0; i < sections.size(); ++i) {
      if (shares[i] >= sections[i].size()) continue;
      // A header, and how many there are, says next to nothing.
      const std::size_t want = shares[i] == 0 ? std::min<std::size_t>(3, sections[i].size()) : 1;
      const std::size_t cost = want + (shares[i] == 0 ? 1 : 0);
      if (cost > room) continue;
      shares[i] += want;
      room -= cost;
      grew = true;
    }
  }
  return shares;
}

}  // namespace

std::vector<std::string> TopLines(const TopLook& look, const View& view, int rows,
                                  std::size_t* skip) {
  constexpr int kSmall = 16;
  Lines lines = Head(look, view, rows > 0 && rows < kSmall);
  const std::size_t most = rows > 0 ? static_cast<std::size_t>(rows) : std::string::npos;
  if (!look.status.empty()) {
    std::vector<Lines> sections = {Requests(look, view), Leases(look, view), Children(look, view)};
    const std::size_t room = most > lines.size() ? most - lines.size() : 0;
    const std::vector<std::size_t> shares = Shares(sections, room);
    if (shares[0] == 0 && skip != nullptr) *skip = 0;
    bool nothing = true;
    for (std::size_t i = 0; i < sections.size(); ++i) {
      nothing = nothing && sections[i].empty();
      if (shares[i] == 0) continue;
      lines.emplace_back();
      std::size_t none = 0;
      std::size_t& skipped = i == 0 && skip != nullptr ? *skip : none;
      for (std::string& each : Shortened(std::move(sections[i]), shares[i], skipped, view)) {
        lines.push_back(std::move(each));
      }
    }
    if (nothing) {
      lines.emplace_back();
      lines.push_back(Faint("nothing in flight, no lease, no child", view));
    }
  }
  if (lines.size() > most) lines.resize(most);
  return lines;
}

std::string TopJson(const TopLook& look) {
  const auto list = [](const json::object& reply, const char* name) {
    const json::value* value = reply.if_contains(name);
    return value == nullptr ? json::value(json::array()) : *value;
  };
  json::object all{{"type", "Top"},
                   {"status", look.status},
                   {"requests", list(look.requests, "requests")},
                   {"own_children", list(look.requests, "own_children")},
                   {"locks", list(look.locks, "locks")}};
  return json::serialize(all) + "\n";
}

}  // namespace oj::cli
