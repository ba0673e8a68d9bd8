#include "core/workspace_intents.h"

#include <boost/json.hpp>
#include <utility>

#include "core/disk.h"

namespace oj {
namespace {

namespace json = boost::json;

// After a directory could not be deleted.
constexpr Duration kTrashAgain = std::chrono::seconds(30);

// Reads the members of an intent's detail; one that is missing makes the whole worthless.
class Detail {
 public:
  explicit Detail(const IntentRecord& record) : record_(record) {
    boost::system::error_code error;
    json::value value = json::parse(record.detail, error);
    if (!error && value.is_object()) object_ = std::move(value.get_object());
  }
  std::string Text(std::string_view name) {
    const json::value* value = object_.if_contains(name);
    if (value == nullptr || !value->is_string()) return Missing(), std::string();
    return std::string(value->get_string());
  }
  std::optional<std::string> OptionalText(std::string_view name) {
    const json::value* value = object_.if_contains(name);
    if (value == nullptr || !value->is_string()) return std::nullopt;
    return std::string(value->get_string());
  }
  bool Flag(std::string_view name) {
    const json::value* value = object_.if_contains(name);
    if (value == nullptr || !value->is_bool()) return Missing(), false;
    return value->get_bool();
  }
  template <class Intent>
  Result<Intent> Whole(Intent intent) const {
    if (!missing_) return intent;
    return Error{ErrorCode::kUnavailable,
                 "intent '" + record_.id + "' in the state file cannot be read", ""};
  }

 private:
  void Missing() { missing_ = true; }
  const IntentRecord& record_;
  json::object object_;
  bool missing_ = false;
};

}  // namespace

std::string AddIntentId(const std::string& workspace) { return "add:" + workspace; }

IntentRecord ToRecord(const AddIntent& intent, const std::string& workspace, WallMillis now) {
  json::object detail{{"repo", intent.repo},
                      {"path", intent.path},
                      {"branch", intent.branch},
                      {"trash", intent.trash}};
  if (intent.start) detail["start"] = *intent.start;
  return {AddIntentId(workspace), "add", workspace, json::serialize(detail), now};
}

Result<AddIntent> AddIntentOf(const IntentRecord& record) {
  Detail in(record);
  AddIntent intent;
  intent.repo = in.Text("repo");
  intent.path = in.Text("path");
  intent.branch = in.Text("branch");
  intent.trash = in.Text("trash");
  intent.start = in.OptionalText("start");
  return in.Whole(std::move(intent));
}

std::string RemoveIntentId(const std::string& workspace) { return "remove:" + workspace; }

IntentRecord ToRecord(const RemoveIntent& intent, const std::string& workspace, WallMillis now) {
  const json::object detail{{"repo", intent.repo},
                            {"path", intent.path},
                            {"trash", intent.trash},
                            {"head", intent.head},
                            {"branch", intent.branch},
                            {"registered", intent.registered},
                            {"looked", intent.looked},
                            {"force", intent.how.force},
                            {"delete_branch", intent.how.delete_branch}};
  return {RemoveIntentId(workspace), "remove", workspace, json::serialize(detail), now};
}

Result<RemoveIntent> RemoveIntentOf(const IntentRecord& record) {
  Detail in(record);
  RemoveIntent intent;
  intent.repo = in.Text("repo");
  intent.path = in.Text("path");
  intent.trash = in.Text("trash");
  intent.head = in.Text("head");
  intent.branch = in.Text("branch");
  intent.registered = in.Flag("registered");
  intent.looked = in.Flag("looked");
  intent.how.force = in.Flag("force");
  intent.how.delete_branch = in.Flag("delete_branch");
  return in.Whole(std::move(intent));
}

IntentRecord TrashRecord(const std::string& path, WallMillis now) {
  const std::string name = path.substr(path.rfind('/') + 1);
  return {"trash:" + name, std::string(kTrashKind), name,
          json::serialize(json::object{{"path", path}}), now};
}

std::string TrashPath(Core& core, const std::string& workspace) {
  return WorkspacesDirectory(core) + "/.trash/" + workspace + "." +
         std::to_string(core.seams.random.Next());
}

Task<Result<FileInfo>> LookAt(Core& core, std::string path) {
  return OnDisk(core.seams.clock, core.seams.files.Stat(path, false), "look at '" + path + "'");
}

Task<Status> Rename(Core& core, std::string from, std::string to) {
  return OnDisk(core.seams.clock, core.seams.files.Rename(from, std::move(to)),
                "rename '" + from + "'");
}

Task<Status> MakeWorkspacesDirectory(Core& core) {
  const std::string directory = WorkspacesDirectory(core) + "/.trash";
  return OnDisk(core.seams.clock, core.seams.files.MakeDirectories(directory),
                "make '" + directory + "'");
}

namespace {

Task<bool> EmptyOne(Core& core, IntentRecord record) {
  Detail in(record);
  const std::string path = in.Text("path");
  // Only what lies in the trash, whatever the record says.
  if (path.starts_with(WorkspacesDirectory(core) + "/.trash/") &&
      path.find("/../") == std::string::npos) {
    auto remove = core.seams.files.RemoveTree(path);
    auto removed = co_await std::move(remove);
    if (!removed) {
      core.seams.log.Record({EventKind::kUnsettled, 0, 0, 0, removed.error().message});
      co_return false;
    }
  }
  auto commit = core.state.Commit(Delete{RecordKind::kIntent, record.id});
  auto status = co_await std::move(commit);
  co_return status.ok();
}

const IntentRecord* FirstTrash(const Core& core) {
  for (const auto& [id, record] : core.state.All<IntentRecord>()) {
    if (record.kind == kTrashKind) return &record;
  }
  return nullptr;
}

}  // namespace

Task<void> TendTrash(Core& core) {
  while (true) {
    const IntentRecord* first = FirstTrash(core);
    if (first == nullptr) {
      auto turn = core.trash.Heard();
      co_await turn;
      continue;
    }
    auto empty = EmptyOne(core, *first);
    const bool emptied = co_await std::move(empty);
    if (!emptied) co_await SleepFor(core.seams.clock, kTrashAgain);
  }
}

}  // namespace oj
