// TmuxClient: the tmux commands of the handlers, with exact targets, what their answers mean, and
// the fence: after a mutation whose client was killed, the session is not handed on before the
// server has answered something else (it may still carry the mutation out).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/lock_table.h"
#include "core/tools.h"
#include "oj/store.h"

namespace oj {

class TmuxClient;

// A lease on a session while tmux commands run under it. When it is destroyed it releases the
// lease, or quarantines it while a killed command may still touch the session.
class SessionLease {
 public:
  SessionLease(TmuxClient& tmux, Lease lease) : tmux_(&tmux), lease_(std::move(lease)) {}
  SessionLease(SessionLease&&) = default;
  SessionLease& operator=(SessionLease&&) = delete;
  ~SessionLease();

 private:
  friend class TmuxClient;
  // Takes what the last command left behind into account, so that no later one can hide it.
  void Settle();

  TmuxClient* tmux_;
  Lease lease_;
  Aftermath after_;        // of the last command
  bool changing_ = false;  // the last command is a change that was not seen to end
  bool unfenced_ = false;  // some change was not
  std::vector<std::shared_ptr<Quarantine>> undead_;
};

enum class Presence : std::uint8_t { kAbsent, kPresent };

// What tmux knows of a session.
struct SessionState {
  std::string id;
  bool ended = false;       // its program has; the screen is still there
  std::optional<int> exit;  // its exit code, unless a signal ended it
};

class TmuxClient {
 public:
  TmuxClient(Clock& clock, Tools& tools, EventLog& log, const Config& config)
      : clock_(clock), tools_(tools), log_(log), config_(config) {}

  // All: Errors as Tools::Run; kBusy also while something that an earlier command of the lease left
  // behind is alive; kToolFailed where tmux says something unexpected; kUnknownOutcome where it was
  // to change something, and crashed. Throw Cancelled
  // with every process of theirs dead, or the lease marked for quarantine.
  Task<Result<Presence>> Has(Flight& flight, SessionLease& lease, std::string id);
  // The screen; kNotFound.
  Task<Reply> Capture(Flight& flight, SessionLease& lease, std::string id, bool color,
                      std::int64_t lines);
  // kConflict: a session with this name exists. The screen of an agent's session, and how its
  // program ended, stay when it has.
  Task<Status> New(Flight& flight, SessionLease& lease, const SessionRecord& session,
                   std::vector<std::pair<std::string, std::string>> env);
  // Types `input` and Enter, both or neither: one command for the server. kNotFound.
  Task<Status> Send(Flight& flight, SessionLease& lease, std::string id, std::string input);
  // kAbsent: there was none. kPresent: it was there, and tmux says that it killed it.
  Task<Result<Presence>> Kill(Flight& flight, SessionLease& lease, std::string id);

  // All sessions that there are. Needs no lease: what it says may be old when it is heard.
  Task<Result<std::vector<SessionState>>> List(Flight& flight);
  // Makes tmux look for children that have ended: it may have missed one for good (tmux 3.3a hears
  // of none while it takes a pane out of utmp, which it does as the program there ends).
  Task<void> Reap(Flight& flight);

  // Looks after the fence; runs until it is cancelled.
  Task<void> Tend();

 private:
  friend class SessionLease;
  enum class Effect : std::uint8_t { kLooks, kStarts, kChanges };
  // While the server is going away it takes nothing: who only looks, or starts a session, asks
  // again.
  Task<Result<ProcessResult>> Command(Flight& flight, SessionLease& lease,
                                      std::vector<std::string> arguments, Effect effect);
  ToolCommand Tmux(std::vector<std::string> arguments, Duration timeout) const;
  Task<void> UntilSafe(std::vector<std::shared_ptr<Quarantine>> undead, bool unfenced);
  // Whether the server has answered, or is proven dead.
  Task<bool> RoundTrip(Flight& probe, Duration limit);

  Clock& clock_;
  Tools& tools_;
  EventLog& log_;
  const Config& config_;
  std::vector<std::shared_ptr<Event>> unfenced_;
  WaitQueue<bool> idle_;
};

}  // namespace oj
