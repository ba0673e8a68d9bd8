// Any bytes, in any pieces, are frames or an error, the same whatever the pieces; any frame is a
// request or an error.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/frame_buffer.h"
#include "core/protocol.h"

namespace oj {
namespace {

constexpr std::size_t kMostBytes = 4096;

void Check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "frame_fuzz: %s\n", what);
  std::abort();
}

// The frames, and the code of the error at which reading ended, if it did.
std::vector<std::string> Decode(std::string_view bytes, std::size_t piece) {
  FrameBuffer buffer(kMostBytes);
  std::vector<std::string> frames;
  while (true) {
    auto next = buffer.Next();
    if (!next) {
      frames.push_back("error: " + next.error().message);
      return frames;
    }
    if (*next) {
      Check(!(*next)->empty() && (*next)->size() <= kMostBytes, "a frame beyond its limits");
      frames.emplace_back(**next);
      continue;
    }
    if (bytes.empty()) return frames;
    Check(buffer.HasRoom(), "it waits for more, and takes no more");
    const auto room = buffer.Room();
    const std::size_t n = std::min({piece, room.size(), bytes.size()});
    Check(n > 0, "no room");
    std::copy_n(bytes.begin(), n, room.begin());
    buffer.Filled(n);
    bytes.remove_prefix(n);
  }
}

}  // namespace
}  // namespace oj

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = data[0] % 64 + 1;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto frames = oj::Decode(bytes, piece);
  oj::Check(frames == oj::Decode(bytes, bytes.size() + 1), "other pieces make other frames");
  for (const std::string& frame : frames) {
    const auto request = oj::ParseRequest(frame);
    oj::Check(request.ok() || !request.error().message.empty(), "an error that says nothing");
  }
  return 0;
}
