#include "lab_world.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace oj::e2e {
namespace {

std::string VariableOf(const std::string& pid, const std::string& name) {
  const std::string text = ReadFile("/proc/" + pid + "/environ");
  for (std::size_t at = 0; at < text.size(); at = text.find('\0', at) + 1) {
    const std::string entry = text.substr(at, text.find('\0', at) - at);
    if (entry.starts_with(name + "=")) return entry.substr(name.size() + 1);
  }
  return "";
}

// What the labs of a test that has failed may have left: nobody else would end it.
void EndAllBelow(const std::string& place) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string pid = entry.path().filename();
    const pid_t number = std::atoi(pid.c_str());
    if (number > 0 && VariableOf(pid, "OJ_LAB").starts_with(place + "/")) kill(number, SIGKILL);
  }
}

}  // namespace

std::vector<std::string> InLab(const std::string& lab) {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string pid = entry.path().filename();
    const pid_t number = std::atoi(pid.c_str());
    if (number <= 0 || VariableOf(pid, "OJ_LAB") != lab || !IsAlive(number)) continue;
    found.push_back(pid + " " + ReadFile("/proc/" + pid + "/cmdline"));
  }
  return found;
}

LabTest::LabTest() {
  std::string path = (fs::temp_directory_path() / "oj-e2e-XXXXXX").string();
  if (mkdtemp(path.data()) != nullptr) dir_ = path;
  fs::create_directory(dir_ + "/tmp");
  unsetenv("OJ_LAB");
}

LabTest::~LabTest() {
  EndAllBelow(dir_);
  std::error_code ignored;  // a lab that a test has killed may be going just now
  fs::remove_all(dir_, ignored);
}

Environment LabTest::Variables() const {
  return {{"TMPDIR", dir_ + "/tmp"},
          {"SHELL", "/bin/sh"},
          {"T", dir_},
          {"PATH", fs::path(OJ_HARNESS).parent_path().string() + ":" + getenv("PATH")}};
}

std::unique_ptr<Process> LabTest::Start(std::vector<std::string> words) {
  words.insert(words.begin(), OJ_HARNESS);
  return std::make_unique<Process>(words, Variables(), dir_ + "/out" + std::to_string(++started_));
}

std::unique_ptr<Process> LabTest::Script(const std::string& script) {
  return std::make_unique<Process>(std::vector<std::string>{"/bin/sh", "-c", script}, Variables(),
                                   dir_ + "/out" + std::to_string(++started_));
}

std::unique_ptr<Process> LabTest::MountingScript(const std::string& script) {
  const std::string options = geteuid() == 0 ? "-m" : "-rm";
  WriteFile(dir_ + "/mounting.sh", script);
  return Script("exec unshare " + options + " /bin/sh $T/mounting.sh");
}

std::unique_ptr<Process> LabTest::Lab(const std::string& script, std::vector<std::string> options) {
  options.insert(options.begin(), "lab");
  for (const char* word : {"--", "/bin/sh", "-c"}) options.emplace_back(word);
  options.push_back(script);
  return Start(options);
}

std::string LabTest::Told(const std::string& name) {
  Eventually([&] { return ReadFile(dir_ + "/" + name).ends_with('\n'); }, kLong);
  std::string text = ReadFile(dir_ + "/" + name);
  return text.substr(0, text.find('\n'));
}

std::vector<std::string> LabTest::Directories() const {
  std::vector<std::string> all;
  for (const auto& each : fs::directory_iterator(dir_ + "/tmp")) all.push_back(each.path());
  return all;
}

void LabTest::ExpectNothingLeft(const std::string& lab) {
  ASSERT_THAT(lab, testing::HasSubstr("oj-lab-"));
  EXPECT_TRUE(Eventually([&] { return InLab(lab).empty() && Directories().empty(); }, kLong));
  EXPECT_THAT(InLab(lab), testing::IsEmpty());
  EXPECT_THAT(Directories(), testing::IsEmpty());
}

}  // namespace oj::e2e
