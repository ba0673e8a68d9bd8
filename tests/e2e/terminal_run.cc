#include "terminal_run.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>

namespace oj::e2e {

Pty::Pty(const std::vector<std::string>& argv, const Environment& environment, int rows,
         int columns) {
  winsize size{};
  size.ws_row = static_cast<unsigned short>(rows);
  size.ws_col = static_cast<unsigned short>(columns);
  pid_ = forkpty(&master_, nullptr, nullptr, &size);
  if (pid_ < 0) throw std::runtime_error("no terminal");
  if (pid_ > 0) return;
  for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> words;
  for (const std::string& each : argv) words.push_back(const_cast<char*>(each.c_str()));
  words.push_back(nullptr);
  execv(words[0], words.data());
  _exit(127);
}

Pty::~Pty() {
  if (!reaped_) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  HangUp();
}

void Pty::HangUp() {
  if (master_ >= 0) close(master_);
  master_ = -1;
}

void Pty::Type(const std::string& keys) const {
  [[maybe_unused]] const ssize_t written = write(master_, keys.data(), keys.size());
}

void Pty::Resize(int rows, int columns) const {
  winsize size{};
  size.ws_row = static_cast<unsigned short>(rows);
  size.ws_col = static_cast<unsigned short>(columns);
  ioctl(master_, TIOCSWINSZ, &size);
}

bool Pty::Read(int wait_ms) {
  pollfd ready{master_, POLLIN, 0};
  if (poll(&ready, 1, wait_ms) <= 0) return true;
  std::array<char, 4096> bytes;
  const ssize_t got = read(master_, bytes.data(), bytes.size());
  if (got <= 0) return false;
  seen_.append(bytes.data(), static_cast<std::size_t>(got));
  return true;
}

bool Pty::Shows(const std::string& text) {
  return Eventually([&] {
    Read(10);
    return seen_.find(text) != std::string::npos;
  });
}

termios Pty::Settings() const {
  termios settings{};
  tcgetattr(master_, &settings);
  return settings;
}

int Pty::ExitStatus() {
  int status = 0;
  const auto ends = [&] {
    Read(10);
    return waitpid(pid_, &status, WNOHANG) == pid_;
  };
  const bool ended = Eventually(ends, milliseconds(20000));
  reaped_ = ended;
  while (ended && Read(0)) {
    pollfd ready{master_, POLLIN, 0};
    if (poll(&ready, 1, 0) <= 0) break;
  }
  return ended && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace oj::e2e
