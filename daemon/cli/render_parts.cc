#include "cli/render_parts.h"

#include <algorithm>

namespace oj::cli {

namespace json = boost::json;
using std::chrono::milliseconds;

namespace {

// The daemon's own work has the number of no request, all of it the same.
std::string NameOf(std::string request) {
  return request == "r0" ? std::string(kOwnWork) : std::move(request);
}

}  // namespace

std::string OrDash(std::string text) { return text.empty() ? "-" : std::move(text); }

std::vector<const json::object*> Objects(const json::object& object, std::string_view name) {
  std::vector<const json::object*> all;
  const json::value* list = object.if_contains(name);
  if (list == nullptr || !list->is_array()) return all;
  for (const json::value& item : list->get_array()) {
    if (item.is_object()) all.push_back(&item.get_object());
  }
  return all;
}

std::string DurationField(const json::object& object, std::string_view name) {
  const std::int64_t ms = NumberField(object, name, -1);
  return ms < 0 ? "-" : Humanise(milliseconds(ms));
}

std::string AgeOf(const json::object& record, std::string_view name, const View& view) {
  const std::int64_t since = NumberField(record, name, 0);
  if (since <= 0) return "-";
  return Humanise(milliseconds(std::max<std::int64_t>(0, view.now - since)));
}

std::string Joined(const json::value& value) {
  if (value.is_null()) return {};
  if (value.is_string()) return OneLine(value.get_string());
  std::string all;
  const auto add = [&all](const std::string& item) { all += (all.empty() ? "" : ", ") + item; };
  if (value.is_array()) {
    for (const json::value& item : value.get_array()) add(Joined(item));
    return all;
  }
  if (value.is_object()) {
    for (const auto& [key, item] : value.get_object()) add(OneLine(key) + "=" + Joined(item));
    return all;
  }
  return json::serialize(value);
}

std::string JoinedField(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr ? std::string() : Joined(*value);
}

std::string CommandField(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr ? "-" : OrDash(CommandLine(*value));
}

std::string HolderOf(const json::object& lock) { return NameOf(TextField(lock, "holder")); }

std::vector<std::string> WaitersOf(const json::object& lock) {
  std::vector<std::string> names;
  const json::value* waiters = lock.if_contains("waiters");
  if (waiters == nullptr || !waiters->is_array()) return names;
  for (const json::value& each : waiters->get_array()) names.push_back(NameOf(Joined(each)));
  return names;
}

std::string WaitersField(const json::object& lock) {
  std::string all;
  for (const std::string& each : WaitersOf(lock)) all += (all.empty() ? "" : ", ") + each;
  return all;
}

void Facts::Add(std::string label, std::string value) {
  width_ = std::max(width_, label.size());
  facts_.emplace_back(std::move(label), OrDash(std::move(value)));
}

std::string Facts::Text() const {
  std::string out;
  for (const auto& [label, value] : facts_) {
    out += label + std::string(width_ - label.size() + 2, ' ') + value + '\n';
  }
  return out;
}

std::string TextField(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || value->is_null()) return {};
  return value->is_string() ? OneLine(value->get_string()) : Joined(*value);
}

std::int64_t NumberField(const json::object& object, std::string_view name,
                         std::int64_t otherwise) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_number()) return otherwise;
  json::error_code error;
  const auto number = value->to_number<std::int64_t>(error);
  return error ? otherwise : number;
}

std::string Humanise(Duration duration) {
  const auto ms = std::chrono::duration_cast<milliseconds>(duration).count();
  if (ms < 1000) return std::to_string(std::max<std::int64_t>(0, ms)) + " ms";
  if (ms < 60'000) {
    const auto tenths = ms / 100;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
  }
  const auto minutes = ms / 60'000;
  if (minutes < 60) return std::to_string(minutes) + " min";
  if (minutes < 48 * 60) return std::to_string(minutes / 60) + " h";
  return std::to_string(minutes / (24 * 60)) + " d";
}

namespace {

// Each character of these bytes and one from `first` to `last` becomes "?".
void Mask(std::string& text, std::string_view bytes, unsigned char first, unsigned char last) {
  for (std::size_t at = 0; (at = text.find(bytes, at)) != std::string::npos; ++at) {
    const std::size_t next = at + bytes.size();
    const auto byte = next < text.size() ? static_cast<unsigned char>(text[next]) : 0;
    if (byte >= first && byte <= last) text.replace(at, bytes.size() + 1, "?");
  }
}

}  // namespace

std::string OneLine(std::string_view text) {
  std::string clean(text);
  for (char& c : clean) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == '\n' || byte == '\t' || byte == '\r') c = ' ';
    if (byte == 0x7f || (byte < 0x20 && c != ' ')) c = '?';
  }
  // C1 controls (U+0080 to U+009F) steer terminals too; U+2028 to U+202E and U+2066 to U+2069 end
  // lines, or turn the direction of text round.
  Mask(clean, "\xc2", 0x80, 0x9f);
  Mask(clean, "\xe2\x80", 0xa8, 0xae);
  Mask(clean, "\xe2\x81", 0xa6, 0xa9);
  clean.erase(clean.find_last_not_of(' ') + 1);
  return clean;
}

std::string CommandLine(const json::value& argv) {
  if (!argv.is_array()) return Joined(argv);
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%+,-./:=@_";
  std::string line;
  for (const json::value& item : argv.get_array()) {
    const std::string word = Joined(item);
    if (!line.empty()) line += ' ';
    const bool plain = !word.empty() && word.find_first_not_of(kPlain) == std::string::npos;
    if (plain) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char c : word) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += '\'';
  }
  return line;
}

std::string ShortPath(const std::string& path, const View& view) {
  const std::string& home = view.home;
  if (home.size() < 2 || !path.starts_with(home)) return path;
  if (path.size() > home.size() && path[home.size()] != '/') return path;
  return "~" + path.substr(home.size());
}

}  // namespace oj::cli
