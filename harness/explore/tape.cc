#include "explore/tape.h"

#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>

namespace oj::sim {
namespace {

// A story that is longer is for nobody.
constexpr std::size_t kMostText = 16'000;
constexpr std::string_view kKind = "oj-harness-failure ";
constexpr std::string_view kMagic = "oj-harness-failure 1";

template <class Number>
bool ToNumber(const std::string& text, Number& number) {
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  return !text.empty() && error == std::errc() && at == end;
}

// Reads the file line by line: a key, a blank, the rest.
class Reader {
 public:
  Reader(const std::string& text, const std::string& path) : in_(text), path_(path) {}

  Result<FailureFile> Read() {
    std::string line;
    if (!Next(line) || line != kMagic) {
      return Wrong("version", "this is no failure file of this version");
    }
    while (Next(line)) {
      if (line.empty() || line[0] == '#') continue;
      const std::size_t blank = line.find(' ');
      const std::string key = line.substr(0, blank);
      const std::string rest = blank == std::string::npos ? "" : line.substr(blank + 1);
      const Status set = Set(key, rest);
      if (!set.ok()) return set.error();
    }
    for (const std::string_view key : {"scenario", "scenario-digest", "seed", "law", "decisions"}) {
      if (seen_.find(' ' + std::string(key) + ' ') == std::string::npos) {
        return Wrong(key, "is missing");
      }
    }
    return std::move(file_);
  }

 private:
  bool Next(std::string& line) {
    ++line_;
    return static_cast<bool>(std::getline(in_, line));
  }
  Error Wrong(std::string_view key, const std::string& what) const {
    return {ErrorCode::kInvalidRequest,
            path_ + ":" + std::to_string(line_) + ": " + std::string(key) + ": " + what, ""};
  }

  Status Set(const std::string& key, const std::string& rest) {
    seen_ += ' ' + key + ' ';
    if (std::string* text = TextOf(key)) {
      *text = rest;
    } else if (key == "seed") {
      if (!ToNumber(rest, file_.seed)) return Wrong(key, "must be a number");
    } else if (key == "config") {
      const std::size_t equals = rest.find('=');
      if (equals == std::string::npos) return Wrong(key, "must be name=value");
      file_.settings.emplace_back(rest.substr(0, equals), rest.substr(equals + 1));
    } else if (key == "decisions") {
      std::istringstream words(rest);
      if (!(words >> file_.tape.total >> file_.tape.checksum)) {
        return Wrong(key, "must be a count and a checksum");
      }
    } else if (key == "choose") {
      return AddDecision(rest);
    } else {
      return Wrong(key, "unknown key");
    }
    return Ok{};
  }
  std::string* TextOf(const std::string& key) {
    if (key == "scenario") return &file_.scenario;
    if (key == "scenario-digest") return &file_.scenario_digest;
    if (key == "law") return &file_.law;
    if (key == "message") return &file_.message;
    return key == "digest" ? &file_.digest : nullptr;
  }
  Status AddDecision(const std::string& rest) {
    std::istringstream words(rest);
    TapeEntry entry;
    std::string more;
    if (!(words >> entry.index >> entry.site >> entry.entity >> entry.n >> entry.choice) ||
        words >> more) {
      return Wrong("choose", "must be index, site, entity, n and choice");
    }
    if (entry.choice == 0 || entry.choice >= entry.n) {
      return Wrong("choose", "the choice must be above 0 and below n");
    }
    auto& decisions = file_.tape.decisions;
    if (!decisions.empty() && decisions.back().index >= entry.index) {
      return Wrong("choose", "the indexes must rise");
    }
    decisions.push_back(std::move(entry));
    return Ok{};
  }

  std::istringstream in_;
  std::string path_;
  int line_ = 0;
  std::string seen_;  // the keys, each between blanks
  FailureFile file_;
};

std::string OneLine(std::string text) {
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

}  // namespace

Tape TapeOf(const Chooser& chooser) {
  Tape tape;
  Digest checksum;
  for (const Decision& decision : chooser.tape()) {
    if (decision.choice != 0) {
      tape.decisions.push_back({tape.total, chooser.site_names()[decision.site], decision.entity,
                                decision.n, decision.choice});
    }
    checksum.Add(std::uint64_t{decision.site} << 32 | decision.entity);
    checksum.Add(std::uint64_t{decision.n});
    ++tape.total;
  }
  for (const std::string& name : chooser.site_names()) checksum.Add(std::string_view(name));
  tape.checksum = checksum.Hex();
  return tape;
}

std::string WriteFailure(const FailureFile& file) {
  std::ostringstream out;
  out << kMagic << "\nscenario " << file.scenario << "\nscenario-digest " << file.scenario_digest
      << '\n';
  for (const auto& [key, value] : file.settings) out << "config " << key << '=' << value << '\n';
  out << "seed " << file.seed << "\nlaw " << file.law << "\nmessage " << OneLine(file.message)
      << "\ndigest " << file.digest << "\ndecisions " << file.tape.total << ' '
      << file.tape.checksum << "\n# index site entity n choice; all others are 0\n";
  for (const TapeEntry& entry : file.tape.decisions) {
    out << "choose " << entry.index << ' ' << entry.site << ' ' << entry.entity << ' ' << entry.n
        << ' ' << entry.choice << '\n';
  }
  std::string text = std::move(out).str();
  std::istringstream lines(file.timeline);
  for (std::string line; std::getline(lines, line);) {
    if (text.size() + line.size() > kMostText) return text + "# (and more)\n";
    text.append(line.empty() ? "#" : "# ").append(line).append("\n");
  }
  return text;
}

bool IsFailure(std::string_view text) { return text.starts_with(kKind); }

Result<FailureFile> ParseFailure(const std::string& text, const std::string& path) {
  return Reader(text, path).Read();
}

std::string DigestOf(std::string_view text) {
  Digest digest;
  digest.Add(text);
  return digest.Hex();
}

Result<std::string> ReadFileText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{ErrorCode::kInvalidRequest, path + ":0: file: cannot be read", ""};
  try {
    return std::string(std::istreambuf_iterator<char>(file), {});
  } catch (const std::ios_base::failure&) {  // a directory can be opened
    return Error{ErrorCode::kInvalidRequest, path + ":0: file: cannot be read", ""};
  }
}

}  // namespace oj::sim
