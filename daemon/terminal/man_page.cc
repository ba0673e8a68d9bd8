#include "terminal/man_page.h"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <sstream>
#include <stdexcept>

#include "terminal/examples.h"

namespace oj::terminal {
namespace {

constexpr std::string_view kAfterDashes = "After --";
// In the footer of a command: what a page tells once.
constexpr std::string_view kOfAll = "Options of all commands";

bool IsShown(const CLI::Option& option) {
  return !option.get_group().empty() && option.get_name() != "--help";
}

// "FORMAT:{text,json}" is FORMAT; of a type without a name, what kind of thing it is.
std::string ValueName(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type.substr(0, type.find(':'));
}

std::string CommandName(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return (parent == nullptr ? "" : CommandName(*parent) + " ") + app.get_name();
}

std::string PositionalsOf(const CLI::App& app) {
  std::string text;
  for (const CLI::Option* each : app.get_options()) {
    if (!each->get_positional() || each->get_group().empty()) continue;
    std::string name = "\\fI" + Escaped(each->get_name(true)) + "\\fR";
    if (each->get_expected_max() > 1) name += " ...";
    const bool after = each->get_description().starts_with(kAfterDashes);
    if (after) name = "\\-\\- " + name;
    text += each->get_required() && !after ? " " + name : " [" + name + "]";
  }
  return text;
}

bool HasOptions(const CLI::App& app) {
  for (const CLI::Option* each : app.get_options()) {
    if (!each->get_positional() && IsShown(*each)) return true;
  }
  return false;
}

std::string TagOf(const CLI::Option& option) {
  if (option.get_positional()) return "\\fI" + Escaped(option.get_name(true)) + "\\fR";
  std::string tag;
  const auto add = [&tag](const std::string& name) {
    tag += (tag.empty() ? "\\fB" : ", \\fB") + Escaped(name) + "\\fR";
  };
  for (const std::string& name : option.get_snames()) add("-" + name);
  for (const std::string& name : option.get_lnames()) add("--" + name);
  const std::string value = ValueName(option);
  if (option.get_items_expected_max() > 0 && !value.empty()) {
    tag += " \\fI" + Escaped(value) + "\\fR";
  }
  return tag;
}

std::string AboutOf(const CLI::Option& option) {
  std::string about = option.get_description();
  const std::string standard = option.get_default_str();
  if (!standard.empty() && about.find("default") == std::string::npos) {
    about += " (default: " + standard + ")";
  }
  return Escaped(about) + "\n";
}

// What a footer tells beside examples: "  word   what it is" lines as a list, further lines of
// either below the first.
std::string FooterOf(const CLI::App& app) {
  std::string text;
  bool begins = true;  // a paragraph, with text that is not indented
  for (const std::string& line : LinesBeforeExamples(app.get_footer())) {
    const std::size_t word = std::min(line.find_first_not_of(' '), line.size());
    const std::size_t gap = std::min(line.find("   ", word), line.size());
    const std::size_t what = std::min(line.find_first_not_of(' ', gap), line.size());
    if (line.empty() || line.starts_with(kOfAll)) {
      begins = true;
    } else if (word == 2 && what < line.size()) {
      text += Tagged("\\fB" + Escaped(line.substr(word, gap - word)) + "\\fR",
                     Escaped(line.substr(what)) + "\n");
      begins = true;
    } else {
      text += (begins && word == 0 ? ".PP\n" : "") + Escaped(line.substr(word)) + "\n";
      begins = word > 0;
    }
  }
  return text;
}

std::string ExamplesOf(const CLI::App& app) {
  const std::vector<std::string> examples = ExamplesIn(app.get_footer());
  if (examples.empty()) return "";
  std::string text = ".PP\n.EX\n";
  for (const std::string& each : examples) text += Escaped(each) + "\n";
  return text + ".EE\n";
}

void AddCommand(const CLI::App& app, std::string& text) {
  const auto visible = [](const CLI::App* each) { return !each->get_group().empty(); };
  const auto below = app.get_subcommands(visible);
  // One that only holds others together takes nothing but them.
  const bool does = below.empty() || HasOptions(app) || !PositionalsOf(app).empty();
  if (app.get_parent() != nullptr && does) {
    text += ".SS \"" + Escaped(CommandName(app)) + "\"\n";
    text += "\\fB" + Escaped(CommandName(app)) + "\\fR" + (HasOptions(app) ? " [options]" : "") +
            PositionalsOf(app) + "\n.PP\n" + Escaped(app.get_description()) + "\n" +
            OptionsAsMan(app) + FooterOf(app) + ExamplesOf(app);
  }
  for (const CLI::App* each : below) AddCommand(*each, text);
}

}  // namespace

std::string Escaped(std::string_view text) {
  std::string out;
  bool begins = true;  // a line
  for (const char c : text) {
    if (begins && (c == '.' || c == '\'')) out += "\\&";
    begins = c == '\n';
    switch (c) {
      case '\\':
        out += "\\e";
        break;
      case '-':
        out += "\\-";
        break;
      case '\'':
        out += "\\(aq";
        break;
      case '`':
        out += "\\(ga";
        break;
      case '"':
        out += "\\(dq";
        break;
      case '~':
        out += "\\(ti";
        break;
      case '^':
        out += "\\(ha";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string Tagged(const std::string& tag, const std::string& text) {
  return ".TP\n" + tag + "\n" + text;
}

std::string OptionsAsMan(const CLI::App& app) {
  std::string text;
  for (const bool positional : {true, false}) {
    for (const CLI::Option* each : app.get_options()) {
      if (each->get_positional() != positional || !IsShown(*each)) continue;
      text += Tagged(TagOf(*each), AboutOf(*each));
    }
  }
  return text;
}

std::string CommandsAsMan(const CLI::App& app) {
  std::string text;
  AddCommand(app, text);
  return text;
}

std::string ManPage(std::string_view prose, const std::map<std::string, std::string>& parts) {
  std::set<std::string> unused;
  for (const auto& [name, part] : parts) unused.insert(name);
  std::string page;
  std::istringstream lines{std::string(prose)};
  for (std::string line; std::getline(lines, line);) {
    const bool named = line.size() > 2 && line.front() == '@' && line.back() == '@';
    if (!named) {
      page += line + "\n";
      continue;
    }
    const std::string name = line.substr(1, line.size() - 2);
    const auto part = parts.find(name);
    if (part == parts.end()) throw std::runtime_error("there is no part " + line);
    page += part->second;
    unused.erase(name);
  }
  if (!unused.empty())
    throw std::runtime_error("the prose does not name @" + *unused.begin() + "@");
  return page;
}

int WriteManPage(const std::string& from, const std::string& to,
                 const std::map<std::string, std::string>& parts) {
  std::ifstream in(from, std::ios::binary);
  const std::string prose{std::istreambuf_iterator<char>(in), {}};
  std::ofstream out(to, std::ios::binary);
  try {
    out << ManPage(prose, parts);
  } catch (const std::runtime_error& error) {
    std::cerr << from << ": " << error.what() << '\n';
    return 1;
  }
  out.close();
  if (in && out) return 0;
  std::cerr << "cannot make " << to << " of " << from << '\n';
  return 1;
}

}  // namespace oj::terminal
