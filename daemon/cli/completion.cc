#include "cli/completion.h"

#include <algorithm>
#include <array>

#include "cli/ask.h"
#include "cli/lookup.h"
#include "cli/render_parts.h"

namespace oj::cli {
namespace {

namespace json = boost::json;

// A completion that takes longer is in the way.
constexpr Duration kPatience = std::chrono::milliseconds(500);

std::string FirstSentence(const std::string& text) { return text.substr(0, text.find('\n')); }

class Candidates {
 public:
  // `before`: what each candidate begins with beside its own.
  Candidates(std::string beginning, std::string before)
      : beginning_(std::move(beginning)), before_(std::move(before)) {}
  void Add(const std::string& word, const std::string& what) {
    if (word.starts_with(beginning_)) lines_ += before_ + word + "\t" + OneLine(what) + "\n";
  }
  // What the shell knows better.
  void Delegate(const std::string& to) { lines_ += ":" + to + "\n"; }
  const std::string& lines() const { return lines_; }

 private:
  std::string beginning_;
  std::string before_;
  std::string lines_;
};

// What the list that the question asks for holds, by id. A daemon that does not run knows nothing.
void AddRecords(Candidates& candidates, const Invocation& invocation, Question question,
                const std::string& reply_type, const std::string& list,
                std::string_view described_by) {
  question.starts = false;
  auto reply = Ask(invocation, std::move(question), reply_type);
  if (!reply) return;
  for (const json::object* record : Objects(reply->object, list)) {
    candidates.Add(TextField(*record, "id"), TextField(*record, described_by));
  }
}

void AddKind(Candidates& candidates, const Invocation& invocation, const RecordKind& kind,
             std::string_view described_by) {
  AddRecords(candidates, invocation, QueryOf("completion", kind), kind.reply, kind.list,
             described_by);
}

void AddWords(Candidates& candidates, std::initializer_list<const char*> words) {
  for (const char* word : words) candidates.Add(word, "");
}

// What may stand for the name of a positional, or of an option's value, as the help shows it.
// Without `add` only the user knows.
struct Value {
  std::string_view name;
  void (*add)(Candidates&, const Invocation&) = nullptr;
};
constexpr std::array<Value, 17> kValues = {{
    {"SESSION",
     [](Candidates& to, const Invocation& of) { AddKind(to, of, kSessionRecords, "status"); }},
    {"WORKSPACE",
     [](Candidates& to, const Invocation& of) { AddKind(to, of, kWorkspaceRecords, "branch"); }},
    {"AGENT",
     [](Candidates& to, const Invocation& of) { AddKind(to, of, kAgentRecords, "status"); }},
    {"REQUEST",
     [](Candidates& to, const Invocation& of) {
       AddRecords(to, of, {.command = "completion", .request = {{"type", "Requests"}}}, "Requests",
                  "requests", "type");
     }},
    {"DIR", [](Candidates& to, const Invocation&) { to.Delegate("dirs"); }},
    {"REPO", [](Candidates& to, const Invocation&) { to.Delegate("dirs"); }},
    {"FILE", [](Candidates& to, const Invocation&) { to.Delegate("files"); }},
    {"FORMAT", [](Candidates& to, const Invocation&) { AddWords(to, {"text", "json"}); }},
    {"SHELL", [](Candidates& to, const Invocation&) { AddWords(to, {"bash", "zsh", "fish"}); }},
    {"STATUS",
     [](Candidates& to, const Invocation&) {
       AddWords(to, {"starting", "running", "exited", "gone", "unknown"});
     }},
    {"BRANCH"},
    {"CMD"},
    {"ID"},
    {"INT"},
    {"MS"},
    {"NAME"},
    {"NAME=VALUE"},
}};

const Value* FindValue(std::string_view name) {
  const auto* at = std::find_if(kValues.begin(), kValues.end(),
                                [name](const Value& each) { return each.name == name; });
  return at == kValues.end() ? nullptr : &*at;
}

// Text that is typed into a session: none of its words is an option, and nobody knows them.
constexpr std::string_view kText = "TEXT";

// Of a positional its name; of an option that of its value: "FORMAT:{text,json}" is FORMAT.
std::string ValueName(const CLI::Option& option) {
  if (option.get_positional()) return option.get_name(true);
  const std::string type = option.get_type_name();
  return type.substr(0, type.find(':'));
}

void AddValues(Candidates& candidates, const CLI::Option& of, const Invocation& invocation) {
  const Value* value = FindValue(ValueName(of));
  if (value != nullptr && value->add != nullptr) value->add(candidates, invocation);
}

void AddOptions(Candidates& candidates, const CLI::App* command) {
  for (; command != nullptr; command = command->get_parent()) {
    const auto visible = [](const CLI::Option* option) { return !option->get_positional(); };
    for (const CLI::Option* option : command->get_options(visible)) {
      for (const std::string& name : option->get_lnames()) {
        candidates.Add("--" + name, FirstSentence(option->get_description()));
      }
    }
  }
}

void AddSubcommands(Candidates& candidates, const CLI::App& command) {
  const auto visible = [](const CLI::App* each) { return !each->get_group().empty(); };
  for (const CLI::App* each : command.get_subcommands(visible)) {
    candidates.Add(each->get_name(), FirstSentence(each->get_description()));
  }
}

// The positional at `index`; the last one may take all that come.
const CLI::Option* PositionalAt(const CLI::App& command, int index) {
  const auto positional = [](const CLI::Option* option) { return option->get_positional(); };
  const std::vector<const CLI::Option*> all = command.get_options(positional);
  if (all.empty()) return nullptr;
  if (index < static_cast<int>(all.size())) return all[static_cast<std::size_t>(index)];
  return all.back()->get_expected_max() > 1 ? all.back() : nullptr;
}

// Where in the grammar the last word stands.
struct Place {
  const CLI::App* command = nullptr;
  const CLI::Option* option = nullptr;  // whose value it is; null: none
  int positionals = 0;                  // before it
  int tail = -1;                        // words after "--" before it; -1: no "--"
  std::string state_dir;
};

const CLI::Option* FindOption(const CLI::App* command, const std::string& name) {
  for (; command != nullptr; command = command->get_parent()) {
    if (const CLI::Option* option = command->get_option_no_throw(name)) return option;
  }
  return nullptr;
}

const CLI::App* FindSubcommand(const CLI::App& command, const std::string& name) {
  const auto all =
      command.get_subcommands([&name](const CLI::App* each) { return each->get_name() == name; });
  return all.empty() ? nullptr : all.front();
}

bool TakesValue(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

bool IsText(const Place& place) {
  const CLI::Option* positional = PositionalAt(*place.command, place.positionals);
  return positional != nullptr && positional->get_name(true) == kText;
}

// "--output=json"
bool HasValue(const std::string& word) {
  return word.starts_with("--") && word.find('=') != std::string::npos;
}
std::string NameIn(const std::string& word) { return word.substr(0, word.find('=')); }
std::string ValueIn(const std::string& word) { return word.substr(word.find('=') + 1); }

// For bash, "--output=json" is three words.
std::vector<std::string> Rejoined(const std::vector<std::string>& words) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] != "=" || all.empty() || all.back() == "--") {
      all.push_back(words[i]);
    } else {
      all.back() += "=" + (i + 1 < words.size() ? words[++i] : "");
    }
  }
  return all;
}

Place FindPlace(const CLI::App& app, const std::vector<std::string>& words) {
  Place place{.command = &app, .state_dir = {}};
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    if (IsText(place)) {
      ++place.positionals;
    } else if (place.tail >= 0 || word == "--") {
      ++place.tail;
    } else if (place.option != nullptr) {
      if (place.option->get_name() == "--state-dir") place.state_dir = word;
      place.option = nullptr;
    } else if (HasValue(word)) {
      if (NameIn(word) == "--state-dir") place.state_dir = ValueIn(word);
    } else if (word.starts_with('-')) {
      const CLI::Option* option = FindOption(place.command, word);
      if (option != nullptr && TakesValue(*option)) place.option = option;
    } else if (const CLI::App* next =
                   place.positionals > 0 ? nullptr : FindSubcommand(*place.command, word)) {
      place.command = next;
    } else {
      ++place.positionals;
    }
  }
  return place;
}

}  // namespace

bool KnowsValue(std::string_view name) { return name == kText || FindValue(name) != nullptr; }

std::string Complete(const std::vector<std::string>& given, const Invocation& invocation) {
  const std::vector<std::string> words = Rejoined(given);
  std::string last = words.empty() ? "" : words.back();
  Place place = FindPlace(*invocation.app, words);
  // bash takes only what is behind "=" for the word.
  const bool whole = !given.empty() && last == given.back();
  std::string before;
  if (place.tail < 0 && !IsText(place) && place.option == nullptr && HasValue(last)) {
    place.option = FindOption(place.command, NameIn(last));
    if (place.option == nullptr || !TakesValue(*place.option)) return "";
    if (whole) before = NameIn(last) + "=";
    last = ValueIn(last);
  }
  Invocation asking = invocation;
  asking.settings.ipc.value = std::min<Duration>(asking.settings.ipc.value, kPatience);
  if (!place.state_dir.empty()) asking.settings.state_dir = place.state_dir;
  Candidates candidates(last, before);
  if (place.tail >= 0) {
    candidates.Delegate(place.tail == 0 ? "commands" : "files");
  } else if (IsText(place)) {
    // Whatever was offered would be typed.
  } else if (place.option != nullptr) {
    AddValues(candidates, *place.option, asking);
  } else if (last.starts_with('-')) {
    AddOptions(candidates, place.command);
  } else if (!place.command->get_subcommands({}).empty()) {
    AddSubcommands(candidates, *place.command);
  } else if (const CLI::Option* positional = PositionalAt(*place.command, place.positionals)) {
    AddValues(candidates, *positional, asking);
  }
  return candidates.lines();
}

}  // namespace oj::cli
