// ojd: wiring only. Core and operating system meet here, and nowhere else.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include "core/protocol.h"
#include "core/server.h"
#include "core/tree_runner.h"
#include "help.h"
#include "os/asio_loop.h"
#include "os/config_file.h"
#include "os/notify.h"
#include "os/posix_file_system.h"
#include "os/posix_process_host.h"
#include "os/signals.h"
#include "os/spdlog_event_log.h"
#include "os/sqlite_store.h"
#include "os/state_dir.h"
#include "os/strays.h"
#include "os/system_random.h"
#include "os/unix_transport.h"

namespace {

int Fail(const oj::Error& error) {
  std::cerr << "ojd: " << error.message << "\n";
  return 1;
}

// For a client that cannot even be accepted.
std::string Refusal() {
  const oj::Error error{oj::ErrorCode::kBusy, "the daemon has run out of file descriptors",
                        R"({"retry_after_ms":1000})"};
  return oj::Frame(oj::ErrorReply(error));
}

oj::Result<std::unique_ptr<oj::UnixListener>> Listen(oj::AsioLoop& loop, const std::string& path) {
  auto inherited = oj::TakeInheritedListener();
  if (!inherited) return inherited.error();
  if (*inherited) return oj::UnixListener::Adopt(loop, std::move(**inherited), Refusal());
  return oj::UnixListener::Bind(loop, path, Refusal());
}

oj::Task<void> StopOnSignal(oj::Signals& signals, oj::Server& server) {
  while (true) {
    auto next = signals.NextSignal();
    co_await std::move(next);
    oj::Notify("STOPPING=1");
    server.Stop();
  }
}

void TellReady() {
  std::cout << "READY" << std::endl;
  oj::Notify("READY=1");
}

oj::Task<void> RunServer(oj::Server& server, oj::Nursery& nursery, oj::Signals& signals,
                         std::optional<oj::Error>& failure) {
  nursery.Start(StopOnSignal(signals, server));
  auto run = server.Run(TellReady);
  oj::Status status = co_await std::move(run);
  if (!status) failure = status.error();
}

oj::Task<void> Main(oj::Server& server, oj::Signals& signals, std::optional<oj::Error>& failure) {
  auto run = oj::WithNursery(
      [&](oj::Nursery& nursery) { return RunServer(server, nursery, signals, failure); },
      oj::WhenBodyEnds::kCancel);
  co_await std::move(run);
}

// For what an earlier daemon has left running.
constexpr auto kStrayLimit = std::chrono::milliseconds(1000);

// As tools name it: without links.
std::string RealPath(const std::string& path) {
  std::error_code error;
  const auto real = std::filesystem::canonical(path, error);
  return error ? path : real.string();
}

int Run(const oj::OjdOptions& options, const oj::Config& config) {
  const auto directory = oj::StateDirPath(options.state_dir);
  if (!directory) return Fail(directory.error());
  // One daemon per state directory: whoever comes second touches nothing.
  auto state = oj::StateDir::Acquire(*directory);
  if (!state) return Fail(state.error());
  const std::string real_directory = RealPath(*directory);
  // Replies are JSON, and tell paths in there.
  if (const std::string told = oj::ToUtf8(real_directory); told != real_directory) {
    return Fail({oj::ErrorCode::kInvalidRequest,
                 "the path of the state directory '" + told + "' is not valid UTF-8", ""});
  }
  auto log = oj::SpdlogEventLog::Open(config.log_level, options.log_file);
  if (!log) return Fail(log.error());

  oj::AsioLoop loop;
  oj::PosixProcessHost host(loop);  // before all other threads
  oj::Signals signals(loop);
  auto store = oj::SqliteStore::Open(loop, (*state)->database());
  if (!store) return Fail(store.error());
  oj::PosixFileSystem files(loop);
  oj::SystemRandom random;
  auto listener = Listen(loop, (*state)->socket());
  if (!listener) return Fail(listener.error());

  const std::string lease_prefix = oj::LeasePrefix(real_directory);
  const std::vector<oj::Stray> strays = oj::EndStrays(lease_prefix, kStrayLimit);
  for (const oj::Stray& each : strays) {
    std::cerr << "ojd: process " << each.pid
              << ", left behind by a daemon that was killed, cannot be ended\n";
  }
  const auto stray = [&strays] {
    for (const oj::Stray& each : strays) {
      if (each.IsAlive()) return "process " + std::to_string(each.pid);
    }
    return std::string();
  };
  oj::TreeRunner runner(host, loop);
  const oj::Seams seams{loop, runner, **listener, **store, files, random, **log};
  oj::Server server(seams, config,
                    oj::Identity{getpid(), geteuid(), real_directory, lease_prefix, stray});
  std::optional<oj::Error> failure;
  loop.Run(Main(server, signals, failure));
  return failure ? Fail(*failure) : 0;
}

}  // namespace

int main(int argc, char** argv) {
  oj::OjdOptions options;
  const auto app = oj::MakeOjdApp(options);
  CLI11_PARSE(*app, argc, argv);

  auto config = oj::LoadConfig(options.config_file);
  if (!config) return Fail(config.error());
  if (!options.log_level.empty()) {
    const oj::Status set = oj::SetConfig(*config, "log.level", options.log_level, "--log-level");
    if (!set) return Fail(set.error());
  }
  oj::IgnoreSignals();
  try {
    return Run(options, *config);
  } catch (const std::exception& error) {
    return Fail({oj::ErrorCode::kInternal, error.what(), ""});
  }
}
