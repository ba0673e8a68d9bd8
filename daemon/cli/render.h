// Replies as text for people: aligned tables, durations as one says them. Nothing that comes from
// outside reaches a terminal with its control characters.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "oj/deadline.h"
#include "terminal/colour.h"

namespace oj::cli {

struct View {
  bool color = false;
  bool utf8 = false;      // else what we add to the texts is ASCII
  int columns = 0;        // lines of tables are cut here; 0: never
  WallMillis now = 0;     // for ages
  std::string home = {};  // shown as ~; empty: nothing is
};

// "350 ms", "4.2 s", "3 min", "2 h", "5 d".
std::string Humanise(Duration duration);

// `text` with control characters as "?", on one line.
std::string OneLine(std::string_view text);

// Words as one would type them into a shell: those with odd characters are quoted.
std::string CommandLine(const boost::json::value& argv);

// With the home directory as ~.
std::string ShortPath(const std::string& path, const View& view);

// The first `width` columns, the last of them "~" or "…" where something is cut.
std::string CutTo(const std::string& text, std::size_t width, const View& view = {});

using terminal::Style;
using terminal::Styled;

// Cells are left-aligned in columns as wide as need be; the last one is as wide as it is. A note is
// an indented line below its row.
class Table {
 public:
  struct Cell {
    std::string text;
    Style style = Style::kPlain;
  };

  explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}
  void Row(std::vector<Cell> cells) { rows_.push_back({std::move(cells), {}}); }
  // Belongs to the last row.
  void Note(std::string text, Style style = Style::kDim) {
    rows_.back().notes.push_back({std::move(text), style});
  }
  bool empty() const { return rows_.empty(); }
  std::string Text(const View& view) const;

 private:
  struct Line {
    std::vector<Cell> cells;
    std::vector<Cell> notes;
  };
  std::vector<std::size_t> Widths() const;

  std::vector<std::string> header_;
  std::vector<Line> rows_;
};

// Each takes the reply object of the like name; absent fields show as "-". Empty lists give "".
std::string RenderSessions(const boost::json::object& reply, const View& view);
std::string RenderSession(const boost::json::object& session, const View& view);
std::string RenderWorkspaces(const boost::json::object& reply, const View& view);
std::string RenderWorkspace(const boost::json::object& workspace, const View& view);
std::string RenderAgents(const boost::json::object& reply, const View& view);
std::string RenderAgent(const boost::json::object& agent, const View& view);
std::string RenderRequests(const boost::json::object& reply, const View& view);
std::string RenderLocks(const boost::json::object& reply, const View& view);
std::string RenderStatus(const boost::json::object& reply, const View& view);

// Fields of replies, read with patience: a wrong type is as good as absent.
std::string TextField(const boost::json::object& object, std::string_view name);
std::int64_t NumberField(const boost::json::object& object, std::string_view name,
                         std::int64_t otherwise);

}  // namespace oj::cli
