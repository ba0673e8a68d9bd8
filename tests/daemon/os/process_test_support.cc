#include "process_test_support.h"

#include <fcntl.h>
#include <signal.h>

#include <fstream>

#include "os/proc_fs.h"

namespace oj::test {

namespace fs = std::filesystem;

ProcessSpec Command(std::vector<std::string> argv) {
  ProcessSpec spec;
  spec.argv = std::move(argv);
  return spec;
}

ProcessSpec Shell(std::string script) { return Command({"sh", "-c", std::move(script)}); }

Task<Ended> RunToEnd(AsioLoop& loop, ProcessHost& host, ProcessSpec spec) {
  Ended result;
  SpawnFailure failure;
  auto spawn = host.Spawn(spec, &failure);
  const std::unique_ptr<ChildProcess> child = co_await std::move(spawn);
  result.spawn_error = failure.error;
  if (child == nullptr) co_return result;
  const Deadline limit = Deadline::After(loop.Now(), kGenerous);
  auto ended = WithDeadline(loop, limit, child->EndedOrFlooded());
  result.in_time = co_await std::move(ended);
  if (!result.in_time || child->Flooded()) {
    auto ending = EndTree(loop, *child);
    co_await std::move(ending);
    co_return result;
  }
  auto closed = WithDeadline(loop, limit, child->OutputClosed());
  result.in_time = co_await std::move(closed);
  result.out = child->TakeOut();
  result.err = child->TakeErr();
  result.status = child->Reap();
  co_return result;
}

Task<bool> EndTree(AsioLoop& loop, ChildProcess& child) {
  const Deadline limit = Deadline::After(loop.Now(), kGenerous);
  child.Send(Signal::kKill);
  auto ended = WithDeadline(loop, limit, child.LeaderEnded());
  const bool in_time = co_await std::move(ended);
  if (!in_time) co_return false;
  while (child.Sweep().count > 0) {
    if (limit.PassedAt(loop.Now())) co_return false;
    child.Send(Signal::kKill);
    co_await SleepFor(loop, std::chrono::milliseconds(1));
  }
  child.Reap();
  co_return true;
}

Task<bool> Until(AsioLoop& loop, std::function<bool()> condition) {
  const Deadline limit = Deadline::After(loop.Now(), kGenerous);
  while (!condition()) {
    if (limit.PassedAt(loop.Now())) co_return false;
    co_await SleepFor(loop, std::chrono::milliseconds(1));
  }
  co_return true;
}

int CountChildren(char state) {
  int count = 0;
  for (const auto& thread : fs::directory_iterator("/proc/self/task")) {
    std::ifstream list(thread.path() / "children");
    for (int pid = 0; list >> pid;) {
      if (state == 0 || ProcessState(pid) == std::string(1, state)) ++count;
    }
  }
  return count;
}

int CountDescriptors() {
  int count = 0;
  for ([[maybe_unused]] const auto& each : fs::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

bool Lives(int pid) {
  const std::string state = ProcessState(pid);
  return !state.empty() && state != "Z" && state != "X";
}

TempDirectory::TempDirectory() {
  std::string name = fs::temp_directory_path() / "oj-test-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
  path_ = name;
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

HeldProgram::HeldProgram(const std::filesystem::path& directory) : path_(directory / "held") {
  std::filesystem::copy_file("/bin/true", path_);
  file_.Reset(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  fcntl(file_.get(), F_SETSIG, SIGURG);  // of who comes for the file; it is ignored
  held_ = fcntl(file_.get(), F_SETLEASE, F_WRLCK) == 0;
}

void HeldProgram::LetGo() { fcntl(file_.get(), F_SETLEASE, F_UNLCK); }

}  // namespace oj::test
