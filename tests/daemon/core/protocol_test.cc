// Requests as text, what is wrong with them, and text that must be UTF-8.
#include "core/protocol.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <boost/json.hpp>

namespace oj {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

template <class Body>
Body Parsed(const std::string& text) {
  auto request = ParseRequest(text);
  if (!request) {
    ADD_FAILURE() << text << ": " << request.error().message;
    return Body{};
  }
  if (!std::holds_alternative<Body>(request->body)) {
    ADD_FAILURE() << text << " is taken for " << TypeOf(request->body);
    return Body{};
  }
  return std::get<Body>(request->body);
}

std::string WhyNot(const std::string& text) {
  const auto request = ParseRequest(text);
  if (request) return "accepted";
  EXPECT_EQ(request.error().code, ErrorCode::kInvalidRequest);
  EXPECT_THAT(request.error().message, Not(HasSubstr("\n")));
  return request.error().message;
}

TEST(ParseRequest, ReadsTheRequestsWithoutFields) {
  Parsed<PingRequest>(R"({"type":"Ping"})");
  Parsed<StatusRequest>(R"({"type":"Status"})");
  Parsed<RequestsRequest>(R"({"type":"Requests"})");
  Parsed<LocksRequest>(R"({"type":"Locks"})");
  EXPECT_EQ(Parsed<HelloRequest>(R"({"type":"Hello","version":"9"})").version, "9");
}

TEST(ParseRequest, ReadsShutdownAndItsDefaults) {
  const auto bare = Parsed<ShutdownRequest>(R"({"type":"Shutdown"})");
  EXPECT_FALSE(bare.kill);
  EXPECT_FALSE(bare.drain);
  const auto full = Parsed<ShutdownRequest>(R"({"type":"Shutdown","kill":true,"drain_ms":7})");
  EXPECT_TRUE(full.kill);
  EXPECT_EQ(full.drain, 7ms);
}

TEST(ParseRequest, ReadsTheRequestsOfSessions) {
  const auto start = Parsed<SessionNewRequest>(
      R"({"type":"SessionNew","id":"a","cwd":"/x y","command":["sh","-c","true"],"env":{"A":"b"}})");
  EXPECT_EQ(start.id, "a");
  EXPECT_EQ(start.cwd, "/x y");
  EXPECT_THAT(start.command, ElementsAre("sh", "-c", "true"));
  EXPECT_THAT(start.env, ElementsAre(Pair("A", "b")));
  const auto send = Parsed<SessionSendRequest>(R"({"type":"SessionSend","id":"a","input":"x;"})");
  EXPECT_EQ(send.id + send.input, "ax;");
  EXPECT_EQ(Parsed<SessionKillRequest>(R"({"type":"SessionKill","id":"a"})").id, "a");
}

TEST(ParseRequest, ReadsPeekAndItsDefaults) {
  const auto bare = Parsed<PeekSessionRequest>(R"({"type":"PeekSession","session_id":"a"})");
  EXPECT_FALSE(bare.with_color);
  EXPECT_EQ(bare.lines, 40);
  const auto full = Parsed<PeekSessionRequest>(
      R"({"type":"PeekSession","session_id":"a","with_color":true,"lines":3})");
  EXPECT_TRUE(full.with_color);
  EXPECT_EQ(full.lines, 3);
}

TEST(ParseRequest, ReadsQueriesAndTheCancelOfARequest) {
  EXPECT_EQ(Parsed<CancelRequestRequest>(R"({"type":"CancelRequest","id":"r7"})").id, "r7");
  Parsed<ListSessionsQuery>(R"({"type":"Query","query":{"type":"ListSessions"}})");
  EXPECT_EQ(
      Parsed<GetSessionQuery>(R"({"type":"Query","query":{"type":"GetSession","id":"a"}})").id,
      "a");
}

TEST(ParseRequest, ReadsWhatEveryRequestMayCarry) {
  const auto request =
      ParseRequest(R"({"type":"Ping","timeout_ms":1500,"request_id":"k","progress":true})");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->timeout, 1500ms);
  EXPECT_EQ(request->request_id, "k");
  EXPECT_TRUE(request->progress);
}

TEST(ParseRequest, IgnoresUnknownFieldsAndReadsNullAsAbsent) {
  const auto request = ParseRequest(
      R"({"type":"Ping","what":[{}],"timeout_ms":null,"request_id":null,"progress":null})");
  ASSERT_TRUE(request);
  EXPECT_FALSE(request->timeout);
  EXPECT_EQ(request->request_id, "");
  EXPECT_FALSE(request->progress);
}

TEST(TypeOf, IsTheNameOnTheWire) {
  for (const char* text :
       {R"({"type":"Ping"})", R"({"type":"Hello","version":"1"})", R"({"type":"Status"})",
        R"({"type":"Shutdown"})", R"({"type":"SessionNew","id":"a","cwd":"/","command":["x"]})",
        R"({"type":"SessionSend","id":"a","input":""})", R"({"type":"SessionKill","id":"a"})",
        R"({"type":"PeekSession","session_id":"a"})", R"({"type":"Requests"})",
        R"({"type":"CancelRequest","id":"r1"})", R"({"type":"Locks"})",
        R"({"type":"Query","query":{"type":"ListSessions"}})",
        R"({"type":"Query","query":{"type":"GetSession","id":"a"}})"}) {
    const auto request = ParseRequest(text);
    ASSERT_TRUE(request) << text << ": " << request.error().message;
    EXPECT_THAT(text, HasSubstr("\"type\":\"" + std::string(TypeOf(request->body)) + "\""));
  }
}

struct Wrong {
  const char* text;
  const char* names;
};
void PrintTo(const Wrong& wrong, std::ostream* out) { *out << wrong.text; }
class WrongField : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongField, IsRefusedByItsName) {
  EXPECT_THAT(WhyNot(GetParam().text), HasSubstr("'" + std::string(GetParam().names) + "'"));
}

INSTANTIATE_TEST_SUITE_P(
    EveryField, WrongField,
    ::testing::Values(
        Wrong{R"({})", "type"}, Wrong{R"({"type":null})", "type"}, Wrong{R"({"type":7})", "type"},
        Wrong{R"({"type":"Pong"})", "type"}, Wrong{R"({"type":"ping"})", "type"},
        Wrong{R"({"type":"Ping","timeout_ms":0})", "timeout_ms"},
        Wrong{R"({"type":"Ping","timeout_ms":-1})", "timeout_ms"},
        Wrong{R"({"type":"Ping","timeout_ms":1.5})", "timeout_ms"},
        Wrong{R"({"type":"Ping","timeout_ms":5.0})", "timeout_ms"},
        Wrong{R"({"type":"Ping","timeout_ms":"5"})", "timeout_ms"},
        Wrong{R"({"type":"Ping","timeout_ms":18446744073709551615})", "timeout_ms"},
        Wrong{R"({"type":"Ping","timeout_ms":1e300})", "timeout_ms"},
        Wrong{R"({"type":"Ping","request_id":""})", "request_id"},
        Wrong{R"({"type":"Ping","request_id":1})", "request_id"},
        Wrong{R"({"type":"Ping","progress":1})", "progress"},
        Wrong{R"({"type":"Hello"})", "version"},
        Wrong{R"({"type":"Hello","version":1})", "version"},
        Wrong{R"({"type":"Shutdown","kill":"yes"})", "kill"},
        Wrong{R"({"type":"Shutdown","drain_ms":0})", "drain_ms"},
        Wrong{R"({"type":"SessionNew","cwd":"/","command":["x"]})", "id"},
        Wrong{R"({"type":"SessionNew","id":"-a","cwd":"/","command":["x"]})", "id"},
        Wrong{R"({"type":"SessionNew","id":"a","command":["x"]})", "cwd"},
        Wrong{R"({"type":"SessionNew","id":"a","cwd":"x","command":["x"]})", "cwd"},
        Wrong{R"({"type":"SessionNew","id":"a","cwd":"","command":["x"]})", "cwd"},
        Wrong{R"({"type":"SessionNew","id":"a","cwd":"/\u0000","command":["x"]})", "cwd"},
        Wrong{R"({"type":"SessionNew","id":"a","cwd":"/"})", "command"},
        Wrong{R"({"type":"SessionNew","id":"a","cwd":"/","command":[]})", "command"},
        Wrong{R"({"type":"SessionNew","id":"a","cwd":"/","command":"x"})", "command"},
        Wrong{R"({"type":"SessionNew","id":"a","cwd":"/","command":["x",1]})", "command"},
        Wrong{R"({"type":"SessionNew","id":"a","cwd":"/","command":["\u0000"]})", "command"},
        Wrong{R"({"type":"SessionNew","id":"a","cwd":"/","command":["x"],"env":[]})", "env"},
        Wrong{R"({"type":"SessionNew","id":"a","cwd":"/","command":["x"],"env":{"A":1}})", "env"},
        Wrong{R"({"type":"SessionNew","id":"a","cwd":"/","command":["x"],"env":{"":"1"}})", "env"},
        Wrong{R"({"type":"SessionNew","id":"a","cwd":"/","command":["x"],"env":{"A=":"1"}})",
              "env"},
        Wrong{R"({"type":"SessionSend","input":"x"})", "id"},
        Wrong{R"({"type":"SessionSend","id":"a"})", "input"},
        Wrong{R"({"type":"SessionSend","id":"a","input":["x"]})", "input"},
        Wrong{R"({"type":"SessionSend","id":"a","input":"\u0000"})", "input"},
        Wrong{R"({"type":"SessionKill"})", "id"}, Wrong{R"({"type":"SessionKill","id":""})", "id"},
        Wrong{R"({"type":"PeekSession","id":"a"})", "session_id"},
        Wrong{R"({"type":"PeekSession","session_id":"a b"})", "session_id"},
        Wrong{R"({"type":"PeekSession","session_id":"a","with_color":"no"})", "with_color"},
        Wrong{R"({"type":"PeekSession","session_id":"a","lines":0})", "lines"},
        Wrong{R"({"type":"PeekSession","session_id":"a","lines":1000001})", "lines"},
        Wrong{R"({"type":"CancelRequest"})", "id"}, Wrong{R"({"type":"Query"})", "query"},
        Wrong{R"({"type":"Query","query":"ListSessions"})", "query"},
        Wrong{R"({"type":"Query","query":{}})", "type"},
        Wrong{R"({"type":"Query","query":{"type":"DropTables"}})", "type"},
        Wrong{R"({"type":"Query","query":{"type":"GetSession"}})", "id"}));

TEST(ParseRequest, LimitsAreInBytes) {
  const std::string most(128, 'k');
  EXPECT_TRUE(ParseRequest(R"({"type":"Ping","request_id":")" + most + "\"}"));
  EXPECT_THAT(WhyNot(R"({"type":"Ping","request_id":"k)" + most + "\"}"), HasSubstr("request_id"));
  const std::string much(15 << 10, 'x');
  EXPECT_TRUE(ParseRequest(R"({"type":"SessionSend","id":"a","input":")" + much + "\"}"));
  EXPECT_THAT(WhyNot(R"({"type":"SessionSend","id":"a","input":"x)" + much + "\"}"),
              HasSubstr("input"));
  EXPECT_THAT(WhyNot(R"({"type":"SessionNew","id":"a","cwd":"/","command":[")" + much + "\"]}"),
              HasSubstr("command"));
}

TEST(ParseRequest, WhatIsNoJsonObjectIsRefused) {
  for (const char* text : {"", " ", "{", "[]", "7", "null", "\"Ping\"", R"({"type":"Ping"} {})",
                           R"({"type":"Ping"}x)", R"({'type':'Ping'})", R"({"type":"\ud800"})"}) {
    EXPECT_THAT(WhyNot(text), HasSubstr("frame is not")) << text;
  }
  EXPECT_THAT(WhyNot(std::string("{\"type\":\"\xff\"}")), HasSubstr("not UTF-8 JSON"));
}

TEST(ParseRequest, DepthIsBounded) {
  const auto nested = [](std::size_t depth) {
    return R"({"type":"Ping","x":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_TRUE(ParseRequest(nested(10)));
  EXPECT_THAT(WhyNot(nested(100)), HasSubstr("frame is not"));
  EXPECT_THAT(WhyNot(nested(400'000)), HasSubstr("frame is not"));
}

TEST(ParseRequest, RefusalOfATypeWithANewlineIsOneLine) { WhyNot(R"({"type":"a\nb"})"); }

TEST(IsValidId, AllowsNamesAndNothingThatIsAnOptionOrAPath) {
  for (const char* id : {"a", "A.b_c-9", "9", "_", "a..b"}) EXPECT_TRUE(IsValidId(id)) << id;
  for (const char* id :
       {"", "-a", ".a", "..", "a/b", "a b", "a:b", "a\n", "\xc3\xa4", "=a", "a;"}) {
    EXPECT_FALSE(IsValidId(id)) << id;
  }
  EXPECT_TRUE(IsValidId(std::string(128, 'a')));
  EXPECT_FALSE(IsValidId(std::string(129, 'a')));
  EXPECT_FALSE(IsValidId(std::string_view("a\0b", 3)));
}

TEST(Frame, IsTheLengthBigEndianAndThePayload) {
  EXPECT_EQ(Frame("ab"), std::string("\0\0\0\2ab", 6));
  EXPECT_EQ(Frame(std::string(0x10203, 'x')).substr(0, 4), std::string("\0\1\2\3", 4));
}

TEST(ErrorReply, CarriesCodeMessageAndDetailAndIsAlwaysUtf8) {
  const std::string reply =
      ErrorReply(Error{ErrorCode::kToolFailed, "tmux said \xff\"", R"({"exit":1})"});
  const auto value = boost::json::parse(reply);
  EXPECT_EQ(value.at("type"), "Error");
  EXPECT_EQ(value.at("code"), "tool_failed");
  EXPECT_EQ(value.at("message"), "tmux said \xef\xbf\xbd\"");
  EXPECT_EQ(value.at("detail").at("exit"), 1);
  EXPECT_FALSE(boost::json::parse(ErrorReply(Error{})).as_object().contains("detail"));
}

TEST(ToUtf8, ReplacesWhatIsNotUtf8AndNothingElse) {
  const std::string bad = "\xef\xbf\xbd";
  EXPECT_EQ(ToUtf8("a\xff"
                   "b"),
            "a" + bad + "b");
  EXPECT_EQ(ToUtf8("\xc3"), bad);                      // cut off
  EXPECT_EQ(ToUtf8("\xc0\xaf"), bad + bad);            // overlong
  EXPECT_EQ(ToUtf8("\xed\xa0\x80"), bad + bad + bad);  // surrogate
  EXPECT_EQ(ToUtf8("\xf4\x90\x80\x80"), bad + bad + bad + bad);
  EXPECT_EQ(ToUtf8("\xe2\x82\xac\xf0\x9f\x98\x80"), "\xe2\x82\xac\xf0\x9f\x98\x80");
}

// Boost.JSON's own check, as the judge.
bool IsUtf8(const std::string& text) {
  boost::json::error_code error;
  static_cast<void>(boost::json::parse(boost::json::serialize(boost::json::value(text)), error));
  return !error;
}

std::string Encoded(char32_t c) {
  const auto tail = [c](int shift) { return static_cast<char>(0x80 | (c >> shift & 0x3f)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xc0 | c >> 6), tail(0)};
  if (c < 0x10000) return {static_cast<char>(0xe0 | c >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xf0 | c >> 18), tail(12), tail(6), tail(0)};
}

RC_GTEST_PROP(ToUtf8Property, AnyBytesBecomeUtf8AndStayAsTheyAre, ()) {
  // Bytes from the corners of the encoding make near misses likely.
  const auto byte = rc::gen::oneOf(rc::gen::arbitrary<char>(),
                                   rc::gen::element('\xc2', '\xe0', '\xed', '\xef', '\xf0', '\xf4',
                                                    '\x80', '\xbf', '\xa0', 'a'));
  const std::string once = ToUtf8(*rc::gen::container<std::string>(byte));
  RC_ASSERT(IsUtf8(once));
  RC_ASSERT(ToUtf8(once) == once);
}

RC_GTEST_PROP(ToUtf8Property, ValidTextIsUnchanged, ()) {
  std::string text;
  const auto points = *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::oneOf(
      rc::gen::inRange<std::uint32_t>(0, 0x800), rc::gen::inRange<std::uint32_t>(0x800, 0xd800),
      rc::gen::inRange<std::uint32_t>(0xe000, 0x110000)));
  for (const std::uint32_t point : points) text += Encoded(static_cast<char32_t>(point));
  RC_ASSERT(ToUtf8(text) == text);
}

RC_GTEST_PROP(ParseRequestProperty, AnyBytesAreAnsweredWithoutACrash, (const std::string& bytes)) {
  const auto request = ParseRequest(bytes);
  RC_ASSERT(request.ok() || request.error().code == ErrorCode::kInvalidRequest);
}

}  // namespace
}  // namespace oj
