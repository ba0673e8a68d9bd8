#include "cli/words.h"

#include <filesystem>

#include "cli/render.h"
#include "core/protocol.h"

namespace oj::cli {

namespace fs = std::filesystem;
namespace json = boost::json;

Failure Usage(const std::string& command, const std::string& message) {
  return {kExitUsage, command + ": " + message, "see `oj " + command + " --help`"};
}

std::optional<Failure> CheckId(const std::string& command, const std::string& kind,
                               const std::string& id) {
  if (IsValidId(id)) return std::nullopt;
  return Usage(command, "'" + OneLine(id) + "' is no " + kind +
                            " id: 1 to 128 characters of A-Z a-z 0-9 . _ -, not "
                            "beginning with - or .");
}

std::optional<Failure> CheckUtf8(const std::string& command, const std::string& what,
                                 const std::string& text) {
  if (ToUtf8(text) == text) return std::nullopt;
  return Usage(command, what + " is not valid UTF-8");
}

Outcome<std::string> DirectoryPath(const std::string& command, const std::string& option,
                                   const std::string& path) {
  std::error_code error;
  const fs::path absolute = path.empty() ? fs::current_path(error) : fs::absolute(path, error);
  if (error) return Failure{kExitError, command + ": no working directory: " + error.message()};
  if (!fs::is_directory(absolute, error)) {
    return Usage(command, option + ": no such directory: " + OneLine(absolute.string()));
  }
  if (auto failure = CheckUtf8(command, "the path of the directory", absolute.string())) {
    return *std::move(failure);
  }
  const fs::path normal = absolute.lexically_normal();
  return normal.has_filename() || normal == normal.root_path() ? normal.string()
                                                               : normal.parent_path().string();
}

Outcome<json::array> ProgramWords(const std::string& command,
                                  const std::vector<std::string>& words) {
  json::array program;
  for (const std::string& word : words) {
    if (auto failure = CheckUtf8(command, "the command", word)) return *std::move(failure);
    program.emplace_back(word);
  }
  return program;
}

Outcome<std::string> TextWords(const std::string& command, const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  if (text.empty()) return Usage(command, "no text to send");
  if (auto failure = CheckUtf8(command, "the text", text)) return *std::move(failure);
  return text;
}

}  // namespace oj::cli
