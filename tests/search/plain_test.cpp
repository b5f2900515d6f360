#include "search/plain.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <string>

#include "search/search_factory.h"

namespace polar::search {
namespace {

SpaceOptions small() {
  return {.depth = 8, .first_layer = 2, .max_block = 2, .min_depth_ratio = 0.5, .max_depth_ratio = 1.5, .max_edits = 2};
}

std::vector<core::Program> played(const SearchSpace& space, const SearchOptions& options, const std::string& example) {
  auto search = SearchFactory(space, options, 1).make(example);
  std::vector<core::Program> programs;
  for (auto trials = search->select(); !trials.empty(); trials = search->select()) {
    search->backup(std::vector<Outcome>(trials.size()));
    for (const Trial& trial : trials) programs.push_back(trial.program);
  }
  return programs;
}

TEST(ExhaustiveSearchTest, TriesTheWholeSpaceByNumberOfEdits) {
  const SearchSpace space(small());
  const int all = static_cast<int>(space.count());
  const auto programs = played(space, {.algorithm = Algorithm::kExhaustive, .rollouts = all + 100}, "a");
  ASSERT_EQ(static_cast<int>(programs.size()), all);
  std::size_t edits = 0;
  for (const core::Program& program : programs) {
    const std::size_t now = space.find(program)->edits.size();
    EXPECT_GE(now, edits);
    edits = now;
  }
}

TEST(RandomSearchTest, DrawsEveryLengthAlikeAndNoProgramTwice) {
  const SearchSpace space({.depth = 20, .first_layer = 2});
  std::map<int, int> lengths;
  const int examples = 200, rollouts = 21;
  for (int i = 0; i < examples; ++i) {
    const auto programs = played(space, {.algorithm = Algorithm::kRandom, .rollouts = rollouts}, std::to_string(i));
    EXPECT_EQ(std::set<core::Program>(programs.begin(), programs.end()).size(), programs.size());
    for (std::size_t k = 1; k < programs.size(); ++k) ++lengths[programs[k].length()];
  }
  const int possible = space.max_layers() - space.min_layers() + 1;
  EXPECT_EQ(static_cast<int>(lengths.size()), possible);
  const double expected = static_cast<double>(examples) * (rollouts - 1) / possible;
  for (const auto& [length, count] : lengths) EXPECT_NEAR(count, expected, 6 * std::sqrt(expected)) << length;
}

TEST(RandomSearchTest, GoesOnWithOtherLengthsWhenOneIsUsedUp) {
  const SearchSpace space(small());
  const int all = static_cast<int>(space.count());
  EXPECT_EQ(static_cast<int>(played(space, {.algorithm = Algorithm::kRandom, .rollouts = all}, "a").size()), all);
}

}  // namespace
}  // namespace polar::search
