#include "sim/visitors.h"

#include <algorithm>
#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "sim/mix_requests.h"

namespace oj::sim {
namespace {

constexpr int kRetries = 20;
constexpr Duration kRetryPause = std::chrono::milliseconds(500);

void Violate(ClientWorld& world, const char* law, std::string what) {
  world.violations.push_back({law, std::move(what)});
}

Task<void> AskAgain(ClientWorld& world, SimClient& client, std::string request, Duration limit) {
  constexpr std::string_view kNotOver[] = {
      "busy",      "unavailable",  "unknown_outcome", "deadline_exceeded",
      "cancelled", "tool_timeout", "closed",          "torn",
      "gave_up",   "refused"};
  const boost::json::value json = boost::json::parse(request);
  const std::string type(json.at("type").as_string());
  for (int tries = 0; tries < kRetries; ++tries) {
    auto send = client.Send(request, type);
    const std::uint64_t call = co_await std::move(send);
    auto receive = client.Receive(call, limit);
    const std::string outcome = co_await std::move(receive);
    if (std::find(std::begin(kNotOver), std::end(kNotOver), outcome) == std::end(kNotOver)) {
      co_return;
    }
    auto pause = SleepFor(world.loop, kRetryPause);
    co_await pause;
  }
  Violate(world, "L6",
          "after " + std::to_string(kRetries) + " retries there was no end of " + request);
}

Task<void> MustAnswer(ClientWorld& world, SimClient& client, std::string request, std::string type,
                      Duration limit) {
  const Duration stalled = world.loop.stalled();
  auto send = client.Send(request, type);
  const std::uint64_t call = co_await std::move(send);
  auto receive = client.Receive(call, limit + stalled + kSlack);
  const std::string outcome = co_await std::move(receive);
  if (call != 0 && outcome != "gave_up" && outcome != "closed" && outcome != "torn") co_return;
  Violate(world, "L9",
          "after the faults had stopped " + type + " was not answered within " +
              std::to_string(Millis(limit + kSlack)) + " ms: " + (call == 0 ? "refused" : outcome));
}

}  // namespace

Task<void> AskAllAgain(ClientWorld& world, SimClient& client, const Scenario& scenario) {
  const Duration limit = scenario.config.handler + std::chrono::seconds(5);
  for (const ClientScript& script : scenario.clients) {
    for (const Step& step : script.steps) {
      if (step.what != Step::Do::kCall && step.what != Step::Do::kSend) continue;
      auto ask = AskAgain(world, client, step.text, limit);
      co_await std::move(ask);
    }
  }
  client.Hangup(false);
}

Task<void> CheckLiveness(ClientWorld& world, SimClient& client, const Scenario& scenario) {
  auto ping = MustAnswer(world, client, R"({"type":"Ping"})", "Ping", kSlack);
  co_await std::move(ping);
  const std::string session =
      scenario.sessions.empty() ? MixSession(1) : scenario.sessions.front().id;
  const Duration limit = scenario.config.tmux + 2 * (scenario.config.kill_grace + kReapLimit);
  const std::string peek = R"({"type":"PeekSession","session_id":")" + session + "\"}";
  auto look = MustAnswer(world, client, peek, "PeekSession", limit);
  co_await std::move(look);
  if (!scenario.repos.empty()) {
    const std::string prune = R"({"type":"WorkspacePrune","all":true,"dry_run":true})";
    auto select = MustAnswer(world, client, prune, "WorkspacePrune", scenario.config.handler);
    co_await std::move(select);
  }
  client.Hangup(false);
}

}  // namespace oj::sim
