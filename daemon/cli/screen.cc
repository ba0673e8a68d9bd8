#include "cli/screen.h"

#include <signal.h>

#include <cerrno>

#include "cli/posix.h"

namespace oj::cli {
namespace {

// The other screen, no cursor, and lines that end at the edge.
constexpr const char* kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr const char* kLeave = "\x1b[?7h\x1b[?25h\x1b[?1049l";
// Between these a terminal that can keeps the last frame on the glass.
constexpr const char* kBegin = "\x1b[?2026h\x1b[H";
constexpr const char* kEnd = "\x1b[J\x1b[?2026l";

constexpr char kEscape = '\x1b';
constexpr char kControlC = '\x03';
constexpr char kControlZ = '\x1a';

Key KeyOf(char byte) {
  switch (byte) {
    case 'q':
    case 'Q':
      return Key::kQuit;
    case kControlC:
      return Key::kInterrupt;
    case kControlZ:
      return Key::kSuspend;
    case ' ':
      return Key::kPause;
    case 'k':
      return Key::kUp;
    case 'j':
      return Key::kDown;
    default:
      return Key::kOther;
  }
}

}  // namespace

std::vector<Key> KeysIn(std::string_view bytes, std::string& rest) {
  const std::string text = rest + std::string(bytes);
  rest.clear();
  std::vector<Key> keys;
  for (std::size_t at = 0; at < text.size();) {
    const bool sequence =
        text[at] == kEscape && at + 1 < text.size() && (text[at + 1] == '[' || text[at + 1] == 'O');
    if (!sequence) {
      keys.push_back(KeyOf(text[at++]));
      continue;
    }
    // Ends with the first byte from @ to ~.
    std::size_t end = at + 2;
    while (end < text.size() && (text[end] < '@' || text[end] > '~')) ++end;
    if (end == text.size()) {
      rest = text.substr(at);
      break;
    }
    keys.push_back(text[end] == 'A' ? Key::kUp : text[end] == 'B' ? Key::kDown : Key::kOther);
    at = end + 1;
  }
  return keys;
}

bool Screen::Interrupted() const {
  return AwaitFd(-1, 0, Deadline(Now()), environment_.interrupt_fd).interrupted;
}

void Screen::Enter() {
  const int keys = environment_.keys_fd;
  // Whoever was continued to be ended is not to stop once more.
  if (Interrupted()) return;
  if (keys >= 0) {
    // A job in the background stops here, until it is in front: before that the terminal's settings
    // are those of the shell's own editor.
    tcdrain(keys);
    if (Interrupted()) return;
    termios now{};
    before_.reset();
    if (tcgetattr(keys, &now) == 0) before_ = now;
  }
  if (before_) {
    termios raw = *before_;
    // Ctrl-C and Ctrl-Z come as bytes: the terminal is given back before anything ends or stops.
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG | IEXTEN);
    // A terminal that Ctrl-S has stopped could not be given back.
    raw.c_iflag &= ~static_cast<tcflag_t>(IXON);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    tcsetattr(keys, TCSADRAIN, &raw);
  }
  entered_ = true;
  environment_.out(kEnter);
}

void Screen::Leave() {
  if (!entered_) return;
  entered_ = false;
  environment_.out(kLeave);
  if (before_) tcsetattr(environment_.keys_fd, TCSADRAIN, &*before_);
}

int Screen::Draw(const std::vector<std::string>& lines) {
  if (!entered_) return EINTR;
  std::string frame = kBegin;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    frame += (i > 0 ? "\r\n" : "") + lines[i] + "\x1b[K";
  }
  return environment_.out(frame + kEnd);
}

void Screen::Suspend() {
  Leave();
  // All of the job, as the key does.
  kill(0, SIGTSTP);
  Enter();
}

}  // namespace oj::cli
