#include "cli/progress_meter.h"

#include <algorithm>

#include "cli/posix.h"
#include "cli/render.h"
#include "terminal/colour.h"

namespace oj::cli {
namespace {

constexpr std::size_t kMostOfBar = 40;
constexpr std::size_t kLeastOfBar = 8;
constexpr int kUsualColumns = 80;
constexpr Duration kWorthTelling = std::chrono::seconds(1);

}  // namespace

std::string BarOf(const std::string& title, const Progress& progress, int columns, bool color) {
  // The last column stays free: some terminals go to the next line after it.
  const auto room =
      static_cast<std::size_t>(std::max(columns > 0 ? columns : kUsualColumns, 8) - 1);
  const std::int64_t total = std::max<std::int64_t>(progress.total, 1);
  const std::int64_t done = std::clamp<std::int64_t>(progress.done, 0, total);
  const std::string count = std::to_string(done) + "/" + std::to_string(total);
  const std::size_t fixed = title.size() + count.size() + 4;  // " [", "] "
  const std::string& now = progress.message.empty() ? progress.item : progress.message;
  if (room < fixed + kLeastOfBar) return CutTo(count + " " + now, room);
  const std::size_t width = std::min(kMostOfBar, (room - fixed + kLeastOfBar) / 2);
  const auto full = static_cast<std::size_t>(done) * width / static_cast<std::size_t>(total);
  const std::string head = title + " [";
  const std::string tail = "] " + count;
  const std::string what = now.empty() ? "" : CutTo(" " + now, room - fixed - width);
  return head + Styled(std::string(full, '#'), Style::kGood, color) +
         std::string(width - full, '-') + tail + what;
}

ProgressMeter::ProgressMeter(const Environment& environment, std::string title)
    : environment_(environment),
      title_(std::move(title)),
      line_({.write = [&environment](std::string_view text) { environment.err(text); },
             .columns = environment.err_columns,
             .now = Now,
             .redraws = terminal::Redraws(environment.err_is_terminal),
             .in_front = terminal::InForeground}),
      begun_(Now()) {}

void ProgressMeter::Show(const Progress& progress) {
  const bool news = last_.total == 0 || progress.done != last_.done;
  last_ = progress;
  if (progress.total < 2) return;
  const std::string item = OneLine(progress.item);
  if (bar()) {
    const Progress shown{progress.done, progress.total, item, OneLine(progress.message)};
    const bool color = terminal::UsesColour(true);
    line_.ShowFitted(BarOf(title_, shown, environment_.err_columns(), color));
  } else if (news) {
    environment_.err(title_ + ": " + std::to_string(progress.done) + " of " +
                     std::to_string(progress.total) + " done" + (item.empty() ? "" : ": " + item) +
                     "\n");
  }
}

void ProgressMeter::Tick() {
  const Duration waited = Now() - begun_;
  if (last_.total < 2 && waited >= kWorthTelling && line_.Due()) {
    line_.Show(OneLine(title_) + ": waiting for ojd, " + Humanise(waited));
  }
  line_.Flush();
}

}  // namespace oj::cli
