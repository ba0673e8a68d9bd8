#include "trace/trace.h"

namespace oj::sim {
namespace {

// Texts are kept from run to run, since most come again; but not without end.
constexpr std::size_t kMostTextsKept = 4096;

void AppendHex(std::uint64_t word, std::string& to) {
  for (int shift = 60; shift >= 0; shift -= 4) to += "0123456789abcdef"[word >> shift & 15];
}

}  // namespace

// Bytes are put together by value, so that the order of bytes in memory does not matter.
void Digest::Add(std::string_view text) {
  std::uint64_t word = text.size();
  int held = 0;
  for (const char c : text) {
    word = word << 8 | static_cast<unsigned char>(c);
    if (++held == 8) {
      Add(word);
      word = 0;
      held = 0;
    }
  }
  Add(word);
}

std::string Digest::Hex() const {
  std::string hex;
  AppendHex(high_, hex);
  AppendHex(low_, hex);
  return hex;
}

void Trace::Add(Instant at, TraceKind kind, std::uint64_t subject, std::uint64_t object,
                std::int64_t value, std::string_view text) {
  Push({at, kind, EventKind::kDefect, 0, subject, object, value}, text);
}

void Trace::AddDaemon(Instant at, const LogEvent& event) {
  Push({at, TraceKind::kDaemon, event.kind, 0, event.connection, event.request, event.value},
       event.text);
}

void Trace::Push(TraceEvent event, std::string_view text) {
  event.text = Intern(text);
  digest_.Add(static_cast<std::uint64_t>(event.at.time_since_epoch().count()));
  digest_.Add(static_cast<std::uint64_t>(event.kind) << 8 |
              static_cast<std::uint64_t>(event.daemon));
  digest_.Add(event.subject);
  digest_.Add(event.object);
  digest_.Add(static_cast<std::uint64_t>(event.value));
  digest_.Add(marks_[event.text]);
  events_.push_back(event);
}

std::uint32_t Trace::Intern(std::string_view text) {
  if (text.empty()) return 0;
  const auto known = index_.find(text);
  if (known != index_.end()) return known->second;
  const auto number = static_cast<std::uint32_t>(texts_.size());
  index_.emplace(text, number);
  texts_.emplace_back(text);
  Digest mark;
  mark.Add(text);
  marks_.push_back(mark.word());
  return number;
}

void Trace::NameClient(std::uint64_t client, std::string name) {
  clients_[client] = std::move(name);
}

std::string Trace::ClientName(std::uint64_t client) const {
  const auto named = clients_.find(client);
  return "client " + std::to_string(client) + (named == clients_.end() ? "" : " " + named->second);
}

void Trace::Clear() {
  events_.clear();
  clients_.clear();
  digest_ = Digest();
  if (texts_.size() <= kMostTextsKept) return;
  texts_.resize(1);
  marks_.resize(1);
  index_.clear();
}

}  // namespace oj::sim
