#include "app/harness_app.h"

#include <string>

#include "core/protocol.h"
#include "explore/commands.h"
#include "lab/lab_cli.h"
#include "report/report_command.h"

namespace oj::sim {
namespace {

constexpr const char* kWithout =
    "Classes of sites that stay at the default, of workload, schedule, process, transport, store, "
    "clock";

void AddChoice(CLI::App& command, ChoiceOptions& to) {
  command
      .add_option("--strategy", to.strategy,
                  "How a seed decides: swarm (half of the seeds with a part of the faults), random "
                  "(always all), pct (strands by priorities)")
      ->type_name("HOW")
      ->check(CLI::IsMember({"swarm", "random", "pct"}))
      ->capture_default_str();
  command.add_option("--depth", to.depth, "Of the bugs that pct looks for")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--without", to.without, kWithout)->delimiter(',')->type_name("CLASS");
}

// No range of CLI11 refuses nan.
CLI::Validator Scale() {
  const auto wrong = [](std::string& text) {
    double scale = 0;
    const bool is_number = CLI::detail::lexical_cast(text, scale);
    return is_number && scale >= 0.001 && scale <= 1000 ? "" : text + " is not from 0.001 to 1000";
  };
  return {wrong, "FACTOR", "scale"};
}

void AddRunOptions(CLI::App& command, RunCommandOptions& to) {
  command.add_option("--world", to.world, "Where: sim, fakes (real processes, fake tools), real")
      ->type_name("WORLD")
      ->check(CLI::IsMember({"sim", "fakes", "real"}))
      ->capture_default_str();
  command.add_option("--seed", to.seed, "Of the simulation's decisions")->capture_default_str();
  command.add_option("--scale", to.scale, "Multiplies all durations; not in sim")
      ->check(Scale())
      ->capture_default_str();
  command.add_option("--ojd", to.ojd, "The daemon (default: beside oj-harness); not in sim")
      ->type_name("FILE");
  command
      .add_option("--slack-ms", to.slack_ms, "Added to every bound for a busy machine; not in sim")
      ->capture_default_str();
  AddChoice(command, to.choice);
}

// A command with its example, and options of this type; `run` is what it does with them.
template <class Options>
CLI::App& AddCommand(CLI::App& app, Chosen& chosen, const char* name, const char* about,
                     const char* example, const std::shared_ptr<Options>& options,
                     int (*run)(const Options&)) {
  CLI::App& command = *app.add_subcommand(name, about);
  command.footer(std::string("Example:\n  ") + example);
  command.callback([&chosen, options, run] { chosen = [options, run] { return run(*options); }; });
  return command;
}

void AddFile(CLI::App& command, std::string& to, const char* about) {
  command.add_option("FILE", to, about)->required()->type_name("");
}

void AddRun(CLI::App& app, Chosen& chosen) {
  const auto to = std::make_shared<RunCommandOptions>();
  CLI::App& run = AddCommand(app, chosen, "run", "Run a scenario once; a verdict a law, a timeline",
                             "oj-harness run scenarios/fast/hung-tmux-peek.toml --seed 7\n"
                             "  oj-harness run scenarios/fast/hung-tmux-peek.toml --world real",
                             to, RunCommand);
  AddFile(run, to->file, "The scenario");
  AddRunOptions(run, *to);
  run.add_flag("--json", to->json, "Print JSON");
}

void AddReport(CLI::App& app, Chosen& chosen) {
  const auto to = std::make_shared<ReportCommandOptions>();
  CLI::App& report = AddCommand(
      app, chosen, "report", "Draw a run, or what many came to, as one page of HTML",
      "oj-harness report scenarios/fast/hung-tmux-peek.toml --out page.html", to, ReportCommand);
  AddFile(report, to->run.file,
          "The scenario, a recorded failure, or the JSON of explore, sweep or ci/mutants");
  report.add_option("--out,-o", to->out, "The page (default: standard output)")->type_name("FILE");
  report.add_option("--chrome-trace", to->chrome_trace, "Trace events for ui.perfetto.dev")
      ->type_name("FILE");
  AddRunOptions(report, to->run);
}

void AddExplore(CLI::App& app, Chosen& chosen) {
  const auto to = std::make_shared<ExploreCommandOptions>();
  CLI::App& explore =
      AddCommand(app, chosen, "explore", "Run a scenario from many seeds",
                 "oj-harness explore scenarios/fast/standard-mix.toml --runs 1000 --jobs 2\n"
                 "  oj-harness explore scenarios/fast/hung-tmux-peek.toml --failures failures",
                 to, ExploreCommand);
  AddFile(explore, to->file, "The scenario");
  explore.add_option("--runs", to->runs, "How many")->capture_default_str();
  explore.add_option("--seed", to->seed, "The first run's; the next has the next")
      ->capture_default_str();
  explore.add_option("--seconds", to->seconds, "Stop after so many (default: no limit)")
      ->check(CLI::NonNegativeNumber);
  explore.add_flag("--twice", to->twice, "Run each seed twice and compare");
  explore.add_flag("--stop-at-first", to->stop_at_first, "Stop at the first run that breaks a law");
  AddChoice(explore, to->choice);
  explore.add_option("--jobs", to->jobs, "Processes")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  explore.add_option("--orders", to->orders,
                     "Instead of seeds: all orders of the first so many choices of the schedule");
  explore.add_option("--failures", to->failures, "Write the first failure to this directory")
      ->type_name("DIR");
  explore.add_option("--shrink-seconds", to->shrink_seconds, "To reduce the first failure; 0: not")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  explore.add_option("--report", to->report, "Write what was found as a page of HTML")
      ->type_name("FILE");
  explore.add_flag("--json", to->json, "Print JSON");
}

void AddSweep(CLI::App& app, Chosen& chosen) {
  const auto to = std::make_shared<SweepCommandOptions>();
  CLI::App& sweep = AddCommand(
      app, chosen, "sweep", "Strike a run at every step, ask again, and compare how it ends",
      "oj-harness sweep scenarios/fast/prune-five-workspaces.toml --kinds kill\n"
      "  oj-harness sweep scenarios/fast/resume-three-agents.toml --faults",
      to, SweepCommand);
  AddFile(sweep, to->file, "The scenario");
  sweep
      .add_option("--kinds", to->kinds,
                  "Of disconnect, half-close, deadline, operator, shutdown, kill, power, "
                  "power-unsynced (default: all)")
      ->delimiter(',')
      ->type_name("KIND");
  sweep.add_option("--bases", to->bases, "Runs to strike; all but a script's first have faults")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  sweep.add_flag("--pairs", to->pairs, "Also each two strikes, one after the other");
  sweep.add_flag("--faults", to->faults, "One fault at each place where there can be one, instead");
  sweep.add_flag("--stop-at-first", to->stop_at_first, "Stop at the first bad point");
  sweep.add_option("--report", to->report, "Write the table as a page of HTML")->type_name("FILE");
  sweep.add_flag("--json", to->json, "Print JSON");
}

struct ReplayOptions {
  std::string file;
  bool json = false;
};
int Replay(const ReplayOptions& options) { return ReplayCommand(options.file, options.json); }

void AddReplay(CLI::App& app, Chosen& chosen) {
  const auto to = std::make_shared<ReplayOptions>();
  CLI::App& replay = AddCommand(app, chosen, "replay", "Run a recorded failure once more",
                                "oj-harness replay failures/hung-tmux-peek-L1-7.txt", to, Replay);
  AddFile(replay, to->file, "The failure file");
  replay.add_flag("--json", to->json, "Print JSON");
}

struct ShrinkArguments {
  std::string file;
  std::string to;
  double seconds = 10;
};
int Shrink(const ShrinkArguments& options) {
  return ShrinkCommand(options.file, options.to, options.seconds);
}

void AddShrink(CLI::App& app, Chosen& chosen) {
  const auto to = std::make_shared<ShrinkArguments>();
  CLI::App& shrink =
      AddCommand(app, chosen, "shrink", "Reduce a recorded failure",
                 "oj-harness shrink failures/hung-tmux-peek-L1-7.txt -o small.txt", to, Shrink);
  AddFile(shrink, to->file, "The failure file");
  shrink.add_option("--output,-o", to->to, "Where to write the smaller one")
      ->required()
      ->type_name("FILE");
  shrink.add_option("--seconds", to->seconds, "At most")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

struct RecordOptions {
  std::string dump;
  std::string scenario;
};
int Record(const RecordOptions& options) { return RecordCommand(options.dump, options.scenario); }

void AddRecord(CLI::App& app, Chosen& chosen) {
  const auto to = std::make_shared<RecordOptions>();
  CLI::App& record =
      AddCommand(app, chosen, "record", "Turn a dump of ojd's recorder into a scenario",
                 "oj-harness record --from story.jsonl --out story.toml", to, Record);
  record.add_option("--from", to->dump, "The dump, from `oj debug dump`")
      ->required()
      ->type_name("FILE");
  record.add_option("--out", to->scenario, "Where to write it (default: standard output)")
      ->type_name("FILE");
}

void AddTwin(CLI::App& app, Chosen& chosen) {
  const auto to = std::make_shared<TwinCommandOptions>();
  to->run.scale = 0.25;
  CLI::App& twin = AddCommand(app, chosen, "twin",
                              "Run scenarios in simulation and on real processes, and compare",
                              "oj-harness twin scenarios --world fakes --jobs 2", to, TwinCommand);
  twin.add_option("files", to->files, "Scenarios, or directories of them")
      ->required()
      ->type_name("");
  twin.add_option("--world", to->worlds, "Of fakes, real (default: both)")
      ->delimiter(',')
      ->type_name("WORLD")
      ->check(CLI::IsMember({"fakes", "real"}));
  twin.add_option("--seeds", to->seeds, "Runs in simulation, of each")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  twin.add_option("--draws", to->draws, "Scenarios that are drawn from each mix")
      ->capture_default_str();
  twin.add_option("--seed", to->seed, "Of the first that is drawn")->capture_default_str();
  twin.add_option("--scale", to->run.scale, "Multiplies all durations of the real processes")
      ->check(Scale())
      ->capture_default_str();
  twin.add_option("--jobs", to->jobs, "Scenarios at a time")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  twin.add_option("--at-least", to->at_least, "Fail if fewer scenarios agree")
      ->capture_default_str();
  twin.add_option("--keep", to->keep, "Write drawn scenarios that disagree to this directory")
      ->type_name("DIR");
  twin.add_option("--ojd", to->run.ojd, "The daemon (default: beside oj-harness)")
      ->type_name("FILE");
  twin.add_flag("--json", to->json, "Print JSON");
}

}  // namespace

std::unique_ptr<CLI::App> MakeHarnessApp(Chosen& chosen,
                                         const std::vector<std::string>& lab_command) {
  auto app = std::make_unique<CLI::App>(
      "Runs scenarios of oj and ojd and judges them by the laws of cancellation", "oj-harness");
  app->require_subcommand(1);
  app->set_version_flag("--version", "oj-harness " + std::string(kVersion));
  app->footer(
      "Exit status: 0 all laws hold, 1 one is broken, 2 it could not be tried.\n"
      "Example:\n"
      "  oj-harness run scenarios/fast/hung-tmux-peek.toml");
  app->get_formatter()->column_width(28);
  AddRun(*app, chosen);
  AddReport(*app, chosen);
  AddExplore(*app, chosen);
  AddReplay(*app, chosen);
  AddShrink(*app, chosen);
  AddRecord(*app, chosen);
  AddSweep(*app, chosen);
  AddTwin(*app, chosen);
  AddLabCommands(*app, chosen, lab_command);
  return app;
}

}  // namespace oj::sim
