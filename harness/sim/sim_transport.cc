#include "sim/sim_transport.h"

#include <algorithm>
#include <cassert>
#include <optional>
#include <utility>

#include "sim/sites.h"

namespace oj::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::size_t kCapacities[] = {212'992, 4096, 61};

// All, one or half of `most`.
std::size_t Shorten(std::size_t most, std::uint32_t choice) {
  if (choice == 0) return most;
  return choice == 1 ? 1 : (most + 1) / 2;
}

}  // namespace

class SimReader final : public Wait {
 public:
  SimReader(SimEnd& end, SimStream& in, std::span<char> buffer)
      : end_(end), in_(in), buffer_(buffer) {}
  ~SimReader() override { Leave(); }
  Result<std::size_t> await_resume() {
    ThrowIfCancelled();
    return std::move(*result_);
  }
  void OnNews() {
    if (!Try()) return;
    Leave();
    Complete();
  }

 private:
  bool Start() override {
    if (Try()) return true;
    assert(in_.reader == nullptr && "one read at a time");
    in_.reader = this;
    return false;
  }
  void Abandon() noexcept override { Leave(); }
  void Leave() noexcept {
    if (in_.reader == this) in_.reader = nullptr;
  }
  bool Try() {
    if (in_.refused) {
      result_.emplace(Error{ErrorCode::kUnavailable, "closed here", ""});
    } else if (in_.visible > 0) {
      result_.emplace(end_.Take(in_, buffer_));
    } else if (in_.held() == 0 && std::exchange(in_.reset, false)) {
      // Told once, after all that was written; what comes then is the end.
      result_.emplace(Error{ErrorCode::kUnavailable, "connection reset by peer", ""});
    } else if (in_.ended && in_.held() == 0) {
      result_.emplace(std::size_t{0});
    }
    return result_.has_value();
  }

  SimEnd& end_;
  SimStream& in_;
  std::span<char> buffer_;
  std::optional<Result<std::size_t>> result_;
};

void SimStream::News() {
  if (reader != nullptr) reader->OnNews();
}

SimLink::SimLink(SimLoop& loop, Decisions& decisions, std::uint64_t number, int client_pid)
    : loop_(loop), decisions_(decisions), number_(number), client_pid_(client_pid) {
  capacity_ = kCapacities[decisions.Pick(sites::kBufferSize, number, std::size(kCapacities))];
}

// Bytes have been written: they come at once, late, or one by one.
void SimLink::Written(std::size_t stream) {
  Timer& timer = stream == 0 ? static_cast<Timer&>(deliver0_) : deliver1_;
  if (timer.armed()) return;
  const std::uint32_t how = decisions_.Pick(sites::kDelivery, number_, 4);
  if (how == 0) return Show(stream, streams_[stream].held());
  dribble_[stream] = how == 3 ? kMostDribble : 0;
  loop_.Arm(timer, Deadline::After(loop_.Now(), how == 3 ? kDribble : kLatencies[how - 1]));
}

void SimLink::Deliver(std::size_t stream) {
  const std::size_t held = streams_[stream].held();
  if (dribble_[stream] == 0 || streams_[stream].visible >= held) return Show(stream, held);
  --dribble_[stream];
  Show(stream, streams_[stream].visible + 1);
  Timer& timer = stream == 0 ? static_cast<Timer&>(deliver0_) : deliver1_;
  loop_.Arm(timer, Deadline::After(loop_.Now(), kDribble));
}

void SimLink::Show(std::size_t stream, std::size_t bytes) {
  streams_[stream].visible = bytes;
  streams_[stream].News();
}

std::size_t SimEnd::Take(SimStream& in, std::span<char> buffer) {
  std::size_t n = std::min(in.visible, buffer.size());
  if (n > 1) n = Shorten(n, link_->decisions_.Pick(sites::kShortRead, id(), 3));
  std::copy_n(in.bytes.data() + in.begin, n, buffer.data());
  in.begin += n;
  in.visible -= n;
  if (in.held() == 0) {
    in.bytes.clear();
    in.begin = 0;
  }
  if (!in.writer.empty()) in.writer.WakeFront();
  return n;
}

Task<Result<std::size_t>> SimEnd::Read(std::span<char> buffer) {
  SimReader read(*this, link_->streams_[1 - side_], buffer);
  auto count = co_await read;
  co_return std::move(count);
}

Task<Result<std::size_t>> SimEnd::Write(std::span<const char> bytes) {
  SimStream& out = link_->streams_[side_];
  while (true) {
    co_await CancellationPoint();
    if (out.refused || out.ended) co_return Error{ErrorCode::kUnavailable, "broken pipe", ""};
    if (out.held() < link_->capacity_) break;
    auto turn = out.writer.Enter(true);
    co_await turn;
  }
  std::size_t n = std::min(bytes.size(), link_->capacity_ - out.held());
  if (n > 1) n = Shorten(n, link_->decisions_.Pick(sites::kShortWrite, id(), 3));
  out.bytes.append(bytes.data(), n);
  link_->Written(side_);
  co_return n;
}

void SimEnd::HalfClose() {
  SimStream& out = link_->streams_[side_];
  if (out.ended) return;
  out.ended = true;
  out.News();
}

void SimEnd::Close(bool reset) {
  if (closed()) return;
  link_->closed_[side_] = true;
  SimStream& in = link_->streams_[1 - side_];
  SimStream& out = link_->streams_[side_];
  out.reset = reset || in.held() > 0;
  HalfClose();
  if (out.reset) out.News();
  in.refused = true;
  in.News();
  if (!in.writer.empty()) in.writer.WakeFront();
  if (!out.writer.empty()) out.writer.WakeFront();
  link_->gone_[1 - side_].Set();
}

std::unique_ptr<SimEnd> SimNetwork::Connect(int client_pid) {
  if (!listening_) return nullptr;
  auto link = std::make_shared<SimLink>(loop_, decisions_, links_.size() + 1, client_pid);
  links_.push_back(link);
  accepted_.push_back(false);
  backlog_.push_back(link);
  if (!accepting_.empty()) accepting_.WakeFront();
  return std::make_unique<SimEnd>(std::move(link), 0);
}

std::size_t SimNetwork::open_connections() const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < links_.size(); ++i) {
    if (accepted_[i] && !links_[i]->closed_[1]) ++count;
  }
  return count;
}

std::size_t SimNetwork::armed_timers() const {
  std::size_t count = 0;
  for (const auto& link : links_) {
    count += static_cast<std::size_t>(link->deliver0_.armed());
    count += static_cast<std::size_t>(link->deliver1_.armed());
  }
  return count;
}

Task<Result<std::unique_ptr<Connection>>> SimListener::Accept() {
  while (network_.backlog_.empty()) {
    auto turn = network_.accepting_.Enter(true);
    co_await turn;
  }
  co_await CancellationPoint();
  const std::uint32_t fails = network_.decisions_.Pick(sites::kAcceptFails, 0, 2);
  if (fails == 1) co_return Error{ErrorCode::kBusy, "too many open files", ""};
  std::shared_ptr<SimLink> link = std::move(network_.backlog_.front());
  network_.backlog_.pop_front();
  network_.accepted_[link->number() - 1] = true;
  std::unique_ptr<Connection> connection = std::make_unique<SimEnd>(std::move(link), 1);
  co_return std::move(connection);
}

void SimListener::Close() {
  if (!network_.listening_) return;
  network_.listening_ = false;
  for (auto& link : std::exchange(network_.backlog_, {})) SimEnd(std::move(link), 1).Close();
}

}  // namespace oj::sim
