#include "explore/draw.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "sim/mix_requests.h"

namespace oj::sim {
namespace {

using std::chrono::milliseconds;

// All times are far from each other, and those of one list from those of the others, so that no
// order depends on a few milliseconds.
constexpr Duration kGrid = milliseconds(250);
constexpr std::uint32_t kStarts = 6;  // on the grid
constexpr Duration kPatience[] = {milliseconds(350), milliseconds(850), milliseconds(1600),
                                  milliseconds(6500), milliseconds(6500)};
constexpr Duration kLinger = milliseconds(650);  // after the request's own limit
constexpr Duration kDelays[] = {milliseconds(100), milliseconds(600), milliseconds(1200),
                                milliseconds(4100)};
constexpr Duration kHangs[] = {milliseconds(700), milliseconds(1400), milliseconds(3200)};
constexpr Duration kHangBegins[] = {milliseconds(0), milliseconds(125), milliseconds(875)};
constexpr std::int64_t kFlood = 1'000'000'000'000;
constexpr int kSignals[] = {9, 11, 15};

constexpr std::string_view kTmuxCalls[] = {"",          "has-session",  "new-session",
                                           "send-keys", "capture-pane", "kill-session"};
constexpr std::string_view kGitCalls[] = {"",         "worktree add", "worktree remove",
                                          "status",   "rev-list",     "rev-parse",
                                          "ls-files", "update-ref"};

// Bytes that are a whole frame and no request.
const std::string kGarbage{"\0\0\0\x03[1,", 7};

// Another workload with the same seed is another story.
std::uint64_t SeedOf(const Scenario& mix, std::uint64_t seed) {
  Digest digest;
  digest.Add(seed);
  digest.Add(std::filesystem::path(mix.path).filename().string());
  return digest.word();
}

class Drawer {
 public:
  Drawer(const Scenario& mix, std::uint64_t seed, World other)
      : mix_(mix),
        draws_(SeedOf(mix, seed)),
        other_(other),
        requests_(mix, [this](const Site& site, std::uint32_t n) { return Choose(site, n); }) {
    to_.path = mix.path + "#" + std::to_string(seed);
    to_.about = "drawn from " + std::filesystem::path(mix.path).filename().string() + ", seed " +
                std::to_string(seed);
  }

  Scenario Draw() {
    to_.worlds = {World::kSim, other_};
    to_.settings = mix_.settings;
    to_.config = mix_.config;
    to_.repos = mix_.repos;
    to_.workspaces = mix_.workspaces;
    to_.agents = mix_.agents;
    to_.sessions = mix_.sessions;
    for (int i = 1; i <= mix_.mix.sessions; ++i) {
      const std::string id = MixSession(static_cast<std::uint32_t>(i));
      to_.sessions.push_back({id, "$ " + id});
    }
    if (other_ == World::kFakes) {
      to_.tools = mix_.tools;
      for (std::uint32_t left = draws_.Below(4); left > 0; --left) to_.tools.push_back(Rule());
    }
    if (draws_.OneIn(3)) to_.hangs.push_back(DrawHang());
    const auto clients = 1 + draws_.Below(static_cast<std::uint32_t>(mix_.mix.clients));
    for (std::uint32_t i = 1; i <= clients; ++i) to_.clients.push_back(Client(i));
    return std::move(to_);
  }

 private:
  // As often as the site says, but that the workload is not the rarer half.
  std::uint32_t Choose(const Site& site, std::uint32_t n) {
    if (n <= 1) return 0;
    if (site.rate >= 1) return draws_.Below(n);
    const bool other = draws_.Below(1000) < static_cast<std::uint32_t>(site.rate * 1000);
    return other ? 1 + draws_.Below(n - 1) : 0;
  }
  bool HasGit() const { return !mix_.repos.empty(); }

  ToolRule Rule() {
    ToolRule rule;
    const bool git = HasGit() && !draws_.OneIn(3);
    rule.tool = git ? "git" : "tmux";
    rule.match = git ? draws_.Of(kGitCalls) : draws_.Of(kTmuxCalls);
    // Which of all calls is the n-th depends on too little.
    if (!rule.match.empty() && !draws_.OneIn(3)) rule.nth = 1 + static_cast<int>(draws_.Below(3));
    switch (draws_.Below(9)) {
      case 0:
      case 1:
        rule.delay = draws_.Of(kDelays);
        break;
      case 2:
        rule.hang = true;
        break;
      case 3:
        rule.hang = rule.ignore_term = true;
        break;
      case 4:
        rule.exit = draws_.OneIn(2) ? 1 : 128;
        rule.err = "it is broken\n";
        break;
      case 5:
        rule.hang = rule.exit_zero_on_term = true;
        break;
      case 6:
        rule.grandchild = true;
        rule.setsid = git && draws_.OneIn(2);
        break;
      case 7:
        rule.flood_bytes = kFlood;
        break;
      default:
        rule.signal = draws_.Of(kSignals);
    }
    return rule;
  }

  Hang DrawHang() {
    Hang hang;
    const bool git = other_ == World::kFakes && HasGit() && draws_.OneIn(2);
    hang.tool = git ? "git" : "tmux";
    hang.from = draws_.Of(kHangBegins);
    hang.until = hang.from + draws_.Of(kHangs);
    hang.ignore_term = draws_.OneIn(2);
    return hang;
  }

  ClientScript Client(std::uint32_t number) {
    ClientScript client;
    client.name = "c" + std::to_string(number);
    client.start = kGrid * draws_.Below(kStarts);
    Duration at = client.start;
    const auto calls = 1 + draws_.Below(static_cast<std::uint32_t>(mix_.mix.calls));
    for (std::uint32_t i = 0; i < calls; ++i) {
      if (i > 0) {
        at += kGrid * draws_.Below(kStarts);
        Add(client, Step::Do::kUntil).time = at;
      }
      Call(client);
    }
    return client;
  }

  static Step& Add(ClientScript& client, Step::Do what) {
    Step& step = client.steps.emplace_back();
    step.what = what;
    return step;
  }
  std::string Request(Duration& patience, bool named) {
    std::string_view type = requests_.Type();
    while (type.empty()) type = requests_.Type();
    patience = draws_.Of(kPatience);
    MixCall asked;
    if (named) asked.request_id = "r" + std::to_string(draws_.Below(2));
    const std::string text = requests_.Request(type, patience, asked);
    if (asked.timeout > Duration()) patience += kLinger;
    return text;
  }

  void Call(ClientScript& client) {
    Duration patience{};
    switch (draws_.Below(12)) {
      case 0:  // pipelined
        Add(client, Step::Do::kSend).text = Request(patience, false);
        Add(client, Step::Do::kSend).text = Request(patience, false);
        Add(client, Step::Do::kReceive).give_up = patience;
        Add(client, Step::Do::kReceive).give_up = patience;
        return;
      case 1:  // it ends what it sends
        Add(client, Step::Do::kSend).text = Request(patience, false);
        Add(client, Step::Do::kHalfClose);
        Add(client, Step::Do::kReceive).give_up = patience;
        Add(client, Step::Do::kClose);
        return;
      case 2:  // it leaves
        Add(client, Step::Do::kSend).text = Request(patience, false);
        Add(client, Step::Do::kSleep).time = draws_.OneIn(2) ? Duration(milliseconds(50)) : kGrid;
        Add(client, Step::Do::kClose);
        return;
      case 3:
        Add(client, Step::Do::kRaw).text = kGarbage;
        Add(client, Step::Do::kReceive).give_up = kPatience[1];
        Add(client, Step::Do::kClose);
        return;
      default:
        const bool named = draws_.OneIn(6);
        std::string text = Request(patience, named);
        if (named && last_named_.empty()) last_named_ = text;
        Step& call = Add(client, Step::Do::kCall);
        call.text = named ? last_named_ : std::move(text);
        call.give_up = patience;
    }
  }

  const Scenario& mix_;
  Draws draws_;
  World other_;
  MixRequests requests_;
  std::string last_named_;  // what is asked under a request_id, by whomever
  Scenario to_;
};

}  // namespace

Scenario DrawScenario(const Scenario& mix, std::uint64_t seed, World other) {
  return Drawer(mix, seed, other).Draw();
}

}  // namespace oj::sim
