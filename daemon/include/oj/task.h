// Task<T>: a lazy coroutine. It starts when it is awaited, in the strand and scope of its awaiter
// (or in another scope, with In()), and ends before its awaiter goes on. Destroying a Task that
// has not ended destroys its frame and, with it, all that it awaits.
//
// g++ 12 miscompiles some shapes of co_await: its operand holds only names, std::move(name),
// scalars and plain calls; anything else gets a name of its own first (ci/lint has the check).
#pragma once

#include <cxxabi.h>

#include <cassert>
#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "oj/cancel.h"

namespace oj {

template <class T = void>
class Task;

namespace internal {

struct FinalAwaiter {
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
    auto& promise = ended.promise();
    if (promise.awaiter) {
      promise.strand->SetNext(promise.awaiter);
    } else {
      promise.strand->SetDone();
    }
  }
  void await_resume() const noexcept {}
};

struct PromiseBase {
  Strand* strand = nullptr;
  CancelScope* scope = nullptr;
  std::coroutine_handle<> awaiter;  // null for the root task of a strand
  std::exception_ptr error;
  bool cancelled = false;  // the error is a Cancelled

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept {
    error = std::current_exception();
    cancelled = *abi::__cxa_current_exception_type() == typeid(Cancelled);
  }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> result;

  Task<T> get_return_object() noexcept;
  template <class U>
  void return_value(U&& value) {
    result.emplace(std::forward<U>(value));
  }
  T Take() {
    if (error) std::rethrow_exception(error);
    return std::move(*result);
  }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void Take() const {
    if (error) std::rethrow_exception(error);
  }
};

}  // namespace internal

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = internal::Promise<T>;
  using value_type = T;
  using Handle = std::coroutine_handle<promise_type>;

  explicit Task(Handle handle) noexcept : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  // Starts the task and resumes the awaiter when it has ended.
  struct Ending {
    Handle task;
    CancelScope* scope;  // nullptr: the awaiter's
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> awaiter) const noexcept {
      auto& from = awaiter.promise();
      auto& to = task.promise();
      to.strand = from.strand;
      to.scope = scope != nullptr ? scope : from.scope;
      to.awaiter = awaiter;
      from.strand->SetNext(task);
    }
    void await_resume() const noexcept {}
  };
  struct Awaiter : Ending {
    T await_resume() const { return this->task.promise().Take(); }
  };
  Awaiter operator co_await() && noexcept { return Awaiter{{handle_, nullptr}}; }
  // Awaits the task in `scope`, which must outlive it.
  Awaiter In(CancelScope& scope) && noexcept { return Awaiter{{handle_, &scope}}; }
  // Awaits the end of the task in `scope`, however it ends: throws nothing. Then cancelled() tells
  // whether it ended by Cancelled, and Take() gives its value or throws, at most once.
  Ending EndIn(CancelScope& scope) noexcept { return Ending{handle_, &scope}; }
  bool cancelled() const noexcept { return handle_.promise().cancelled; }
  std::exception_ptr error() const noexcept { return handle_.promise().error; }
  T Take() { return handle_.promise().Take(); }

  Handle handle() const noexcept { return handle_; }

 private:
  Handle handle_;
};

namespace internal {
template <class T>
Task<T> Promise<T>::get_return_object() noexcept {
  return Task<T>(Task<T>::Handle::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() noexcept {
  return Task<void>(Task<void>::Handle::from_promise(*this));
}
}  // namespace internal

// Where the running task is: `const Here here = co_await WhereAmI();`. Never suspends or throws.
struct Here {
  Strand& strand;
  CancelScope& scope;
};
class WhereAmI {
 public:
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiter) noexcept {
    strand_ = awaiter.promise().strand;
    scope_ = awaiter.promise().scope;
    return false;
  }
  Here await_resume() const noexcept { return Here{*strand_, *scope_}; }

 private:
  Strand* strand_ = nullptr;
  CancelScope* scope_ = nullptr;
};

// Throws Cancelled if the scope is cancelled; otherwise goes on at once. For loops without waits.
class CancellationPoint final : public Wait {
 public:
  void await_resume() const { ThrowIfCancelled(); }

 private:
  bool Start() override { return true; }
  void Abandon() noexcept override {}
};

// Gives the other strands a turn. A cancellation point.
class Yield final : public Wait {
 public:
  void await_resume() const { ThrowIfCancelled(); }

 private:
  bool Start() override {
    Complete();
    return false;
  }
  void Abandon() noexcept override {}
};

}  // namespace oj
