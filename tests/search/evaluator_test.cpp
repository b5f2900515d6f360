#include "search/evaluator.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "support/fake_evaluator.h"

namespace polar::search {
namespace {

using test::RuleEvaluator;

Trial trial(const std::string& example, core::Program program) {
  return {example, std::move(program), {}};
}

class ShortEvaluator final : public Evaluator {
 public:
  std::vector<Outcome> evaluate(std::span<const Trial> trials) override {
    return std::vector<Outcome>(trials.size() - 1);
  }
};

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
