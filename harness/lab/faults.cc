#include "lab/faults.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <sstream>
#include <utility>

#include "lab/guard.h"
#include "os/proc_fs.h"
#include "scenario/process_watch.h"
#include "scenario/run_bounded.h"
#include "scenario/toml_writer.h"
#include "scenario/twin_setup.h"

namespace oj::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr Duration kToolLimit = std::chrono::seconds(2);
constexpr int kDeathLimitMs = 2000;
constexpr milliseconds kAgain(1000);  // until the disk has room, perhaps
constexpr int kBadRules = 125;        // how a fake ends that does not understand them

Error Wrong(const std::string& why) { return {ErrorCode::kInvalidRequest, why, ""}; }
Error Missing(const std::string& why) { return {ErrorCode::kNotFound, why, ""}; }

void Send(const UniqueFd& pidfd, int number) {
  if (pidfd) syscall(SYS_pidfd_send_signal, pidfd.get(), number, nullptr, 0);
}

bool IsAlive(const UniqueFd& pidfd) {
  pollfd ended{pidfd.get(), POLLIN, 0};
  return pidfd && poll(&ended, 1, 0) == 0;
}

milliseconds Since(steady_clock::time_point time) {
  return std::chrono::duration_cast<milliseconds>(steady_clock::now() - time);
}

// "3 calls", "1 call".
std::string Count(long count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

bool Fits(const std::string& tool, const std::string& match, const std::string& command) {
  const std::size_t blank = command.find(' ');
  if (command.substr(0, blank) != tool) return false;
  return command.find(match, blank == command.npos ? 0 : blank) != command.npos;
}

}  // namespace

ToolRule Releasable(ToolRule rule, const std::string& release) {
  std::erase_if(rule.of_fakes, [](const auto& each) { return each.first == "release"; });
  rule.of_fakes.emplace_back("release", Quoted(release));
  // As the real one: the server has the request, whatever becomes of the client.
  const bool before = !rule.after && !rule.InTheMiddle();
  if (rule.hang && rule.tool == "tmux" && before && !rule.late) rule.late = Duration();
  return rule;
}

Faults::Faults(const Scenario& scenario, World world, TwinWorld& twin)
    : world_(world), twin_(twin) {
  for (const ToolRule& rule : scenario.tools) {
    Active active = Begun(FaultOf(rule));
    const auto same = std::count_if(active_.begin(), active_.end(), [&active](const Active& each) {
      return each.fault.name.starts_with(active.fault.name);
    });
    if (same > 0) active.fault.name += "-" + std::to_string(same + 1);
    active_.push_back(std::move(active));
  }
}

// The scenario's, with what lets their calls go.
Status Faults::SetUp() { return active_.empty() ? Status(Ok{}) : WriteRules(); }

Faults::Active Faults::Begun(const Fault& fault) {
  Active active;
  active.fault = fault;
  active.since = steady_clock::now();
  active.match = PlacedBelow(twin_.root(), fault.rule.match);
  active.release = twin_.root() + "/released.f" + std::to_string(++number_);
  return active;
}

Result<UniqueFd> Faults::Daemon() const {
  pid_t pid = 0;
  std::ifstream(twin_.state_dir() + "/daemon.pid") >> pid;
  UniqueFd pidfd(pid > 0 ? static_cast<int>(syscall(SYS_pidfd_open, pid, 0)) : -1);
  if (!pidfd || VariableOf(pid, kLabVariable) != twin_.root()) {
    return Missing("no ojd runs here; the next `oj` starts one");
  }
  return pidfd;
}

Result<UniqueFd> Faults::RealServer() const {
  std::string pid;
  const int exit = RunBounded({"/usr/bin/env", "tmux", "display-message", "-p", "#{pid}"},
                              twin_.environment(), kToolLimit, &pid);
  UniqueFd pidfd(exit == 0 ? static_cast<int>(syscall(SYS_pidfd_open, std::atoi(pid.c_str()), 0))
                           : -1);
  if (!pidfd) return Missing("no tmux server answers in this lab");
  return pidfd;
}

// Of what is on; else the number of all.
std::size_t Faults::Find(const std::string& name) const {
  const auto at = std::find_if(active_.begin(), active_.end(),
                               [&name](const Active& each) { return each.fault.name == name; });
  return static_cast<std::size_t>(at - active_.begin());
}

// What is stopped already would not say who it is.
Result<UniqueFd> Faults::ToStop(const Fault& fault) {
  const std::size_t same = Find(fault.name);
  if (same < active_.size() && IsAlive(active_[same].stopped)) {
    return std::move(active_[same].stopped);
  }
  return fault.target == "daemon" ? Daemon() : RealServer();
}

Status Faults::Stop(const Fault& fault) {
  const ToolRule& rule = fault.rule;
  const bool narrowed = !rule.match.empty() || rule.nth > 0 || rule.ignore_term;
  if (fault.name != "hang-daemon" && (fault.name != "hang-tmux" || narrowed)) {
    return Wrong(
        "the real tools do as they do; there are only `hang tmux`, `kill tmux`, `hang daemon`, "
        "`kill daemon`");
  }
  Result<UniqueFd> pidfd = ToStop(fault);
  if (!pidfd) return pidfd.error();
  Active active = Begun(fault);
  active.stopped = std::move(*pidfd);
  Send(active.stopped, SIGSTOP);
  std::erase_if(active_, [&fault](const Active& each) { return each.fault.name == fault.name; });
  active_.insert(active_.begin(), std::move(active));
  return Ok{};
}

Status Faults::Misbehave(const Fault& fault) {
  Active active = Begun(fault);
  const Status understood = Check(active);
  if (!understood.ok()) return understood;
  const std::size_t same = Find(fault.name);
  active_.insert(active_.begin(), std::move(active));
  const Status written = WriteRules();
  if (!written.ok()) {
    active_.erase(active_.begin());
    return written;
  }
  if (fault.rule.nth > 0) CountAnew(active_.front());
  // If it cannot be ended: the newer one counts.
  if (same + 1 < active_.size()) static_cast<void>(End(same + 1));
  return Ok{};
}

Status Faults::WriteRules() const {
  std::vector<ToolRule> rules;
  for (const Active& each : active_) {
    if (!each.stopped) rules.push_back(Releasable(each.fault.rule, each.release));
  }
  return twin_.WriteRules(rules, twin_.rules());
}

// A fake reads it alone, and counts elsewhere; it is the other tool's, which does not follow it.
Status Faults::Check(const Active& active) const {
  const std::string place = twin_.root() + "/checked";
  std::error_code error;
  std::filesystem::create_directories(place, error);
  auto environment = twin_.environment();
  environment.erase("OJ_FAKE_JOURNAL");
  environment["OJ_FAKE_STATE"] = place;
  environment["OJ_FAKE_RULES"] = place + "/rules.toml";
  const Status written =
      twin_.WriteRules({Releasable(active.fault.rule, active.release)}, place + "/rules.toml");
  if (!written.ok()) return written;
  const std::string other = active.fault.target == "git" ? "tmux" : "git";
  std::string said;
  const std::string asked = other == "git" ? "--version" : "-V";
  const int exit = RunBounded({"/bin/sh", "-c", "exec \"$0\" \"$1\" 2>&1", other, asked},
                              environment, kToolLimit, &said);
  if (exit == 0) return Ok{};
  said.erase(said.find_last_not_of('\n') + 1);
  if (exit == kBadRules) return Wrong(said.substr(said.find(": ") + 2));
  return Error{ErrorCode::kUnavailable, "the fakes could not be asked whether they understand it",
               ""};
}

// --nth counts from the order on, and with it every other fault of these calls: they have one file
// for what they count, whose name is made as in fakes/choose.cc.
void Faults::CountAnew(const Active& active) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : active.match) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  std::error_code error;
  std::filesystem::remove(
      twin_.root() + "/fake/count." + active.fault.target + "." + std::to_string(hash), error);
  for (Active& each : active_) {
    if (each.fault.target == active.fault.target && each.match == active.match) each.seen = 0;
  }
}

Result<std::string> Faults::On(const Fault& fault) {
  ReadJournal();
  const bool stops = fault.target == "daemon" || world_ == World::kReal;
  const Status on = stops ? Stop(fault) : Misbehave(fault);
  if (!on.ok()) return on.error();
  const std::string until = fault.lasts ? "for " + TimeText(*fault.lasts)
                                        : "until `oj-harness fault off " + fault.name + "`";
  return "on: " + Effect(fault) + ", " + until + "\n";
}

// Error: it is to be ended once more.
Status Faults::LetGo(const Active& ended) const {
  const std::string made = ended.release + ".new";
  std::ofstream file(made);
  file.close();
  if (!file) return Error{ErrorCode::kUnavailable, made + " cannot be written", ""};
  Status written = WriteRules();
  if (!written.ok()) return written;
  std::error_code error;
  std::filesystem::rename(made, ended.release, error);
  if (!error) return Ok{};
  return Error{ErrorCode::kUnavailable, ended.release + ": " + error.message(), ""};
}

// What it was, as a line. Error: it is on still.
Result<std::string> Faults::End(std::size_t index) {
  const auto at = active_.begin() + static_cast<std::ptrdiff_t>(index);
  Active ended = std::move(*at);
  active_.erase(at);
  if (ended.stopped) {
    Send(ended.stopped, SIGCONT);
  } else if (const Status off = LetGo(ended); !off.ok()) {
    active_.insert(active_.begin() + static_cast<std::ptrdiff_t>(index), std::move(ended));
    return off.error();
  }
  std::string line = "off: " + ended.fault.name + ", after " + TimeText(Since(ended.since));
  if (!ended.stopped) line += " and " + Count(ended.calls, "call");
  if (!ended.held.empty())
    line += "; " + Count(static_cast<long>(ended.held.size()), "call") + " let go";
  return line + "\n";
}

Result<std::string> Faults::Off(const std::vector<std::string>& words) {
  ReadJournal();
  std::string said;
  for (const std::string& word : words) {
    const std::string before = said;
    for (std::size_t i = active_.size(); i-- > 0;) {
      if (!IsMeant(active_[i].fault, word)) continue;
      const Result<std::string> ended = End(i);
      if (!ended) return Error{ended.error().code, said + ended.error().message, ""};
      said += *ended;
    }
    if (said == before && word != "all")
      return Missing(said + "'" + word + "' is not on; `oj-harness fault list` shows what is");
  }
  return said.empty() ? "off: nothing was on\n" : said;
}

// What hangs there hangs on.
Result<std::string> Faults::KillFakeTmux() const {
  auto environment = twin_.environment();
  for (const char* name : {"OJ_FAKE_JOURNAL", "OJ_FAKE_RULES"}) environment.erase(name);
  std::string why;
  const int exit =
      RunBounded({"/usr/bin/env", "tmux", "kill-server"}, environment, kToolLimit, nullptr, &why);
  if (exit == 1) return Missing("no tmux server runs here");
  if (exit != 0) return Error{ErrorCode::kUnavailable, "tmux kill-server: " + why, ""};
  return std::string("killed: the server of tmux, with all its sessions\n");
}

Result<std::string> Faults::Kill(const std::string& target) {
  const bool daemon = target == "daemon";
  if (!daemon && world_ == World::kFakes) return KillFakeTmux();
  const std::size_t hung = Find("hang-" + target);
  Result<UniqueFd> victim = daemon ? Daemon() : ToStop({"hang-tmux", target, {}, {}});
  if (!victim) return victim.error();
  Send(*victim, SIGKILL);
  pollfd ended{victim->get(), POLLIN, 0};
  const bool dead = poll(&ended, 1, kDeathLimitMs) == 1;
  const std::string what = daemon ? "ojd" : "the server of tmux";
  // A hang of the dead one; of one that dies it has no more descriptor.
  if (hung < active_.size()) active_.erase(active_.begin() + static_cast<std::ptrdiff_t>(hung));
  if (!dead) return Missing(what + " has SIGKILL, but does not die");
  return "killed: " + what + ", by SIGKILL" +
         (daemon ? "; the next `oj` starts another one\n" : ", with all its sessions\n");
}

std::string Faults::List() {
  ReadJournal();
  std::ostringstream out;
  out << "lab " << twin_.root() << ", " << (world_ == World::kReal ? "real" : "fake")
      << " tools, for " << TimeText(Since(begun_)) << "; ojd "
      << (Daemon() ? "runs" : "does not run") << "\n";
  if (active_.empty()) {
    out << "no fault is on\n";
    return out.str();
  }
  std::size_t width = 4;
  for (const Active& each : active_) width = std::max(width, each.fault.name.size());
  const auto row = [&](const std::string& name, const std::string& age, const std::string& calls,
                       const std::string& held, const std::string& what) {
    out << std::left << std::setw(static_cast<int>(width) + 2) << name << std::setw(9) << age
        << std::setw(7) << calls << std::setw(6) << held << what << "\n";
  };
  row("NAME", "AGE", "CALLS", "HELD", "EFFECT");
  for (const Active& each : active_) {
    const bool counts = !each.stopped;
    std::string what = Effect(each.fault);
    if (each.fault.lasts) {
      const milliseconds left = *each.fault.lasts - Since(each.since);
      what += "; ends in " + TimeText(std::max(left, milliseconds(0)));
    }
    row(each.fault.name, TimeText(Since(each.since)), counts ? std::to_string(each.calls) : "-",
        counts ? std::to_string(each.held.size()) : "-", what);
  }
  return out.str();
}

std::optional<milliseconds> Faults::Expire() {
  std::optional<milliseconds> next;
  for (std::size_t i = active_.size(); i-- > 0;) {
    const Active& each = active_[i];
    if (!each.fault.lasts) continue;
    milliseconds left = *each.fault.lasts - Since(each.since);
    if (left <= milliseconds(0)) {
      ReadJournal();
      if (End(i)) continue;
      left = kAgain;
    }
    next = std::min(left, next.value_or(left));
  }
  return next;
}

void Faults::ReadJournal() {
  std::ifstream file(twin_.journal(), std::ios::binary);
  if (world_ != World::kFakes || !file.seekg(read_)) return;
  for (std::string line; std::getline(file, line) && !file.eof();) {
    read_ += static_cast<std::streamoff>(line.size()) + 1;
    OnLine(line);
  }
  for (Active& each : active_) {
    std::erase_if(each.held, [](pid_t pid) {
      const char state = ProcessState(pid);
      return state == 0 || state == 'Z';
    });
  }
}

// Which are orphans when their call has ended before they say that they begin.
bool Faults::MayLeaveProcesses() const {
  return std::any_of(active_.begin(), active_.end(), [](const Active& each) {
    const ToolRule& rule = each.fault.rule;
    return rule.grandchild || rule.forks > 0 || rule.late;
  });
}

void Faults::OnLine(const std::string& line) {
  std::istringstream words(line);
  char letter = 0;
  pid_t pid = 0;
  words >> letter >> pid;
  if (letter == 'E') {
    for (Active& each : active_) each.held.erase(pid);
  }
  if (letter != 'S') return;
  pid_t parent = 0;
  std::string skipped;
  std::string argv;
  words >> parent;
  for (int i = 0; i < 3; ++i) words >> skipped;
  std::getline(words >> std::ws, argv);  // and the directory
  // What a call leaves behind, or lets work late, is none.
  const bool left = met_.contains(parent) || (parent == 1 && MayLeaveProcesses());
  met_.insert(pid);
  if (left) return;
  const std::string command = JournalledArguments(argv);
  // As the fakes choose: the first that fits; what is for another call than this one does not, but
  // counts it.
  Active* chosen = nullptr;
  for (Active& each : active_) {
    if (!Fits(each.fault.target, each.match, command)) continue;
    const long nth = each.fault.rule.nth;
    const bool is_nth = ++each.seen == nth || nth == 0;
    if (is_nth && chosen == nullptr) chosen = &each;
  }
  if (chosen == nullptr) return;
  ++chosen->calls;
  chosen->held.insert(pid);
}

}  // namespace oj::sim
