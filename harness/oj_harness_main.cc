// oj-harness: runs scenarios and judges them by the laws. What each command prints and returns is
// in explore/commands.h; here is only the command line.
#include <CLI/CLI.hpp>
#include <exception>
#include <functional>
#include <iostream>

#include "explore/commands.h"
#include "lab/lab_cli.h"
#include "report/report_command.h"

namespace {

constexpr const char* kWithout =
    "Classes of sites that stay at the default, of workload, schedule, process, transport, store, "
    "clock";

void AddChoice(CLI::App& command, oj::sim::ChoiceOptions& to) {
  command
      .add_option("--strategy", to.strategy,
                  "How a seed decides: swarm (half of the seeds with a part of the faults), random "
                  "(always all), pct (strands by priorities)")
      ->check(CLI::IsMember({"swarm", "random", "pct"}))
      ->capture_default_str();
  command.add_option("--depth", to.depth, "Of the bugs that pct looks for")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--without", to.without, kWithout)->delimiter(',');
}

void AddRunOptions(CLI::App& command, oj::sim::RunCommandOptions& to) {
  command.add_option("--world", to.world, "Where: sim, fakes (real processes, fake tools), real")
      ->check(CLI::IsMember({"sim", "fakes", "real"}))
      ->capture_default_str();
  command.add_option("--seed", to.seed, "Of the simulation's decisions")->capture_default_str();
  command.add_option("--scale", to.scale, "Multiplies all durations; not in sim")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--ojd", to.ojd, "The daemon (default: beside oj-harness); not in sim");
  command
      .add_option("--slack-ms", to.slack_ms, "Added to every bound for a busy machine; not in sim")
      ->capture_default_str();
  AddChoice(command, to.choice);
}

CLI::App* AddRun(CLI::App& app, oj::sim::RunCommandOptions& to) {
  CLI::App* run = app.add_subcommand("run", "Run a scenario once; a verdict a law, a timeline");
  run->add_option("file", to.file, "The scenario")->required();
  AddRunOptions(*run, to);
  run->add_flag("--json", to.json, "Print JSON");
  return run;
}

CLI::App* AddReport(CLI::App& app, oj::sim::ReportCommandOptions& to) {
  CLI::App* report =
      app.add_subcommand("report", "Draw a run, or what many came to, as one page of HTML");
  report
      ->add_option("file", to.run.file,
                   "The scenario, a recorded failure, or the JSON of explore, sweep or ci/mutants")
      ->required();
  report->add_option("--out,-o", to.out, "The page (default: standard output)");
  report->add_option("--chrome-trace", to.chrome_trace, "Trace events for ui.perfetto.dev");
  AddRunOptions(*report, to.run);
  return report;
}

CLI::App* AddExplore(CLI::App& app, oj::sim::ExploreCommandOptions& to) {
  CLI::App* explore = app.add_subcommand("explore", "Run a scenario from many seeds");
  explore->add_option("file", to.file, "The scenario")->required();
  explore->add_option("--runs", to.runs, "How many")->capture_default_str();
  explore->add_option("--seed", to.seed, "The first run's; the next has the next")
      ->capture_default_str();
  explore->add_option("--seconds", to.seconds, "Stop after so many (default: no limit)")
      ->check(CLI::NonNegativeNumber);
  explore->add_flag("--twice", to.twice, "Run each seed twice and compare");
  explore->add_flag("--stop-at-first", to.stop_at_first, "Stop at the first run that breaks a law");
  AddChoice(*explore, to.choice);
  explore->add_option("--jobs", to.jobs, "Processes")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  explore->add_option("--orders", to.orders,
                      "Instead of seeds: all orders of the first so many choices of the schedule");
  explore->add_option("--failures", to.failures, "Write the first failure to this directory");
  explore->add_option("--shrink-seconds", to.shrink_seconds, "To reduce the first failure; 0: not")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  explore->add_option("--report", to.report, "Write what was found as a page of HTML");
  explore->add_flag("--json", to.json, "Print JSON");
  return explore;
}

CLI::App* AddSweep(CLI::App& app, oj::sim::SweepCommandOptions& to) {
  const char* about = "Strike a run at every step, ask again, and compare how it ends";
  CLI::App* sweep = app.add_subcommand("sweep", about);
  sweep->add_option("file", to.file, "The scenario")->required();
  sweep
      ->add_option("--kinds", to.kinds,
                   "Of disconnect, half-close, deadline, operator, shutdown, kill, power, "
                   "power-unsynced (default: all)")
      ->delimiter(',');
  sweep->add_option("--bases", to.bases, "Runs to strike; all but a script's first have faults")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  sweep->add_flag("--pairs", to.pairs, "Also each two strikes, one after the other");
  sweep->add_flag("--faults", to.faults, "One fault at each place where there can be one, instead");
  sweep->add_flag("--stop-at-first", to.stop_at_first, "Stop at the first bad point");
  sweep->add_option("--report", to.report, "Write the table as a page of HTML");
  sweep->add_flag("--json", to.json, "Print JSON");
  return sweep;
}

CLI::App* AddTwin(CLI::App& app, oj::sim::TwinCommandOptions& to) {
  const char* about = "Run scenarios in simulation and on real processes, and compare";
  CLI::App* twin = app.add_subcommand("twin", about);
  twin->add_option("files", to.files, "Scenarios, or directories of them")->required();
  twin->add_option("--world", to.worlds, "Of fakes, real (default: both)")
      ->delimiter(',')
      ->check(CLI::IsMember({"fakes", "real"}));
  twin->add_option("--seeds", to.seeds, "Runs in simulation, of each")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  twin->add_option("--draws", to.draws, "Scenarios that are drawn from each mix")
      ->capture_default_str();
  twin->add_option("--seed", to.seed, "Of the first that is drawn")->capture_default_str();
  twin->add_option("--scale", to.run.scale, "Multiplies all durations of the real processes")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  twin->add_option("--jobs", to.jobs, "Scenarios at a time")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  twin->add_option("--keep", to.keep, "Write drawn scenarios that disagree to this directory");
  twin->add_option("--ojd", to.run.ojd, "The daemon (default: beside oj-harness)");
  twin->add_flag("--json", to.json, "Print JSON");
  twin->footer("Example:\n  oj-harness twin scenarios --world fakes --jobs 2");
  return twin;
}

int Main(int argc, char** argv) {
  CLI::App app("Runs scenarios of oj and ojd and judges them by the laws of cancellation",
               "oj-harness");
  app.require_subcommand(1);
  oj::sim::RunCommandOptions run_options;
  oj::sim::ExploreCommandOptions explore_options;
  std::string failure;
  bool replay_json = false;
  oj::sim::ReportCommandOptions report_options;
  const CLI::App* run = AddRun(app, run_options);
  const CLI::App* report = AddReport(app, report_options);
  const CLI::App* explore = AddExplore(app, explore_options);
  CLI::App* replay = app.add_subcommand("replay", "Run a recorded failure once more");
  replay->add_option("file", failure, "The failure file")->required();
  replay->add_flag("--json", replay_json, "Print JSON");
  std::string shrunk;
  std::string shrunk_to;
  double shrink_seconds = 10;
  CLI::App* shrink = app.add_subcommand("shrink", "Reduce a recorded failure");
  shrink->add_option("file", shrunk, "The failure file")->required();
  shrink->add_option("--output,-o", shrunk_to, "Where to write the smaller one")->required();
  shrink->add_option("--seconds", shrink_seconds, "At most")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  std::string dump;
  std::string scenario;
  CLI::App* record = app.add_subcommand("record", "Turn a dump of ojd's recorder into a scenario");
  record->add_option("--from", dump, "The dump, from `oj debug dump`")->required();
  record->add_option("--out", scenario, "Where to write it (default: standard output)");
  record->footer("Example:\n  oj-harness record --from story.jsonl --out story.toml");
  oj::sim::SweepCommandOptions sweep_options;
  const CLI::App* sweep = AddSweep(app, sweep_options);
  oj::sim::TwinCommandOptions twin_options;
  twin_options.run.scale = 0.25;
  const CLI::App* twin = AddTwin(app, twin_options);
  std::function<int()> chosen;
  oj::sim::AddLabCommands(app, chosen, oj::sim::TakeLabCommand(argc, argv));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (chosen) return chosen();
  if (*run) return oj::sim::RunCommand(run_options);
  if (*report) return oj::sim::ReportCommand(report_options);
  if (*explore) return oj::sim::ExploreCommand(explore_options);
  if (*shrink) return oj::sim::ShrinkCommand(shrunk, shrunk_to, shrink_seconds);
  if (*record) return oj::sim::RecordCommand(dump, scenario);
  if (*twin) return oj::sim::TwinCommand(twin_options);
  if (*sweep) return oj::sim::SweepCommand(sweep_options);
  return oj::sim::ReplayCommand(failure, replay_json);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "oj-harness: " << error.what() << '\n';
    return 2;
  }
}
