#include "search/evaluators.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "support/fake_evaluator.h"

namespace polar::search {
namespace {

using testing::arbitrary_outcome;
using testing::RuleEvaluator;

Trial trial(const std::string& example, core::Program program, Sample sample = {}) {
  return {example, std::move(program), sample};
}

class FailingEvaluator final : public Evaluator {
 public:
  std::vector<Outcome> evaluate(std::span<const Trial>) override { throw core::Error("the model broke"); }
};

class ShortEvaluator final : public Evaluator {
 public:
  std::vector<Outcome> evaluate(std::span<const Trial> trials) override {
    return std::vector<Outcome>(trials.size() - 1);
  }
};

RuleEvaluator arbitrary() {
  return RuleEvaluator([](const Trial& asked) { return arbitrary_outcome(asked); });
}

TEST(CachingEvaluatorTest, AsksForEachWholeTrialOnce) {
  RuleEvaluator model = arbitrary();
  CountingEvaluator counted(model);
  CachingEvaluator cached(counted);
  const std::vector<Trial> batch{trial("a", {0, 1}), trial("b", {0, 1}),           trial("a", {0, 1}),
                                 trial("a", {1, 0}), trial("a", {0, 1}, {0.7, 0}), trial("a", {0, 1}, {0.7, 1})};
  EXPECT_EQ(cached.evaluate(batch), model.evaluate(batch));
  EXPECT_EQ(counted.trials(), 5u);
  EXPECT_EQ(cached.evaluate(batch), model.evaluate(batch));
  EXPECT_EQ(counted.batches(), 1u) << "the second batch was known";
  EXPECT_EQ(cached.size(), 5u);
}

TEST(CachingEvaluatorTest, RemembersNothingOfAFailedBatch) {
  FailingEvaluator broken;
  CachingEvaluator cached(broken);
  const std::vector<Trial> batch{trial("a", {0, 1})};
  EXPECT_THROW(cached.evaluate(batch), core::Error);
  EXPECT_EQ(cached.size(), 0u);
}

TEST(CountingEvaluatorTest, CountsTrialsDistinctTrialsBatchesAndLayers) {
  RuleEvaluator model = arbitrary();
  CountingEvaluator counted(model);
  const std::vector<Trial> batch{trial("a", {0, 1}), trial("a", {0, 1, 1}), trial("a", {0, 1})};
  counted.evaluate(batch);
  counted.evaluate(std::span(batch).first(1));
  EXPECT_EQ(counted.batches(), 2u);
  EXPECT_EQ(counted.trials(), 4u);
  EXPECT_EQ(counted.distinct_trials(), 2u);
  EXPECT_EQ(counted.layer_executions(), 9u);
}

TEST(CountingEvaluatorTest, CountsNothingOfAFailedBatch) {
  FailingEvaluator broken;
  CountingEvaluator counted(broken);
  EXPECT_THROW(counted.evaluate(std::vector<Trial>{trial("a", {0})}), core::Error);
  EXPECT_EQ(counted.trials(), 0u);
}

TEST(BudgetEvaluatorTest, RefusesABatchBeyondTheBudgetWhole) {
  RuleEvaluator model = arbitrary();
  CountingEvaluator counted(model);
  BudgetEvaluator budget(counted, 3);
  const std::vector<Trial> two{trial("a", {0}), trial("b", {0})};
  budget.evaluate(two);
  EXPECT_EQ(budget.left(), 1u);
  EXPECT_THROW(budget.evaluate(two), BudgetExceeded);
  EXPECT_EQ(counted.trials(), 2u);
  budget.evaluate(std::span(two).first(1));
  EXPECT_EQ(budget.left(), 0u);
}

TEST(EvaluateCheckedTest, RefusesAnotherNumberOfOutcomes) {
  ShortEvaluator broken;
  EXPECT_THROW(evaluate_checked(broken, std::vector<Trial>{trial("a", {0})}), core::Error);
}

TEST(EvaluateCheckedTest, NamesTheTrialWhoseOutcomeIsNotANumber) {
  const auto message_for = [](Outcome outcome) -> std::string {
    RuleEvaluator broken([&](const Trial&) { return outcome; });
    try {
      evaluate_checked(broken, std::vector<Trial>{trial("sum-17", {0, 2})});
    } catch (const core::Error& error) {
      return error.what();
    }
    return "";
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_NE(message_for({.answer_log_prob = nan}).find("example sum-17, program 0,2"), std::string::npos);
  EXPECT_NE(message_for({.margin = nan}), "");
  EXPECT_NE(message_for({.answer_tokens = 0}), "");
  EXPECT_EQ(message_for({.answer_log_prob = -std::numeric_limits<double>::infinity()}), "");
}

}  // namespace
}  // namespace polar::search
