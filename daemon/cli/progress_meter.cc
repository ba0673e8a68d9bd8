#include "cli/progress_meter.h"

#include <algorithm>

#include "cli/render.h"
#include "terminal/colour.h"

namespace oj::cli {
namespace {

constexpr std::size_t kMostOfBar = 40;
constexpr std::size_t kLeastOfBar = 8;
constexpr int kUsualColumns = 80;

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
      bar_(terminal::Redraws(environment.err_is_terminal)) {}

void ProgressMeter::Show(const Progress& progress) {
  const bool news = last_.total == 0 || progress.done != last_.done;
  last_ = progress;
  if (progress.total < 2) return;
  const std::string item = OneLine(progress.item);
  if (bar_) {
    const Progress shown{progress.done, progress.total, item, OneLine(progress.message)};
    const bool color = terminal::UsesColour(true);
    drawn_ = true;
    environment_.err("\r" + BarOf(title_, shown, environment_.err_columns(), color) + "\x1b[K");
  } else if (news) {
    environment_.err(title_ + ": " + std::to_string(progress.done) + " of " +
                     std::to_string(progress.total) + " done" + (item.empty() ? "" : ": " + item) +
                     "\n");
  }
}

void ProgressMeter::Clear() {
  if (drawn_) environment_.err("\r\x1b[K");
  drawn_ = false;
}

}  // namespace oj::cli
