// oj agent ...
#include <memory>

#include "cli/ask.h"
#include "cli/attach.h"
#include "cli/command.h"
#include "cli/lookup.h"
#include "cli/many.h"
#include "cli/peek.h"
#include "cli/words.h"

namespace oj::cli {
namespace {

namespace json = boost::json;

constexpr const char* kCheck = "oj agent list";

struct RunOptions {
  std::string name;
  std::string repo;
  std::string workspace;
  std::string cwd;
  std::string name_space;
  std::vector<std::string> misplaced;  // never filled: words of the command come after "--"
};

// The one place where the agent is to run, as a field of the request.
Outcome<json::object> Place(const RunOptions& options, const Invocation& invocation) {
  const std::string command = "agent run";
  const int ways = static_cast<int>(!options.repo.empty()) +
                   static_cast<int>(!options.workspace.empty()) +
                   static_cast<int>(!options.cwd.empty());
  if (ways != 1) return Usage(command, "where? --repo, --workspace or --cwd: one of them");
  if (!options.workspace.empty()) {
    auto id = WholeId(invocation, command, kWorkspaceRecords, options.workspace);
    if (!id) return id.error();
    return json::object{{"workspace", *id}};
  }
  const bool repo = !options.repo.empty();
  auto path = DirectoryPath(command, repo ? "--repo" : "--cwd", repo ? options.repo : options.cwd);
  if (!path) return path.error();
  return json::object{{repo ? "repo" : "cwd", *path}};
}

Outcome<Said> Run(const RunOptions& options, const Invocation& invocation) {
  const std::string name = "agent run";
  if (auto failure = CheckId(name, "agent", options.name)) return *std::move(failure);
  auto program = ProgramWords(name, invocation.tail);
  if (!program) return program.error();
  if (program->empty()) return Usage(name, "which command? It comes after --");
  auto request = Place(options, invocation);
  if (!request) return request.error();
  (*request)["type"] = "AgentRun";
  (*request)["name"] = options.name;
  (*request)["command"] = *program;
  if (!options.name_space.empty()) {
    if (auto failure = CheckUtf8(name, "--namespace", options.name_space)) {
      return *std::move(failure);
    }
    (*request)["namespace"] = options.name_space;
  }
  auto reply = Ask(invocation,
                   {.command = name,
                    .object = options.name,
                    .request = *std::move(request),
                    .tool = options.repo.empty() ? "tmux" : "git and tmux",
                    .check = kCheck,
                    .repeatable = true},
                   "AgentStarted");
  if (!reply) return reply.error();
  if (invocation.settings.json) return Said{reply->Line()};
  const std::string id = TextField(reply->object, "agent_id");
  const std::string workspace = TextField(reply->object, "workspace_id");
  return Said{"agent " + id + " started" + (workspace.empty() ? "" : " in workspace " + workspace) +
              "\n"};
}

Outcome<Said> List(const std::string& status, const Invocation& invocation) {
  Question question = QueryOf("agent list", kAgentRecords);
  if (!status.empty()) question.request["query"].as_object()["status"] = status;
  return ListRecords(invocation, kAgentRecords, std::move(question), RenderAgents);
}

Outcome<Said> Show(const std::string& id, const Invocation& invocation) {
  return ShowRecord(invocation, kAgentRecords, id, RenderAgent);
}

Outcome<Said> Send(const std::string& given, const Invocation& invocation) {
  auto text = TextWords("agent send", invocation.tail);
  if (!text) return text.error();
  auto id = WholeId(invocation, "agent send", kAgentRecords, given);
  if (!id) return id.error();
  auto reply = Ask(invocation,
                   {.command = "agent send",
                    .object = *id,
                    .request = {{"type", "AgentSend"}, {"agent_id", *id}, {"message", *text}},
                    .tool = "tmux",
                    .check = "oj peek " + *id},
                   "Ok");
  if (!reply) return reply.error();
  return Said{invocation.settings.json ? reply->Line() : ""};
}

Outcome<Said> PeekAtAgent(PeekOptions options, const Invocation& invocation) {
  auto session = SessionOfAgent(invocation, "agent peek", options.id);
  if (!session) return session.error();
  options.id = *session;
  return Peek("agent peek", options, invocation);
}

Outcome<Said> AttachTo(const std::string& id, const Invocation& invocation) {
  auto session = SessionOfAgent(invocation, "agent attach", id);
  if (!session) return session.error();
  return Attach(invocation, "agent attach", *session);
}

struct ResumeOptions {
  std::string id;
  bool all = false;
  bool kill = false;
};

Outcome<Said> Resume(const ResumeOptions& options, const Invocation& invocation) {
  const std::string command = "agent resume";
  if (options.id.empty() != options.all) return Usage(command, "give an id, or --all: one of them");
  Outcome<std::string> id = std::string();
  if (!options.all) id = WholeId(invocation, command, kAgentRecords, options.id);
  if (!id) return id.error();
  const Manner manner{"resumed", "agent", "resuming", "resumed"};
  auto reply = AskForMany(invocation,
                          {.command = command,
                           .object = *id,
                           .request = {{"type", "AgentResume"},
                                       {"agent_id", *id},
                                       {"kill", options.kill},
                                       {"all", options.all}},
                           .tool = "tmux",
                           .check = kCheck},
                          "AgentResumed", manner);
  if (!reply) return reply.error();
  Said said = SayMany(*reply, manner, invocation);
  Tally tally;
  tally.Add(reply->object, manner.list);
  // Asked for by name, and not done.
  if (!options.all && !tally.skipped.empty() && said.exit == kExitDone) {
    said.exit = kExitBusy;
    if (!options.kill && !invocation.settings.json) said.note += "    --kill ends it first\n";
  }
  return said;
}

void AddRun(CLI::App& agent, Invocation& invocation) {
  auto options = std::make_shared<RunOptions>();
  CLI::App& command =
      AddCommand(agent, invocation, "run",
                 "Start a program in a session, in a workspace of its own or another.",
                 "oj agent run fixer --repo ~/src/app -- claude 'fix the login'",
                 [options](const Invocation& given) { return Run(*options, given); });
  command.add_option("NAME", options->name, "The beginning of its id")->required()->type_name("");
  command.add_option("CMD", options->misplaced, "After --: the command, word by word")
      ->type_name("")
      ->check([](const std::string& word) {
        return "'" + word +
               "': the command comes after --, as in: oj agent run NAME --repo . -- ls";
      });
  command.add_option("--repo", options->repo, "In a new workspace of this repository")
      ->type_name("DIR");
  command.add_option("--workspace", options->workspace, "In a workspace that there is")
      ->type_name("WORKSPACE");
  command.add_option("--cwd", options->cwd, "In a directory")->type_name("DIR");
  command.add_option("--namespace", options->name_space, "A name to prune by")->type_name("NAME");
}

void AddList(CLI::App& agent, Invocation& invocation) {
  auto status = std::make_shared<std::string>();
  CLI::App& command =
      AddCommand(agent, invocation, "list", "List the agents.", "oj agent list --status running",
                 [status](const Invocation& given) { return List(*status, given); });
  command.add_option("--status", *status, "Only: starting, running, exited, gone, unknown")
      ->type_name("STATUS")
      ->check([](const std::string& word) {
        const bool known = word == "starting" || word == "running" || word == "exited" ||
                           word == "gone" || word == "unknown";
        return known ? std::string()
                     : "'" + word + "' is none of starting, running, exited, gone, unknown";
      });
}

void AddById(CLI::App& agent, Invocation& invocation, const std::string& name,
             const std::string& about,
             Outcome<Said> (*run)(const std::string&, const Invocation&)) {
  auto id = std::make_shared<std::string>();
  CLI::App& command = AddCommand(agent, invocation, name, about, "oj agent " + name + " fixer",
                                 [id, run](const Invocation& given) { return run(*id, given); });
  command.add_option("AGENT", *id, "Its id, or the beginning of it")->required()->type_name("");
}

void AddSend(CLI::App& agent, Invocation& invocation) {
  struct Options {
    std::string id;
    std::vector<std::string> text;  // never filled: the text is the invocation's tail
  };
  auto options = std::make_shared<Options>();
  CLI::App& command =
      AddCommand(agent, invocation, "send", "Type text and Enter into an agent's session.",
                 "oj agent send fixer and the tests too",
                 [options](const Invocation& given) { return Send(options->id, given); });
  command.add_option("AGENT", options->id, "Its id, or the beginning of it")
      ->required()
      ->type_name("");
  command.add_option("TEXT", options->text, "All words after AGENT, as they are, options too")
      ->type_name("");
}

void AddResume(CLI::App& agent, Invocation& invocation) {
  auto options = std::make_shared<ResumeOptions>();
  CLI::App& command =
      AddCommand(agent, invocation, "resume", "Start agents again whose program has ended.",
                 "oj agent resume --all",
                 [options](const Invocation& given) { return Resume(*options, given); });
  command.add_option("AGENT", options->id, "Its id, or the beginning of it")->type_name("");
  command.add_flag("--all", options->all, "All agents");
  command.add_flag("--kill", options->kill, "Also those that run: they are ended first");
}

}  // namespace

void AddAgentCommands(CLI::App& app, Invocation& invocation) {
  CLI::App& agent = *app.add_subcommand("agent", "Run programs in sessions and look after them.");
  agent.require_subcommand(1);
  agent.footer("Example:\n  oj agent list\n`oj agent run --help` and so on tell more.");
  AddRun(agent, invocation);
  AddList(agent, invocation);
  AddById(agent, invocation, "show", "Show one agent.", Show);
  AddSend(agent, invocation);
  AddPeekCommand(agent, invocation, "AGENT", "Print what an agent's screen shows.",
                 "oj agent peek fixer --lines 100", PeekAtAgent);
  AddResume(agent, invocation);
  AddById(agent, invocation, "attach", "Attach this terminal to an agent's session.", AttachTo);
}

}  // namespace oj::cli
