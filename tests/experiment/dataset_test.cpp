#include "experiment/dataset.h"

#include <gtest/gtest.h>

namespace polar::experiment {
namespace {

TEST(MakeData, SplitsArithmeticByTheSharesAskedFor) {
  Config config;
  config.task.kind = "arithmetic";
  config.task.levels = {"products"};
  config.task.train_per_level = config.task.valid_per_level = config.task.test_per_level = 169;
  const std::size_t usual = make_data(config).dataset.train.size();
  config.task.train_share = 0.8;
  const task::Dataset wider = make_data(config).dataset;
  EXPECT_GT(wider.train.size(), 120u);
  EXPECT_LT(usual, 90u);
  EXPECT_EQ(wider.train.size() + wider.valid.size() + wider.test.size(), 169u);
}

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
