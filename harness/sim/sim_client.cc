#include "sim/sim_client.h"

#include <boost/json.hpp>

#include "core/protocol.h"
#include "oj/clock.h"

namespace oj::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kConnectPause = milliseconds(50);
constexpr int kConnectTries = 40;
constexpr Duration kSendLimit = seconds(10);
constexpr std::size_t kMostReplyBytes = std::size_t{64} << 20;
constexpr int kFirstClientPid = 500;

std::string_view FieldOf(const boost::json::value& json, std::string_view name) {
  const auto* object = json.if_object();
  const auto* field = object == nullptr ? nullptr : object->if_contains(name);
  return field != nullptr && field->is_string() ? std::string_view(field->get_string())
                                                : std::string_view();
}

// The reply's type, or an error's code; empty: it is neither.
std::string_view NameOf(const boost::json::value& reply) {
  const std::string_view type = FieldOf(reply, "type");
  return type == "Error" ? FieldOf(reply, "code") : type;
}

// A reply that says what was done, or seen.
bool Tells(std::string_view name) {
  return name == "Ok" || name.starts_with("Workspace") || name.starts_with("Session") ||
         name.starts_with("Agent");
}

}  // namespace

void SimClient::Record(TraceKind kind, std::uint64_t object, std::string_view text) {
  const auto connection = end_ ? static_cast<std::int64_t>(end_->id()) : 0;
  world_.trace.Add(world_.loop.Now(), kind, number_, object, connection, text);
}

Task<bool> SimClient::Connect() {
  const int pid = kFirstClientPid + static_cast<int>(number_);
  if (end_ != nullptr && end_->closed()) Forget();  // by a strike
  for (int tries = 0; end_ == nullptr; ++tries) {
    end_ = world_.network.Connect(pid);
    if (end_ != nullptr) {
      world_.trace.Add(world_.loop.Now(), TraceKind::kClientConnected, number_, end_->id(), 0, {});
      torn_ = false;
      break;
    }
    if (!world_.daemon_comes_back || tries == kConnectTries) co_return false;
    auto pause = SleepFor(world_.loop, kConnectPause);
    co_await pause;
  }
  co_return true;
}

Task<std::uint64_t> SimClient::Send(std::string_view json, std::string_view type) {
  auto connect = Connect();
  const bool connected = co_await std::move(connect);
  if (!connected) co_return 0;
  const std::uint64_t call = ++world_.calls;
  open_.push_back(
      {call, world_.users.version(), world_.tmux.version(), std::string(type), std::string(json)});
  Record(TraceKind::kClientSent, call, type);
  world_.users.OnRequest(json);
  const std::string frame = Frame(json);
  auto write = WriteAll(frame);
  auto bounded =
      WithDeadline(world_.loop, Deadline::After(world_.loop.Now(), kSendLimit), std::move(write));
  co_await std::move(bounded);  // if it failed, what can be read tells more
  co_return call;
}

Task<bool> SimClient::SendRaw(std::string_view bytes) {
  auto connect = Connect();
  const bool connected = co_await std::move(connect);
  if (!connected) co_return false;
  auto write = WriteAll(bytes);
  auto bounded =
      WithDeadline(world_.loop, Deadline::After(world_.loop.Now(), kSendLimit), std::move(write));
  co_await std::move(bounded);
  co_return true;
}

Task<bool> SimClient::WriteAll(std::string_view bytes) {
  while (!bytes.empty()) {
    if (end_ == nullptr) co_return false;
    auto write = end_->Write(std::span<const char>(bytes.data(), bytes.size()));
    const auto written = co_await std::move(write);
    if (!written) co_return false;
    bytes.remove_prefix(*written);
  }
  co_return true;
}

Task<std::string> SimClient::Receive(std::uint64_t call, std::optional<Duration> give_up) {
  const Deadline limit = give_up ? Deadline::After(world_.loop.Now(), *give_up) : Deadline::Never();
  auto next = NextReply(call);
  auto bounded = WithDeadline(world_.loop, limit, std::move(next));
  auto name = co_await std::move(bounded);
  if (name) co_return std::move(*name);
  Record(TraceKind::kClientGaveUp, call != 0 ? call : open_.empty() ? 0 : open_.front().call);
  Hangup(false);
  co_return "gave_up";
}

Task<std::string> SimClient::NextReply(std::uint64_t call) {
  while (true) {
    while (!replies_.empty()) {
      Reply reply = std::move(replies_.front());
      replies_.pop_front();
      if (call == 0 || reply.call == call || reply.call == 0) co_return std::move(reply.name);
    }
    if (end_ == nullptr) co_return torn_ ? "torn" : "closed";
    auto read = end_->Read(std::span<char>(buffer_));
    const auto n = co_await std::move(read);
    if (end_->closed()) {  // struck meanwhile
      Forget();
      continue;
    }
    if (!n || *n == 0) {
      if (!in_.empty()) Torn(kCutReply);
      Record(TraceKind::kClientSawClose);
      Forget();
      continue;
    }
    in_.append(buffer_.data(), *n);
    TakeFrames();
  }
}

void SimClient::TakeFrames() {
  while (in_.size() >= 4) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < 4; ++i) size = size << 8 | static_cast<unsigned char>(in_[i]);
    const bool sane = size > 0 && size <= kMostReplyBytes;
    if (sane && in_.size() < 4 + size) return;
    if (!sane || !TakeReply(std::string_view(in_).substr(4, size))) {
      Torn(sane ? "a reply that is not JSON or has no type" : "a length that cannot be");
      return Forget();
    }
    in_.erase(0, 4 + size);
  }
}

// False: it is none.
bool SimClient::TakeReply(std::string_view payload) {
  std::array<unsigned char, 4096> memory;
  boost::json::monotonic_resource resource(memory.data(), memory.size());
  boost::json::error_code error;
  const boost::json::value reply = boost::json::parse(payload, error, &resource);
  std::string name(error ? "" : NameOf(reply));
  if (name.empty()) return false;
  if (name == "Progress") return true;
  const std::uint64_t call = open_.empty() ? 0 : open_.front().call;
  if (!open_.empty()) {
    if (Tells(name)) Judge(reply.get_object(), open_.front());
    open_.pop_front();
  }
  Record(TraceKind::kClientReceived, call, name);
  replies_.push_back({call, std::move(name)});
  return true;
}

// L5, at the moment of the answer: what was done for this request, not for an earlier one of its
// name.
void SimClient::Judge(const boost::json::object& reply, const Open& asked) {
  for (const std::string_view apart : {R"(dry_run":true)", R"(request_id")"}) {
    if (asked.request.find(apart) != std::string::npos) return;
  }
  std::string untrue = world_.users.UntrueIn(reply, asked.disk);
  if (untrue.empty() && !world_.tools_lie) {
    untrue = UntrueOfSessions(world_.tmux, reply,
                              {asked.type, SessionNamedIn(asked.request), asked.tmux});
  }
  if (!untrue.empty()) world_.violations.push_back({"L5", untrue});
}

void SimClient::Torn(std::string_view why) {
  torn_ = true;
  Record(TraceKind::kClientTornReply, 0, why);
}

void SimClient::HalfClose() {
  if (end_ == nullptr || end_->closed()) return;
  end_->HalfClose();
  Record(TraceKind::kClientHalfClosed);
}

void SimClient::Strike(bool half) {
  if (half) return HalfClose();
  if (end_ == nullptr || end_->closed()) return;
  Record(TraceKind::kClientClosed);
  end_->Close();
}

void SimClient::Hangup(bool reset) {
  if (end_ == nullptr) return;
  if (!end_->closed()) Record(TraceKind::kClientClosed);
  end_->Close(reset);
  Forget();
  replies_.clear();
}

void SimClient::Forget() {
  end_.reset();
  in_.clear();
  open_.clear();
}

namespace {

std::string WithTimeout(const std::string& request, const ClientWorld& world) {
  if (world.call_timeout == Duration::zero()) return request;
  boost::json::value json = boost::json::parse(request);
  json.as_object().emplace("timeout_ms", Millis(world.call_timeout));
  return boost::json::serialize(json);
}

Task<void> PlayCall(ClientWorld& world, SimClient& client, const ClientScript& script,
                    std::size_t at) {
  const Step& step = script.steps[at];
  const Instant began = world.loop.Now();
  std::uint64_t call = 0;
  std::string outcome = "refused";
  bool sent = true;
  if (step.what == Step::Do::kCall) {
    const boost::json::value json = boost::json::parse(step.text);
    const std::string type(FieldOf(json, "type"));
    const std::string request = WithTimeout(step.text, world);
    auto send = client.Send(request, type);
    call = co_await std::move(send);
    sent = call != 0;
  }
  if (sent) {
    auto receive = client.Receive(call, step.give_up);
    outcome = co_await std::move(receive);
  }
  const bool expected = Meets(step, outcome);
  const Duration took = world.loop.Now() - began;
  world.outcomes.push_back({script.name, step.line, at, outcome, expected, took});
}

Task<void> PlayStep(ClientWorld& world, SimClient& client, const ClientScript& script,
                    std::size_t at) {
  const Step& step = script.steps[at];
  switch (step.what) {
    case Step::Do::kCall:
    case Step::Do::kReceive: {
      auto play = PlayCall(world, client, script, at);
      co_await std::move(play);
      break;
    }
    case Step::Do::kSend: {
      const boost::json::value json = boost::json::parse(step.text);
      const std::string type(FieldOf(json, "type"));
      auto send = client.Send(step.text, type);
      co_await std::move(send);
      break;
    }
    case Step::Do::kRaw: {
      auto send = client.SendRaw(step.text);
      co_await std::move(send);
      break;
    }
    case Step::Do::kSleep: {
      auto pause = SleepFor(world.loop, step.time);
      co_await pause;
      break;
    }
    case Step::Do::kUntil: {
      SleepUntil pause(world.loop, Deadline(Instant(step.time)));
      co_await pause;
      break;
    }
    case Step::Do::kHalfClose:
      client.HalfClose();
      break;
    case Step::Do::kClose:
      client.Hangup(false);
      break;
  }
}

}  // namespace

Task<void> PlayScript(ClientWorld& world, SimClient& client, const ClientScript& script) {
  world.trace.NameClient(client.number(), script.name);
  SleepUntil start(world.loop, Deadline(Instant(script.start)));
  co_await start;
  for (std::size_t at = 0; at < script.steps.size(); ++at) {
    if (script.steps[at].late > Duration::zero()) {
      auto pause = SleepFor(world.loop, script.steps[at].late);
      co_await pause;
    }
    auto play = PlayStep(world, client, script, at);
    co_await std::move(play);
  }
  client.Hangup(false);
}

}  // namespace oj::sim
