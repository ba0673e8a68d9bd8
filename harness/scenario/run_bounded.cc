#include "scenario/run_bounded.h"

#include <unistd.h>

#include <boost/process/args.hpp>
#include <boost/process/child.hpp>
#include <boost/process/env.hpp>
#include <boost/process/exe.hpp>
#include <boost/process/io.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

namespace oj::sim {

namespace bp = boost::process;
namespace fs = std::filesystem;

int RunBounded(const std::vector<std::string>& argv, const bp::environment& env, Duration limit,
               std::string* out) {
  const fs::path file =
      fs::temp_directory_path() /
      ("oj-twin-" + std::to_string(getpid()) + "-" +
       std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()));
  std::error_code error;
  bp::child child(bp::exe = argv[0],
                  bp::args = std::vector<std::string>(argv.begin() + 1, argv.end()), env,
                  bp::std_in<bp::null, bp::std_out> file.string(), bp::std_err > bp::null, error);
  if (error) return -1;
  const auto until = std::chrono::steady_clock::now() + limit;
  while (child.running(error) && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (child.running(error)) child.terminate(error);
  if (out != nullptr) {
    std::ifstream text(file, std::ios::binary);
    out->assign(std::istreambuf_iterator<char>(text), {});
  }
  fs::remove(file, error);
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
