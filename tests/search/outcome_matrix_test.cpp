#include "search/outcome_matrix.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "search/run_searches.h"
#include "support/fake_evaluator.h"
#include "support/message_of.h"

namespace polar::search {
namespace {

using test::arbitrary_outcome;
using test::RuleEvaluator;

TEST(OutcomeMatrixTest, HoldsEveryProgramOfAnExhaustiveSearchOnEveryExample) {
  const SearchSpace space({.depth = 6, .first_layer = 1, .max_block = 2, .min_depth_ratio = 0.5, .max_edits = 2});
  RuleEvaluator evaluator([](const Trial& trial) { return arbitrary_outcome(trial, 0.3); });
  const SearchOptions options{
      .algorithm = Algorithm::kExhaustive, .rollouts = static_cast<int>(space.count()), .minimise = Minimise::kEdits};
  const std::vector<task::ExampleId> ids{"a", "b", "c"};
  const OutcomeMatrix matrix = outcome_matrix(run_searches(ids, space, options, evaluator));
  EXPECT_EQ(matrix.examples, ids);
  EXPECT_EQ(static_cast<double>(matrix.programs.size()), space.count());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    for (std::size_t j = 0; j < matrix.programs.size(); ++j)
      EXPECT_EQ(matrix.at(i, j), arbitrary_outcome({ids[i], matrix.programs[j], {}}, 0.3));
  }
}

TEST(OutcomeMatrixTest, RefusesSearchesOfOtherPrograms) {
  const SearchResult first{"a", {{{0, 1}, {}, 0}}, {}, {}, false}, second{"b", {{{0}, {}, 0}}, {}, {}, false};
  const std::vector<SearchResult> results{first, second};
  const auto message = test::message_of<core::Error>([&] { outcome_matrix(results); });
  EXPECT_NE(message.find("example b"), std::string::npos) << message;
}

TEST(OutcomesCsv, WritesOneLineACell) {
  const SearchResult only{
      "a \"b\"", {{{0, 1}, {.correct = true, .answer_log_prob = -0.5, .margin = 2}, 0}, {{1}, {}, 0}}, {}, {}, false};
  const std::vector<SearchResult> results{only};
  EXPECT_EQ(outcomes_csv(outcome_matrix(results)),
            "example,program,correct,answer_log_prob,margin,layers\n"
            "\"a \"\"b\"\"\",\"1\",0,0,0,1\n"
            "\"a \"\"b\"\"\",\"0-1\",1,-0.5,2,2\n");
}

}  // namespace
}  // namespace polar::search
