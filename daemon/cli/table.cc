#include <algorithm>

#include "cli/render.h"
#include "terminal/width.h"

namespace oj::cli {
namespace {

constexpr std::string_view kGap = "  ";

std::size_t Width(std::string_view text) { return terminal::WidthOf(text); }

std::string Padded(const std::string& text, std::size_t width) {
  return text + std::string(width - std::min(width, Width(text)), ' ');
}

// Lines are cut at the terminal's edge: a wrapped table cannot be read.
class LineWriter {
 public:
  LineWriter(const View& view, std::string& out)
      : view_(view),
        left_(view.columns > 0 ? static_cast<std::size_t>(view.columns) : std::string::npos),
        out_(out) {}
  void Put(const std::string& text, Style style) {
    if (left_ == 0) return;
    const std::string cut = CutTo(text, left_, view_);
    left_ -= std::min(left_, left_ == std::string::npos ? 0 : Width(cut));
    out_ += Styled(cut, style, view_.color);
  }

 private:
  const View& view_;
  std::size_t left_;
  std::string& out_;
};

}  // namespace

std::string CutTo(const std::string& text, std::size_t width, const View& view) {
  return terminal::Cut(text, width, view.utf8 ? "…" : "~");
}

std::vector<std::size_t> Table::Widths() const {
  std::vector<std::size_t> widths;
  for (const std::string& name : header_) widths.push_back(Width(name));
  for (const Line& row : rows_) {
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      widths[i] = std::max(widths[i], Width(row.cells[i].text));
    }
  }
  return widths;
}

std::string Table::Text(const View& view) const {
  const auto widths = Widths();
  std::string out;
  const auto put_line = [&](const std::vector<Cell>& cells) {
    LineWriter line(view, out);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const bool last = i + 1 == cells.size();
      line.Put(last ? cells[i].text : Padded(cells[i].text, widths[i]), cells[i].style);
      if (!last) line.Put(std::string(kGap), Style::kPlain);
    }
    out += '\n';
  };
  std::vector<Cell> header;
  for (const std::string& name : header_) header.push_back({name, Style::kDim});
  put_line(header);
  for (const Line& row : rows_) {
    put_line(row.cells);
    for (const Cell& note : row.notes) put_line({{"    " + note.text, note.style}});
  }
  return out;
}

}  // namespace oj::cli
