#include "experiment/algorithm_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "core/error.h"
#include "support/message_of.h"

namespace polar::experiment {
namespace {

/// A search whose trials have these lengths; negative: not valid.
search::SearchResult result(const std::string& example, const std::vector<int>& lengths) {
  search::SearchResult made;
  made.example = example;
  for (const int length : lengths)
    made.trials.push_back({core::Program::identity(std::abs(length)), {.correct = length > 0}, 0});
  return made;
}

// Three examples of two levels; four rollouts at most, read at two and four.
std::vector<AlgorithmRun> some_runs() {
  return {
      {"guided", false, {result("a", {-10, 9, 8, -7}), result("b", {-10, -9, 11, 10}), result("c", {10, 9, -8, 8})}},
      {"random", false, {result("a", {-10, -9, -8, 10}), result("b", {-10, -9, -11, -12}), result("c", {10, 12})}},
      {"exhaustive", true, {result("a", {-10, 9, 7}), result("b", {-10, -9, 10}), result("c", {10, 9, 8})}}};
}
const std::vector<std::string> kLevels{"easy", "hard", "easy"};

AlgorithmTableOptions options() {
  return {.default_algorithm = "guided", .rollouts = {2, 4}, .seed = 1, .resamples = 200};
}

const AlgorithmRow& find(const std::vector<AlgorithmRow>& rows, const std::string& algorithm, const std::string& level,
                         int rollouts) {
  for (const AlgorithmRow& row : rows) {
    if (row.algorithm == algorithm && row.level == level && row.rollouts == rollouts) return row;
  }
  throw core::Error("no such row");
}

TEST(AlgorithmRows, ReadSmallerBudgetsFromTheRecordedOrder) {
  const auto rows = algorithm_rows(some_runs(), kLevels, options());
  const AlgorithmRow& small = find(rows, "guided", "all", 2);
  EXPECT_EQ(small.examples, 3);
  EXPECT_EQ(small.solved, 2);
  EXPECT_EQ(small.solved_interval, eval::wilson_interval(2, 3));
  EXPECT_DOUBLE_EQ(small.first_hit, (2 + 2 + 1) / 3.0) << "b is unsolved: the budget";
  EXPECT_DOUBLE_EQ(*small.shortest_layers, 9);
  const AlgorithmRow& large = find(rows, "guided", "all", 4);
  EXPECT_EQ(large.solved, 3);
  EXPECT_DOUBLE_EQ(large.first_hit, (2 + 3 + 1) / 3.0);
  EXPECT_DOUBLE_EQ(*large.shortest_layers, (8 + 10 + 8) / 3.0);
  EXPECT_EQ(find(rows, "guided", "easy", 4).examples, 2);
  EXPECT_EQ(find(rows, "guided", "hard", 2).solved, 0);
  EXPECT_FALSE(find(rows, "guided", "hard", 2).shortest_layers.has_value());
}

TEST(AlgorithmRows, GiveMeansTheirIntervals) {
  const auto rows = algorithm_rows(some_runs(), kLevels, options());
  const AlgorithmRow& guided = find(rows, "guided", "all", 4);
  EXPECT_LT(guided.first_hit_interval.low, guided.first_hit);
  EXPECT_GT(guided.first_hit_interval.high, guided.first_hit);
  EXPECT_LT(guided.shortest_layers_interval.low, *guided.shortest_layers);
  EXPECT_GT(guided.shortest_layers_interval.high, *guided.shortest_layers);
}

TEST(AlgorithmRows, CompareWithAnExhaustiveDefaultAtItsOwnBudget) {
  AlgorithmTableOptions by_optimum = options();
  by_optimum.default_algorithm = "exhaustive";
  const auto rows = algorithm_rows(some_runs(), kLevels, by_optimum);
  EXPECT_DOUBLE_EQ(*find(rows, "guided", "all", 2).solved_difference, -1 / 3.0) << "b is solved by its third program";
}

TEST(AlgorithmRows, ChargeThePilotOfTheDefaultWhereTheLargestBudgetAllows) {
  AlgorithmTableOptions charged = options();
  charged.pilot_rollouts = 2;
  const auto rows = algorithm_rows(some_runs(), kLevels, charged);
  EXPECT_DOUBLE_EQ(*find(rows, "random", "all", 2).solved_difference, -1 / 3.0);
  EXPECT_DOUBLE_EQ(*find(rows, "random", "all", 2).charged_difference, 0) << "a is solved by its fourth program";
  EXPECT_FALSE(find(rows, "random", "all", 4).charged_difference.has_value());
  EXPECT_FALSE(find(rows, "guided", "all", 2).charged_difference.has_value());
  EXPECT_NE(algorithms_markdown(rows, charged).find("Not at 4: nothing ran with so many more"), std::string::npos);
  constexpr const char* kNoLengths = "layers tell nothing of which search finds shorter";
  EXPECT_EQ(algorithms_markdown(rows, charged).find(kNoLengths), std::string::npos);
  charged.first_valid = true;
  EXPECT_NE(algorithms_markdown(rows, charged).find(kNoLengths), std::string::npos);
}

TEST(AlgorithmRows, ComparePairedWithTheDefault) {
  const auto rows = algorithm_rows(some_runs(), kLevels, options());
  const AlgorithmRow& random = find(rows, "random", "all", 4);
  EXPECT_DOUBLE_EQ(*random.solved_difference, -1 / 3.0) << "b is lost";
  EXPECT_DOUBLE_EQ(*random.layers_difference, (2 + 2) / 2.0) << "over a and c: 10 against 8, 10 against 8";
  EXPECT_LE(random.solved_difference_interval.low, -1 / 3.0);
  EXPECT_GE(random.solved_difference_interval.high, -1 / 3.0);
  EXPECT_DOUBLE_EQ(random.rollouts_used, (4 + 4 + 2) / 3.0);
  EXPECT_FALSE(find(rows, "guided", "all", 4).solved_difference.has_value());
}

TEST(AlgorithmRows, MeasureDepthOverTheExhaustiveOptimum) {
  const auto rows = algorithm_rows(some_runs(), kLevels, options());
  EXPECT_DOUBLE_EQ(*find(rows, "guided", "all", 4).over_optimum, ((8 / 7.0 - 1) + 0 + 0) / 3);
  EXPECT_EQ(find(rows, "guided", "all", 4).near_optimum, 2);
  EXPECT_EQ(find(rows, "guided", "all", 4).optimum_both, 3);
  EXPECT_EQ(find(rows, "random", "all", 4).optimum_both, 2) << "b is unsolved";
  EXPECT_EQ(find(rows, "random", "all", 4).optimum_known, 3);
  EXPECT_EQ(find(rows, "exhaustive", "all", 3).optimum_known, 0) << "not compared with itself";
  EXPECT_EQ(find(rows, "exhaustive", "all", 3).solved, 3) << "at its own budget, once";
  int exhaustive = 0;
  for (const AlgorithmRow& row : rows) exhaustive += row.algorithm == "exhaustive" ? 1 : 0;
  EXPECT_EQ(exhaustive, 3) << "two levels and all";
}

TEST(AlgorithmRows, RefuseRunsOfOtherExamplesAndAMissingDefault) {
  auto runs = some_runs();
  runs[1].results.pop_back();
  EXPECT_THROW(algorithm_rows(runs, kLevels, options()), core::Error);
  runs = some_runs();
  runs.erase(runs.begin());
  const auto message = test::message_of<core::Error>([&] { algorithm_rows(runs, kLevels, options()); });
  EXPECT_NE(message.find("guided"), std::string::npos) << message;
}

TEST(AlgorithmsCsv, LeavesWhatIsAbsentEmpty) {
  const std::string csv = algorithms_csv(algorithm_rows(some_runs(), kLevels, options()));
  EXPECT_NE(csv.find("\nguided,\"hard\",2,1,0,"), std::string::npos) << csv;
  EXPECT_NE(csv.find(",2,2,2,2,,,,,,,,,,,,,0,0,1,,,\n"), std::string::npos)
      << "no valid program, nothing to compare: " << csv;
  std::size_t fields = 0;
  for (const char c : csv.substr(0, csv.find('\n'))) fields += c == ',' ? 1 : 0;
  std::size_t commas = 0;
  for (const char c : csv) commas += c == ',' ? 1 : 0;
  const auto lines = static_cast<std::size_t>(std::count(csv.begin(), csv.end(), '\n'));
  EXPECT_EQ(commas, fields * lines);
}

TEST(AlgorithmsMarkdown, HasATableABudgetWithAlgorithmsDownAndLevelsAcross) {
  const std::string text = algorithms_markdown(algorithm_rows(some_runs(), kLevels, options()), options());
  EXPECT_NE(text.find("## 2 rollouts"), std::string::npos);
  EXPECT_NE(text.find("## 3 rollouts"), std::string::npos) << "the exhaustive search's";
  EXPECT_NE(text.find("| algorithm | easy | hard | all | points over guided |"), std::string::npos) << text;
  EXPECT_NE(text.find("| random | 100.0 (34-100) | 0.0 (0-79) | 66.7 (21-94) | -33.3 ["), std::string::npos) << text;
  EXPECT_NE(text.find("| easy | random |"), std::string::npos) << text;
  EXPECT_NE(text.find("| hard | guided |  |  | 10.00 [10.00, 10.00] |"), std::string::npos) << text;
}

}  // namespace
}  // namespace polar::experiment
