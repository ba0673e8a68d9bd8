#include "journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cinttypes>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace oj::fakes {
namespace {

int journal_fd = -1;  // read by signal handlers, which are set after it

// Bytes above 0x7f as they are: what is no UTF-8 is no JSON either, and stands there all the same.
void AppendJson(std::string_view text, std::string* to) {
  to->push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      to->push_back('\\');
      to->push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(c));
      *to += escape.data();
    } else {
      to->push_back(c);
    }
  }
  to->push_back('"');
}

std::string Directory() {
  std::array<char, PATH_MAX> path{};
  return getcwd(path.data(), path.size()) == nullptr ? "" : path.data();
}

}  // namespace

std::string Env(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string StateDirectory() { return Env("OJ_FAKE_STATE"); }

std::int64_t Now() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec * INT64_C(1'000'000'000) + now.tv_nsec;
}

void WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

void OpenJournal() {
  const std::string path = Env("OJ_FAKE_JOURNAL");
  if (!path.empty())
    journal_fd = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

void JournalStart(const std::string& tool, const std::vector<std::string>& args) {
  if (journal_fd < 0) return;
  const std::string lease = Env("OJ_LEASE");
  std::string line = "S " + std::to_string(getpid()) + " " + std::to_string(getppid()) + " " +
                     std::to_string(getpgrp()) + " " + std::to_string(Now()) + " " +
                     (lease.empty() ? "-" : lease) + " [";
  AppendJson(tool, &line);
  for (const std::string& arg : args) {
    line.push_back(',');
    AppendJson(arg, &line);
  }
  line += "] ";
  AppendJson(Directory(), &line);
  line += '\n';
  if (write(journal_fd, line.data(), line.size()) < 0) return;
}

// Async-signal-safe but for snprintf of integers, which glibc's is.
void JournalLine(char letter, int value) {
  if (journal_fd < 0) return;
  std::array<char, 96> line{};
  const int size = std::snprintf(line.data(), line.size(), "%c %d %" PRId64 " %d\n", letter,
                                 static_cast<int>(getpid()), Now(), value);
  if (write(journal_fd, line.data(), static_cast<std::size_t>(size)) < 0) return;
}

}  // namespace oj::fakes
