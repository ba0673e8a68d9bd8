#include "oj/intrusive_list.h"

#include <gmock/gmock.h>

#include <optional>
#include <vector>

namespace oj {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct OneTag;
struct OtherTag;
struct Item : Hook<OneTag>, Hook<OtherTag> {
  explicit Item(int value) : number(value) {}
  int number;
};
using List = HookList<Item, OneTag>;

std::vector<int> Numbers(List& list) {
  std::vector<int> numbers;
  list.ForEach([&](Item& item) { numbers.push_back(item.number); });
  return numbers;
}

TEST(HookListTest, KeepsTheOrderOfPushBack) {
  Item a(1), b(2), c(3);
  List list;
  list.PushBack(a);
  list.PushBack(b);
  list.PushBack(c);
  EXPECT_THAT(Numbers(list), ElementsAre(1, 2, 3));
  EXPECT_EQ(list.PopFront().number, 1);
  EXPECT_FALSE(a.Hook<OneTag>::linked());
  EXPECT_THAT(Numbers(list), ElementsAre(2, 3));
}

TEST(HookListTest, DestroyedElementLeavesTheList) {
  Item a(1), c(3);
  std::optional<Item> b(2);
  List list;
  list.PushBack(a);
  list.PushBack(*b);
  list.PushBack(c);
  b.reset();
  EXPECT_THAT(Numbers(list), ElementsAre(1, 3));
}

TEST(HookListTest, UnlinkingTwiceDoesNothing) {
  Item a(1), b(2);
  List list;
  list.PushBack(a);
  list.PushBack(b);
  a.Hook<OneTag>::Unlink();
  a.Hook<OneTag>::Unlink();
  EXPECT_THAT(Numbers(list), ElementsAre(2));
}

TEST(HookListTest, ForEachMayUnlinkWhatItVisits) {
  Item a(1), b(2);
  List list;
  list.PushBack(a);
  list.PushBack(b);
  list.ForEach([](Item& item) { item.Hook<OneTag>::Unlink(); });
  EXPECT_THAT(Numbers(list), IsEmpty());
}

TEST(HookListTest, LinksOfDifferentTagsAreIndependent) {
  Item a(1);
  List list;
  HookList<Item, OtherTag> other;
  list.PushBack(a);
  other.PushBack(a);
  list.PopFront();
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(&other.Front(), &a);
}

TEST(HookListTest, DestroyedListLeavesItsElementsUnlinked) {
  Item a(1);
  {
    List list;
    list.PushBack(a);
  }
  EXPECT_FALSE(a.Hook<OneTag>::linked());
}

}  // namespace
}  // namespace oj
