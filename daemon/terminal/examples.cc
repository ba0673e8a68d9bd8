#include "terminal/examples.h"

#include <sstream>

namespace oj::terminal {
namespace {

// Words as a shell has them; what ends a command is a word of its own, with a newline before it.
std::vector<std::string> Words(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool begun = false;
  const auto end = [&] {
    if (begun) words.push_back(word);
    word.clear();
    begun = false;
  };
  char quote = 0;
  for (const char c : line) {
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      begun = true;
    } else if (c == ' ') {
      end();
    } else if (c == '#' && !begun) {
      break;
    } else if (std::string_view("&|;()<>").find(c) != std::string_view::npos) {
      end();
      words.push_back(std::string("\n") + c);
    } else {
      word += c;
      begun = true;
    }
  }
  end();
  return words;
}

bool IsAssignment(const std::string& word) {
  const std::size_t equals = word.find('=');
  return equals != std::string::npos && equals > 0 &&
         word.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == equals;
}

}  // namespace

std::vector<std::string> ExamplesIn(const std::string& footer) {
  std::vector<std::string> examples;
  std::istringstream lines(footer);
  bool after = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("Example")) {
      after = true;
    } else if (after && line.starts_with("  ")) {
      examples.push_back(line.substr(2));
    }
  }
  return examples;
}

std::vector<std::string> LinesBeforeExamples(const std::string& footer) {
  std::vector<std::string> before;
  std::istringstream lines(footer);
  for (std::string line; std::getline(lines, line) && !line.starts_with("Example");) {
    before.push_back(line);
  }
  return before;
}

std::vector<std::vector<std::string>> CallsIn(std::string_view line, std::string_view program) {
  std::vector<std::vector<std::string>> calls;
  bool ours = false;
  bool first = true;  // the next word is the command's name
  for (const std::string& word : Words(line)) {
    if (word.starts_with('\n')) {
      ours = false;
      first = true;
    } else if (first) {
      if (IsAssignment(word)) continue;
      first = false;
      ours = word == program;
      if (ours) calls.emplace_back();
    } else if (ours) {
      calls.back().push_back(word);
    }
  }
  return calls;
}

}  // namespace oj::terminal
