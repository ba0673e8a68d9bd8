// The framing rules of the protocol, each against the real daemon.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "world.h"

namespace oj::e2e {
namespace {

using testing::HasSubstr;

class FramingTest : public testing::Test {
 protected:
  FramingTest() {
    world_.Set("OJ_TIMEOUT_REQUEST_READ_MS", "300");
    world_.Configure("[limits]\nmax_request_bytes = 100000\n");
  }
  void SetUp() override { ASSERT_TRUE(world_.StartDaemon()) << world_.daemon().Err(); }

  World world_{Tmux::kFake};
};

struct Malformed {
  const char* name;
  std::string bytes;
  const char* code;
  const char* named;  // in the message
};

std::string Repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

class MalformedFrameTest : public FramingTest, public testing::WithParamInterface<Malformed> {};

TEST_P(MalformedFrameTest, IsAnsweredWithItsErrorThenTheConnectionIsClosed) {
  Wire wire = world_.Connect();
  wire.SendBytes(GetParam().bytes);
  const auto reply = wire.Receive();
  EXPECT_EQ(Text(reply, "type"), "Error");
  EXPECT_EQ(Text(reply, "code"), GetParam().code) << Text(reply, "message");
  EXPECT_THAT(Text(reply, "message"), HasSubstr(GetParam().named));
  EXPECT_TRUE(wire.Closes());
  EXPECT_TRUE(world_.Answers());
}

INSTANTIATE_TEST_SUITE_P(
    , MalformedFrameTest,
    testing::Values(
        Malformed{"BadJson", FrameOf(R"({"type":"Ping")"), "invalid_request", "JSON"},
        Malformed{"TrailingGarbage", FrameOf(R"({"type":"Ping"} x)"), "invalid_request", "JSON"},
        Malformed{"NoObject", FrameOf("[1]"), "invalid_request", "object"},
        Malformed{"NoType", FrameOf("{}"), "invalid_request", "type"},
        Malformed{"UnknownType", FrameOf(R"({"type":"Pong"})"), "invalid_request", "type"},
        Malformed{"WrongFieldType", FrameOf(R"({"type":"PeekSession","session_id":5})"),
                  "invalid_request", "session_id"},
        Malformed{"AbsentField", FrameOf(R"({"type":"SessionKill"})"), "invalid_request", "id"},
        Malformed{"BadId", FrameOf(R"({"type":"SessionKill","id":"-t"})"), "invalid_request", "id"},
        Malformed{"ZeroTimeout", FrameOf(R"({"type":"Ping","timeout_ms":0})"), "invalid_request",
                  "timeout_ms"},
        Malformed{"InvalidUtf8", FrameOf("{\"type\":\"Ping\",\"x\":\"\xff\"}"), "invalid_request",
                  "UTF-8"},
        Malformed{"DeepNesting", FrameOf(Repeated("[", 50000)), "invalid_request", ""},
        Malformed{"ZeroLength", std::string(4, '\0'), "invalid_request", "zero"},
        Malformed{"HugeLength", "\xff\xff\xff\xff", "too_large", "max_request_bytes"},
        Malformed{"OneByteTooMany", FrameOf(std::string(100001, ' ')), "too_large",
                  "max_request_bytes"}),
    [](const auto& each) { return each.param.name; });

TEST_F(FramingTest, AHugeLengthIsRefusedBeforeItIsAllocated) {
  const long before = ResidentKiB(world_.daemon().pid());
  for (int i = 0; i < 50; ++i) {
    Wire wire = world_.Connect();
    wire.SendBytes("\xff\xff\xff\xff");
    EXPECT_EQ(Text(wire.Receive(), "code"), "too_large");
  }
  EXPECT_LT(ResidentKiB(world_.daemon().pid()) - before, 32L << 10);
}

TEST_F(FramingTest, AFrameThatIsNotFinishedInTimeClosesTheConnection) {
  Wire wire = world_.Connect();
  wire.SendBytes(FrameOf(R"({"type":"Ping"})").substr(0, 7));
  EXPECT_FALSE(wire.Closes(milliseconds(100)));
  EXPECT_TRUE(wire.Closes(milliseconds(5000)));
}

TEST_F(FramingTest, AClientThatDripsBytesIsHeldToTheSameLimit) {
  Wire wire = world_.Connect();
  const std::string frame = FrameOf(R"({"type":"Ping"})");
  bool closed = false;
  for (std::size_t i = 0; i + 1 < frame.size() && !closed; ++i) {
    wire.SendBytes(frame.substr(i, 1));
    closed = wire.HungUp(milliseconds(60));
  }
  EXPECT_TRUE(closed);
}

TEST_F(FramingTest, AFrameInPiecesIsServed) {
  Wire wire = world_.Connect();
  for (const char byte : FrameOf(R"({"type":"Ping"})")) wire.SendBytes({&byte, 1});
  EXPECT_EQ(Text(wire.Receive(), "type"), "Pong");
}

TEST_F(FramingTest, PipelinedRequestsAreAnsweredInOrder) {
  Wire wire = world_.Connect();
  wire.SendBytes(FrameOf(R"({"type":"PeekSession","session_id":"work"})") +
                 FrameOf(R"({"type":"Ping"})") + FrameOf(R"({"type":"Locks"})"));
  EXPECT_EQ(Text(wire.Receive(), "type"), "SessionPeek");
  EXPECT_EQ(Text(wire.Receive(), "type"), "Pong");
  EXPECT_EQ(Text(wire.Receive(), "type"), "Locks");
}

TEST_F(FramingTest, AnIdleConnectionStaysOpenBeyondTheReadLimit) {
  Wire wire = world_.Connect();
  EXPECT_EQ(Text(wire.Ask({{"type", "Ping"}}), "type"), "Pong");
  EXPECT_FALSE(wire.Closes(milliseconds(700)));
  EXPECT_EQ(Text(wire.Ask({{"type", "Ping"}}), "type"), "Pong");
}

TEST_F(FramingTest, UnknownFieldsAreIgnored) {
  Wire wire = world_.Connect();
  EXPECT_EQ(Text(wire.Ask({{"type", "Ping"}, {"colour", "red"}}), "type"), "Pong");
}

TEST_F(FramingTest, AQueryIsAnsweredThoughTheClientHasHalfClosed) {
  Wire wire = world_.Connect();
  wire.Send({{"type", "Ping"}});
  wire.HalfClose();
  EXPECT_EQ(Text(wire.Receive(), "type"), "Pong");
  EXPECT_TRUE(wire.Closes());
}

TEST_F(FramingTest, AClientThatClosesBeforeItsReplyDoesNoHarm) {
  for (int i = 0; i < 200; ++i) {
    Wire wire = world_.Connect();
    wire.Send({{"type", "Status"}});
  }
  EXPECT_TRUE(world_.Answers());
}

}  // namespace
}  // namespace oj::e2e
