// L3 (and all others): a client that gives up and asks again at once never has two commands at work
// on one session.
#include <algorithm>

#include "generate.h"

namespace oj::sim {
namespace {

// A request was cancelled with a process alive, and another came for the same session.
bool ARetryMetACancel(const Story& story) {
  return CancelMetProcess(story) &&
         std::any_of(story.requests.begin(), story.requests.end(), [&](const RequestLife& late) {
           return std::any_of(
               story.requests.begin(), story.requests.end(), [&](const RequestLife& early) {
                 return early.latched && !early.leases.empty() && !late.leases.empty() &&
                        early.began.event < late.began.event &&
                        early.leases[0].key == late.leases[0].key;
               });
         });
}

TEST(RetriesNeverOverlap, WhenClientsGiveUpAndAskAgain) {
  Shape shape;
  shape.sessions = 1;
  shape.impatient = 80;
  shape.retries = true;
  shape.requests = {"SessionSend", "SessionKill", "SessionNew", "PeekSession"};
  Holds("a retry never overlaps what it repeats", shape, ARetryMetACancel, 10);
}

}  // namespace
}  // namespace oj::sim
