// Server: the daemon's policy as one task: loads the state, accepts clients, serves them, drains.
// All that it sees of the outside is Seams.
#pragma once

#include <functional>
#include <optional>

#include "core/core.h"

namespace oj {

class Server {
 public:
  Server(Seams seams, Config config, Identity identity)
      : recorder_(seams.log, seams.clock, config.recorder_bytes),
        seams_{seams.clock, seams.runner, seams.listener, seams.store,
               seams.files, seams.random, recorder_},
        config_(std::move(config)),
        identity_(identity),
        state_(seams.clock, seams.store) {}

  // Serves until Stop() and drains; ends when every request, connection and child has ended.
  // Error: the state could not be loaded, and nothing was served. Calls `ready` once connections
  // are accepted.
  Task<Status> Run(std::function<void()> ready);

  // Begins to drain: no new requests; those in flight have config.drain, then they are cancelled.
  // The second call cancels them at once. From the loop's thread.
  void Stop() {
    if (lifecycle_.draining.is_set()) return lifecycle_.hurried.Set();
    lifecycle_.Drain(Deadline::After(seams_.clock.Now(), config_.drain));
  }

 private:
  Task<void> InBackground(Nursery& background, std::function<void()> ready);
  Task<void> WithUnits(Nursery& background, Nursery& units, std::function<void()> ready);
  Task<void> InFlight(Nursery& background, Nursery& units, Nursery& flights,
                      std::function<void()> ready);
  Task<void> BesidesOwnWork(Nursery& own, std::function<void()> ready);
  Task<void> Listen(Nursery& connections, std::function<void()> ready);
  Task<void> Accept(Nursery& connections);
  Task<void> Serve(std::unique_ptr<Connection> connection);
  Task<void> Drain(Nursery& connections);
  Task<void> DrainUnits(Nursery& units);

  Recorder recorder_;
  Seams seams_;  // with the recorder before its log
  Config config_;
  Identity identity_;
  Lifecycle lifecycle_;
  Duration drain_{};  // as long as requests had
  State state_;
  std::optional<Core> core_;  // while serving; outlives its nurseries
};

}  // namespace oj
