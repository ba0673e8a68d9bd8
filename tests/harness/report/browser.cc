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

// Runs the browser on the page, its output in `dir`. Returns its status.
int Browse(const std::string& address, const std::string& what, const std::filesystem::path& dir,
           Mode mode) {
  std::string command = "timeout -k 5 90 chromium --headless=new --no-sandbox --disable-gpu";
  command += " --disable-dev-shm-usage --no-first-run --enable-logging=stderr";
  command += " --window-size=1280,800 --virtual-time-budget=3000 --hide-scrollbars";
  command += " --blink-settings=preferredColorScheme=";
  command += mode == Mode::kDark ? "0 " : "1 ";
  command += what + " --user-data-dir=" + Quoted((dir / "profile").string());
  command += " " + Quoted("file://" + address);
  command += " >" + Quoted((dir / "dom").string()) + " 2>" + Quoted((dir / "log").string());
  return std::system((command + " </dev/null").c_str());
}

}  // namespace

Opened Open(const std::filesystem::path& page, const std::string& fragment,
            const std::filesystem::path& dir, Mode mode) {
  const int status = Browse(page.string() + fragment, "--dump-dom", dir, mode);
  Opened opened;
  const std::string said = TextOf(dir / "log");
  std::istringstream lines(said);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("CONSOLE") != std::string::npos) opened.console += line + "\n";
  }
  if (status == 0) opened.dom = TextOf(dir / "dom");
  for (const char* name : {"style", "script", "noscript"}) Drop(opened.dom, name);
  if (opened.dom.empty()) {
    opened.why =
        "chromium (install it: ci/deps) ended with " + std::to_string(status) + ":\n" + said;
  }
  return opened;
}

std::string Picture(const std::filesystem::path& page, const std::filesystem::path& dir,
                    Mode mode) {
  const std::filesystem::path png = dir / "page.png";
  Browse(page.string(), "--screenshot=" + Quoted(png.string()), dir, mode);
  return TextOf(png);
}

}  // namespace oj::sim
