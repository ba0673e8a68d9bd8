#include "tmux_promise.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

#include "journal.h"
#include "pause.h"

namespace oj::fakes {
namespace {

std::string own;  // the file of this client's promise, if it has made one

std::string Directory() {
  const std::string state = StateDirectory();
  return state.empty() ? "" : state + "/promises";
}

// In order of their making.
std::vector<std::string> All() {
  std::vector<std::string> files;
  const std::string path = Directory();
  DIR* directory = path.empty() ? nullptr : opendir(path.c_str());
  if (directory == nullptr) return files;
  while (const dirent* entry = readdir(directory)) {
    if (entry->d_name[0] != '.') files.push_back(path + "/" + entry->d_name);
  }
  closedir(directory);
  std::sort(files.begin(), files.end());
  return files;
}

std::string Read(int fd) {
  std::string text;
  std::array<char, 4096> block{};
  for (ssize_t n = 0; (n = read(fd, block.data(), block.size())) > 0;) {
    text.append(block.data(), static_cast<std::size_t>(n));
  }
  return text;
}

std::string TakeField(std::string* text) {
  std::string field = text->substr(0, text->find('\0'));
  text->erase(0, field.size() + 1);
  return field;
}

// Fields that end in NUL: when it is due, what releases it, the arguments.
bool IsDue(std::string* text) {
  const std::string due = TakeField(text);
  const std::string release = TakeField(text);
  return Now() >= std::atoll(due.c_str()) && (release.empty() || Exists(release));
}

}  // namespace

void Promise(const Args& args, const Behaviour& behaviour) {
  const std::string directory = Directory();
  if (directory.empty()) return;
  mkdir(directory.c_str(), 0700);
  const std::int64_t now = Now();
  const std::int64_t due = now + std::chrono::nanoseconds(*behaviour.late).count();
  std::string text = std::to_string(due) + '\0' + behaviour.release + '\0';
  for (const std::string& arg : args) text += arg + '\0';
  std::string number = std::to_string(now);
  number.insert(0, 20 - std::min<std::size_t>(20, number.size()), '0');
  own = directory + "/" + number + "-" + std::to_string(getpid());
  const std::string hidden = directory + "/." + std::to_string(getpid());
  // Open, and locked, as long as this process lives.
  const int fd = open(hidden.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  flock(fd, LOCK_EX);
  WriteAll(fd, text);
  rename(hidden.c_str(), own.c_str());
}

void Keep() {
  if (!own.empty()) unlink(own.c_str());
}

std::vector<Args> TakeBroken() {
  std::vector<Args> broken;
  for (const std::string& file : All()) {
    const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    struct stat info{};
    const bool free = flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &info) == 0 &&
                      info.st_nlink > 0;  // else somebody else has taken it
    std::string text = free ? Read(fd) : "";
    if (free && IsDue(&text)) {
      Args& args = broken.emplace_back();
      while (!text.empty()) args.push_back(TakeField(&text));
      unlink(file.c_str());
    }
    close(fd);
  }
  return broken;
}

}  // namespace oj::fakes
