// Chooser: the one call for everything in a run that can go more than one way, and its drivers.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oj/error.h"
#include "trace/trace.h"

namespace oj::sim {

// What a decision is about. Streams are split by class, so that one more draw in one class does
// not shift the others.
enum class SiteClass : std::uint8_t {
  kWorkload,
  kSchedule,
  kProcess,
  kTransport,
  kStore,
  kClock,
  kDaemon,
};
inline constexpr std::size_t kSiteClasses = 7;
std::string_view Name(SiteClass kind);
// Sets of classes are words with one bit each.
constexpr std::uint32_t BitOf(SiteClass kind) { return 1u << static_cast<unsigned>(kind); }

struct Site {
  std::string_view name;  // such as "tmux-hangs": no blanks, one meaning in the whole program
  SiteClass kind;
  // How often the random driver takes a choice other than 0 where the class is on. 1 or more: all
  // n choices are alike, as workloads want it.
  double rate;
};

struct Decision {
  std::uint32_t site;    // an index into site_names()
  std::uint32_t entity;  // which strand, process, connection
  std::uint32_t n;
  std::uint32_t choice;
  friend bool operator==(const Decision&, const Decision&) = default;
};

// A site must live as long as the chooser; its index is given at its first use, so that equal runs
// have equal tapes.
class Chooser {
 public:
  Chooser() = default;
  Chooser(const Chooser&) = delete;
  Chooser& operator=(const Chooser&) = delete;
  virtual ~Chooser() = default;
  // A number below n; 0 is the benign default: FIFO, no fault, least delay. n >= 1; with n == 1
  // the answer is 0, and nothing is drawn or recorded.
  std::uint32_t Choose(const Site& site, std::uint32_t entity, std::uint32_t n) {
    if (n <= 1) return 0;
    const std::uint32_t index = IndexOf(site);
    const std::uint32_t choice = Draw(site, index, entity, n);
    tape_.push_back({index, entity, n, choice});
    return choice;
  }

  // Before a choice among strands, for those who ask: who they are, in the order of the choices.
  virtual bool AsksWho() const { return false; }
  virtual void Among(std::span<const std::uint32_t>) {}

  // All decisions that were made, in order.
  const std::vector<Decision>& tape() const { return tape_; }
  const std::vector<std::string>& site_names() const { return names_; }
  const std::vector<SiteClass>& site_kinds() const { return kinds_; }

 protected:
  // A number below n, which is at least 2. `index` is the site's in site_names().
  virtual std::uint32_t Draw(const Site& site, std::uint32_t index, std::uint32_t entity,
                             std::uint32_t n) = 0;
  // A site is used for the first time; its index is site_names().size() - 1.
  virtual void OnNewSite(const Site&) {}

  std::vector<Decision> tape_;

 private:
  // The last site seen at each slot: a lookup without comparing names.
  struct Slot {
    const Site* site = nullptr;
    std::uint32_t index = 0;
  };
  std::uint32_t IndexOf(const Site& site) {
    Slot& slot = slots_[(reinterpret_cast<std::uintptr_t>(&site) / sizeof(Site)) % slots_.size()];
    if (slot.site != &site) slot = {&site, Register(site)};
    return slot.index;
  }
  std::uint32_t Register(const Site& site);

  std::array<Slot, 256> slots_{};
  std::vector<std::string> names_;
  std::vector<SiteClass> kinds_;  // of the same
};

}  // namespace oj::sim
