#include "scenario/run_bounded.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/process/args.hpp>
#include <boost/process/child.hpp>
#include <boost/process/env.hpp>
#include <boost/process/exe.hpp>
#include <boost/process/io.hpp>
#include <boost/process/posix.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <thread>

#include "os/unique_fd.h"

namespace oj::sim {

namespace bp = boost::process;
namespace fs = std::filesystem;

namespace {

// Without a name: nobody has to remove it.
UniqueFd TemporaryFile() {
  std::string path = (fs::temp_directory_path() / "oj-said-XXXXXX").string();
  UniqueFd file(mkostemp(path.data(), O_CLOEXEC));
  if (file) unlink(path.c_str());
  return file;
}

std::string ReadAll(const UniqueFd& file) {
  std::string text;
  char bytes[4096];
  for (ssize_t n = 0;
       (n = pread(file.get(), bytes, sizeof bytes, static_cast<off_t>(text.size()))) > 0;) {
    text.append(bytes, static_cast<std::size_t>(n));
  }
  return text;
}

std::string End(std::string text) {
  constexpr std::size_t kMost = 1000;
  while (text.ends_with('\n')) text.pop_back();
  return text.substr(text.size() - std::min(text.size(), kMost));
}

}  // namespace

int RunBounded(const std::vector<std::string>& argv, const bp::environment& env, Duration limit,
               std::string* out, std::string* why) {
  const UniqueFd said = TemporaryFile();
  const UniqueFd complaint = TemporaryFile();
  if (!said || !complaint) {
    if (why != nullptr) *why = "no temporary file can be made: " + std::string(strerror(errno));
    return -1;
  }
  std::error_code error;
  bp::child child(bp::exe = argv[0],
                  bp::args = std::vector<std::string>(argv.begin() + 1, argv.end()), env,
                  bp::std_in < bp::null, bp::posix::fd.bind(STDOUT_FILENO, said.get()),
                  bp::posix::fd.bind(STDERR_FILENO, complaint.get()), error);
  if (error) {
    if (why != nullptr) *why = argv[0] + ": " + error.message();
    return -1;
  }
  const auto until = std::chrono::steady_clock::now() + limit;
  while (child.running(error) && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const bool late = child.running(error);
  if (late) child.terminate(error);
  if (out != nullptr) *out = ReadAll(said);
  if (why != nullptr) *why = End(ReadAll(complaint)) + (late ? " (killed: it took too long)" : "");
  return child.exit_code();
}

std::string FindTool(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream directories(path == nullptr ? "" : path);
  for (std::string directory; std::getline(directories, directory, ':');) {
    const std::string file = directory + "/" + name;
    if (access(file.c_str(), X_OK) == 0) return file;
  }
  return "";
}

}  // namespace oj::sim
