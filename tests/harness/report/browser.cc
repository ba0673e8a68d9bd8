#include "browser.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

namespace oj::sim {
namespace {

std::string TextOf(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// Paths and fragments of tests have no apostrophes.
std::string Quoted(const std::string& word) { return "'" + word + "'"; }

// Without the elements of that name.
void Drop(std::string& dom, const std::string& name) {
  const std::string end = "</" + name + ">";
  for (std::size_t at = 0; (at = dom.find("<" + name, at)) != std::string::npos;) {
    const std::size_t to = dom.find(end, at);
    dom.erase(at, to == std::string::npos ? to : to + end.size() - at);
  }
}

}  // namespace

Opened Open(const std::filesystem::path& page, const std::string& fragment,
            const std::filesystem::path& dir) {
  const std::filesystem::path dom = dir / "dom";
  const std::filesystem::path log = dir / "log";
  std::string command = "timeout -k 5 90 chromium --headless=new --no-sandbox --disable-gpu";
  command += " --disable-dev-shm-usage --no-first-run --enable-logging=stderr";
  command += " --window-size=1280,800 --virtual-time-budget=3000 --dump-dom";
  command += " --user-data-dir=" + Quoted((dir / "profile").string());
  command += " " + Quoted("file://" + page.string() + fragment);
  command += " >" + Quoted(dom.string()) + " 2>" + Quoted(log.string()) + " </dev/null";
  const int status = std::system(command.c_str());
  Opened opened;
  const std::string said = TextOf(log);
  std::istringstream lines(said);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("CONSOLE") != std::string::npos) opened.console += line + "\n";
  }
  if (status == 0) opened.dom = TextOf(dom);
  for (const char* name : {"style", "script", "noscript"}) Drop(opened.dom, name);
  if (opened.dom.empty()) {
    opened.why =
        "chromium (install it: ci/deps) ended with " + std::to_string(status) + ":\n" + said;
  }
  return opened;
}

}  // namespace oj::sim
