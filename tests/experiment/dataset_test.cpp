#include "experiment/dataset.h"

#include <gtest/gtest.h>

namespace polar::experiment {
namespace {

TEST(SliceLevels, TakesASliceOfEveryLevelInOrder) {
  std::vector<task::Example> examples;
  for (const char* id : {"a1", "a2", "b1", "a3", "b2"})
    examples.push_back({id, "q", "1", {}, -1, std::string(1, id[0]), ""});
  const auto sliced = [&](int first, int count) {
    std::vector<std::string> ids;
    for (const task::Example& example : slice_levels(examples, first, count)) ids.push_back(example.id);
    return ids;
  };
  using Ids = std::vector<std::string>;
  EXPECT_EQ(sliced(0, 2), (Ids{"a1", "a2", "b1", "b2"}));
  EXPECT_EQ(sliced(1, 1), (Ids{"a2", "b2"}));
  EXPECT_EQ(sliced(1, 0), (Ids{"a2", "a3", "b2"}));
  EXPECT_EQ(sliced(0, 0), (Ids{"a1", "a2", "b1", "a3", "b2"}));
}

}  // namespace
}  // namespace polar::experiment
