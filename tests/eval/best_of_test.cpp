#include "eval/best_of.h"

#include <gtest/gtest.h>

namespace polar::eval {
namespace {

Figure figure(const std::string& policy, const std::string& level, const std::string& metric, int k, double value) {
  return {policy, "test", level, 10, metric, k, value, value - 0.1, value + 0.1};
}

TEST(BestOf, TakesTheMemberThatIsBestOverAllLevelsForEachMetricAndK) {
  const std::vector<Figure> figures = {
      figure("cool", "easy", "pass@k", 1, 0.2), figure("cool", "all", "pass@k", 1, 0.5),
      figure("cool", "all", "pass@k", 2, 0.5),  figure("cool", "all", "layers", 1, 30),
      figure("hot", "easy", "pass@k", 1, 0.9),  figure("hot", "all", "pass@k", 1, 0.5),
      figure("hot", "all", "pass@k", 2, 0.6),   figure("base", "all", "pass@k", 1, 1)};
  const std::vector<std::string> members = {"cool", "hot"};
  std::vector<Figure> expected = {figure("best", "easy", "pass@k", 1, 0.2), figure("best", "all", "pass@k", 1, 0.5),
                                  figure("best", "all", "pass@k", 2, 0.6)};
  for (Figure& each : expected) each.oracle = true;
  EXPECT_EQ(best_of(figures, members, "best"), expected);
}

}  // namespace
}  // namespace polar::eval
