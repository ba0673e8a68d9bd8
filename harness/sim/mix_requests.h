// MixRequests: what a client of a generated workload asks for.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "explore/chooser.h"
#include "scenario/scenario.h"
#include "sim/sim_run.h"

namespace oj::sim {

class MixRequests {
 public:
  // A number below n for that site, which is of the class kWorkload.
  using Draw = std::function<std::uint32_t(const Site& site, std::uint32_t n)>;
  MixRequests(const Scenario& scenario, Draw draw);

  // Empty: no request.
  std::string_view Type();
  // One workspace more than there are: the last does not exist at first.
  std::string Workspace();
  // The request as JSON, on one session more than there are. `call` has its request_id, or none,
  // and learns what is asked.
  std::string Request(std::string_view type, Duration patience, MixCall& call);

 private:
  std::uint32_t Pick(const Site& site, std::size_t n) {
    return draw_(site, static_cast<std::uint32_t>(n));
  }
  bool Option();
  std::string Agent();
  void AddWorkspaceFields(std::string_view type, std::string& json);
  void AddAgentFields(std::string_view type, std::string& json);

  const Scenario& scenario_;
  Draw draw_;
  std::uint32_t total_ = 0;  // of the weights
};

// The sessions of a generated workload: "s1", "s2", ...
std::string MixSession(std::uint32_t number);

}  // namespace oj::sim
