#include <algorithm>
#include <boost/json.hpp>

#include "core/dump.h"
#include "core/handlers/handlers.h"

namespace oj {
namespace {

constexpr std::size_t kKept = 5;
constexpr Duration kByItself = std::chrono::minutes(1);
constexpr Duration kLimit = std::chrono::seconds(5);  // for the disk
constexpr std::string_view kPrefix = "dump-";

// Of the dumps in the directory the newest stay: their names are in the order of time.
Task<void> RemoveOld(Core& core, std::string directory) {
  auto list = core.seams.files.List(directory);
  auto names = co_await std::move(list);
  if (!names) co_return;
  std::erase_if(*names, [](const std::string& name) { return !name.starts_with(kPrefix); });
  std::sort(names->begin(), names->end());
  for (std::size_t i = 0; i + kKept < names->size(); ++i) {
    auto remove = core.seams.files.RemoveTree(directory + "/" + (*names)[i]);
    // What cannot be removed is tried again by the next dump.
    [[maybe_unused]] const Status removed = co_await std::move(remove);
  }
}

Task<Status> Write(Core& core, std::string directory, std::string path, Dump dump) {
  auto make = core.seams.files.MakeDirectories(directory);
  const Status made = co_await std::move(make);
  if (!made) co_return made.error();
  std::function<std::string()> text = [dump = std::move(dump)] { return TextOf(dump); };
  auto write = core.seams.files.Write(path, std::move(text));
  const Status written = co_await std::move(write);
  if (!written) co_return written.error();
  auto remove = RemoveOld(core, directory);
  co_await std::move(remove);
  co_return Ok{};
}

// The path of the new file.
Task<Result<std::string>> WriteDump(Core& core, std::string reason, std::uint64_t number,
                                    bool redact) {
  Dump dump{std::move(reason),
            core.identity.pid,
            core.seams.clock.Now(),
            core.seams.clock.WallNow(),
            core.config,
            StateLines(core),
            core.recorder.Copy(),
            redact || core.config.recorder_redact};
  const std::string directory = core.identity.state_directory + "/dumps";
  const std::string path = directory + "/" + std::string(kPrefix) + std::to_string(dump.wall_ms) +
                           "-" + RequestName(number) + ".jsonl";
  auto write = Write(core, directory, path, std::move(dump));
  const Deadline limit = Deadline::After(core.seams.clock.Now(), kLimit);
  auto bounded = Shield(core.seams.clock, limit, std::move(write));
  const std::optional<Status> written = co_await std::move(bounded);
  if (!written) co_return Error{ErrorCode::kUnavailable, "the disk does not answer: " + path, ""};
  if (!*written) co_return written->error();
  co_return path;
}

Task<void> DumpAlone(Core& core, std::string reason) {
  auto write = WriteDump(core, std::move(reason), 0, false);
  [[maybe_unused]] const auto path = co_await std::move(write);
}

}  // namespace

Task<Reply> DebugDump(Core& core, Flight& flight, DebugDumpRequest request) {
  auto write = WriteDump(core, "request", flight.id, request.redact);
  const auto path = co_await std::move(write);
  if (!path) co_return path.error();
  co_return boost::json::serialize(boost::json::object{{"type", "DebugDump"}, {"path", *path}});
}

void DumpByItself(Core& core, std::string_view reason) {
  if (!core.next_dump.PassedAt(core.seams.clock.Now())) return;
  core.next_dump = Deadline::After(core.seams.clock.Now(), kByItself);
  core.background.Start(DumpAlone(core, std::string(reason)));
}

}  // namespace oj
