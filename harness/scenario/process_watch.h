// ProcessWatch: sees the processes of a daemon's tools from outside: begin, signals, end, reaping.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "scenario/recorder.h"

namespace oj::sim {

// Of what begins with the arguments in a line of the fakes' journal (fakes/journal.h): these,
// joined by blanks. What is no UTF-8 stays as it is.
std::string JournalledArguments(std::string_view text);

// Sources: the journal of the fakes (exact times), or sampling of /proc for the daemon's
// descendants (every Turn; what lives shorter may be missed). Ends come from pidfds, a moment late:
// the time of an exit is the last at which the process was known to live, so that a successor that
// was started at once is not taken for an overlap; that of a death by signal is when it was seen,
// or just before the next start since it was known to live. Never signals anybody but in KillAll().
class ProcessWatch {
 public:
  ProcessWatch(pid_t daemon, std::string journal, Recorder& recorder);  // no journal: ""
  ~ProcessWatch();
  ProcessWatch(const ProcessWatch&) = delete;
  ProcessWatch& operator=(const ProcessWatch&) = delete;

  void Turn();
  void AddTo(std::vector<pollfd>& polled) const;

  std::vector<std::string> Live() const;  // "pid argv"
  std::size_t started() const { return started_; }
  // Zombie children of the daemon, just now.
  int Zombies() const;
  // Ends all that live. Safe against reused pids.
  void KillAll();

 private:
  struct Process {
    int pidfd = -1;  // -1: reaped
    std::string argv;
    std::int64_t group = 0;
    Instant lived{};  // at least until then
    Instant died{};   // if it has ended
    bool ended = false;
    std::optional<int> exit;  // from the journal
    int signal = 0;           // the last that it caught
  };
  void ReadJournal();
  void OnLine(const std::string& line);
  void Sample(pid_t parent);
  void Saw(pid_t pid, Instant at, std::int64_t group, const std::string& argv);
  Instant DeathBetween(Instant lived, Instant seen) const;
  void CheckEnd(pid_t pid, Process& process);

  pid_t daemon_;
  std::string journal_;
  Recorder& recorder_;
  std::streamoff read_ = 0;  // bytes of the journal
  std::map<pid_t, Process> processes_;
  std::size_t started_ = 0;
  std::set<Instant> starts_;
};

// Of /proc/<pid>: the state's letter, 0 if there is no such process.
char ProcessState(pid_t pid);
std::vector<pid_t> ChildrenOf(pid_t pid);
// Open descriptors; -1 if there is no such process.
int DescriptorsOf(pid_t pid);

}  // namespace oj::sim
