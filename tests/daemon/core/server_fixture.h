// A whole Server over scripted seams: clients are pairs of byte queues in memory, tmux is a script.
#pragma once

#include <gmock/gmock.h>

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/protocol.h"
#include "core/server.h"
#include "scripted_runner.h"

namespace oj {

// What the two ends of a connection share.
struct Wire {
  std::string to_server, to_client;
  std::size_t client_takes = 1 << 30;  // bytes; then the client is a slow reader
  bool half_closed = false, closed_by_client = false, closed_by_server = false;
  WaitQueue<bool> reader, writer;
  Event gone;

  void Wake() {
    while (!reader.empty()) reader.WakeFront();
    while (!writer.empty()) writer.WakeFront();
  }
};

class MemoryConnection final : public Connection {
 public:
  MemoryConnection(std::shared_ptr<Wire> wire, std::uint64_t id, unsigned uid)
      : wire_(std::move(wire)), id_(id), uid_(uid) {}
  ~MemoryConnection() override { wire_->closed_by_server = true; }
  std::uint64_t id() const override { return id_; }
  PeerCredentials peer() const override { return {4000 + static_cast<int>(id_), uid_}; }

  Task<Result<std::size_t>> Read(std::span<char> buffer) override {
    while (wire_->to_server.empty() && !wire_->half_closed && !wire_->closed_by_client) {
      auto turn = wire_->reader.Enter(true);
      co_await turn;
    }
    const std::size_t count = std::min(buffer.size(), wire_->to_server.size());
    std::copy_n(wire_->to_server.begin(), count, buffer.begin());
    wire_->to_server.erase(0, count);
    co_return count;
  }
  Task<Result<std::size_t>> Write(std::span<const char> bytes) override {
    while (wire_->client_takes == 0 && !wire_->closed_by_client) {
      auto turn = wire_->writer.Enter(true);
      co_await turn;
    }
    if (wire_->closed_by_client) co_return Error{ErrorCode::kUnavailable, "the peer is gone", ""};
    const std::size_t count = std::min(bytes.size(), wire_->client_takes);
    wire_->to_client.append(bytes.data(), count);
    wire_->client_takes -= count;
    co_return count;
  }
  Task<void> PeerGone() override { return wire_->gone.WaitSet(); }

 private:
  std::shared_ptr<Wire> wire_;
  std::uint64_t id_;
  unsigned uid_;
};

class MemoryListener final : public Listener {
 public:
  Task<Result<std::unique_ptr<Connection>>> Accept() override {
    while (backlog.empty()) {
      auto turn = arrivals.Enter(true);
      co_await turn;
    }
    auto next = std::move(backlog.front());
    backlog.pop_front();
    co_return next;
  }
  void Close() override { closed = true; }

  std::deque<Result<std::unique_ptr<Connection>>> backlog;
  WaitQueue<bool> arrivals;
  bool closed = false;
};

// Begins with `snapshot`; commits cost nothing and are kept. It fails or hangs as it is told to.
class ScriptedStore final : public Store {
 public:
  explicit ScriptedStore(Clock& clock) : clock_(clock) {}
  Task<Result<StateSnapshot>> Load() override {
    if (hangs) co_await SleepUntil(clock_, Deadline::Never());
    if (failure) co_return *failure;
    co_return snapshot;
  }
  Task<Status> Commit(std::vector<Change> changes) override {
    if (commits.size() >= good_commits) {
      if (hangs) co_await SleepUntil(clock_, Deadline::Never());
      if (failure) co_return *failure;
    }
    commits.push_back(std::move(changes));
    co_return Ok{};
  }

  StateSnapshot snapshot;
  std::optional<Error> failure;
  bool hangs = false;
  std::size_t good_commits = 0;  // before one fails or hangs
  std::vector<std::vector<Change>> commits;

 private:
  Clock& clock_;
};

// Everything is a directory, or only what `directories` names.
class FakeFiles final : public FileSystem {
 public:
  Task<Result<FileInfo>> Stat(std::string path, bool) override {
    FileInfo info;
    if (!directories || directories->contains(path)) info.type = FileType::kDirectory;
    if (contents.contains(path)) info.type = FileType::kFile;
    if (const auto at = modified_ms.find(path); at != modified_ms.end()) {
      info.type = FileType::kFile;
      info.modified_ns = at->second * 1'000'000;
    }
    co_return info;
  }
  Task<Result<std::vector<std::string>>> List(std::string directory) override {
    std::set<std::string> names;
    directory += '/';
    for (const auto& [path, text] : contents) {
      if (!path.starts_with(directory)) continue;
      const std::string name = path.substr(directory.size());
      names.insert(name.substr(0, name.find('/')));
    }
    co_return std::vector<std::string>(names.begin(), names.end());
  }
  Task<Result<std::string>> Read(std::string file, std::size_t) override {
    if (file == unreadable) co_return Error{ErrorCode::kUnavailable, "read: I/O error", ""};
    const auto at = contents.find(file);
    co_return at == contents.end() ? std::string() : at->second;
  }
  Task<Status> Write(std::string file, std::function<std::string()> text) override {
    if (write_fails) co_return *write_fails;
    contents[file] = text();
    co_return Ok{};
  }
  Task<Status> MakeDirectories(std::string) override { co_return Ok{}; }
  Task<Status> Rename(std::string from, std::string to) override {
    if (rename_fails) co_return *rename_fails;
    if (directories) {
      directories->erase(from);
      directories->insert(to);
    }
    steps.push_back("rename " + from);
    co_return Ok{};
  }
  Task<Status> RemoveTree(std::string path) override {
    if (directories) directories->erase(path);
    modified_ms.erase(path);
    std::erase_if(contents, [&path](const auto& file) {
      return file.first == path || file.first.starts_with(path + "/");
    });
    steps.push_back("remove " + path);
    co_return Ok{};
  }

  Task<Result<int>> FindUser(std::string, std::vector<std::string>) override { co_return user; }

  int user = 0;
  std::map<std::string, std::int64_t> modified_ms;  // of files
  std::optional<std::set<std::string>> directories;
  std::map<std::string, std::string> contents;  // of files; no other has any
  std::optional<Error> rename_fails;
  std::optional<Error> write_fails;
  std::string unreadable;
  Log steps;
};

class Counting final : public Random {
 public:
  std::uint64_t Next() override { return ++last_; }

 private:
  std::uint64_t last_ = 0;
};

// The client's end.
class Peer {
 public:
  explicit Peer(TestLoop& loop) : loop_(loop) {}
  void Write(std::string_view bytes) {
    wire->to_server += bytes;
    Settle();
  }
  void Ask(std::string_view payload) { Write(Frame(payload)); }
  void HalfClose() {
    wire->half_closed = true;
    Settle();
  }
  void Close() {
    wire->closed_by_client = true;
    wire->gone.Set();
    Settle();
  }
  // The replies that have come, whole; a torn one fails the test.
  std::vector<std::string> Replies() {
    std::vector<std::string> all;
    std::string& bytes = wire->to_client;
    while (bytes.size() >= 4) {
      const auto byte = [&](std::size_t i) {
        return std::size_t{static_cast<unsigned char>(bytes[i])};
      };
      const std::size_t size = byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
      EXPECT_LE(size + 4, bytes.size());
      all.push_back(bytes.substr(4, size));
      bytes.erase(0, 4 + size);
    }
    EXPECT_EQ(bytes, "");
    return all;
  }
  bool closed() const { return wire->closed_by_server; }

  std::shared_ptr<Wire> wire = std::make_shared<Wire>();

 private:
  void Settle() {
    wire->Wake();
    loop_.RunReady();
  }
  TestLoop& loop_;
};

inline constexpr char kPeek[] = R"({"type":"PeekSession","session_id":"a"})";

class ServerTest : public ::testing::Test {
 protected:
  static constexpr unsigned kUid = 1000;
  void Serve() {
    // The first look at tmux finds what KnowSession says.
    if (!panes_.empty()) runner.Answer("list-panes", 0, panes_);
    server.emplace(Seams{loop, runner, listener, store, files, random, events}, config,
                   Identity{1, kUid, "/state", "", [this] { return stray; }});
    root.Start(KeepValue(server->Run(nullptr), &ended));
    loop.RunReady();
  }
  // Before Serve: the state has a live session, and so has tmux.
  void KnowSession(const std::string& id) {
    panes_ += id + " 0 \n";
    SessionRecord record;
    record.id = id;
    record.cwd = "/src";
    record.command = {"make"};
    record.created_at_ms = 1700000000000;
    record.status = SessionStatus::kLive;
    store.snapshot.sessions.push_back(std::move(record));
  }
  Peer Connect(unsigned uid = kUid) {
    Peer peer(loop);
    listener.backlog.emplace_back(
        std::make_unique<MemoryConnection>(peer.wire, ++connections_, uid));
    if (!listener.arrivals.empty()) listener.arrivals.WakeFront();
    loop.RunReady();
    return peer;
  }
  // A client whose peek hangs in tmux.
  Peer HungPeek() {
    Peer peer = Connect();
    runner.Hangs("capture-pane");
    peer.Ask(kPeek);
    return peer;
  }
  // L4: whatever a test did, the server ends and leaves nothing.
  void TearDown() override {
    if (!server) return;
    if (!ended) server->Stop();
    if (!ended) server->Stop();
    for (int i = 0; i < 200 && !ended; ++i) loop.Advance(100ms);
    EXPECT_TRUE(ended.has_value()) << "the server did not end";
    EXPECT_TRUE(root.empty());
    EXPECT_FALSE(loop.has_timers());
    EXPECT_EQ(events.Count(EventKind::kConnectionOpened),
              events.Count(EventKind::kConnectionClosed));
    EXPECT_EQ(events.Count(EventKind::kLeaseGranted), events.Count(EventKind::kLeaseReleased));
    EXPECT_EQ(events.Count(EventKind::kDefect), 0U);
  }

  TestLoop loop;
  RecordingLog events;
  Config config;
  ScriptedRunner runner{loop};
  MemoryListener listener;
  ScriptedStore store{loop};
  FakeFiles files;
  Counting random;
  std::string stray;  // of a dead daemon
  std::optional<Status> ended;
  std::optional<Server> server;
  Nursery root{loop, nullptr};

 private:
  std::uint64_t connections_ = 0;
  std::string panes_;  // of tmux, as list-panes tells them
};

}  // namespace oj
