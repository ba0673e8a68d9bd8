#include "core/tools.h"

#include <algorithm>
#include <boost/json.hpp>

#include "core/protocol.h"

namespace oj {
namespace {

// What would send git to another repository, and tmux to another server than ours.
const char* const kUnset[] = {
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_CEILING_DIRECTORIES",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_EXTERNAL_DIFF",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "TMUX",
    "TMUX_PANE",
};
constexpr std::size_t kMaxDetailBytes = 4096;

// An errno as the core may name it: the numbers of Linux, without its headers.
constexpr int kEnoent = 2, kEagain = 11, kEnomem = 12, kEacces = 13, kEmfile = 24;

// A NUL, which no argument can hold, keeps them apart: a blank may be in the middle of one.
std::string Join(const std::vector<std::string>& argv) {
  std::string line;
  std::size_t size = 0;
  for (const std::string& argument : argv) size += argument.size() + 1;
  line.reserve(size);
  for (const std::string& argument : argv) {
    if (!line.empty()) line += '\0';
    line += argument;
  }
  return line;
}

// "exit 1: can't find session: work", "signal 11", "timed out 9": for a replay.
std::string Story(const ProcessResult& result) {
  constexpr std::size_t kMostSaid = 1000;
  constexpr std::string_view kEnds[] = {"exit",      "signal",    "not started",
                                        "timed out", "cancelled", "flooded"};
  std::string story(kEnds[static_cast<std::size_t>(result.end)]);
  story += " " + std::to_string(result.status);
  if (!result.err.empty()) story += ": " + result.err.substr(0, kMostSaid);
  return story;
}

}  // namespace

// A child's entry in its flight, from its start until it is reaped or given up.
class Tools::Observer final : public ProcessObserver {
 public:
  Observer(Tools& tools, Flight& flight, const ToolCommand& command)
      : tools_(tools), flight_(flight), line_(Join(command.argv)) {
    ++tools_.children_;
  }
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  ~Observer() { --tools_.children_; }

  void OnStarted(int pid) override {
    pid_ = pid;
    Children().push_back(Flight::Child{pid, line_, tools_.clock_.Now()});
    tools_.log_.Record({EventKind::kProcessStarted, 0, flight_.id, pid, line_});
  }
  void OnEnding(int pid) override {
    for (Flight::Child& child : Children()) child.ending |= child.pid == pid;
  }
  void OnEnded(int pid) override {
    Children().remove_if([pid](const Flight::Child& child) { return child.pid == pid; });
    tools_.log_.Record({EventKind::kProcessEnded, 0, flight_.id, pid, line_});
  }

  int pid() const { return pid_; }

 private:
  // What the daemon does by itself has no flight that can be asked for.
  std::list<Flight::Child>& Children() { return flight_.id == 0 ? tools_.own_ : flight_.children; }

  Tools& tools_;
  Flight& flight_;
  std::string line_;
  int pid_ = 0;  // 0: it has not started
};

Task<Result<ProcessResult>> Tools::Run(Flight& flight, ToolCommand command, Aftermath& after) {
  if (children_ >= config_.max_children) {
    co_return Error{
        ErrorCode::kBusy,
        "too many subprocesses: limits.max_children is " + std::to_string(config_.max_children),
        R"({"retry_after_ms":1000})"};
  }
  Observer observer(*this, flight, command);
  ProcessSpec spec;
  spec.argv = command.argv;
  if (command.tagged) spec.env = {{"LC_ALL", "C.UTF-8"}, {"GIT_TERMINAL_PROMPT", "0"}};
  spec.unset_env = kUnset;
  spec.output_limit = config_.max_output_bytes;
  spec.keep = command.keep;
  if (command.tagged) spec.lease_tag = instance_ + "." + RequestName(flight.id);
  spec.kill = command.kill;
  spec.deadline = Deadline::After(clock_.Now(), command.timeout);
  spec.observer = &observer;
  flight.waiting_for = command.tool;
  auto run = runner_.Run(std::move(spec));
  ProcessResult result = co_await std::move(run);
  if (result.started) {
    log_.Record({EventKind::kProcessResult, 0, flight.id, observer.pid(), Story(result)});
  }
  after.started = result.started;
  after.cut_off = result.started && result.end != ProcessResult::End::kExited;
  if (result.quarantine != nullptr) after.undead = result.quarantine;
  // What a cancel interrupted is never judged: this is where the cancel goes on.
  if (result.end == ProcessResult::End::kCancelled) co_await CancellationPoint();
  flight.waiting_for.clear();
  co_return Judge(command, std::move(result));
}

Result<ProcessResult> Tools::Judge(const ToolCommand& command, ProcessResult result) const {
  using End = ProcessResult::End;
  const std::string& tool = command.tool;
  const std::string doing = tool + (command.argv.size() > 1 ? " " + command.argv[1] : "");
  if (result.end == End::kExited && result.quarantine != nullptr) {
    return Error{ErrorCode::kUnknownOutcome,
                 doing + " left process " + std::to_string(result.quarantine->pid) +
                     ", which could not be killed; see `oj locks`",
                 ""};
  }
  switch (result.end) {
    case End::kTimedOut:
      return Error{ErrorCode::kToolTimeout,
                   doing + " did not answer within " + std::to_string(Millis(command.timeout)) +
                       " ms (timeouts." + tool + "); it was killed",
                   R"({"tool":")" + tool + R"(","limit_ms":)" +
                       std::to_string(Millis(command.timeout)) + "}"};
    case End::kFlooded:
      return Error{ErrorCode::kTooLarge,
                   doing + " wrote more than " + std::to_string(config_.max_output_bytes) +
                       " bytes (limits.max_output_bytes); it was killed",
                   ""};
    case End::kSpawnFailed:
      if (result.status == kEnoent || result.status == kEacces) {
        return Error{ErrorCode::kToolMissing,
                     "tool '" + command.argv[0] + "' is not on the daemon's PATH (tools." + tool +
                         ")" + (result.status == kEacces ? ", or may not be run" : ""),
                     ""};
      }
      if (result.status == kEagain || result.status == kEnomem || result.status == kEmfile) {
        return Error{ErrorCode::kBusy,
                     "the machine could not start " + tool + " (errno " +
                         std::to_string(result.status) + "): out of processes, memory or files",
                     R"({"retry_after_ms":1000})"};
      }
      return Error{
          ErrorCode::kToolFailed,
          "could not start '" + command.argv[0] + "': errno " + std::to_string(result.status), ""};
    default:
      return result;
  }
}

Status AllGone(const std::vector<std::shared_ptr<Quarantine>>& undead) {
  for (const auto& each : undead) {
    if (each->dead.is_set()) continue;
    return Error{ErrorCode::kBusy,
                 "process " + std::to_string(each->pid) + " (state " + each->state +
                     "), which could not be killed, may still be at work there",
                 R"({"retry_after_ms":1000,"pid":)" + std::to_string(each->pid) + "}"};
  }
  return Ok{};
}

Task<void> AllDead(std::vector<std::shared_ptr<Quarantine>> undead) {
  for (const auto& each : undead) {
    auto dead = each->dead.WaitSet();
    co_await std::move(dead);
  }
}

Error ToolFailed(std::string_view tool, std::string_view doing, const ProcessResult& result) {
  const bool signaled = result.end == ProcessResult::End::kSignaled;
  const std::string code = std::to_string(result.status);
  std::string said = ToUtf8(std::string_view(result.err).substr(0, kMaxDetailBytes));
  while (!said.empty() && said.back() == '\n') said.pop_back();
  boost::json::object detail;
  detail[signaled ? "signal" : "exit"] = result.status;
  detail["stderr"] = said;
  return {ErrorCode::kToolFailed,
          std::string(tool) + " failed to " + std::string(doing) +
              (signaled ? ": ended by signal " : ": exit ") + code +
              (said.empty() ? "" : ": " + said.substr(0, said.find('\n'))),
          boost::json::serialize(detail)};
}

}  // namespace oj
