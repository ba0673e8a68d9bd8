#include "explore/random_chooser.h"

#include <algorithm>
#include <utility>

namespace oj::sim {
namespace {

constexpr std::uint64_t kOne = std::uint64_t{1} << 32;
constexpr std::uint64_t kUniform = ~std::uint64_t{0};
constexpr std::array<unsigned, 5> kQuarters = {1, 2, 4, 8, 16};

bool IsFault(SiteClass kind) {
  return kind != SiteClass::kWorkload && kind != SiteClass::kSchedule;
}

// A number below n from the upper half of a random word; its bias is below n / 2^32.
std::uint32_t Below(std::uint64_t word, std::uint32_t n) {
  return static_cast<std::uint32_t>(((word >> 32) * n) >> 32);
}

std::uint64_t HashOf(std::string_view text) {
  Digest digest;
  digest.Add(text);
  std::uint64_t hash = 0;
  for (const char digit : digest.Hex().substr(0, 15)) {
    hash = hash << 4 | static_cast<std::uint64_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
  }
  return hash;
}

}  // namespace

RandomChooser::RandomChooser(std::uint64_t seed, const Way& way) : seed_(seed), way_(way) {
  if (way.pct > 0) pct_.emplace(seed, way.pct);
  Stream settings{seed ^ 0x6a09e667f3bcc908u};
  // Neighbouring seeds must not have neighbouring streams.
  for (Class& each : classes_) each.stream.state = settings.Next();
  swarm_ = Below(settings.Next(), 2) == 0 && way.swarm;
  for (std::size_t i = 0; i < kSiteClasses; ++i) {
    const std::uint32_t off = Below(settings.Next(), 2);
    const std::uint32_t scale = Below(settings.Next(), kQuarters.size());
    if (!swarm_ || !IsFault(static_cast<SiteClass>(i))) continue;
    classes_[i].on = off == 0;
    classes_[i].quarters = kQuarters[scale];
  }
  for (std::size_t i = 0; i < kSiteClasses; ++i) {
    if ((way.without & BitOf(static_cast<SiteClass>(i))) != 0) classes_[i].on = false;
  }
}

void RandomChooser::OnNewSite(const Site& site) {
  const Class& kind = classes_[static_cast<std::size_t>(site.kind)];
  const bool fault = IsFault(site.kind);
  const bool in_subset = !swarm_ || !fault || Stream{seed_ ^ HashOf(site.name)}.Next() % 2 == 0;
  if (!kind.on || !in_subset) {
    thresholds_.push_back(0);
  } else if (site.rate >= 1) {
    thresholds_.push_back(kUniform);
  } else {
    // Exact on every compiler: a multiplication by a power of two. The rest is of integers.
    const auto rate = static_cast<std::uint64_t>(site.rate * static_cast<double>(kOne));
    thresholds_.push_back(std::min(rate * kind.quarters / 4, kOne * 3 / 4));
  }
}

std::uint32_t RandomChooser::Draw(const Site& site, std::uint32_t index, std::uint32_t,
                                  std::uint32_t n) {
  if (!who_.empty()) return pct_->Pick(std::exchange(who_, {}));
  const std::uint64_t threshold = thresholds_[index];
  if (threshold == 0) return 0;
  Stream& stream = classes_[static_cast<std::size_t>(site.kind)].stream;
  const std::uint64_t word = stream.Next();
  if (threshold == kUniform) return Below(word, n);
  if ((word & (kOne - 1)) >= threshold) return 0;
  return 1 + Below(word, n - 1);
}

std::string RandomChooser::About() const {
  std::string about = swarm_ ? "swarm:" : "all faults on";
  for (std::size_t i = 0; i < kSiteClasses; ++i) {
    const auto kind = static_cast<SiteClass>(i);
    const bool without = (way_.without & BitOf(kind)) != 0;
    if (without) about.append(swarm_ ? "" : ",").append(" without ").append(Name(kind));
    if (!swarm_ || without || !IsFault(kind)) continue;
    about.append(" ").append(Name(kind));
    if (classes_[i].on) {
      about.append(" x").append(std::to_string(classes_[i].quarters)).append("/4");
    } else {
      about.append(" off");
    }
  }
  return about;
}

}  // namespace oj::sim
