#include "scenario/client_reader.h"

#include <boost/json.hpp>
#include <string>
#include <string_view>

namespace oj::sim {
namespace {

// Of all clients, with their copies.
constexpr std::size_t kMostSteps = 100'000;

class ClientReader {
 public:
  explicit ClientReader(const TomlReader& reader) : read_(reader) {}

  std::vector<ClientScript> Read(const toml::table& table, std::size_t steps) const {
    ClientScript client;
    std::int64_t copies = 1;
    Duration every{};
    for (const auto& [name, value] : table) {
      const std::string_view key = name.str();
      if (key == "name") {
        client.name = read_.Text(value, key);
      } else if (key == "start_ms") {
        client.start = read_.Millis(value, key);
      } else if (key == "copies") {
        copies = read_.Integer(value, key, 1, 10'000);
      } else if (key == "every_ms") {
        every = read_.Millis(value, key);
      } else if (key == "steps") {
        for (const toml::node& step : read_.Array(value, key)) {
          ReadSteps(read_.Table(step, "steps"), client.steps);
          if (client.steps.size() > kMostSteps) TooManySteps(value);
        }
      } else {
        read_.Unknown(value, key);
      }
    }
    if (client.name.empty()) read_.Fail(table, "name", "is missing");
    if (client.steps.empty()) read_.Fail(table, "steps", "is missing or empty");
    if (steps + client.steps.size() * static_cast<std::size_t>(copies) > kMostSteps) {
      TooManySteps(table);
    }
    std::vector<ClientScript> clients(static_cast<std::size_t>(copies), client);
    for (std::size_t i = 0; i < clients.size(); ++i) {
      if (copies > 1) clients[i].name += "-" + std::to_string(i + 1);
      clients[i].start += every * static_cast<Duration::rep>(i);
    }
    return clients;
  }

 private:
  [[noreturn]] void TooManySteps(const toml::node& at) const {
    read_.Fail(at, "steps", "more than " + std::to_string(kMostSteps) + " in all");
  }

  // One after the other, `times` of them.
  void ReadSteps(const toml::table& table, std::vector<Step>& steps) const {
    const toml::node* times = table.get("times");
    const std::int64_t count = times == nullptr ? 1 : read_.Integer(*times, "times", 1, 10'000);
    steps.insert(steps.end(), static_cast<std::size_t>(count), ReadStep(table));
  }

  Step ReadStep(const toml::table& table) const {
    Step step;
    read_.CheckKeys("step", table);
    step.line = static_cast<int>(table.source().begin.line);
    int verbs = 0;
    for (const auto& [name, value] : table) {
      const std::string_view key = name.str();
      if (key == "give_up_ms") {
        step.give_up = read_.Millis(value, key);
      } else if (key == "expect") {
        step.expect = read_.Texts(value, key);
      } else if (key != "times") {
        ReadVerb(key, value, step);
        ++verbs;
      }
    }
    if (verbs != 1) {
      read_.Fail(table, "steps",
                 "a step needs one of call, send, receive, sleep_ms, until_ms, half_close, close, "
                 "raw, and only one");
    }
    const bool waits = step.what == Step::Do::kCall || step.what == Step::Do::kReceive;
    if (!waits && (step.give_up || !step.expect.empty())) {
      read_.Fail(table, step.give_up ? "give_up_ms" : "expect", "goes with call and receive only");
    }
    return step;
  }
  void ReadVerb(std::string_view key, const toml::node& value, Step& step) const {
    if (key == "call" || key == "send") {
      step.what = key == "call" ? Step::Do::kCall : Step::Do::kSend;
      step.text = ReadRequest(key, read_.Table(value, key));
    } else if (key == "raw") {
      step.what = Step::Do::kRaw;
      step.text = read_.Text(value, key);
    } else if (key == "sleep_ms" || key == "until_ms") {
      step.what = key == "sleep_ms" ? Step::Do::kSleep : Step::Do::kUntil;
      step.time = read_.Millis(value, key);
    } else if (key == "receive" || key == "half_close" || key == "close") {
      if (!read_.Bool(value, key)) read_.Fail(value, key, "must be true");
      step.what = key == "receive"      ? Step::Do::kReceive
                  : key == "half_close" ? Step::Do::kHalfClose
                                        : Step::Do::kClose;
    } else {
      read_.Unknown(value, key);
    }
  }
  // The daemon judges the request; only its type is needed here.
  std::string ReadRequest(std::string_view key, const toml::table& table) const {
    const toml::node* type = table.get("type");
    if (type == nullptr) read_.Fail(table, key, "a request needs a type");
    read_.Text(*type, "type");
    return boost::json::serialize(read_.Json(table, key));
  }

  const TomlReader& read_;
};

}  // namespace

std::vector<ClientScript> ReadClients(const TomlReader& read, const toml::table& table,
                                      std::size_t steps) {
  return ClientReader(read).Read(table, steps);
}

}  // namespace oj::sim
