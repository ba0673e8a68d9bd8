// What a fake knows of its surroundings, and the journal of its life, for checks of lifetimes and
// overlaps. OJ_FAKE_JOURNAL names the file; without it nothing is written.
//
// One line for each event, each written by one write(2); times are nanoseconds of CLOCK_BOOTTIME:
//   S <pid> <ppid> <pgid> <ns> <OJ_LEASE or -> <argv as JSON> <cwd as JSON>
//                             started; its behaviour is in force
//   W <pid> <ns> <real pid>   has started the real tool and waits for it
//   T <pid> <ns> <signal>     caught a signal
//   E <pid> <ns> <exit code>  ends by itself
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace oj::fakes {

std::string Env(const char* name);  // empty: it is not set
std::string StateDirectory();       // $OJ_FAKE_STATE
std::int64_t Now();                 // nanoseconds of CLOCK_BOOTTIME
void WriteAll(int fd, std::string_view text);

void OpenJournal();
void JournalStart(const std::string& tool, const std::vector<std::string>& args);
// For a signal handler too.
void JournalLine(char letter, int value);

}  // namespace oj::fakes
