// ClientDriver: plays the clients of a scenario over real Unix sockets, all from one thread.
#pragma once

#include <poll.h>

#include <memory>
#include <string>
#include <vector>

#include "scenario/recorder.h"
#include "scenario/scenario.h"

namespace oj::sim {

// How a call or a receive ended.
struct StepOutcome {
  std::string client;
  int line = 0;
  std::size_t step = 0;  // which of the client's
  std::string outcome;   // reply type, error code, "gave_up", "closed", "torn", "refused",
                         // "unfinished" (the run's limit passed)
  bool expected = true;
  Duration took{};
};

// Paths in requests are placed below `root`. The destructor closes all connections.
class ClientDriver {
 public:
  ClientDriver(const Scenario& scenario, std::string socket, std::string root, Recorder& recorder);
  ~ClientDriver();

  // Call it whenever a descriptor of AddTo() is ready, and every few milliseconds.
  void Turn();
  void AddTo(std::vector<pollfd>& polled) const;
  bool done() const;
  // Ends what has not ended: those steps come out as "unfinished".
  void Abort();
  const std::vector<StepOutcome>& outcomes() const { return shared_->outcomes; }

 private:
  class Client;
  struct Shared {
    std::string socket;
    std::string root;
    Recorder& recorder;
    std::vector<StepOutcome> outcomes;
    std::uint64_t connections = 0;
    std::uint64_t calls = 0;
  };
  std::unique_ptr<Shared> shared_;
  std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace oj::sim
