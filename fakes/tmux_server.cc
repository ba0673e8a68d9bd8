#include "tmux_server.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <sstream>

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

std::optional<int> ExitOf(const Args& command) {
  if (command.empty()) return std::nullopt;
  const std::string& last = command.back();
  if (last == "true") return 0;
  if (last == "false") return 1;
  const bool script = command.size() > 1 && command[command.size() - 2] == "-c";
  if (script && last.starts_with("exit ")) return std::atoi(last.c_str() + 5) & 0xff;
  return std::nullopt;
}

}  // namespace

ServerTurn::ServerTurn(const std::string& state) {
  if (state.empty()) return;
  fd_ = open((state + "/server.lock").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  while (fd_ >= 0 && flock(fd_, LOCK_EX) != 0 && errno == EINTR) {
  }
}

ServerTurn::~ServerTurn() {
  if (fd_ >= 0) close(fd_);
}

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

void TmuxServer::Create(const std::string& name, const Args& command) {
  if (sessions_.empty()) return;
  mkdir(sessions_.c_str(), 0700);
  Put(name, {std::to_string(std::time(nullptr)), false, false, ExitOf(command), false}, "");
}

void TmuxServer::Kill(const std::string& name) { unlink(FileOf(name).c_str()); }

void TmuxServer::Type(const std::string& name, const std::string& text) {
  if (Get(name).dead) return;
  const int fd = open(FileOf(name).c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (fd < 0) return;
  if (write(fd, text.data(), text.size()) < 0) unlink(FileOf(name).c_str());
  close(fd);
}

void TmuxServer::Stay(const std::string& name, bool stays) {
  Session session = Get(name);
  session.stays = stays;
  Put(name, session, TextOf(name));
}

void TmuxServer::EndPrograms() {
  for (const std::string& name : Sessions()) {
    Session session = Get(name);
    if (!session.exit || session.dead) continue;
    if (!session.stays) {
      Kill(name);
      continue;
    }
    session.dead = true;
    Put(name, session, TextOf(name));
  }
}

// What stays shows that it is dead on a line of its own, below all that can be seen.
void TmuxServer::Reap() {
  for (const std::string& name : Sessions()) {
    Session session = Get(name);
    if (!session.dead || session.reaped) continue;
    session.reaped = true;
    std::string text;
    for (const std::string& line : Screen(name)) text += line + "\n";
    const std::time_t now = std::time(nullptr);
    std::array<char, 64> when{};
    std::strftime(when.data(), when.size(), "%a %b %e %H:%M:%S %Y", std::localtime(&now));
    text += "Pane is dead (status " + std::to_string(*session.exit) + ", " + when.data() + ")";
    Put(name, session, text);
  }
}

Session TmuxServer::Get(const std::string& name) const {
  const std::string file = Read(FileOf(name));
  std::istringstream words(file.substr(0, file.find('\n')));
  Session session;
  words >> session.created;
  for (std::string word; words >> word;) {
    session.stays = session.stays || word == "stays";
    session.dead = session.dead || word == "dead";
    session.reaped = session.reaped || word == "reaped";
    if (word.starts_with("exit=")) session.exit = std::atoi(word.c_str() + 5);
  }
  return session;
}

std::string TmuxServer::TextOf(const std::string& name) const {
  std::string text = Read(FileOf(name));
  text.erase(0, std::min(text.find('\n'), text.size() - 1) + 1);
  return text;
}

// At once: another client may read it.
void TmuxServer::Put(const std::string& name, const Session& session,
                     const std::string& text) const {
  const std::string file = FileOf(name);
  const std::string fresh = sessions_ + ".new." + std::to_string(getpid());
  std::ofstream to(fresh, std::ios::binary);
  to << session.created << (session.stays ? " stays" : "") << (session.dead ? " dead" : "")
     << (session.reaped ? " reaped" : "");
  if (session.exit) to << " exit=" << *session.exit;
  to << '\n' << text;
  to.close();
  rename(fresh.c_str(), file.c_str());
}

std::vector<std::string> TmuxServer::Screen(const std::string& name) const {
  std::string text = TextOf(name);
  std::vector<std::string> lines;
  for (std::size_t end; (end = text.find('\n')) != std::string::npos; text.erase(0, end + 1)) {
    AppendWrapped(text.substr(0, end), &lines);
  }
  AppendWrapped(text, &lines);
  if (lines.size() < kRows) lines.resize(kRows);
  return lines;
}

}  // namespace oj::fakes
