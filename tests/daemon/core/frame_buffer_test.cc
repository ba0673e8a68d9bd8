// Bytes as they come, and the frames that they make.
#include "core/frame_buffer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/protocol.h"

namespace oj {
namespace {

constexpr std::size_t kLimit = 1000;

// Hands over as much as there is room for.
void Feed(FrameBuffer& buffer, std::string_view bytes) {
  while (!bytes.empty()) {
    const std::span<char> room = buffer.Room();
    ASSERT_FALSE(room.empty());
    const std::size_t count = std::min(room.size(), bytes.size());
    std::copy_n(bytes.begin(), count, room.begin());
    buffer.Filled(count);
    bytes.remove_prefix(count);
  }
}

// All whole frames that are there; an error ends the list with its code.
std::vector<std::string> TakeAll(FrameBuffer& buffer) {
  std::vector<std::string> all;
  while (true) {
    auto frame = buffer.Next();
    if (!frame) {
      all.push_back("error " + std::string(Name(frame.error().code)));
      return all;
    }
    if (!*frame) return all;
    all.emplace_back(**frame);
  }
}

using List = std::vector<std::string>;

TEST(FrameBuffer, FrameThatComesByteByByteIsThereWithItsLastByte) {
  FrameBuffer buffer(kLimit);
  const std::string bytes = Frame("hello");
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    Feed(buffer, bytes.substr(i, 1));
    EXPECT_EQ(TakeAll(buffer), List{}) << i;
  }
  Feed(buffer, bytes.substr(bytes.size() - 1));
  EXPECT_EQ(TakeAll(buffer), List{"hello"});
  EXPECT_TRUE(buffer.empty());
}

TEST(FrameBuffer, FramesOfOneReadComeOneByOne) {
  FrameBuffer buffer(kLimit);
  Feed(buffer, Frame("a") + Frame("bb") + Frame("ccc").substr(0, 5));
  EXPECT_EQ(TakeAll(buffer), (List{"a", "bb"}));
  EXPECT_FALSE(buffer.empty());
  Feed(buffer, "cc");
  EXPECT_EQ(TakeAll(buffer), List{"ccc"});
}

TEST(FrameBuffer, ZeroLengthIsInvalid) {
  FrameBuffer buffer(kLimit);
  Feed(buffer, Frame(""));
  EXPECT_EQ(TakeAll(buffer), List{"error invalid_request"});
}

TEST(FrameBuffer, LengthAtTheLimitIsTakenAndOneMoreIsTooLargeFromTheLengthAlone) {
  FrameBuffer at(kLimit);
  Feed(at, Frame(std::string(kLimit, 'x')));
  EXPECT_EQ(TakeAll(at), List{std::string(kLimit, 'x')});
  FrameBuffer over(kLimit);
  Feed(over, Frame(std::string(kLimit + 1, 'x')).substr(0, 4));
  EXPECT_EQ(TakeAll(over), List{"error too_large"});
}

TEST(FrameBuffer, GreatestLengthOfAllAllocatesNothing) {
  FrameBuffer buffer(kLimit);
  Feed(buffer, "\xff\xff\xff\xff");
  EXPECT_EQ(TakeAll(buffer), List{"error too_large"});
  EXPECT_LE(buffer.Room().size(), 4096U);
}

// As a client that sends for ever without pause while its requests are served one by one.
TEST(FrameBuffer, StaysBoundedWhileFramesPassThrough) {
  FrameBuffer buffer(kLimit);
  const std::string frame = Frame(std::string(kLimit, 'x'));
  std::string stream;
  for (int i = 0; i < 50; ++i) stream += frame;
  std::size_t most = 0;
  for (int round = 0; round < 100; ++round) {
    std::string_view left = stream;
    while (!left.empty()) {
      while (buffer.HasRoom() && !left.empty()) {
        const std::span<char> room = buffer.Room();
        most = std::max(most, room.size());
        const std::size_t count = std::min(room.size(), left.size());
        std::copy_n(left.begin(), count, room.begin());
        buffer.Filled(count);
        left.remove_prefix(count);
      }
      ASSERT_TRUE(buffer.Next().ok());
    }
    TakeAll(buffer);
  }
  EXPECT_LE(most, 512U << 10) << "room offered at once, in bytes";
}

TEST(FrameBuffer, FullBufferAsksForNoMoreUntilAFrameIsServed) {
  FrameBuffer buffer(1 << 20);
  Feed(buffer, Frame(std::string(70 << 10, 'x')));
  EXPECT_FALSE(buffer.HasRoom());
  EXPECT_TRUE(buffer.Next().ok());
  EXPECT_TRUE(buffer.HasRoom());
}

RC_GTEST_PROP(FrameBufferProperty, AnySplitOfAnyFramesGivesTheSameFrames, ()) {
  const auto payloads = *rc::gen::container<List>(
      rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::arbitrary<char>())));
  const auto cuts =
      *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(1, 40));
  std::string stream;
  for (const std::string& each : payloads) stream += Frame(each);

  FrameBuffer buffer(kLimit);
  List got;
  std::string_view left = stream;
  for (std::size_t i = 0; !left.empty(); ++i) {
    const std::size_t cut = i < cuts.size() ? std::min(cuts[i], left.size()) : left.size();
    Feed(buffer, left.substr(0, cut));
    left.remove_prefix(cut);
    for (std::string& each : TakeAll(buffer)) got.push_back(std::move(each));
  }
  RC_ASSERT(got == payloads);
  RC_ASSERT(buffer.empty());
}

}  // namespace
}  // namespace oj
