// A run asks the kernel for nothing but memory: the kernel itself refuses all else meanwhile, and
// another thread with it. What comes out is the same in a process that is not watched.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <vector>

#include "explore/explore.h"

namespace oj::sim {
namespace {

constexpr std::uint64_t kRuns = 50;

// Kills the process at any other system call; false: this kernel does not watch.
bool AllowMemoryOnly() {
  try {
    throw 0;  // a process's first throw sets up the unwinder, and wakes who waits for that
  } catch (int) {
  }
  constexpr std::array kAllowed = {SYS_brk,      SYS_mmap,    SYS_munmap,     SYS_mremap,
                                   SYS_mprotect, SYS_madvise, SYS_exit_group, SYS_write};
  std::vector<sock_filter> program;
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
  for (const long call : kAllowed) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

std::string DigestOfRuns(const Scenario& scenario) {
  ExploreOptions options;
  options.runs = kRuns;
  const ExploreReport report = Explore(scenario, options);
  return report.violations == 0 ? report.digest.Hex() : "a law is broken";
}

// What a child of ours writes, all of it, and its status.
struct Told {
  std::string text;
  int status = 0;
};
template <class Work>
Told InAChild(Work work) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {"pipe2 failed", -1};
  const pid_t pid = fork();
  if (pid == 0) {
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    const std::string text = work();
    const ssize_t written = write(ends[1], text.data(), text.size());
    _exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  close(ends[1]);
  Told told;
  char bytes[256];
  for (ssize_t n = 0; (n = read(ends[0], bytes, sizeof bytes)) > 0;) {
    told.text.append(bytes, static_cast<std::size_t>(n));
  }
  close(ends[0]);
  waitpid(pid, &told.status, 0);
  return told;
}

class HermeticTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer makes system calls of its own";
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    GTEST_SKIP() << "a sanitizer makes system calls of its own";
#endif
#endif
    auto loaded = LoadScenario(std::string(OJ_SCENARIOS) + "/fast/" + GetParam() + ".toml");
    ASSERT_TRUE(loaded) << loaded.error().message;
    scenario_ = std::move(*loaded);
  }
  Scenario scenario_;
};

TEST_P(HermeticTest, ARunMakesNoSystemCallButForMemoryAndStartsNoThread) {
  const Told watched = InAChild([&] {
    return AllowMemoryOnly() ? DigestOfRuns(scenario_) : std::string("the kernel does not watch");
  });
  EXPECT_EQ(watched.status, 0) << "signal " << WTERMSIG(watched.status);
  EXPECT_EQ(watched.text, DigestOfRuns(scenario_));
}

TEST_P(HermeticTest, TheGateShutsOnASystemCall) {
  const Told watched = InAChild([] {
    if (!AllowMemoryOnly()) return std::string("the kernel does not watch");
    return std::to_string(getppid());
  });
  EXPECT_TRUE(WIFSIGNALED(watched.status)) << watched.text;
}

// Where things lie in memory must not matter.
TEST_P(HermeticTest, RunsAreTheSameAtOtherAddresses) {
  const Told moved = InAChild([&] {
    std::vector<void*> holes;
    for (std::size_t i = 1; i <= 500; ++i) holes.push_back(std::malloc(i * 37 % 4000 + 16));
    for (std::size_t i = 0; i < holes.size(); i += 2) std::free(holes[i]);
    std::string digest = DigestOfRuns(scenario_);
    for (std::size_t i = 1; i < holes.size(); i += 2) std::free(holes[i]);
    return digest;
  });
  EXPECT_EQ(moved.text, DigestOfRuns(scenario_));
}

INSTANTIATE_TEST_SUITE_P(Mixes, HermeticTest, testing::Values("standard-mix", "workspaces-mix"),
                         [](const auto& each) {
                           std::string name = each.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace oj::sim
