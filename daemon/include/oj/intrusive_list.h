// Circular doubly linked lists whose links live in their elements: linking allocates nothing,
// an element leaves its list in O(1) without knowing the list, and its destructor does so.
#pragma once

namespace oj {

// A link. `Tag` tells several links of one object apart. Not thread-safe.
template <class Tag>
class Hook {
 public:
  Hook() noexcept : prev_(this), next_(this) {}
  Hook(const Hook&) = delete;
  Hook& operator=(const Hook&) = delete;
  ~Hook() { Unlink(); }

  bool linked() const noexcept { return next_ != this; }
  void Unlink() noexcept {
    prev_->next_ = next_;
    next_->prev_ = prev_;
    prev_ = next_ = this;
  }

 private:
  template <class, class>
  friend class HookList;
  Hook* prev_;
  Hook* next_;
};

// A list of `T`, which derives from Hook<Tag>. Owns nothing; destroying it leaves its elements
// linked among themselves, so empty it first where they outlive it.
template <class T, class Tag>
class HookList {
 public:
  HookList() = default;
  ~HookList() {
    while (!empty()) PopFront();
  }

  bool empty() const noexcept { return !head_.linked(); }
  void PushBack(T& item) noexcept {
    Hook<Tag>& hook = item;
    hook.prev_ = head_.prev_;
    hook.next_ = &head_;
    head_.prev_->next_ = &hook;
    head_.prev_ = &hook;
  }
  T& Front() noexcept { return static_cast<T&>(*head_.next_); }
  T& PopFront() noexcept {
    T& item = Front();
    static_cast<Hook<Tag>&>(item).Unlink();
    return item;
  }

  // `visit(T&)` for each element in order; it may unlink the element that it is given.
  template <class Visit>
  void ForEach(Visit visit) {
    for (Hook<Tag>* hook = head_.next_; hook != &head_;) {
      Hook<Tag>* next = hook->next_;
      visit(static_cast<T&>(*hook));
      hook = next;
    }
  }

 private:
  Hook<Tag> head_;
};

}  // namespace oj
