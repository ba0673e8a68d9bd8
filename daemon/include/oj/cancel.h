// Cancellation and waiting: CancelScope (a tree, level-triggered), Wait (the base of everything a
// coroutine can wait for), Strand (a sequence of turns) and Executor (who runs strands).
// One thread; nothing here is thread-safe.
#pragma once

#include <coroutine>
#include <cstdint>
#include <string_view>
#include <utility>

#include "oj/intrusive_list.h"

namespace oj {

enum class CancelReason : std::uint8_t {
  kNone,
  kDisconnected,  // nobody waits for the answer any more
  kDeadline,
  kOperator,  // CancelRequest
  kShutdown,
  kSibling,  // another child of the nursery failed, or its body ended with an error
};
std::string_view Name(CancelReason reason);

// Thrown by a wait in a cancelled scope. Not a std::exception: `catch (const std::exception&)`
// must not swallow it.
struct Cancelled {
  CancelReason reason;
};

class Executor;
class Strand;

struct ReadyTag;
struct ScopeTag;
struct ExecutorTag;

// A place in a strand's ready queue: the coroutine to resume there. Destroying it gives it up.
class Wake : public Hook<ReadyTag> {
 public:
  std::coroutine_handle<> handle;
};

// A sequence of turns: wakes of one strand run in the order in which they were posted; among
// strands the executor chooses. A nursery's child is a strand, with all tasks that it awaits.
class Strand : public Hook<ExecutorTag> {
 public:
  Strand(Executor& executor, std::uint32_t id) : executor_(executor), id_(id) {}

  Executor& executor() const { return executor_; }
  std::uint32_t id() const { return id_; }
  bool ready() const { return !ready_.empty(); }

  void Post(Wake& wake) noexcept;
  // Runs the first ready wake until its coroutine waits again. May destroy *this.
  void RunOne();

  // The trampoline: a task that wants another one resumed next stores it here and suspends; so
  // a chain of awaits uses no stack in any build type.
  void SetNext(std::coroutine_handle<> next) noexcept { next_ = next; }
  void SetDone() noexcept { done_ = true; }

 protected:
  ~Strand() = default;

 private:
  virtual void OnDone() = 0;  // the root task has ended; may destroy *this

  Executor& executor_;
  std::uint32_t id_;
  bool done_ = false;
  std::coroutine_handle<> next_;
  HookList<Wake, ReadyTag> ready_;
};

// Runs strands: the production loop or the simulation. Must outlive all its strands.
class Executor {
 public:
  // `strand` has something to run. Called only when it is not linked (Hook<ExecutorTag>) yet.
  virtual void OnReady(Strand& strand) noexcept = 0;
  std::uint32_t NextStrandId() { return ++last_strand_id_; }

 protected:
  ~Executor() = default;

 private:
  std::uint32_t last_strand_id_ = 0;
};

class Wait;

// A node in the tree of scopes. Level-triggered: once cancelled it stays cancelled, and every
// later wait in it throws at once. The first reason wins. Must outlive its child scopes and waits.
class CancelScope : public Hook<ScopeTag> {
 public:
  // A child of `parent`, born cancelled if the parent is; with nullptr, a root: a shield.
  explicit CancelScope(CancelScope* parent) noexcept;

  // Unlinks and posts the scope's waits and those of its children; runs no user code.
  void Cancel(CancelReason reason) noexcept;
  bool cancelled() const noexcept { return reason_ != CancelReason::kNone; }
  CancelReason reason() const noexcept { return reason_; }

 private:
  friend class Wait;
  CancelReason reason_ = CancelReason::kNone;
  HookList<CancelScope, ScopeTag> children_;
  HookList<Wait, ScopeTag> waits_;
};

// The base of all awaitables that suspend. An implementation arms itself in Start() with whatever
// will call Complete() later, undoes that in Abandon() and in its destructor, and calls
// ThrowIfCancelled() first in await_resume(). Lives in the frame of the awaiting coroutine: a wait
// allocates nothing, and destroying the frame ends it.
//
// A wait that has completed keeps its result even if its scope is cancelled before it runs.
class Wait : public Hook<ScopeTag>, public Wake {
 public:
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiter) {
    handle = awaiter;
    return Begin(*awaiter.promise().strand, *awaiter.promise().scope);
  }

 protected:
  Wait() = default;
  virtual ~Wait() = default;

  // Called once, never in a cancelled scope. True: completed already, do not suspend.
  virtual bool Start() = 0;
  // The scope was cancelled while waiting: forget whatever would call Complete().
  virtual void Abandon() noexcept = 0;

  // Ends the wait; the coroutine runs in a later turn of its strand. At most once, while waiting.
  void Complete() noexcept;
  bool waiting() const noexcept { return strand_ != nullptr; }
  void ThrowIfCancelled() const {
    if (cancelled_ != CancelReason::kNone) throw Cancelled{cancelled_};
  }

  // False: go on at once, completed or cancelled.
  bool Begin(Strand& strand, CancelScope& scope);

 private:
  friend class CancelScope;
  void OnCancel(CancelReason reason) noexcept;

  Strand* strand_ = nullptr;  // set while waiting
  CancelReason cancelled_ = CancelReason::kNone;
};

inline std::string_view Name(CancelReason reason) {
  constexpr std::string_view kNames[] = {"none",     "disconnected", "deadline",
                                         "operator", "shutdown",     "sibling"};
  return kNames[static_cast<std::size_t>(reason)];
}

inline void Strand::Post(Wake& wake) noexcept {
  ready_.PushBack(wake);
  if (!linked()) executor_.OnReady(*this);
}

inline void Strand::RunOne() {
  if (ready_.empty()) return;
  next_ = ready_.PopFront().handle;
  while (next_) std::exchange(next_, nullptr).resume();
  if (done_) OnDone();
}

inline CancelScope::CancelScope(CancelScope* parent) noexcept {
  if (parent == nullptr) return;
  reason_ = parent->reason_;
  parent->children_.PushBack(*this);
}

inline void CancelScope::Cancel(CancelReason reason) noexcept {
  if (cancelled()) return;
  reason_ = reason;
  while (!waits_.empty()) waits_.PopFront().OnCancel(reason);
  children_.ForEach([reason](CancelScope& child) { child.Cancel(reason); });
}

inline bool Wait::Begin(Strand& strand, CancelScope& scope) {
  if (scope.cancelled()) {
    cancelled_ = scope.reason();
    return false;
  }
  strand_ = &strand;
  if (Start()) {
    strand_ = nullptr;
    return false;
  }
  if (waiting()) scope.waits_.PushBack(*this);
  return true;
}

inline void Wait::Complete() noexcept {
  Hook<ScopeTag>::Unlink();
  std::exchange(strand_, nullptr)->Post(*this);
}

inline void Wait::OnCancel(CancelReason reason) noexcept {
  Abandon();
  cancelled_ = reason;
  std::exchange(strand_, nullptr)->Post(*this);
}

}  // namespace oj
