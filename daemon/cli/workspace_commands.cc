// oj workspace ...
#include <memory>

#include "cli/ask.h"
#include "cli/command.h"
#include "cli/explain.h"
#include "cli/lookup.h"
#include "cli/many.h"
#include "cli/progress_meter.h"
#include "cli/words.h"

namespace oj::cli {
namespace {

namespace json = boost::json;

constexpr const char* kCheck = "oj workspace list";

struct AddOptions {
  std::string repo;
  std::string name;
  std::string branch;
  std::string name_space;
};

struct RemovalOptions {
  std::vector<std::string> ids;
  bool all = false;
  bool failed = false;
  bool force = false;
  bool delete_branch = false;
  bool dry_run = false;
  std::string name_space;
};

Outcome<Said> Add(const AddOptions& options, const Invocation& invocation) {
  const std::string command = "workspace add";
  auto repo = DirectoryPath(command, "REPO", options.repo);
  if (!repo) return repo.error();
  json::object request = {{"type", "WorkspaceAdd"}, {"repo", *repo}};
  if (!options.name.empty()) {
    if (auto failure = CheckId(command, "workspace", options.name)) return *std::move(failure);
    request["name"] = options.name;
  }
  for (const auto& [field, value] :
       {std::pair("branch", &options.branch), std::pair("namespace", &options.name_space)}) {
    if (value->empty()) continue;
    if (auto failure = CheckUtf8(command, field, *value)) return *std::move(failure);
    request[field] = *value;
  }
  auto reply = Ask(invocation,
                   {.command = command,
                    .object = options.name.empty() ? options.repo : options.name,
                    .request = std::move(request),
                    .tool = "git",
                    .check = kCheck,
                    .repeatable = true},
                   "WorkspaceCreated");
  if (!reply) return reply.error();
  if (invocation.settings.json) return Said{reply->Line()};
  const std::string path = TextField(reply->object, "path");
  return Said{"workspace " + TextField(reply->object, "id") + " created (" +
              ShortPath(path, ViewOf(invocation)) + "), branch " +
              TextField(reply->object, "branch") + "\n"};
}

Outcome<Said> List(const Invocation& invocation) {
  return ListRecords(invocation, kWorkspaceRecords, QueryOf("workspace list", kWorkspaceRecords),
                     RenderWorkspaces);
}

Outcome<Said> Show(const std::string& id, const Invocation& invocation) {
  return ShowRecord(invocation, kWorkspaceRecords, id, RenderWorkspace);
}

Manner MannerOf(const RemovalOptions& options, const std::string& list) {
  return {list, "workspace", list == "pruned" ? "pruning" : "dropping",
          options.dry_run ? "would be removed" : "removed"};
}

Question RemovalQuestion(const RemovalOptions& options, const std::string& command,
                         const std::string& type) {
  Question question{.command = command, .tool = "git", .check = kCheck};
  question.request = {{"type", type},
                      {"force", options.force},
                      {"delete_branch", options.delete_branch},
                      {"dry_run", options.dry_run}};
  return question;
}

// Whether the next workspace may still be removed after this failure of one.
bool IsOfOneOnly(const std::string& code) {
  return code == "conflict" || code == "not_found" || code == "ambiguous" || code == "busy";
}

Outcome<Reply> DropOne(const RemovalOptions& options, const std::string& id,
                       const Invocation& invocation) {
  Question question = RemovalQuestion(options, "workspace drop", "WorkspaceDrop");
  question.object = id;
  question.request["id"] = id;
  question.repeatable = true;
  question.on_progress = [](const Progress&) {};
  return Ask(invocation, std::move(question), "WorkspacesDropped");
}

// One request for each: a failure of one leaves the others to be tried. What the words mean is
// settled before the first is removed.
Outcome<Said> DropEach(const RemovalOptions& options, const Invocation& invocation) {
  const Manner manner = MannerOf(options, "dropped");
  const bool one = options.ids.size() == 1;
  auto records =
      LookUp(invocation, "workspace drop", kWorkspaceRecords, one ? options.ids.front() : "");
  if (!records) return records.error();
  ProgressMeter meter(invocation.environment, manner.title);
  Tally tally;
  tally.remaining = options.ids;
  for (const std::string& id : options.ids) {
    auto whole = WholeId(*records, "workspace drop", kWorkspaceRecords, id);
    auto reply = whole ? DropOne(options, *whole, invocation) : whole.error();
    if (reply) {
      tally.Add(reply->object, manner.list);
    } else if (one) {
      return reply.error();
    } else if (const std::string code = CodeOf(reply.error()); IsOfOneOnly(code)) {
      tally.failed.push_back({id, code, reply.error().message});
    } else {
      meter.Clear();
      reply.error().listing =
          DoneLines(tally, manner, ViewOf(invocation)) + TroubleLines(tally, manner);
      return reply.error();
    }
    tally.remaining.erase(tally.remaining.begin());
    const std::size_t done = options.ids.size() - tally.remaining.size();
    meter.Show(
        {static_cast<std::int64_t>(done), static_cast<std::int64_t>(options.ids.size()), id});
  }
  meter.Clear();
  return SayTally(tally, "WorkspacesDropped", manner, invocation);
}

Outcome<Said> Drop(const RemovalOptions& options, const Invocation& invocation) {
  const std::string command = "workspace drop";
  const int ways = static_cast<int>(!options.ids.empty()) + static_cast<int>(options.all) +
                   static_cast<int>(options.failed);
  if (ways != 1) return Usage(command, "give ids, or --all, or --failed: one of them");
  for (const std::string& id : options.ids) {
    if (auto failure = CheckId(command, "workspace", id)) return *std::move(failure);
  }
  if (!options.ids.empty()) return DropEach(options, invocation);
  const Manner manner = MannerOf(options, "dropped");
  auto reply = AskForMany(
      invocation,
      RemovalQuestion(options, command, options.all ? "WorkspaceDropAll" : "WorkspaceDropFailed"),
      "WorkspacesDropped", manner);
  if (!reply) return reply.error();
  return SayMany(*reply, manner, invocation);
}

Outcome<Said> Prune(const RemovalOptions& options, const Invocation& invocation) {
  Question question = RemovalQuestion(options, "workspace prune", "WorkspacePrune");
  question.request["all"] = options.all;
  if (!options.name_space.empty()) {
    if (auto failure = CheckUtf8("workspace prune", "--namespace", options.name_space)) {
      return *std::move(failure);
    }
    question.request["namespace"] = options.name_space;
  }
  Manner manner = MannerOf(options, "pruned");
  manner.spared = options.all ? "in use" : "in use, or younger than 12 hours: see --all";
  auto reply = AskForMany(invocation, std::move(question), "WorkspacesPruned", manner);
  if (!reply) return reply.error();
  return SayMany(*reply, manner, invocation);
}

void AddRemovalFlags(CLI::App& command, RemovalOptions& options) {
  command.add_flag("--force", options.force,
                   "Also what has changes or commits that would be lost, but never what is in use");
  command.add_flag("--delete-branch", options.delete_branch,
                   "The branch too, if it is merged (or with --force)");
  command.add_flag("--dry-run", options.dry_run, "Only say what would be removed");
}

void AddAdd(CLI::App& workspace, Invocation& invocation) {
  auto options = std::make_shared<AddOptions>();
  CLI::App& command =
      AddCommand(workspace, invocation, "add", "Make a workspace: a git worktree of a repository.",
                 "oj workspace add ~/src/app --name login --branch fix/login",
                 [options](const Invocation& given) { return Add(*options, given); });
  command.add_option("REPO", options->repo, "A directory in the repository")
      ->required()
      ->type_name("");
  command.add_option("--name", options->name, "Its id (default: one is made up)")
      ->type_name("NAME");
  command.add_option("--branch", options->branch, "Made where there is none (default: oj/<id>)")
      ->type_name("BRANCH");
  command.add_option("--namespace", options->name_space, "A name to prune by")->type_name("NAME");
}

void AddDrop(CLI::App& workspace, Invocation& invocation) {
  auto options = std::make_shared<RemovalOptions>();
  CLI::App& command =
      AddCommand(workspace, invocation, "drop", "Remove workspaces by id, all, or the failed ones.",
                 "oj workspace drop login ws-3 --delete-branch",
                 [options](const Invocation& given) { return Drop(*options, given); });
  command.add_option("WORKSPACE", options->ids, "Ids, or beginnings of ids")->type_name("");
  command.add_flag("--all", options->all, "All that there are");
  command.add_flag("--failed", options->failed, "Those that could not be made or removed");
  AddRemovalFlags(command, *options);
}

void AddPrune(CLI::App& workspace, Invocation& invocation) {
  auto options = std::make_shared<RemovalOptions>();
  CLI::App& command =
      AddCommand(workspace, invocation, "prune", "Remove the workspaces that nobody uses any more.",
                 "oj workspace prune --all --dry-run",
                 [options](const Invocation& given) { return Prune(*options, given); });
  command.add_flag("--all", options->all, "Also those that are younger than 12 hours");
  command.add_option("--namespace", options->name_space, "Only those of this name")
      ->type_name("NAME");
  AddRemovalFlags(command, *options);
}

}  // namespace

void AddWorkspaceCommands(CLI::App& app, Invocation& invocation) {
  CLI::App& workspace = *app.add_subcommand("workspace", "Make, list and remove git worktrees.");
  workspace.require_subcommand(1);
  workspace.footer(
      "Example:\n  oj workspace list\n`oj workspace prune --help` and so on tell more.");
  AddAdd(workspace, invocation);
  AddCommand(workspace, invocation, "list", "List the workspaces.", "oj workspace list -o json",
             List);
  auto id = std::make_shared<std::string>();
  CLI::App& show =
      AddCommand(workspace, invocation, "show", "Show one workspace.", "oj workspace show login",
                 [id](const Invocation& given) { return Show(*id, given); });
  show.add_option("WORKSPACE", *id, "Its id, or the beginning of it")->required()->type_name("");
  AddDrop(workspace, invocation);
  AddPrune(workspace, invocation);
}

}  // namespace oj::cli
