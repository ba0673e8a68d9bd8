#include "scenario/client_reader.h"

#include <boost/json.hpp>
#include <string>
#include <string_view>

namespace oj::sim {
namespace {

class ClientReader {
 public:
  ClientReader(const TomlReader& reader, bool outside, ClientRoom& room)
      : read_(reader), outside_(outside), room_(room) {}

  std::vector<ClientScript> Read(const toml::table& table) {
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
        }
      } else {
        read_.Unknown(value, key);
      }
    }
    if (client.name.empty()) read_.Fail(table, "name", "is missing");
    if (client.steps.empty()) read_.Fail(table, "steps", "is missing or empty");
    const auto count = static_cast<std::size_t>(copies);
    std::size_t bytes = 0;
    for (const Step& step : client.steps) bytes += step.text.size();
    Check(table, count * client.steps.size(), count * bytes);
    room_.steps -= count * client.steps.size();
    room_.bytes -= count * bytes;
    std::vector<ClientScript> clients(count, client);
    for (std::size_t i = 0; i < clients.size(); ++i) {
      if (copies > 1) clients[i].name += "-" + std::to_string(i + 1);
      clients[i].start += every * static_cast<Duration::rep>(i);
    }
    return clients;
  }

 private:
  void Check(const toml::node& at, std::size_t steps, std::size_t bytes) const {
    if (steps > room_.steps) {
      read_.Fail(at, "steps", "more than " + std::to_string(ClientRoom::kSteps) + " in all");
    }
    if (bytes > room_.bytes) {
      read_.Fail(at, "steps",
                 "they send more than " + std::to_string(ClientRoom::kMebibytes) + " MiB in all");
    }
  }

  // One after the other, `times` of them.
  void ReadSteps(const toml::table& table, std::vector<Step>& steps) const {
    const toml::node* times = table.get("times");
    const auto count =
        static_cast<std::size_t>(times == nullptr ? 1 : read_.Integer(*times, "times", 1, 10'000));
    const Step step = ReadStep(table);
    Check(table, steps.size() + count, count * step.text.size());
    steps.insert(steps.end(), count, step);
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
    const toml::node* repo = table.get("repo");
    const std::string path = repo != nullptr && repo->is_string() ? read_.Text(*repo, "repo") : "";
    if (outside_ && path.starts_with('/') && !IsBelow(path, "/repos/")) {
      read_.Fail(*repo, "repo",
                 "must be below /repos/, without \".\" and \"..\", but in worlds = [\"sim\"]");
    }
    return boost::json::serialize(read_.Json(table, key));
  }

  const TomlReader& read_;
  const bool outside_;
  ClientRoom& room_;
};

}  // namespace

std::vector<ClientScript> ReadClients(const TomlReader& read, const toml::table& table,
                                      bool outside, ClientRoom& room) {
  return ClientReader(read, outside, room).Read(table);
}

}  // namespace oj::sim
