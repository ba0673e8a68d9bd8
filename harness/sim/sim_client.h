// SimClient: a client of the simulated world: sends requests, reads replies as the protocol has
// them, gives up, leaves. SimScript and SimMix say what it does.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenario/scenario.h"
#include "sim/session_truth.h"
#include "sim/sim_run.h"
#include "sim/sim_transport.h"
#include "sim/sim_users.h"

namespace oj::sim {

// What all clients of a run share.
struct ClientWorld {
  SimLoop& loop;
  Decisions& decisions;
  SimNetwork& network;
  Trace& trace;
  SimUsers& users;
  const SimTmux& tmux;
  bool tools_lie;  // what tmux prints may be the scenario's
  std::vector<WorldViolation>& violations;
  std::vector<ClientOutcome>& outcomes;
  std::vector<MixCall>& mix_calls;
  Duration call_timeout{};  // what a script's call says where it says nothing; zero: nothing
  std::uint64_t calls = 0;
  bool daemon_comes_back = true;  // worth a second try to connect
};

class SimClient {
 public:
  SimClient(ClientWorld& world, std::uint64_t number) : world_(world), number_(number) {}
  ~SimClient() { Hangup(false); }

  // False: refused. Does nothing where there is a connection.
  Task<bool> Connect();
  // Sends one request; its number, or 0: refused, or the daemon takes nothing.
  Task<std::uint64_t> Send(std::string_view json, std::string_view type);
  Task<bool> SendRaw(std::string_view bytes);
  // Waits for the reply to that call, or for any (0): a reply's type, an error's code, "closed",
  // "torn", "gave_up" (the connection is closed then), "refused" where there is none.
  Task<std::string> Receive(std::uint64_t call, std::optional<Duration> give_up);
  void HalfClose();
  void Hangup(bool reset);
  // From outside, while the client waits for something.
  void Strike(bool half);

  std::uint64_t number() const { return number_; }
  bool connected() const { return end_ != nullptr; }

 private:
  struct Open {
    std::uint64_t call;
    std::uint64_t disk;  // its version when it was sent
    std::uint64_t tmux;  // the same
    std::string type;
    std::string request;
  };
  struct Reply {
    std::uint64_t call;
    std::string name;
  };
  void Record(TraceKind kind, std::uint64_t object = 0, std::string_view text = {});
  Task<std::string> NextReply(std::uint64_t call);
  Task<bool> WriteAll(std::string_view bytes);
  void TakeFrames();
  bool TakeReply(std::string_view payload);
  void Judge(const boost::json::object& reply, const Open& asked);
  void Torn(std::string_view why);
  void Forget();

  ClientWorld& world_;
  std::uint64_t number_;
  std::unique_ptr<SimEnd> end_;
  bool torn_ = false;
  std::array<char, 4096> buffer_;  // to read into
  std::string in_;
  std::deque<Open> open_;      // calls without a reply, in order
  std::deque<Reply> replies_;  // not yet taken
};

// A scenario's script; an outcome for each step that waits for a reply.
Task<void> PlayScript(ClientWorld& world, SimClient& client, const ClientScript& script);
// The generated workload of one client.
Task<void> PlayMix(ClientWorld& world, SimClient& client, const Scenario& scenario);

}  // namespace oj::sim
