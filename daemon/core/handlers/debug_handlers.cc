#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "core/dump.h"
#include "core/handlers/handlers.h"

namespace oj {
namespace {

constexpr std::size_t kKept = 5;
// Between two by themselves; after one that could not be written.
constexpr Duration kByItself = std::chrono::minutes(1);
constexpr Duration kAgain = std::chrono::seconds(5);
constexpr Duration kLimit = std::chrono::seconds(5);  // for the disk

// When it was written, of the names that dumps have: dump-<ms>-r<number>.jsonl where one was asked
// for, else dump-<ms>-<reason>.jsonl. Whatever else is there is none of ours.
struct DumpName {
  WallMillis at = 0;
  bool asked = false;
};
std::optional<DumpName> Parse(std::string_view name) {
  constexpr std::string_view kPrefix = "dump-", kSuffix = ".jsonl";
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  DumpName parsed;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), parsed.at);
  if (error != std::errc() || parsed.at < 0 || *end != '-') return std::nullopt;
  name.remove_prefix(static_cast<std::size_t>(end + 1 - name.data()));
  name.remove_suffix(kSuffix.size());
  parsed.asked = RequestNumber(name) != 0;
  if (!parsed.asked && name != "defect" && name != "quarantine") return std::nullopt;
  return parsed;
}

// Those that were asked for and the others do not push each other out. Beside the newest the one
// that has just been written stays: the wall clock may have been set back.
Task<void> RemoveOld(Core& core, std::string directory, std::string written) {
  auto list = core.seams.files.List(directory);
  auto names = co_await std::move(list);
  if (!names) co_return;
  const bool asked = Parse(written)->asked;
  std::erase_if(*names, [&](const std::string& name) {
    const auto parsed = Parse(name);
    return name == written || !parsed || parsed->asked != asked;
  });
  std::sort(names->begin(), names->end(), [](const std::string& a, const std::string& b) {
    return std::pair(Parse(a)->at, a) > std::pair(Parse(b)->at, b);
  });
  for (std::size_t i = kKept - 1; i < names->size(); ++i) {
    auto remove = core.seams.files.RemoveTree(directory + "/" + (*names)[i]);
    // What cannot be removed is tried again by the next dump.
    [[maybe_unused]] const Status removed = co_await std::move(remove);
  }
}

Task<Status> Write(Core& core, std::string directory, std::string name, Dump dump) {
  auto make = core.seams.files.MakeDirectories(directory);
  const Status made = co_await std::move(make);
  if (!made) co_return made.error();
  std::function<std::string()> text = [dump = std::move(dump)] { return TextOf(dump); };
  auto write = core.seams.files.Write(directory + "/" + name, std::move(text));
  co_return co_await std::move(write);
}

// The path of the new file. `number`: of the request, or 0.
Task<Result<std::string>> WriteDump(Core& core, std::string reason, std::uint64_t number,
                                    bool redact) {
  const std::string who = number == 0 ? reason : RequestName(number);
  Dump dump{std::move(reason),
            core.identity.pid,
            core.seams.clock.Now(),
            core.seams.clock.WallNow(),
            core.config,
            StateLines(core),
            core.recorder.Copy(),
            redact || core.config.recorder_redact};
  const std::string directory = core.identity.state_directory + "/dumps";
  const std::string name = "dump-" + std::to_string(dump.wall_ms) + "-" + who + ".jsonl";
  const std::string path = directory + "/" + name;
  auto write = Write(core, directory, name, std::move(dump));
  const Deadline limit = Deadline::After(core.seams.clock.Now(), kLimit);
  auto bounded = Shield(core.seams.clock, limit, std::move(write));
  const std::optional<Status> written = co_await std::move(bounded);
  if (!written) co_return Error{ErrorCode::kUnavailable, "the disk does not answer: " + path, ""};
  if (!*written) co_return written->error();
  // A removal may wait for that of a large workspace.
  core.background.Start(RemoveOld(core, directory, name));
  co_return path;
}

Task<void> DumpAlone(Core& core, std::string reason) {
  auto write = WriteDump(core, reason, 0, false);
  const auto path = co_await std::move(write);
  core.seams.log.Record(
      {EventKind::kDumped, 0, 0, path ? 0 : 1, path ? *path : path.error().message});
  core.next_dumps.at(reason) = Deadline::After(core.seams.clock.Now(), path ? kByItself : kAgain);
}

}  // namespace

Task<Reply> DebugDump(Core& core, Flight& flight, DebugDumpRequest request) {
  auto write = WriteDump(core, "request", flight.id, request.redact);
  const auto path = co_await std::move(write);
  if (!path) co_return path.error();
  co_return boost::json::serialize(boost::json::object{{"type", "DebugDump"}, {"path", *path}});
}

// What one that could not be written would have told, the next alarm tells.
void DumpByItself(Core& core, std::string_view reason) {
  const auto [next, first] = core.next_dumps.try_emplace(std::string(reason), Deadline::Never());
  if (!first && !next->second.PassedAt(core.seams.clock.Now())) return;
  next->second = Deadline::Never();  // one is being written
  core.background.Start(DumpAlone(core, std::string(reason)));
}

}  // namespace oj
