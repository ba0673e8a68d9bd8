#include "cli/many.h"

#include "cli/explain.h"
#include "cli/progress_meter.h"
#include "cli/render_parts.h"

namespace oj::cli {
namespace {

namespace json = boost::json;

std::vector<std::string> Strings(const json::object& object, std::string_view name) {
  std::vector<std::string> all;
  const json::value* list = object.if_contains(name);
  if (list == nullptr || !list->is_array()) return all;
  for (const json::value& item : list->get_array()) {
    if (item.is_string()) all.push_back(OneLine(item.get_string()));
  }
  return all;
}

// The detail of the daemon's Error, where the failure is one.
json::object DetailOf(const Failure& failure) {
  json::error_code error;
  const json::value reply = json::parse(failure.reply, error);
  if (error || !reply.is_object()) return {};
  const json::value* detail = reply.get_object().if_contains("detail");
  return detail != nullptr && detail->is_object() ? detail->get_object() : json::object();
}

// The daemon's word where there is one, else that of the last progress.
void TellPartial(Failure& failure, const Manner& manner, const Progress& last, const View& view) {
  Tally tally;
  tally.Add(DetailOf(failure), manner.list);
  failure.listing = DoneLines(tally, manner, view) + TroubleLines(tally, manner);
  const bool cut_off = failure.reply.empty() && last.total > 0;
  if (!cut_off) return;
  const auto left = last.total - last.done;
  failure.message += "; done: " + std::to_string(last.done) + " of " +
                     Counted(static_cast<std::size_t>(last.total), manner.thing) +
                     (last.item.empty() ? "" : " (the last: " + last.item + ")") +
                     "; remaining: " + std::to_string(left);
  failure.hint =
      "what was begun ends whole, the rest is as it was; the same command goes on: `oj " +
      manner.thing + " list` shows what there is";
}

}  // namespace

void Tally::Add(const json::object& reply, std::string_view list) {
  for (const std::string& id : Strings(reply, list)) done.push_back({{"id", id}});
  for (const json::object* each : Objects(reply, list)) done.push_back(*each);
  for (const json::object* each : Objects(reply, "failed")) {
    failed.push_back(
        {TextField(*each, "id"), TextField(*each, "code"), TextField(*each, "message")});
  }
  for (std::string& id : Strings(reply, "remaining")) remaining.push_back(std::move(id));
  skipped_count += NumberField(reply, "skipped", 0);
  const json::value* pairs = reply.if_contains("skipped");
  if (pairs == nullptr || !pairs->is_array()) return;
  for (const json::value& pair : pairs->get_array()) {
    if (!pair.is_array() || pair.get_array().size() < 2) continue;
    const json::array& both = pair.get_array();
    skipped.push_back({Joined(both[0]), Joined(both[1])});
  }
}

Exit Tally::exit() const {
  Exit worst = kExitDone;
  for (const Failed& each : failed) {
    if (ExitOf(each.code) == kExitBusy) return kExitBusy;
    worst = kExitError;
  }
  // Whatever ended it early: not all that was asked for is done.
  if (!remaining.empty()) worst = kExitError;
  return worst;
}

std::string Counted(std::size_t count, const std::string& thing) {
  return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

std::string DoneLines(const Tally& tally, const Manner& manner, const View& view) {
  std::string lines;
  for (const json::object& each : tally.done) {
    lines += manner.thing + " " + TextField(each, "id") + " " + manner.done;
    const std::string path = TextField(each, "path");
    if (!path.empty()) lines += " (" + ShortPath(path, view) + ")";
    const std::string branch = TextField(each, "branch");
    if (!branch.empty()) lines += ", branch " + branch + " deleted";
    lines += "\n";
  }
  return lines;
}

std::string TroubleLines(const Tally& tally, const Manner& manner) {
  std::string lines;
  for (const Tally::Skipped& each : tally.skipped) {
    lines += manner.thing + " " + each.id + " skipped: " + each.why + "\n";
  }
  for (const Tally::Failed& each : tally.failed) {
    const bool named = each.message.find(each.id) != std::string::npos;
    lines += "oj: " + (named ? "" : manner.thing + " " + each.id + ": ") +
             (each.message.empty() ? each.code : each.message) + "\n";
  }
  if (tally.remaining.empty()) return lines;
  lines += "not done yet:";
  for (const std::string& id : tally.remaining) lines += " " + id;
  return lines + "\n";
}

Outcome<Reply> AskForMany(const Invocation& invocation, Question question,
                          const std::string& expected, const Manner& manner) {
  ProgressMeter meter(invocation.environment, manner.title);
  question.on_progress = [&meter](const Progress& progress) { meter.Show(progress); };
  if (meter.bar()) question.on_tick = [&meter] { meter.Tick(); };
  question.repeatable = true;
  auto reply = Ask(invocation, std::move(question), expected);
  meter.Clear();
  if (!reply) TellPartial(reply.error(), manner, meter.last(), ViewOf(invocation));
  return reply;
}

std::string CodeOf(const Failure& failure) {
  json::error_code error;
  const json::value reply = json::parse(failure.reply, error);
  return error || !reply.is_object() ? "" : TextField(reply.get_object(), "code");
}

namespace {

std::string JsonLine(const Tally& tally, const std::string& type, const std::string& list) {
  json::array done, failed, remaining;
  for (const json::object& each : tally.done) done.push_back(each);
  for (const Tally::Failed& each : tally.failed) {
    failed.push_back({{"id", each.id}, {"code", each.code}, {"message", each.message}});
  }
  for (const std::string& id : tally.remaining) remaining.emplace_back(id);
  const json::object reply{
      {"type", type}, {list, done}, {"failed", failed}, {"remaining", remaining}};
  return json::serialize(reply) + "\n";
}

std::string Summary(const Tally& tally, const Manner& manner) {
  std::string summary = Counted(tally.done.size(), manner.thing) + " " + manner.done;
  if (!tally.failed.empty()) summary += ", " + std::to_string(tally.failed.size()) + " failed";
  const auto skipped = tally.skipped_count + static_cast<std::int64_t>(tally.skipped.size());
  if (skipped > 0) {
    summary += ", " + std::to_string(skipped) + " skipped";
    if (tally.skipped.empty() && !manner.spared.empty()) summary += " (" + manner.spared + ")";
  }
  const bool says_nothing_new = tally.done.size() == 1 && tally.failed.empty() && skipped == 0;
  return says_nothing_new ? "" : summary + "\n";
}

}  // namespace

Said SayTally(const Tally& tally, const std::string& type, const Manner& manner,
              const Invocation& invocation) {
  if (invocation.settings.json) {
    return Said{JsonLine(tally, type, manner.list), "", tally.exit()};
  }
  return Said{DoneLines(tally, manner, ViewOf(invocation)),
              TroubleLines(tally, manner) + Summary(tally, manner), tally.exit()};
}

Said SayMany(const Reply& reply, const Manner& manner, const Invocation& invocation) {
  Tally tally;
  tally.Add(reply.object, manner.list);
  Said said = SayTally(tally, "", manner, invocation);
  if (invocation.settings.json) said.out = reply.Line();
  return said;
}

}  // namespace oj::cli
