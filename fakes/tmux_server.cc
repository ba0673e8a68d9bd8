#include "tmux_server.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <iterator>

namespace oj::fakes {
namespace {

constexpr std::size_t kColumns = 80;
constexpr std::size_t kRows = 24;

std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void AppendWrapped(std::string line, std::vector<std::string>* to) {
  do {
    std::string row = line.substr(0, kColumns);
    line.erase(0, row.size());
    row.erase(row.find_last_not_of(' ') + 1);
    to->push_back(std::move(row));
  } while (!line.empty());
}

}  // namespace

TmuxServer::TmuxServer(std::string state) {
  if (!state.empty()) sessions_ = std::move(state) + "/sessions";
}

std::string TmuxServer::FileOf(const std::string& name) const {
  std::string file = sessions_ + "/";
  for (const char c : name) file += c == '/' ? "%2F" : std::string(1, c);
  return file;
}

bool TmuxServer::EverRan() const {
  struct stat info{};
  return !sessions_.empty() && stat(sessions_.c_str(), &info) == 0;
}

std::vector<std::string> TmuxServer::Sessions() const {
  std::vector<std::string> names;
  DIR* directory = sessions_.empty() ? nullptr : opendir(sessions_.c_str());
  if (directory == nullptr) return names;
  while (const dirent* entry = readdir(directory)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  closedir(directory);
  std::sort(names.begin(), names.end());
  return names;
}

bool TmuxServer::Has(const std::string& name) const {
  struct stat info{};
  return !sessions_.empty() && !name.empty() && stat(FileOf(name).c_str(), &info) == 0;
}

void TmuxServer::Create(const std::string& name) {
  if (sessions_.empty()) return;
  mkdir(sessions_.c_str(), 0700);
  std::ofstream(FileOf(name), std::ios::binary) << std::time(nullptr) << '\n';
}

void TmuxServer::Kill(const std::string& name) { unlink(FileOf(name).c_str()); }

void TmuxServer::Type(const std::string& name, const std::string& text) {
  const int fd = open(FileOf(name).c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (fd < 0) return;
  if (write(fd, text.data(), text.size()) < 0) unlink(FileOf(name).c_str());
  close(fd);
}

std::string TmuxServer::Created(const std::string& name) const {
  const std::string file = Read(FileOf(name));
  return file.substr(0, file.find('\n'));
}

std::vector<std::string> TmuxServer::Screen(const std::string& name) const {
  std::string text = Read(FileOf(name));
  text.erase(0, std::min(text.find('\n'), text.size() - 1) + 1);
  std::vector<std::string> lines;
  for (std::size_t end; (end = text.find('\n')) != std::string::npos; text.erase(0, end + 1)) {
    AppendWrapped(text.substr(0, end), &lines);
  }
  AppendWrapped(text, &lines);
  if (lines.size() < kRows) lines.resize(kRows);
  return lines;
}

}  // namespace oj::fakes
