// Tape: the decisions of a run, as far as they differ from the default. FailureFile: the text file
// that a failed run leaves behind: all that is needed to run it again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "explore/chooser.h"
#include "oj/error.h"

namespace oj::sim {

struct TapeEntry {
  std::uint64_t index = 0;  // the how-manieth decision, from 0
  std::string site;
  std::uint32_t entity = 0;
  std::uint32_t n = 0;
  std::uint32_t choice = 0;
  friend bool operator==(const TapeEntry&, const TapeEntry&) = default;
};

struct Tape {
  std::uint64_t total = 0;           // of all decisions, with the default ones
  std::string checksum;              // over site, entity and n of all of them
  std::vector<TapeEntry> decisions;  // those that are not 0, in order
  friend bool operator==(const Tape&, const Tape&) = default;
};

Tape TapeOf(const Chooser& chooser);

struct FailureFile {
  std::string scenario;         // its path, as it was given
  std::string scenario_digest;  // of its text
  std::vector<std::pair<std::string, std::string>> settings;
  std::uint64_t seed = 0;
  std::string law;      // the first that failed
  std::string message;  // its first violation, one line
  std::string digest;   // of the run
  Tape tape;
  std::string timeline;  // for people
};

std::string WriteFailure(const FailureFile& file);
// Whether a file's text says that it is one, of whatever version.
bool IsFailure(std::string_view text);
// Error (kInvalidRequest): "path:line: key: what is wrong".
Result<FailureFile> ParseFailure(const std::string& text, const std::string& path);

// A hexadecimal digest of a file's text.
std::string DigestOf(std::string_view text);
// Error (kInvalidRequest): "path:0: file: cannot be read".
Result<std::string> ReadFileText(const std::string& path);

}  // namespace oj::sim
