// The generated workload: what each client asks for, how long it waits, and how it misbehaves.
#include <array>
#include <iterator>

#include "oj/clock.h"
#include "sim/mix_requests.h"
#include "sim/sim_client.h"
#include "sim/sites.h"

namespace oj::sim {
namespace {

using std::chrono::milliseconds;

constexpr Duration kThinks[] = {milliseconds(0),  milliseconds(1),   milliseconds(7),
                                milliseconds(40), milliseconds(250), milliseconds(1100)};
constexpr Duration kPatience[] = {milliseconds(5), milliseconds(40), milliseconds(300),
                                  milliseconds(1200)};
constexpr Duration kMoments[] = {milliseconds(0), milliseconds(1), milliseconds(5),
                                 milliseconds(100)};
constexpr Duration kSlowReader = milliseconds(2000);

// The ways to make a call; 0 is to wait for the reply.
enum Manner : std::uint32_t {
  kPlain,
  kPipelined,
  kLeaves,
  kResets,
  kHalfCloses,
  kDeadInBacklog,
  kTornFrame,
  kGarbage,
  kReadsLate,
  kAsksTwice,  // under one request_id, from two connections' view: the second joins or is repeated
  kManners,
};

class MixClient {
 public:
  MixClient(ClientWorld& world, SimClient& client, const Scenario& scenario)
      : world_(world),
        client_(client),
        scenario_(scenario),
        requests_(scenario, [this](const Site& site, std::uint32_t n) { return Draw(site, n); }) {}

  Task<void> Play() {
    for (number_ = 1; number_ <= scenario_.mix.calls; ++number_) {
      const Duration think = Pick(sites::kThink, kThinks);
      auto pause = SleepFor(world_.loop, think);
      co_await pause;
      WorkAsUser();
      const std::string_view type = requests_.Type();
      if (type.empty()) continue;
      auto call = Call(type);
      co_await std::move(call);
    }
    client_.Hangup(false);
  }

 private:
  template <std::size_t n>
  Duration Pick(const Site& site, const Duration (&choices)[n]) {
    return choices[Draw(site, n)];
  }
  std::uint32_t Draw(const Site& site, std::size_t n) {
    const std::uint32_t call = sites::CallOf(client_.number(), number_);
    return world_.decisions.Pick(site, call, static_cast<std::uint32_t>(n));
  }

  Duration DrawPatience() {
    const std::uint32_t choice = Draw(sites::kPatience, 1 + std::size(kPatience));
    return choice == 0 ? scenario_.config.client_ipc : kPatience[choice - 1];
  }

  // A user at work, as far as anybody sees it from here.
  void WorkAsUser() {
    if (scenario_.workspaces.empty()) return;
    const auto edits = static_cast<std::size_t>(SimUsers::Edit::kEdits);
    const auto edit = static_cast<SimUsers::Edit>(Draw(sites::kEdit, edits));
    if (edit != SimUsers::Edit::kNone) world_.users.Do(edit, requests_.Workspace());
  }

  Task<void> Call(std::string_view type) {
    const std::uint32_t manner = Draw(sites::kManner, kManners);
    switch (manner) {
      case kDeadInBacklog: {
        client_.Hangup(false);
        auto connect = client_.Connect();
        co_await std::move(connect);
        client_.Hangup(false);
        break;
      }
      case kTornFrame: {
        auto torn = SendTorn(std::string_view("\0\0\0\x10{\"ty", 8));
        co_await std::move(torn);
        break;
      }
      case kGarbage: {
        auto garbage = SendGarbage();
        co_await std::move(garbage);
        break;
      }
      default: {
        auto ask = Ask(manner, type);
        co_await std::move(ask);
      }
    }
  }

  Task<void> SendTorn(std::string_view bytes) {
    auto send = client_.SendRaw(bytes);
    co_await std::move(send);
    const Duration moment = Pick(sites::kThink, kThinks);
    auto pause = SleepFor(world_.loop, moment);
    co_await pause;
    client_.Hangup(false);
  }

  // The daemon answers with an error, and closes.
  Task<void> SendGarbage() {
    auto send = client_.Send("[1,", "garbage");
    const std::uint64_t call = co_await std::move(send);
    auto receive = client_.Receive(call, scenario_.config.client_ipc);
    co_await std::move(receive);
    client_.Hangup(false);
  }

  Task<void> Ask(std::uint32_t manner, std::string_view type) {
    const Duration patience = DrawPatience();
    MixCall asked;
    if (manner == kAsksTwice) {
      asked.request_id.append("c").append(std::to_string(client_.number())).append(".");
      asked.request_id.append(std::to_string(number_));
    }
    const std::string request = requests_.Request(type, patience, asked);
    auto send = client_.Send(request, type);
    const std::uint64_t first = co_await std::move(send);
    if (first == 0) co_return;
    asked.call = first;
    world_.mix_calls.push_back(asked);
    std::uint64_t second = 0;
    const bool half = manner == kHalfCloses && Draw(sites::kOption, 2) == 1;
    if (half || manner == kPipelined || manner == kAsksTwice) {
      auto again = client_.Send(request, type);
      second = co_await std::move(again);
      asked.call = second;
      if (second != 0) world_.mix_calls.push_back(asked);
    }
    if (manner == kLeaves || manner == kResets) {
      const Duration moment = Pick(sites::kThink, kMoments);
      auto pause = SleepFor(world_.loop, moment);
      co_await pause;
      client_.Hangup(manner == kResets);
      co_return;
    }
    if (manner == kHalfCloses) client_.HalfClose();
    if (manner == kReadsLate) {
      auto pause = SleepFor(world_.loop, kSlowReader);
      co_await pause;
    }
    auto receive = client_.Receive(first, patience);
    co_await std::move(receive);
    if (second != 0 && client_.connected()) {
      auto receive_second = client_.Receive(second, patience);
      co_await std::move(receive_second);
    }
    if (manner == kHalfCloses) client_.Hangup(false);
  }

  ClientWorld& world_;
  SimClient& client_;
  const Scenario& scenario_;
  MixRequests requests_;
  int number_ = 0;  // of the call, from 1
};

}  // namespace

Task<void> PlayMix(ClientWorld& world, SimClient& client, const Scenario& scenario) {
  MixClient mix(world, client, scenario);
  auto play = mix.Play();
  co_await std::move(play);
}

}  // namespace oj::sim
