// L1 (and all others): whenever clients leave, in whatever way, nothing of their work goes on.
#include "generate.h"

namespace oj::sim {
namespace {

TEST(DisconnectCancelsWork, WheneverAndHoweverClientsLeave) {
  Shape shape;
  shape.impatient = 60;
  shape.leave = 40;
  shape.requests = {"PeekSession", "SessionSend", "SessionKill", "SessionNew"};
  Holds("a client that leaves leaves no work behind", shape, CancelMetProcess, 10);
}

}  // namespace
}  // namespace oj::sim
