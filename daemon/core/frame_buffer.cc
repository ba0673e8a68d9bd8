#include "core/frame_buffer.h"

#include <algorithm>

namespace oj {

std::span<char> FrameBuffer::Room() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (bytes_.size() - end_ < kChunk) {
    // Move what is left to the front first: the buffer grows only with what is unserved.
    std::copy(bytes_.begin() + static_cast<std::ptrdiff_t>(begin_),
              bytes_.begin() + static_cast<std::ptrdiff_t>(end_), bytes_.begin());
    end_ -= begin_;
    begin_ = 0;
    if (bytes_.size() - end_ < kChunk) bytes_.resize(std::max(2 * bytes_.size(), end_ + kChunk));
  }
  return {bytes_.data() + end_, bytes_.size() - end_};
}

Result<std::optional<std::string_view>> FrameBuffer::Next() {
  std::optional<std::string_view> none;
  if (end_ - begin_ < 4) return none;
  std::size_t length = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    length = length << 8 | static_cast<unsigned char>(bytes_[begin_ + i]);
  }
  if (length == 0) {
    return Error{ErrorCode::kInvalidRequest, "the frame's length is zero", ""};
  }
  if (length > limit_) {
    return Error{ErrorCode::kTooLarge,
                 "the frame has " + std::to_string(length) +
                     " bytes; limits.max_request_bytes is " + std::to_string(limit_),
                 ""};
  }
  if (end_ - begin_ - 4 < length) return none;
  const std::string_view payload(bytes_.data() + begin_ + 4, length);
  begin_ += 4 + length;
  return std::optional(payload);
}

}  // namespace oj
