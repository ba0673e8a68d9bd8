// FrameBuffer: bytes of a connection as they come, and the frames that they make.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "oj/error.h"

namespace oj {

class FrameBuffer {
 public:
  explicit FrameBuffer(std::size_t max_frame_bytes) : limit_(max_frame_bytes) {}

  // Room for bytes to be read into; `Filled` says how many came. At least one frame of the
  // greatest size fits; what is beyond stays with the sender.
  std::span<char> Room();
  void Filled(std::size_t bytes) { end_ += bytes; }
  // Whether more should be read: false once a whole buffer of bytes waits to be served.
  bool HasRoom() const { return end_ - begin_ < kReadAhead; }
  bool empty() const { return begin_ == end_; }

  // The next whole frame's payload, valid until the next call of Room or Next; nothing if it has
  // not all come. Error: the length is zero (kInvalidRequest) or over the limit (kTooLarge), told
  // from the length alone.
  Result<std::optional<std::string_view>> Next();

 private:
  static constexpr std::size_t kChunk = 1 << 10;
  static constexpr std::size_t kReadAhead = 64 << 10;

  std::size_t limit_;
  std::string bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace oj
