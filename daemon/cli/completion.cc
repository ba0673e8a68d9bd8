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
  explicit Candidates(std::string beginning) : beginning_(std::move(beginning)) {}
  void Add(const std::string& word, const std::string& what) {
    if (word.starts_with(beginning_)) lines_ += word + "\t" + OneLine(what) + "\n";
  }
  // What the shell knows better.
  void Delegate(const std::string& to) { lines_ += ":" + to + "\n"; }
  const std::string& lines() const { return lines_; }

 private:
  std::string beginning_;
  std::string lines_;
};

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

Place FindPlace(const CLI::App& app, const std::vector<std::string>& words) {
  Place place{.command = &app, .state_dir = {}};
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    if (place.tail >= 0 || word == "--") {
      ++place.tail;
    } else if (place.option != nullptr) {
      if (place.option->get_name() == "--state-dir") place.state_dir = word;
      place.option = nullptr;
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

void AddWords(Candidates& candidates, std::initializer_list<const char*> words) {
  for (const char* word : words) candidates.Add(word, "");
}

// `what`: the name of a positional, or of an option's value, as the help shows it.
void AddValues(Candidates& candidates, const std::string& what, const Invocation& invocation) {
  const auto records = [&](const RecordKind& kind, std::string_view described_by) {
    AddRecords(candidates, invocation, QueryOf("completion", kind), kind.reply, kind.list,
               described_by);
  };
  if (what == "SESSION") records(kSessionRecords, "status");
  if (what == "WORKSPACE") records(kWorkspaceRecords, "branch");
  if (what == "AGENT") records(kAgentRecords, "status");
  if (what == "REQUEST") {
    AddRecords(candidates, invocation, {.command = "completion", .request = {{"type", "Requests"}}},
               "Requests", "requests", "type");
  }
  if (what == "DIR" || what == "REPO") candidates.Delegate("dirs");
  if (what == "FORMAT") AddWords(candidates, {"text", "json"});
  if (what == "SHELL") AddWords(candidates, {"bash", "zsh", "fish"});
  if (what == "STATUS") AddWords(candidates, {"starting", "running", "exited", "gone", "unknown"});
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

}  // namespace

std::string Complete(const std::vector<std::string>& words, const Invocation& invocation) {
  const std::string last = words.empty() ? "" : words.back();
  const Place place = FindPlace(*invocation.app, words);
  Invocation asking = invocation;
  asking.settings.ipc.value = std::min<Duration>(asking.settings.ipc.value, kPatience);
  if (!place.state_dir.empty()) asking.settings.state_dir = place.state_dir;
  Candidates candidates(last);
  if (place.tail >= 0) {
    candidates.Delegate(place.tail == 0 ? "commands" : "files");
  } else if (place.option != nullptr) {
    const std::string type = place.option->get_type_name();  // "FORMAT:{text,json}"
    AddValues(candidates, type.substr(0, type.find(':')), asking);
  } else if (last.starts_with('-')) {
    AddOptions(candidates, place.command);
  } else if (!place.command->get_subcommands({}).empty()) {
    AddSubcommands(candidates, *place.command);
  } else if (const CLI::Option* positional = PositionalAt(*place.command, place.positionals)) {
    AddValues(candidates, positional->get_name(true), asking);
  }
  return candidates.lines();
}

}  // namespace oj::cli
