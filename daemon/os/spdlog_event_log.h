// SpdlogEventLog: one readable line per event. What is below the level costs one comparison.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "oj/error.h"
#include "oj/event_log.h"

namespace spdlog {
class logger;
}

namespace oj {

class SpdlogEventLog final : public EventLog {
 public:
  // `level`: debug, info, warn or error. `file`: "" for stderr. Error (kInvalidRequest): names the
  // level, or the file and why it cannot be opened.
  //
  // Levels: debug tells of connections, requests, leases and processes; info of cancelled requests
  // and the daemon's own life; warn of quarantined keys; error of defects.
  static Result<std::unique_ptr<SpdlogEventLog>> Open(std::string_view level,
                                                      const std::string& file);
  ~SpdlogEventLog() override;

  void Record(const LogEvent& event) override;

 private:
  explicit SpdlogEventLog(std::shared_ptr<spdlog::logger> logger);
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace oj
