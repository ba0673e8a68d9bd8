#include "output.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "journal.h"
#include "pause.h"
#include "vocabulary.h"

namespace oj::fakes {
namespace {

std::string Shaped(std::string text, const Behaviour& behaviour) {
  return Spoiled(std::move(text), behaviour.non_utf8, behaviour.cut);
}

// Each byte at its time: what sleeps too long makes up for it.
void Write(int fd, std::string_view text, long long bytes_per_s) {
  if (bytes_per_s == 0) return WriteAll(fd, text);
  const std::int64_t begin = Now();
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::int64_t due = begin + static_cast<std::int64_t>(static_cast<double>(i + 1) * 1e9 /
                                                               static_cast<double>(bytes_per_s));
    if (const std::int64_t now = Now(); due > now) Sleep(std::chrono::nanoseconds(due - now));
    WriteAll(fd, text.substr(i, 1));
  }
}

}  // namespace

void Flood(long long bytes) {
  const std::string block(4096, 'x');
  for (; bytes > 0; bytes -= static_cast<long long>(block.size())) {
    const auto size = static_cast<std::size_t>(bytes);
    WriteAll(STDOUT_FILENO, std::string_view(block).substr(0, std::min(size, block.size())));
  }
}

void WriteOutput(const Outcome& outcome, const Behaviour& behaviour) {
  Write(STDOUT_FILENO, Shaped(behaviour.out.value_or(outcome.out), behaviour), behaviour.drip);
  Write(STDERR_FILENO, Shaped(behaviour.err.value_or(outcome.err), behaviour), behaviour.drip);
}

}  // namespace oj::fakes
