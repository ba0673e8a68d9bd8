// A daemon of one page, for the tests of the twin: it answers Ping and PeekSession, and its bad
// habits are switched on by MINI_OJD: "leak" (a peek whose client has left is let run), "zombie"
// (ended tools are not reaped), "deaf" (SIGTERM is ignored), "fd" (connections are not closed),
// "torn" (half a reply), "busy" (a ping is refused), "dies" (after its first reply).
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <list>
#include <string>
#include <vector>

namespace {

volatile std::sig_atomic_t stopped = 0;
std::string habit;

struct Client {
  int fd;
  std::string in;
  pid_t tool = 0;
};

void Reply(int fd, const std::string& payload) {
  std::string frame(4, '\0');
  frame[2] = static_cast<char>(payload.size() >> 8);
  frame[3] = static_cast<char>(payload.size());
  frame += payload;
  const std::size_t size = habit == "torn" ? frame.size() / 2 : frame.size();
  send(fd, frame.data(), size, MSG_NOSIGNAL);
  if (habit == "torn") shutdown(fd, SHUT_RDWR);
  if (habit == "dies") std::abort();
}

pid_t StartPeek() {
  std::vector<std::string> argv{"tmux", "capture-pane", "-t", "=work:", "-p", "-S", "-40"};
  std::vector<char*> pointers;
  for (std::string& arg : argv) pointers.push_back(arg.data());
  pointers.push_back(nullptr);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 1, "/dev/null", 1, 0);
  pid_t pid = 0;
  posix_spawnp(&pid, "tmux", &files, &attributes, pointers.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return pid;
}

void OnFrame(Client& client) {
  if (client.in.find("\"Ping\"") != std::string::npos) {
    Reply(client.fd, habit == "busy" ? R"({"type":"Error","code":"busy","message":"?"})"
                                     : R"({"type":"Pong"})");
  } else if (client.in.find("\"PeekSession\"") != std::string::npos) {
    client.tool = StartPeek();
  } else {
    Reply(client.fd, R"({"type":"Error","code":"invalid_request","message":"?"})");
  }
  client.in.clear();
}

void OnEnded(Client& client) {
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(client.tool), &info, WEXITED | WNOHANG | WNOWAIT);
  if (info.si_pid == 0) return;
  if (habit != "zombie") waitpid(client.tool, nullptr, 0);
  client.tool = 0;
  if (client.fd < 0) return;
  Reply(client.fd, info.si_code == CLD_EXITED && info.si_status == 0
                       ? R"({"type":"SessionPeek","output":""})"
                       : R"({"type":"Error","code":"tool_failed","message":"?"})");
}

void OnReadable(Client& client) {
  char buffer[4096];
  const ssize_t n = read(client.fd, buffer, sizeof(buffer));
  if (n > 0) {
    client.in.append(buffer, static_cast<std::size_t>(n));
    if (client.in.size() > 4) OnFrame(client);
    return;
  }
  if (habit != "fd") close(client.fd);
  client.fd = -1;
  if (client.tool > 0 && habit != "leak") kill(-client.tool, SIGKILL);
}

int Listen(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return -1;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) return -1;
  return listen(fd, 64) == 0 ? fd : -1;
}

void Turn(int listener, std::list<Client>& clients) {
  std::vector<pollfd> polled{{listener, POLLIN, 0}};
  for (const Client& client : clients) polled.push_back({client.fd, POLLIN, 0});
  poll(polled.data(), polled.size(), 2);
  std::size_t at = 1;
  for (Client& client : clients) {
    if (client.fd >= 0 && polled[at].revents != 0) OnReadable(client);
    ++at;
    if (client.tool > 0) OnEnded(client);
  }
  if (polled[0].revents != 0) {
    clients.push_back({accept4(listener, nullptr, nullptr, SOCK_CLOEXEC), "", 0});
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const char* set = std::getenv("MINI_OJD");
  habit = set == nullptr ? "" : set;
  struct sigaction action{};
  action.sa_handler = [](int) { stopped = habit == "deaf" ? 0 : 1; };
  sigaction(SIGTERM, &action, nullptr);
  alarm(60);
  const int listener = Listen(std::string(argv[2]) + "/daemon.sock");
  if (listener < 0) return 1;
  std::puts("READY");
  std::fflush(stdout);
  std::list<Client> clients;
  while (stopped == 0) Turn(listener, clients);
  for (const Client& client : clients) {
    if (client.tool > 0 && habit != "leak") kill(-client.tool, SIGKILL);
  }
  return 0;
}
