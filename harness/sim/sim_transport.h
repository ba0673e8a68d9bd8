// SimTransport: sockets of the simulated world: byte streams with bounded buffers. SimEnd is one
// end of a connection: the daemon's, behind the Connection seam, or a client's, who can do more.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "oj/transport.h"
#include "oj/wait_queue.h"
#include "sim/sim_loop.h"

namespace oj::sim {

// How bytes, and the news of a close, are on their way: late, or one by one.
inline constexpr Duration kLatencies[] = {std::chrono::milliseconds(1),
                                          std::chrono::milliseconds(30)};
inline constexpr int kMostDribble = 10;  // bytes; the others come at once
inline constexpr Duration kDribble = std::chrono::microseconds(50);
// The longest that they are; with what dribbles after a late beginning.
inline constexpr Duration kLongestLatency = kLatencies[1] + (kMostDribble + 1) * kDribble;
static_assert(kLatencies[0] < kLatencies[1]);

// Who waits for a stream's bytes. It takes them before its wait completes, as in production: a read
// that has completed has moved them, whatever becomes of who waited.
class SimReader;

// The bytes in one direction.
struct SimStream {
  std::string bytes;  // written and not read; those before `begin` are read
  std::size_t begin = 0;
  std::size_t visible = 0;  // of the bytes, have been delivered
  bool ended = false;       // the writer writes no more
  bool refused = false;     // the reader reads no more
  bool reset = false;       // the writer left without reading all, or crashed
  SimReader* reader = nullptr;
  WaitQueue<bool> writer;

  std::size_t held() const { return bytes.size() - begin; }
  // Something has become of the stream that a reader waits for.
  void News();
};

class SimLink {
 public:
  SimLink(SimLoop& loop, Decisions& decisions, std::uint64_t number, int client_pid);
  std::uint64_t number() const { return number_; }

 private:
  friend class SimEnd;
  friend class SimReader;
  friend class SimNetwork;
  void OnDeliver0() { Deliver(0); }
  void OnDeliver1() { Deliver(1); }
  void Deliver(std::size_t stream);
  void Written(std::size_t stream);
  void Show(std::size_t stream, std::size_t bytes);

  SimLoop& loop_;
  Decisions& decisions_;
  const std::uint64_t number_;
  const int client_pid_;
  std::size_t capacity_;
  std::array<SimStream, 2> streams_;  // by the writer: 0 the client, 1 the daemon
  std::array<Event, 2> gone_;         // by who is told: the other side has fully closed
  std::array<bool, 2> closed_{};      // by who has closed
  std::array<int, 2> dribble_{};      // bytes that still come one by one
  WorldTimer<SimLink, &SimLink::OnDeliver0> deliver0_{*this};
  WorldTimer<SimLink, &SimLink::OnDeliver1> deliver1_{*this};
};

class SimEnd final : public Connection {
 public:
  // side 0: the client's, 1: the daemon's.
  SimEnd(std::shared_ptr<SimLink> link, std::size_t side) : link_(std::move(link)), side_(side) {}
  ~SimEnd() override { Close(); }

  std::uint64_t id() const override { return link_->number_; }
  PeerCredentials peer() const override { return {link_->client_pid_, 1000}; }
  Task<Result<std::size_t>> Read(std::span<char> buffer) override;
  Task<Result<std::size_t>> Write(std::span<const char> bytes) override;
  Task<void> PeerGone() override { return link_->gone_[side_].WaitSet(); }

  void HalfClose();
  // Also resets, if there is something unread here or `reset`: the peer is told when it has read
  // what was written.
  void Close(bool reset = false);
  bool closed() const { return link_->closed_[side_]; }

 private:
  friend class SimReader;
  std::size_t Take(SimStream& in, std::span<char> buffer);

  std::shared_ptr<SimLink> link_;
  std::size_t side_;
};

// The socket file: who listens, and who waits to be accepted.
class SimNetwork {
 public:
  SimNetwork(SimLoop& loop, Decisions& decisions) : loop_(loop), decisions_(decisions) {}

  // Null: nobody listens.
  std::unique_ptr<SimEnd> Connect(int client_pid);
  std::size_t open_connections() const;  // ends of daemons that are not closed
  std::size_t armed_timers() const;

 private:
  friend class SimListener;
  SimLoop& loop_;
  Decisions& decisions_;
  bool listening_ = false;
  std::deque<std::shared_ptr<SimLink>> backlog_;
  std::vector<std::shared_ptr<SimLink>> links_;
  std::vector<bool> accepted_;
  WaitQueue<bool> accepting_;
};

class SimListener final : public Listener {
 public:
  explicit SimListener(SimNetwork& network) : network_(network) { network_.listening_ = true; }
  ~SimListener() { Close(); }
  Task<Result<std::unique_ptr<Connection>>> Accept() override;
  void Close() override;

 private:
  SimNetwork& network_;
};

}  // namespace oj::sim
