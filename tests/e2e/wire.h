// A client that speaks the wire protocol byte by byte, also where `oj` never would.
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace oj::e2e {

// A 4-byte big-endian length and `payload`.
std::string FrameOf(std::string_view payload);

// One connection. Waits are bounded by ten seconds unless told otherwise.
class Wire {
 public:
  explicit Wire(const std::string& socket_path);
  Wire(Wire&& other) noexcept;
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  ~Wire() { Close(); }

  bool connected() const { return fd_ >= 0; }
  void SendBytes(std::string_view bytes) const;
  void Send(const boost::json::object& request) const;
  void HalfClose() const;
  void Close();

  // The next reply; empty object: the daemon closed, or the time is over.
  boost::json::object Receive(std::chrono::milliseconds limit = std::chrono::seconds(10));
  boost::json::object Ask(const boost::json::object& request);
  // Whether the daemon closes the connection in time, all replies before that thrown away.
  bool Closes(std::chrono::milliseconds limit = std::chrono::seconds(10));
  // Whether the peer has hung up, with nothing read.
  bool HungUp(std::chrono::milliseconds limit) const;

 private:
  // False: end of file, an error, or the time is over.
  bool ReadSome(std::chrono::steady_clock::time_point until);

  int fd_ = -1;
  std::string received_;
  bool end_of_file_ = false;
};

// Of an object, or "".
std::string Text(const boost::json::object& object, std::string_view key);

}  // namespace oj::e2e
