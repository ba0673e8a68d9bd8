// Nursery: owns concurrent children, each a strand of its own; it is left only when all of them
// have ended. WithNursery is the only way for a task to have children.
#pragma once

#include <exception>
#include <memory>
#include <utility>

#include "oj/task.h"

namespace oj {

class Nursery {
 public:
  // Children run in a scope of the nursery's own, below `parent`.
  Nursery(Executor& executor, CancelScope* parent) : executor_(executor), scope_(parent) {}
  Nursery(const Nursery&) = delete;
  Nursery& operator=(const Nursery&) = delete;
  // Only a world that ends in mid-air (a simulated power loss) destroys a nursery with live
  // children; it destroys their frames.
  ~Nursery() {
    joiner_ = nullptr;
    while (!children_.empty()) Delete(children_.PopFront());
  }

  // Starts `task` as a child, in a later turn, in the nursery's scope. A child that fails (with
  // anything but Cancelled) cancels its siblings; the first failure is kept for Join.
  void Start(Task<void> task) {
    auto* child = new Child(*this, std::move(task));
    children_.PushBack(*child);
    child->Begin();
  }
  // Takes the end of the body as that of a child: what failed first is what Join rethrows. A
  // cancelled task has ended as it should.
  void Settle(const Task<void>& ended) {
    if (!ended.error() || ended.cancelled()) return;
    if (!failure_) failure_ = ended.error();
    scope_.Cancel(CancelReason::kSibling);
  }
  // Cancels the children without unwinding them: one that waits is destroyed where it waits; one
  // that has something to take in (a wait of its has completed) does so, and ends at its next wait.
  // Only for children that do nothing but look: no clean-up of theirs may need to wait.
  void Drop() {
    children_.ForEach([](Child& child) {
      if (child.ready()) return;
      static_cast<Hook<ChildTag>&>(child).Unlink();
      Delete(child);
    });
    scope_.Cancel(CancelReason::kSibling);
  }
  CancelScope& scope() { return scope_; }
  bool empty() const { return children_.empty(); }

  // Waits until all children have ended, whatever the awaiter's scope says, and rethrows the first
  // failure. One joiner at a time.
  class Joining final : public Wait {
   public:
    explicit Joining(Nursery& nursery) : nursery_(nursery), shield_(nullptr) {}
    ~Joining() override {
      if (nursery_.joiner_ == this) nursery_.joiner_ = nullptr;
    }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> awaiter) {
      handle = awaiter;
      return Begin(*awaiter.promise().strand, shield_);
    }
    void await_resume() const {
      if (nursery_.failure_) std::rethrow_exception(std::exchange(nursery_.failure_, nullptr));
    }

   private:
    friend class Nursery;
    bool Start() override {
      if (nursery_.empty()) return true;
      nursery_.joiner_ = this;
      return false;
    }
    void Abandon() noexcept override {}
    Nursery& nursery_;
    CancelScope shield_;  // the children's own bounds end this wait
  };
  Joining Join() { return Joining(*this); }

 private:
  struct ChildTag;
  class Child final : public Hook<ChildTag>, public Strand {
   public:
    Child(Nursery& nursery, Task<void> task)
        : Strand(nursery.executor_, nursery.executor_.NextStrandId()),
          nursery_(nursery),
          task_(std::move(task)) {}
    void Begin() {
      task_.handle().promise().strand = this;
      task_.handle().promise().scope = &nursery_.scope_;
      start_.handle = task_.handle();
      Post(start_);
    }
    const Task<void>& task() const { return task_; }

   private:
    void OnDone() override { nursery_.OnChildDone(*this); }
    Nursery& nursery_;
    Wake start_;
    Task<void> task_;
  };

  static void Delete(Child& child) { delete &child; }

  void OnChildDone(Child& child) {
    Settle(child.task());
    static_cast<Hook<ChildTag>&>(child).Unlink();
    Delete(child);
    if (empty() && joiner_ != nullptr) std::exchange(joiner_, nullptr)->Complete();
  }

  Executor& executor_;
  CancelScope scope_;
  HookList<Child, ChildTag> children_;
  Joining* joiner_ = nullptr;
  std::exception_ptr failure_;
};

// Runs `body(nursery)`, a plain function that returns a Task<void>, in the scope of a new nursery,
// and returns when it and all children have ended. If the body ends by an exception the children
// are cancelled. When it ends well, they are waited for, cancelled, or dropped (see Drop). Rethrows
// the first failure of body and children, else the body's Cancelled. A child that was cancelled is
// no failure: where what it did not do counts, the awaiter puts a CancellationPoint behind.
enum class WhenBodyEnds { kJoin, kCancel, kDrop };
template <class Body>
Task<void> WithNursery(Body body, WhenBodyEnds then = WhenBodyEnds::kJoin) {
  const Here here = co_await WhereAmI();
  Nursery nursery(here.strand.executor(), &here.scope);
  Task<void> task = body(nursery);
  co_await task.EndIn(nursery.scope());
  nursery.Settle(task);
  if (!task.error() && then == WhenBodyEnds::kDrop) nursery.Drop();
  if (task.error() || then == WhenBodyEnds::kCancel) nursery.scope().Cancel(CancelReason::kSibling);
  co_await nursery.Join();
  task.Take();
}

}  // namespace oj
