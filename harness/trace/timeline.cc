#include "trace/timeline.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include "trace/lanes.h"

namespace oj::sim {
namespace {

constexpr std::size_t kMostLanes = 200;
// Behind the last moment, for how it ended: "SessionPeek", "deadline_exceeded".
constexpr std::size_t kLeastNoteColumns = 14, kMostNoteColumns = 18;

double MillisSince(Instant at, Instant start) {
  return std::chrono::duration<double, std::milli>(at - start).count();
}

std::string Number(double value, const char* format) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

std::string_view ColorOf(LaneKind kind) {
  constexpr std::string_view kColors[] = {"\033[35m", "\033[36m", "\033[32m",
                                          "\033[33m", "\033[34m", "\033[37m"};
  return kColors[static_cast<std::size_t>(kind)];
}

class Canvas {
 public:
  Canvas(const Trace& trace, const std::vector<Lane>& lanes, int width, bool color)
      : start_(trace.events().front().at),
        span_(std::max(trace.events().back().at - start_, Duration(1))),
        label_(static_cast<std::size_t>(std::max(width, 60)) * 3 / 10),
        columns_(static_cast<std::size_t>(std::max(width, 60)) - label_ - 1),
        last_(columns_ - NoteColumns(lanes) - 1),
        color_(color) {}

  // Times at every fifth of the width, in milliseconds.
  std::string Scale() const {
    std::string line(columns_, ' ');
    std::string ticks(last_ + 1, '-');
    constexpr int kTicks = 5;
    for (int i = 0; i < kTicks; ++i) {
      const std::size_t at = last_ * static_cast<std::size_t>(i) / kTicks;
      const double ms = std::chrono::duration<double, std::milli>(span_).count() * i / kTicks;
      Write(line, at, Number(ms, ms < 10 && ms > 0 ? "%.2f" : "%.0f") + (i == 0 ? " ms" : ""));
      ticks[at] = '+';
    }
    return Line("", line) + Line("", ticks);
  }

  std::string Draw(const Lane& lane) const {
    std::string line(columns_, ' ');
    for (const Bar& bar : lane.bars) {
      for (std::size_t at = Column(bar.from); at <= Column(bar.to); ++at) line[at] = bar.fill;
    }
    for (const Mark& mark : lane.marks) Put(line, mark);
    for (const Mark& mark : lane.marks) Note(line, mark);
    return Line(lane.label, Painted(lane.kind, line));
  }

 private:
  static std::size_t NoteColumns(const std::vector<Lane>& lanes) {
    std::size_t longest = 0;
    for (const Lane& lane : lanes) {
      for (const Mark& mark : lane.marks) longest = std::max(longest, mark.note.size() + 1);
    }
    return std::clamp(longest, kLeastNoteColumns, kMostNoteColumns);
  }
  std::size_t Column(Instant at) const {
    const double part =
        MillisSince(at, start_) / std::chrono::duration<double, std::milli>(span_).count();
    return std::min(last_, static_cast<std::size_t>(part * static_cast<double>(last_) + 0.5));
  }
  // Of two in one column the more telling one stays: where the cancel struck before all.
  void Put(std::string& line, const Mark& mark) const {
    char& at = line[Column(mark.at)];
    if (Weight(mark.sign) >= Weight(at)) at = mark.sign;
  }
  static int Weight(char sign) {
    if (sign == 'X' || sign == '!' || sign == 'D') return 2;
    return sign == 'T' || sign == 'K' || sign == '?' ? 1 : 0;
  }
  void Note(std::string& line, const Mark& mark) const {
    const std::size_t at = Column(mark.at) + 1;
    const std::size_t need = mark.note.size() + 1;
    if (mark.note.empty() || at + need > columns_) return;
    const bool within = mark.sign == 'X';  // the reason may stand on the bar
    for (std::size_t i = at; i < at + need; ++i) {
      if (line[i] != ' ' && !(within && line[i] == '~')) return;
    }
    Write(line, within ? at : at + 1, mark.note);
  }
  static void Write(std::string& line, std::size_t at, const std::string& text) {
    if (at + text.size() <= line.size()) line.replace(at, text.size(), text);
  }

  std::string Line(std::string label, const std::string& rest) const {
    for (char& c : label) {
      if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) c = '?';
    }
    if (label.size() > label_) label = label.substr(0, label_ - 2) + "..";
    label.resize(label_, ' ');
    std::string line = label + " " + rest;
    line.erase(line.find_last_not_of(' ') + 1);
    return line + "\n";
  }
  std::string Painted(LaneKind kind, std::string line) const {
    line.erase(line.find_last_not_of(' ') + 1);
    if (!color_) return line;
    std::string painted(ColorOf(kind));
    for (const char c : line) {
      const bool struck = c == 'X' || c == '!' || c == 'K' || c == 'T';
      painted += struck ? "\033[1;31m" + std::string(1, c) + "\033[0m" + std::string(ColorOf(kind))
                        : std::string(1, c);
    }
    return painted + "\033[0m";
  }

  Instant start_;
  Duration span_;
  std::size_t label_;
  std::size_t columns_;
  std::size_t last_;  // the column of the last moment
  bool color_;
};

constexpr std::string_view kTraceNames[] = {
    "client connected", "client sent",        "client received", "client torn reply",
    "client gave up",   "client half-closed", "client closed",   "client saw close",
    "process started",  "process signaled",   "process ended",   "process reaped",
    "fault began",      "fault ended",        "daemon started",  "daemon died"};
constexpr std::string_view kDaemonNames[] = {"connection opened",
                                             "connection closed",
                                             "request begun",
                                             "request joined",
                                             "request latched",
                                             "request ended",
                                             "lease waiting",
                                             "lease granted",
                                             "lease released",
                                             "key quarantined",
                                             "key freed",
                                             "ojd: process started",
                                             "ojd: process ended",
                                             "ready to serve",
                                             "draining",
                                             "stopped",
                                             "unsettled",
                                             "defect",
                                             "dumped"};
static_assert(std::size(kTraceNames) == static_cast<std::size_t>(TraceKind::kDaemon));
static_assert(std::size(kDaemonNames) == static_cast<std::size_t>(EventKind::kDumped) + 1);

// Of what not every run has, where it is drawn.
std::string RareLegend(const std::vector<Lane>& lanes) {
  std::string drawn;
  for (const Lane& lane : lanes) {
    for (const Bar& bar : lane.bars) drawn += bar.fill;
    for (const Mark& mark : lane.marks) drawn += mark.sign;
  }
  std::string legend;
  for (const std::string_view each : {"% in quarantine", "d drains", "U unsettled", "D defect"}) {
    if (drawn.find(each.front()) == std::string::npos) continue;
    legend.append(legend.empty() ? "" : "  ").append(each);
  }
  return legend.empty() ? "" : legend + "\n";
}

}  // namespace

std::string_view NameOf(TraceKind kind, EventKind daemon) {
  return kind == TraceKind::kDaemon ? kDaemonNames[static_cast<std::size_t>(daemon)]
                                    : kTraceNames[static_cast<std::size_t>(kind)];
}

std::string RenderTimeline(const Trace& trace, int width, bool color) {
  if (trace.events().empty()) return "nothing happened\n";
  const std::vector<Lane> lanes = LanesOf(trace);
  const Canvas canvas(trace, lanes, width, color);
  std::string text = canvas.Scale();
  for (std::size_t i = 0; i < std::min(lanes.size(), kMostLanes); ++i) {
    text += canvas.Draw(lanes[i]);
  }
  if (lanes.size() > kMostLanes) {
    text += "and " + std::to_string(lanes.size() - kMostLanes) + " lanes more\n";
  }
  text +=
      "[==] from begin to end  .. waits  X cancel struck  ~ unwinds  ! gave up  > goes on\n"
      "T SIGTERM  K SIGKILL  h half-close  x client closed  c daemon closed  ? torn reply\n";
  return text + RareLegend(lanes);
}

std::string RenderEvents(const Trace& trace) {
  std::string text;
  for (const TraceEvent& event : trace.events()) {
    const std::string_view what = NameOf(event.kind, event.daemon);
    std::array<char, 96> line{};
    std::snprintf(line.data(), line.size(), "%12.3f  %-20.*s %6llu %6llu %8lld",
                  MillisSince(event.at, trace.events().front().at), static_cast<int>(what.size()),
                  what.data(), static_cast<unsigned long long>(event.subject),
                  static_cast<unsigned long long>(event.object),
                  static_cast<long long>(event.value));
    text += line.data();
    if (event.text != 0) text += "  " + std::string(trace.Text(event));
    text += "\n";
  }
  return text;
}

}  // namespace oj::sim
