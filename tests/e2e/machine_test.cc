// A machine that fails under the daemon: no processes, no disk, a program that cannot be read; and
// clients that never stop cancelling.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>

#include "world.h"

namespace oj::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

std::size_t Count(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
    ++count;
  }
  return count;
}

class MachineTest : public testing::Test {
 protected:
  void Start() { ASSERT_TRUE(world_.StartDaemon()) << world_.daemon().Err(); }
  boost::json::object Asked(const boost::json::object& request) {
    return world_.Connect().Ask(request);
  }
  bool Quiet() {
    return Eventually([this] { return world_.Quiet(); });
  }

  World world_{Tmux::kFake};
};

// S2: cancels that come again and again, by whatever way, while the tool is being ended.
TEST_F(MachineTest, AThousandCancelsOfOneRequestCancelItOnceAndEndItsToolOnce) {
  world_.Rules("[[rule]]\ntool = \"tmux\"\nhang = true\nignore_term = true\n");
  world_.Set("OJ_TIMEOUT_TMUX_MS", "100000");
  world_.Set("OJ_LOG", "debug");
  Start();
  Wire client = world_.Connect();
  client.Send(Peek("work"));
  ASSERT_TRUE(Eventually([this] { return world_.Tools().size() == 1; }));
  std::string cancels;
  for (int i = 0; i < 1000; ++i) {
    cancels += FrameOf(R"({"type":"CancelRequest","id":"r1"})");
  }
  Wire impatient = world_.Connect();
  impatient.SendBytes(cancels);
  client.Close();
  int answers = 0;
  while (answers < 1000 && !impatient.Receive().empty()) ++answers;
  EXPECT_EQ(answers, 1000);
  EXPECT_TRUE(Quiet());
  EXPECT_TRUE(world_.Answers());
  world_.daemon().Signal(SIGTERM);
  ASSERT_EQ(world_.DaemonEnded().code, 0);
  const std::string log = world_.daemon().Err();
  EXPECT_EQ(Count(log, "request 1 cancelled: "), 1U);
  EXPECT_EQ(Count(log, "process ended: "), 1U);
  EXPECT_EQ(Count(log, "request 1 ended: "), 1U);
}

// N4: never taken for a missing tool; each request fails at once, and the next one is tried again.
TEST_F(MachineTest, AMachineWithoutProcessesIsBusyUntilItHasSome) {
  const std::string flag = world_.dir() + "/no-fork";
  world_.Set("LD_PRELOAD", OJ_NO_FORK_LIBRARY);
  world_.Set("OJ_NO_FORK", flag);
  Start();
  ASSERT_EQ(Text(Asked(Peek("work")), "type"), "SessionPeek");
  const std::size_t descriptors = DescriptorsOf(world_.daemon().pid()).size();
  WriteFile(flag, "");
  for (int i = 0; i < 100; ++i) {
    const auto reply = Asked({{"type", "SessionSend"}, {"id", "work"}, {"input", "x"}});
    ASSERT_EQ(Text(reply, "code"), "busy");
    ASSERT_THAT(Text(reply, "message"), HasSubstr("tmux"));
    ASSERT_THAT(Text(reply, "message"), Not(HasSubstr("PATH")));
    ASSERT_EQ(reply.at("detail").at("retry_after_ms").to_number<int>(), 1000);
  }
  EXPECT_TRUE(world_.Answers());
  EXPECT_TRUE(Quiet());
  const Ended refused = world_.Oj({"session", "peek", "work"});
  EXPECT_EQ(refused.code, 4);
  EXPECT_THAT(refused.err, HasSubstr("try again in"));
  std::filesystem::remove(flag);
  EXPECT_EQ(Text(Asked(Peek("work")), "type"), "SessionPeek");
  EXPECT_TRUE(
      Eventually([&] { return DescriptorsOf(world_.daemon().pid()).size() <= descriptors; }));
}

// N4: nothing in the daemon goes on trying by itself while it costs something.
TEST_F(MachineTest, AMachineWithoutProcessesCostsADaemonAtRestNothing) {
  const std::string flag = world_.dir() + "/no-fork";
  world_.Set("LD_PRELOAD", OJ_NO_FORK_LIBRARY);
  world_.Set("OJ_NO_FORK", flag);
  world_.Set("OJ_TIMEOUT_TMUX_MS", "200");
  world_.Rules("[[rule]]\ntool = \"tmux\"\nmatch = \"send-keys\"\nhang = true\n");
  Start();
  Wire client = world_.Connect();
  client.Send({{"type", "SessionSend"}, {"id", "work"}, {"input", "x"}});
  ASSERT_TRUE(Eventually([this] { return world_.Tools().size() == 1; }));
  WriteFile(flag, "");
  // The fence cannot ask the server now, and tries again with pauses.
  EXPECT_EQ(Text(client.Receive(), "code"), "tool_timeout");
  const milliseconds before = CpuTimeOf(world_.daemon().pid());
  std::this_thread::sleep_for(milliseconds(1000));
  const milliseconds used = CpuTimeOf(world_.daemon().pid()) - before;
  std::printf("CPU time in one second without processes: %ld ms\n",
              static_cast<long>(used.count()));
  EXPECT_LT(used.count(), 200);
  std::filesystem::remove(flag);
  EXPECT_TRUE(Eventually([this] { return world_.Quiet(); }));
}

TEST_F(MachineTest, AFullDiskIsSaidToBeAndTheDaemonLivesOn) {
  Start();
  const boost::json::object create{
      {"type", "SessionNew"}, {"id", "new"}, {"cwd", "/"}, {"command", {"cat"}}};
  // The journal of the state may not grow; the few bytes that the fake tmux writes have room.
  const auto journal = std::filesystem::file_size(world_.state() + "/state.db-wal");
  ASSERT_GT(journal, 8192U);
  const rlimit none{journal, RLIM_INFINITY};
  ASSERT_EQ(prlimit(world_.daemon().pid(), RLIMIT_FSIZE, &none, nullptr), 0);
  const auto refused = Asked(create);
  EXPECT_EQ(Text(refused, "code"), "unavailable") << boost::json::serialize(refused);
  std::printf("full disk: %s\n", Text(refused, "message").c_str());
  EXPECT_EQ(Text(Asked(Peek("work")), "type"), "SessionPeek");
  const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
  ASSERT_EQ(prlimit(world_.daemon().pid(), RLIMIT_FSIZE, &all, nullptr), 0);
  EXPECT_EQ(Text(Asked(create), "type"), "SessionCreated");
  EXPECT_TRUE(Quiet());
}

TEST_F(MachineTest, ADaemonThatCannotWriteItsLogStillEndsInOrder) {
  Start();
  const rlimit none{0, RLIM_INFINITY};
  ASSERT_EQ(prlimit(world_.daemon().pid(), RLIMIT_FSIZE, &none, nullptr), 0);
  world_.daemon().Signal(SIGTERM);
  const Ended ended = world_.DaemonEnded();
  EXPECT_FALSE(ended.signaled);
  EXPECT_EQ(ended.code, 0);
}

// A lease on the program's file blocks its exec in the kernel, as a dead network disk does.
TEST_F(MachineTest, AToolWhoseExecHangsFailsAtItsLimitAndHoldsUpNobody) {
  const std::string program = world_.dir() + "/tmux-on-a-dead-disk";
  std::filesystem::copy_file(kFakeTmuxProgram, program);
  const int file = open(program.c_str(), O_RDONLY | O_CLOEXEC);
  fcntl(file, F_SETSIG, SIGURG);  // of who comes for the file; it is ignored
  if (fcntl(file, F_SETLEASE, F_WRLCK) != 0) GTEST_SKIP() << "no leases on this file system";
  world_.Configure("[tools]\ntmux = \"" + program + "\"\n");
  world_.Set("OJ_TIMEOUT_TMUX_MS", "500");
  Start();
  std::vector<Wire> clients;
  for (int i = 1; i <= 20; ++i) {
    clients.push_back(world_.Connect());
    clients.back().Send(Peek("work", i));
  }
  EXPECT_TRUE(world_.Answers());
  for (Wire& client : clients) EXPECT_EQ(Text(client.Receive(), "code"), "tool_timeout");
  EXPECT_TRUE(Quiet());
  const Ended peek = world_.Oj({"--timeout", "300", "session", "peek", "work"});
  EXPECT_EQ(peek.code, 124);
  std::printf("a limit of 300 ms took %ld ms: %s", static_cast<long>(peek.took.count()),
              peek.err.c_str());
  close(file);
  EXPECT_TRUE(Eventually([this] { return Text(Asked(Peek("work")), "type") == "SessionPeek"; }));
  EXPECT_TRUE(Quiet());
}

}  // namespace
}  // namespace oj::e2e
