#include "search/evolve.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace polar::search {
namespace {

TEST(EvolveSearchTest, CombinesEditsThatHelpAlone) {
  // Layers 3, 7 and 11 twice: each helps alone, only all three together are right.
  const auto rule = [](const Trial& trial) {
    int helping = 0;
    for (const int layer : {3, 7, 11}) helping += std::ranges::count(trial.program.layers(), layer) == 2 ? 1 : 0;
    const bool only = trial.program.length() == 14 + helping;
    return Outcome{.correct = helping == 3 && only, .answer_log_prob = -4.0 + helping - (only ? 0 : 1)};
  };
  const SearchSpace space({.depth = 14, .first_layer = 0, .max_block = 2, .max_depth_ratio = 1.3});
  int solved = 0;
  for (int example = 0; example < 20; ++example) {
    EvolveSearch search(std::to_string(example), space, {.rollouts = 400}, 1);
    for (auto trials = search.select(); !trials.empty(); trials = search.select()) {
      std::vector<Outcome> outcomes;
      for (const Trial& trial : trials) outcomes.push_back(rule(trial));
      search.backup(outcomes);
    }
    solved += search.valid_count() > 0 ? 1 : 0;
  }
  EXPECT_GE(solved, 15);
}

}  // namespace
}  // namespace polar::search
