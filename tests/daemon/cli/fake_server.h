// FakeServer: a thread that plays ojd on a Unix socket, byte for byte as a test wants it.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "cli/posix.h"

namespace oj::cli {

// A directory of its own, removed with all in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// One accepted connection, as its script sees it. All waits are bounded by ten seconds.
class ServedConnection {
 public:
  explicit ServedConnection(int fd) : fd_(fd) {}
  // The payload of the next frame; "" when the client has gone.
  std::string ReadFrame();
  // The next frame to be read is this one.
  void Unread(std::string frame) { unread_ = std::move(frame); }
  void Write(std::string_view bytes);
  void WriteByByte(std::string_view bytes);
  // Waits until the client has closed; false if it has not within ten seconds.
  bool AwaitClose();
  // Whether the client has closed its sending side, or all.
  bool AtEnd();

 private:
  int fd_;
  std::string unread_;
};

class FakeServer {
 public:
  using Script = std::function<void(ServedConnection&)>;
  // What a request is answered with that is not the script's; "": it is.
  using Lookup = std::function<std::string(const std::string& request)>;

  // Listens on DIRECTORY/daemon.sock and runs the script for each connection in turn. A connection
  // whose first request `lookup` answers is none of the script's.
  FakeServer(const std::string& directory, Script script, Lookup lookup = {});
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;
  // Serves those who have connected, and ends.
  ~FakeServer();

  // Answers every request with one frame of `payload`; keeps the requests.
  static Script Answer(std::string payload, std::vector<std::string>* requests = nullptr);
  // Reads a request, never answers, notes when the client has closed.
  static Script Stall(std::atomic<bool>* closed);

 private:
  void Serve();
  UniqueFd listener_;
  UniqueFd stop_;
  Script script_;
  Lookup lookup_;
  std::thread thread_;
};

}  // namespace oj::cli
