// The generated workload: what each client asks for, how long it waits, and how it misbehaves.
#include <array>
#include <iterator>

#include "oj/clock.h"
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
constexpr std::string_view kTypes[] = {"PeekSession", "SessionSend",  "SessionNew", "SessionKill",
                                       "Ping",        "Status",       "Requests",   "Locks",
                                       "Query",       "CancelRequest"};

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
      : world_(world), client_(client), scenario_(scenario) {
    for (const auto& [type, weight] : scenario.mix.requests) {
      total_ += static_cast<std::uint32_t>(weight);
    }
  }

  Task<void> Play() {
    for (number_ = 1; number_ <= scenario_.mix.calls; ++number_) {
      const Duration think = Pick(sites::kThink, kThinks);
      auto pause = SleepFor(world_.loop, think);
      co_await pause;
      WorkAsUser();
      const std::string_view type = DrawType();
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

  // Empty: no request.
  std::string_view DrawType() {
    const std::uint32_t choice =
        Draw(sites::kRequest, 1 + (total_ == 0 ? std::size(kTypes) : total_));
    if (choice == 0) return "";
    std::uint32_t at = choice - 1;
    if (total_ == 0) return kTypes[at];
    for (const auto& [type, weight] : scenario_.mix.requests) {
      if (at < static_cast<std::uint32_t>(weight)) return type;
      at -= static_cast<std::uint32_t>(weight);
    }
    return kTypes[0];
  }

  bool Option() { return Draw(sites::kOption, 2) == 1; }

  // One workspace more than there are: the last does not exist at first.
  std::string DrawWorkspace() {
    const auto& all = scenario_.workspaces;
    const std::uint32_t choice = Draw(sites::kWorkspace, all.size() + 1);
    return choice < all.size() ? all[choice].id : "w-new";
  }
  // One of few, so that requests meet.
  std::string DrawAgent() {
    std::string name("a");
    return name.append(std::to_string(Draw(sites::kAgent, 3) + 1));
  }

  void AddWorkspaceFields(std::string_view type, std::string& json) {
    if (type == "WorkspaceAdd") {
      json.append(R"(,"repo":")").append(scenario_.repos.front().path);
      json.append(R"(","name":")").append(DrawWorkspace()).append("\"");
      return;
    }
    if (type == "WorkspaceDrop") json.append(R"(,"id":")").append(DrawWorkspace()).append("\"");
    if (type == "WorkspacePrune" && !Option()) json += R"(,"all":true)";
    if (Option() && Option()) json += R"(,"force":true)";
    for (const char* option : {"delete_branch", "dry_run"}) {
      if (Option()) json.append(",\"").append(option).append("\":true");
    }
  }

  void AddAgentFields(std::string_view type, std::string& json) {
    const std::string agent = DrawAgent();
    if (type != "AgentRun") {
      json.append(R"(,"agent_id":")").append(agent).append("\"");
      if (type == "AgentSend") json += R"(,"message":"go on")";
      if (type == "AgentResume" && !Option()) json += R"(,"kill":true)";
      return;
    }
    json.append(R"(,"name":")").append(agent).append("\"");
    json += Option() ? R"(,"command":["true"])" : R"(,"command":["sh"])";
    if (scenario_.repos.empty() || Option()) {
      json += R"(,"cwd":"/tmp")";
    } else if (Option()) {
      json.append(R"(,"workspace":")").append(DrawWorkspace()).append("\"");
    } else {
      json.append(R"(,"repo":")").append(scenario_.repos.front().path).append("\"");
    }
  }

  // One session more than there are: the last does not exist at first. `call` learns what is asked.
  std::string DrawRequest(std::string_view type, Duration patience, int request_id, MixCall& call) {
    const std::uint32_t session =
        Draw(sites::kSession, static_cast<std::size_t>(scenario_.mix.sessions + 1));
    const std::string id = MixSession(session + 1);
    std::string json;
    json.reserve(192);
    json.append("{\"type\":\"").append(type).append("\"");
    if (type == "PeekSession") json.append(R"(,"session_id":")").append(id).append("\"");
    const bool session_verb = type.starts_with("Session") && type != "SessionPrune";
    if (session_verb) json.append(R"(,"id":")").append(id).append("\"");
    if (type == "PeekSession" || session_verb) call.session = id;
    if (type == "SessionPrune") json += R"(,"all":true)";
    if (type.starts_with("Workspace")) AddWorkspaceFields(type, json);
    if (type.starts_with("Agent")) AddAgentFields(type, json);
    if (type == "SessionNew") json += R"(,"cwd":"/tmp","command":["sh"])";
    if (type == "SessionSend") json += R"(,"input":"ls")";
    if (type == "Query") json += R"(,"query":{"type":"ListSessions"})";
    if (type == "Hello") json += R"(,"version":"0")";
    if (type == "CancelRequest") {
      json.append(R"(,"id":"r)").append(std::to_string(session + 1)).append("\"");
    }
    if (Draw(sites::kTimeout, 2) == 0) {
      call.timeout = patience;
      json.append(R"(,"timeout_ms":)").append(std::to_string(Millis(patience)));
    }
    if (request_id > 0) {
      call.request_id.append("c").append(std::to_string(client_.number())).append(".");
      call.request_id.append(std::to_string(request_id));
      json.append(R"(,"request_id":")").append(call.request_id).append("\"");
    }
    return json.append("}");
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
    if (edit != SimUsers::Edit::kNone) world_.users.Do(edit, DrawWorkspace());
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
    const std::string request =
        DrawRequest(type, patience, manner == kAsksTwice ? number_ : 0, asked);
    auto send = client_.Send(request, type);
    const std::uint64_t first = co_await std::move(send);
    if (first == 0) co_return;
    asked.call = first;
    world_.mix_calls.push_back(asked);
    std::uint64_t second = 0;
    const bool half = manner == kHalfCloses && Option();
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
  std::uint32_t total_ = 0;
  int number_ = 0;  // of the call, from 1
};

}  // namespace

std::string MixSession(std::uint32_t number) {
  std::string name("s");
  return name.append(std::to_string(number));
}

Task<void> PlayMix(ClientWorld& world, SimClient& client, const Scenario& scenario) {
  MixClient mix(world, client, scenario);
  auto play = mix.Play();
  co_await std::move(play);
}

}  // namespace oj::sim
