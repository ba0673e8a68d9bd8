#include "scenario/scaled.h"

#include <algorithm>
#include <boost/json.hpp>
#include <string>

#include "fakes/vocabulary.h"

namespace oj::sim {
namespace {

constexpr std::pair<const char*, Duration Config::*> kDurations[] = {
    {"timeouts.tmux", &Config::tmux},
    {"timeouts.git_worktree", &Config::git_worktree},
    {"timeouts.handler", &Config::handler},
    {"timeouts.kill_grace", &Config::kill_grace},
    {"timeouts.request_read", &Config::request_read},
    {"timeouts.response_write", &Config::response_write},
    {"timeouts.drain", &Config::drain},
    {"limits.reply_cache", &Config::reply_cache},
};

// Of a request's fields, as the daemon takes them.
constexpr std::int64_t kMostMillis = 315'360'000'000;

class Scaler {
 public:
  explicit Scaler(double scale) : scale_(scale) {}

  void Scale(Duration& time) const {
    constexpr auto kMost = static_cast<double>(Duration(fakes::kLongest).count());
    const double scaled = static_cast<double>(time.count()) * scale_;
    time = Duration(static_cast<Duration::rep>(std::clamp(scaled, -kMost, kMost)));
  }
  void Scale(std::optional<Duration>& time) const {
    if (time) Scale(*time);
  }
  void Scale(ToolRule& rule) const {
    for (Duration* time : {&rule.delay, &rule.delay_to, &rule.delay_mean}) Scale(*time);
    Scale(rule.at);
    Scale(rule.late);
    if (rule.bytes_per_s == 0) return;  // at once
    const double rate = static_cast<double>(rule.bytes_per_s) / scale_;
    rule.bytes_per_s = std::max<std::int64_t>(1, static_cast<std::int64_t>(rate));
  }
  void Scale(Step& step) const {
    Scale(step.time);
    Scale(step.give_up);
    if (step.what != Step::Do::kCall && step.what != Step::Do::kSend) return;
    for (const char* key : {"timeout_ms", "drain_ms"}) ScaleField(step.text, key);
  }

 private:
  // At least a millisecond, as the daemon wants it; what is no duration stays for it to refuse.
  void ScaleField(std::string& request, const std::string& key) const {
    if (request.find('"' + key + '"') == std::string::npos) return;
    boost::json::value json = boost::json::parse(request);
    auto* field = json.as_object().if_contains(key);
    if (field == nullptr || !field->is_int64()) return;
    const std::int64_t millis = field->get_int64();
    if (millis <= 0 || millis > kMostMillis) return;
    const double scaled = static_cast<double>(millis) * scale_;
    *field = static_cast<std::int64_t>(std::clamp(scaled, 1.0, double{kMostMillis}));
    request = boost::json::serialize(json);
  }

  double scale_;
};

}  // namespace

std::span<const std::pair<const char*, Duration Config::*>> ConfigDurations() { return kDurations; }

Scenario Scaled(const Scenario& scenario, double scale) {
  Scenario scaled = scenario;
  if (scale == 1) return scaled;
  const Scaler by(scale);
  for (const auto& [key, field] : kDurations) by.Scale(scaled.config.*field);
  for (ToolRule& rule : scaled.tools) by.Scale(rule);
  for (Hang& hang : scaled.hangs) {
    by.Scale(hang.from);
    by.Scale(hang.until);
  }
  for (Blow& blow : scaled.blows) by.Scale(blow.at);
  for (ClientScript& client : scaled.clients) {
    by.Scale(client.start);
    for (Step& step : client.steps) by.Scale(step);
  }
  return scaled;
}

}  // namespace oj::sim
