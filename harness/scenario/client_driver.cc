#include "scenario/client_driver.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <deque>
#include <optional>
#include <string_view>

#include "core/protocol.h"
#include "scenario/twin_setup.h"

namespace oj::sim {
namespace {

constexpr std::size_t kMostReplyBytes = std::size_t{64} << 20;

std::string FieldOf(const boost::json::value& json, std::string_view name) {
  const auto* object = json.if_object();
  const auto* field = object == nullptr ? nullptr : object->if_contains(name);
  return field != nullptr && field->is_string() ? std::string(field->get_string()) : "";
}

// The reply's type, or an error's code; empty: it is neither.
std::string NameOfReply(std::string_view payload) {
  boost::json::error_code error;
  const boost::json::value json = boost::json::parse(payload, error);
  if (error) return "";
  const std::string type = FieldOf(json, "type");
  return type == "Error" ? FieldOf(json, "code") : type;
}

}  // namespace

class ClientDriver::Client {
 public:
  Client(const ClientScript& script, std::uint64_t number, Shared& shared)
      : script_(script), number_(number), shared_(shared) {
    begin_ = Instant(script.start);
  }
  ~Client() { Hangup(); }

  bool done() const { return at_ == script_.steps.size() && fd_ < 0; }

  void AddTo(std::vector<pollfd>& polled) const {
    if (fd_ < 0) return;
    const int events = POLLIN | (out_.empty() ? 0 : POLLOUT);
    polled.push_back({fd_, static_cast<short>(events), 0});
  }

  void Turn() {
    if (Now() < begin_) return;
    Transfer();
    while (at_ < script_.steps.size() && Play(script_.steps[at_])) {
      ++at_;
      step_began_.reset();
      Transfer();
    }
    if (at_ == script_.steps.size() && out_.empty()) Hangup();
  }

  void Abort() {
    for (; at_ < script_.steps.size(); ++at_) {
      const Step& step = script_.steps[at_];
      if (Waits(step)) Report(step, "unfinished");
    }
    out_.clear();
    Hangup();
  }

 private:
  struct Reply {
    std::uint64_t call;
    std::string name;
  };

  Instant Now() const { return shared_.recorder.Now(); }
  void Record(TraceKind kind, std::uint64_t object = 0, std::int64_t value = 0,
              std::string text = "") {
    shared_.recorder.Add(Now(), kind, number_, object, value, std::move(text));
  }
  static bool Waits(const Step& step) {
    return step.what == Step::Do::kCall || step.what == Step::Do::kReceive;
  }

  // True: the step is over. Called again and again until it is.
  bool Play(const Step& step) {
    const bool first = !step_began_;
    if (first) step_began_ = Now();
    switch (step.what) {
      case Step::Do::kSleep:
        return Now() >= *step_began_ + step.time;
      case Step::Do::kUntil:
        return Now() >= Instant(step.time);
      case Step::Do::kClose:
        Hangup();
        return true;
      case Step::Do::kHalfClose:
        return HalfClose();
      case Step::Do::kRaw:
        if (Connect()) out_ += step.text;
        return true;
      case Step::Do::kSend:
        Send(step);
        return true;
      case Step::Do::kCall:
        if (first && !Send(step)) return Report(step, "refused");
        return Await(step, shared_call_);
      case Step::Do::kReceive:
        return Await(step, 0);
    }
    return true;
  }

  // True: reported. Call 0 is the next reply, whosever it is.
  bool Await(const Step& step, std::uint64_t call) {
    while (!replies_.empty()) {
      const Reply reply = replies_.front();
      replies_.pop_front();
      if (call == 0 || reply.call == call || reply.call == 0) return Report(step, reply.name);
    }
    if (fd_ < 0) return Report(step, torn_ ? "torn" : "closed");
    if (!step.give_up) return false;
    if (Now() < *step_began_ + *step.give_up) return false;
    Record(TraceKind::kClientGaveUp, call != 0 ? call : open_.empty() ? 0 : open_.front());
    Hangup();
    return Report(step, "gave_up");
  }

  bool Report(const Step& step, const std::string& outcome) {
    const Duration took = step_began_ ? Now() - *step_began_ : Duration();
    shared_.outcomes.push_back({script_.name, step.line, at_, outcome, Meets(step, outcome), took});
    return true;
  }

  bool Connect() {
    if (fd_ >= 0) return true;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (shared_.socket.size() >= sizeof(address.sun_path)) return false;
    std::memcpy(address.sun_path, shared_.socket.c_str(), shared_.socket.size() + 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      close(fd);
      return false;
    }
    fd_ = fd;
    torn_ = false;
    in_.clear();
    connection_ = ++shared_.connections;
    Record(TraceKind::kClientConnected, connection_);
    return true;
  }

  bool Send(const Step& step) {
    if (!Connect()) return false;
    const boost::json::value json = boost::json::parse(PlacedBelow(shared_.root, step.text));
    shared_call_ = ++shared_.calls;
    open_.push_back(shared_call_);
    Record(TraceKind::kClientSent, shared_call_, static_cast<std::int64_t>(connection_),
           FieldOf(json, "type"));
    out_ += Frame(boost::json::serialize(json));
    return true;
  }

  bool HalfClose() {
    if (fd_ < 0) return true;
    if (!out_.empty()) return false;
    shutdown(fd_, SHUT_WR);
    Record(TraceKind::kClientHalfClosed, 0, static_cast<std::int64_t>(connection_));
    return true;
  }

  void Forget() {
    close(fd_);
    fd_ = -1;
    out_.clear();
    in_.clear();
    open_.clear();
  }
  void Hangup() {
    if (fd_ < 0) return;
    Forget();
    replies_.clear();
    Record(TraceKind::kClientClosed, 0, static_cast<std::int64_t>(connection_));
  }

  // Moves what can be moved just now.
  void Transfer() {
    while (fd_ >= 0 && !out_.empty()) {
      const ssize_t n = send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n < 0 && errno != EAGAIN && errno != EINTR) out_.clear();  // what is readable tells more
      if (n <= 0) break;
      out_.erase(0, static_cast<std::size_t>(n));
    }
    char buffer[16384];
    while (fd_ >= 0) {
      const ssize_t n = recv(fd_, buffer, sizeof(buffer), MSG_DONTWAIT);
      if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (n <= 0) return SawClose();
      in_.append(buffer, static_cast<std::size_t>(n));
      TakeReplies();
    }
  }

  void SawClose() {
    if (!in_.empty()) Torn("the connection closed within a reply");
    Record(TraceKind::kClientSawClose, 0, static_cast<std::int64_t>(connection_));
    Forget();
  }
  void Torn(const std::string& why) {
    torn_ = true;
    Record(TraceKind::kClientTornReply, 0, 0, why);
  }

  void TakeReplies() {
    while (in_.size() >= 4) {
      std::size_t size = 0;
      for (int i = 0; i < 4; ++i) {
        size = size << 8 | static_cast<unsigned char>(in_[static_cast<std::size_t>(i)]);
      }
      if (size == 0 || size > kMostReplyBytes) {
        Torn("a length of " + std::to_string(size));
        return Forget();
      }
      if (in_.size() < 4 + size) return;
      const std::string name = NameOfReply(std::string_view(in_).substr(4, size));
      in_.erase(0, 4 + size);
      if (name.empty()) {
        Torn("a reply that is not JSON or has no type");
        return Forget();
      }
      if (name != "Progress") TakeReply(name);
    }
  }
  void TakeReply(const std::string& name) {
    const std::uint64_t call = open_.empty() ? 0 : open_.front();
    if (!open_.empty()) open_.pop_front();
    Record(TraceKind::kClientReceived, call, 0, name);
    replies_.push_back({call, name});
  }

  const ClientScript& script_;
  std::uint64_t number_;
  Shared& shared_;
  Instant begin_;
  std::size_t at_ = 0;                 // the step being played
  std::optional<Instant> step_began_;  // once it has begun
  std::uint64_t shared_call_ = 0;      // the last call sent
  int fd_ = -1;
  std::uint64_t connection_ = 0;
  bool torn_ = false;
  std::string out_;                 // not sent yet
  std::string in_;                  // received, not a whole reply yet
  std::deque<std::uint64_t> open_;  // calls not answered yet, in order
  std::deque<Reply> replies_;       // not yet taken by a step
};

ClientDriver::ClientDriver(const Scenario& scenario, std::string socket, std::string root,
                           Recorder& recorder)
    : shared_(new Shared{std::move(socket), std::move(root), recorder, {}, 0, 0}) {
  for (const ClientScript& script : scenario.clients) {
    clients_.push_back(std::make_unique<Client>(script, clients_.size() + 1, *shared_));
    recorder.NameClient(clients_.size(), script.name);
  }
}

ClientDriver::~ClientDriver() = default;

void ClientDriver::Turn() {
  for (const auto& client : clients_) client->Turn();
}

void ClientDriver::AddTo(std::vector<pollfd>& polled) const {
  for (const auto& client : clients_) client->AddTo(polled);
}

bool ClientDriver::done() const {
  for (const auto& client : clients_) {
    if (!client->done()) return false;
  }
  return true;
}

void ClientDriver::Abort() {
  for (const auto& client : clients_) client->Abort();
}

}  // namespace oj::sim
