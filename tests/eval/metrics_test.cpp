#include "eval/metrics.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "eval/statistics.h"
#include "support/message_of.h"

namespace polar::eval {
namespace {

bool same_text(std::string_view a, std::string_view b) {
  return a == b;
}

/// A program of six layers that answered; right when the answer is "1".
Candidate answered(const std::string& answer, double confidence = 0, const std::string& program = "0-5") {
  const auto parsed = core::Program::parse(program);
  return {parsed, answer, answer == "1", confidence, parsed.length(), parsed.unique_depth(), 2, 2 * parsed.length()};
}

EvaluationRow row(const std::string& policy, const std::string& example, const std::string& level,
                  std::vector<Candidate> ranked, const std::string& split = "test") {
  return {example, split, level, policy, policy == "oracle", std::move(ranked), "question", "1"};
}

MetricOptions options() {
  return {6, 5, same_text, 1, 200};
}

const Figure* find(const std::vector<Figure>& figures, std::string_view policy, std::string_view level,
                   std::string_view metric, int k = 1) {
  const Figure* found = nullptr;
  for (const Figure& figure : figures) {
    if (figure.policy != policy || figure.level != level || figure.metric != metric || figure.k != k) continue;
    EXPECT_EQ(found, nullptr) << "twice: " << metric;
    found = &figure;
  }
  return found;
}

double value(const std::vector<Figure>& figures, std::string_view policy, std::string_view level,
             std::string_view metric, int k = 1) {
  const Figure* figure = find(figures, policy, level, metric, k);
  if (!figure) ADD_FAILURE() << "no figure " << policy << ' ' << level << ' ' << metric << ' ' << k;
  return figure ? figure->value : -1;
}

/// Base right on the first `base_right` of n examples of one level, the policy on the last `right`.
std::vector<EvaluationRow> shifted(const std::string& policy, int n, int base_right, int right) {
  std::vector<EvaluationRow> rows;
  for (int i = 0; i < n; ++i) {
    const std::string example = "e" + std::to_string(i);
    rows.push_back(row("base", example, "a", {answered(i < base_right ? "1" : "0")}));
    rows.push_back(row(policy, example, "a", {answered(i >= n - right ? "1" : "0", 0, "0-5,5")}));
  }
  return rows;
}

TEST(Vote, TakesTheMostFrequentAnswerAndTheEarliestOfEqualOnes) {
  const std::vector<Candidate> ranked{answered("7"), answered("1"), answered("1"), answered("7"), answered("3")};
  EXPECT_EQ(vote(ranked, 1, same_text), 0u);
  EXPECT_EQ(vote(ranked, 2, same_text), 0u);
  EXPECT_EQ(vote(ranked, 3, same_text), 1u);
  EXPECT_EQ(vote(ranked, 4, same_text), 0u);
  EXPECT_EQ(vote(ranked, 99, same_text), 0u);
}

TEST(Vote, LetsEmptyAnswersAbstain) {
  EXPECT_EQ(vote(std::vector<Candidate>{answered(""), answered(""), answered("1")}, 3, same_text), 2u);
  EXPECT_EQ(vote(std::vector<Candidate>{answered(""), answered("")}, 2, same_text), 0u);
}

TEST(Vote, ComparesAnswersAsTheGraderDoes) {
  const auto same_value = [](std::string_view a, std::string_view b) {
    return std::stod(std::string(a)) == std::stod(std::string(b));
  };
  const std::vector<Candidate> ranked{answered("7"), answered("1"), answered("1.0")};
  EXPECT_EQ(vote(ranked, 3, same_text), 0u);
  EXPECT_EQ(vote(ranked, 3, same_value), 1u);
}

TEST(Select, TakesTheHighestConfidenceAmongTheFirstK) {
  const std::vector<Candidate> ranked{answered("a", -2), answered("b", -1), answered("c", -1), answered("d", 0)};
  EXPECT_EQ(select(ranked, 1), 0u);
  EXPECT_EQ(select(ranked, 3), 1u);
  EXPECT_EQ(select(ranked, 9), 3u);
}

TEST(Metrics, CountSeveralProgramsAnExample) {
  std::vector<EvaluationRow> rows;
  for (const char* example : {"e1", "e2"}) rows.push_back(row("base", example, "a", {answered("0")}));
  rows.push_back(row("menu", "e1", "a", {answered("0", -1), answered("1", -3), answered("1", -2)}));
  rows.push_back(row("menu", "e2", "a", {answered("0", -3), answered("1", -1)}));  // a shorter ranking counts whole
  const auto figures = figures_of(rows, options());
  EXPECT_EQ(value(figures, "menu", "a", "pass@k", 1), 0);
  EXPECT_EQ(value(figures, "menu", "a", "pass@k", 2), 1);
  EXPECT_EQ(value(figures, "menu", "a", "vote@k", 2), 0);
  EXPECT_EQ(value(figures, "menu", "a", "vote@k", 3), 0.5);
  EXPECT_EQ(value(figures, "menu", "a", "select@k", 2), 0.5);
  EXPECT_FALSE(find(figures, "menu", "a", "pass@k", 1)->oracle);
  EXPECT_TRUE(find(figures, "menu", "a", "pass@k", 2)->oracle);
  EXPECT_FALSE(find(figures, "menu", "a", "vote@k", 2)->oracle);
  EXPECT_EQ(find(figures, "menu", "a", "pass@k", 4), nullptr);
  EXPECT_EQ(find(figures, "base", "a", "pass@k", 2), nullptr);
}

TEST(Metrics, EndAtTheLargestK) {
  const std::vector<EvaluationRow> rows{row("base", "e", "a", {answered("0"), answered("0"), answered("1")})};
  MetricOptions two = options();
  two.max_k = 2;
  EXPECT_EQ(value(figures_of(rows, two), "base", "a", "pass@k", 2), 0);
  EXPECT_EQ(find(figures_of(rows, two), "base", "a", "pass@k", 3), nullptr);
}

TEST(Metrics, DescribeTheProgramThatIsRun) {
  const std::vector<EvaluationRow> rows{row("base", "e1", "a", {answered("1")}),
                                        row("base", "e2", "a", {answered("1")}),
                                        row("menu", "e1", "a", {answered("1", 0, "0-5"), answered("1", 0, "0")}),
                                        row("menu", "e2", "a", {answered("1", 0, "0-3,2-5")})};
  const auto figures = figures_of(rows, options());
  EXPECT_EQ(value(figures, "menu", "a", "layers"), 7);
  EXPECT_EQ(value(figures, "menu", "a", "unique_layers"), 6);
  EXPECT_NEAR(value(figures, "menu", "a", "depth_ratio"), 7.0 / 6, 1e-15);
  EXPECT_EQ(value(figures, "menu", "a", "identity_share"), 0.5);
  EXPECT_EQ(value(figures, "base", "a", "identity_share"), 1);
  EXPECT_EQ(value(figures, "menu", "a", "new_tokens"), 2);
  EXPECT_EQ(value(figures, "menu", "a", "executions"), 14);
  EXPECT_DOUBLE_EQ(value(figures, "menu", "a", "executions_ratio"), (12 + 16) / 24.0);
  EXPECT_EQ(value(figures, "base", "a", "executions_ratio"), 1);
  EXPECT_EQ(find(figures, "menu", "a", "layers")->ci_low, 6);  // two values: every mean of them is likely
  EXPECT_EQ(find(figures, "menu", "a", "layers")->ci_high, 8);
}

TEST(Metrics, ChargeEveryProgramThatIsRun) {
  const std::vector<EvaluationRow> rows{
      row("base", "e1", "a", {answered("0")}), row("base", "e2", "a", {answered("0")}),
      row("menu", "e1", "a", {answered("0"), answered("1", 0, "0-4"), answered("1", 0, "0-5,5")}),
      row("menu", "e2", "a", {answered("0"), answered("1", 0, "0-3")})};
  const auto figures = figures_of(rows, options());
  EXPECT_EQ(value(figures, "menu", "a", "layers@k", 2), (11 + 10) / 2.0);
  EXPECT_EQ(value(figures, "menu", "a", "layers@k", 3), (18 + 10) / 2.0) << "a shorter ranking counts whole";
  EXPECT_EQ(find(figures, "base", "a", "layers@k", 2), nullptr);
}

TEST(Metrics, DescribeTheSetsThatAreProposed) {
  std::vector<EvaluationRow> rows;
  const std::pair<const char*, const char*> pairs[] = {
      {"0-5", "0-4"}, {"0-4", "0-5"}, {"0-5", "0-3"}, {"0-5", "0-2"}};  // the first two are one set
  for (const auto& [first, second] : pairs) {
    const std::string example = "e" + std::to_string(rows.size());
    rows.push_back(row("base", example, "a", {answered("1")}));
    rows.push_back(row("menu", example, "a", {answered("1", 0, first), answered("0", 0, second)}));
  }
  rows.back().ranked[1].correct = true;  // by another program than the identity
  const auto figures = figures_of(rows, options());
  EXPECT_EQ(value(figures, "menu", "a", "distinct_programs@k", 1), 2);
  EXPECT_EQ(value(figures, "menu", "a", "distinct_programs@k", 2), 4);
  EXPECT_EQ(value(figures, "menu", "a", "distinct_sets@k", 2), 3);
  EXPECT_DOUBLE_EQ(value(figures, "menu", "a", "set_entropy@k", 2), 0.5 * 1 + 2 * 0.25 * 2);
  EXPECT_EQ(value(figures, "base", "a", "set_entropy@k", 1), 0);
  EXPECT_EQ(value(figures, "menu", "a", "pass_without_identity@k", 1), 0.25) << "of the second example's first program";
  EXPECT_EQ(value(figures, "menu", "a", "pass_without_identity@k", 2), 0.5);
  EXPECT_TRUE(find(figures, "menu", "a", "pass_without_identity@k", 2)->oracle);
}

TEST(Metrics, PairWithTheBaseByExampleNotByOrder) {
  auto rows = shifted("menu", 12, 2, 9);  // base right on 0 and 1, menu on 3 … 11
  std::reverse(rows.begin(), rows.end());
  const auto figures = figures_of(rows, options());
  EXPECT_DOUBLE_EQ(value(figures, "menu", "a", "flips_to_wrong"), 2.0 / 12);
  EXPECT_DOUBLE_EQ(value(figures, "menu", "a", "flips_to_right"), 9.0 / 12);
  EXPECT_DOUBLE_EQ(value(figures, "menu", "a", "mcnemar_p"), 2.0 * (1 + 11 + 55) / 2048);
  EXPECT_FALSE(find(figures, "menu", "a", "mcnemar_p")->ci_low.has_value());
  EXPECT_EQ(find(figures, "base", "a", "flips_to_wrong"), nullptr);
  EXPECT_EQ(find(figures, "base", "a", "mcnemar_p"), nullptr);
}

TEST(Metrics, TestAgainstTheLabelPriorWhereItWasAsked) {
  auto rows = shifted("menu", 12, 2, 9);
  EXPECT_EQ(find(figures_of(rows, options()), "menu", "a", "mcnemar_p_prior"), nullptr);
  for (const EvaluationRow& extra : shifted("label_prior", 12, 2, 3))
    if (extra.policy != "base") rows.push_back(extra);
  const auto figures = figures_of(rows, options());
  EXPECT_DOUBLE_EQ(value(figures, "menu", "a", "mcnemar_p_prior"), mcnemar_exact_p(0, 6));
  const auto corrected = holm_correction(std::vector<double>{mcnemar_exact_p(0, 6), mcnemar_exact_p(2, 3)});
  EXPECT_DOUBLE_EQ(value(figures, "menu", "a", "mcnemar_p_prior_holm"), corrected[0]);
  EXPECT_DOUBLE_EQ(value(figures, "base", "a", "mcnemar_p_prior_holm"), corrected[1]);
  EXPECT_EQ(find(figures, "label_prior", "a", "mcnemar_p_prior"), nullptr);
}

TEST(Metrics, CorrectOverTheDeployablePoliciesOnly) {
  auto rows = shifted("menu", 12, 2, 9);
  for (const EvaluationRow& extra : shifted("static_best", 12, 2, 3))
    if (extra.policy != "base") rows.push_back(extra);
  for (const EvaluationRow& extra : shifted("oracle", 12, 2, 12))
    if (extra.policy != "base") rows.push_back(extra);
  const auto figures = figures_of(rows, options());
  const double menu = mcnemar_exact_p(2, 9), fixed = mcnemar_exact_p(2, 3);
  const auto corrected = holm_correction(std::vector<double>{menu, fixed});
  EXPECT_DOUBLE_EQ(value(figures, "menu", "a", "mcnemar_p_holm"), corrected[0]);
  EXPECT_DOUBLE_EQ(value(figures, "static_best", "a", "mcnemar_p_holm"), corrected[1]);
  EXPECT_DOUBLE_EQ(value(figures, "menu", "a", "mcnemar_p_static"), mcnemar_exact_p(0, 6));
  const auto over_static = holm_correction(std::vector<double>{mcnemar_exact_p(0, 6), fixed});
  EXPECT_DOUBLE_EQ(value(figures, "menu", "a", "mcnemar_p_static_holm"), over_static[0]);
  EXPECT_DOUBLE_EQ(value(figures, "base", "a", "mcnemar_p_static_holm"), over_static[1]);
  EXPECT_EQ(find(figures, "static_best", "a", "mcnemar_p_static"), nullptr);
  EXPECT_EQ(find(figures, "static_best", "a", "mcnemar_p_static_holm"), nullptr);
  EXPECT_EQ(find(figures, "oracle", "a", "mcnemar_p"), nullptr);
  EXPECT_EQ(find(figures, "oracle", "a", "mcnemar_p_holm"), nullptr);
  EXPECT_TRUE(find(figures, "oracle", "a", "pass@k")->oracle);
  EXPECT_DOUBLE_EQ(value(figures, "oracle", "a", "flips_to_right"), 10.0 / 12);
}

TEST(Metrics, PoolTheExamplesOfAllLevels) {
  const std::vector<EvaluationRow> rows{
      row("base", "e1", "a", {answered("1")}), row("base", "e2", "b", {answered("0")}),
      row("base", "e3", "b", {answered("0")}), row("base", "e1", "a", {answered("1")}, "larger")};
  const auto figures = figures_of(std::span(rows).first(3), options());
  EXPECT_EQ(value(figures, "base", "a", "pass@k"), 1);
  EXPECT_EQ(value(figures, "base", "b", "pass@k"), 0);
  EXPECT_DOUBLE_EQ(value(figures, "base", "all", "pass@k"), 1.0 / 3);
  EXPECT_EQ(find(figures, "base", "all", "pass@k")->n, 3);
  const Interval interval = wilson_interval(1, 3);
  EXPECT_EQ(find(figures, "base", "all", "pass@k")->ci_low, interval.low);
  EXPECT_EQ(find(figures, "base", "all", "pass@k")->ci_high, interval.high);
  for (const Figure& figure : figures_of(rows, options())) EXPECT_TRUE(figure.split == "test" || figure.n == 1);
}

TEST(Metrics, GiveOnlyAllForADataSetWithoutLevels) {
  const auto figures = figures_of(std::vector{row("base", "e1", "", {answered("1")})}, options());
  for (const Figure& figure : figures) EXPECT_EQ(figure.level, "all");
  EXPECT_EQ(value(figures, "base", "all", "pass@k"), 1);
}

TEST(Metrics, AllowAnOracleThatSearchedSomeExamplesOnly) {
  const std::vector<EvaluationRow> rows{row("base", "e1", "a", {answered("0")}),
                                        row("base", "e2", "b", {answered("0")}),
                                        row("oracle", "e2", "b", {answered("1")})};
  const auto figures = figures_of(rows, options());
  EXPECT_EQ(find(figures, "oracle", "a", "pass@k"), nullptr);
  EXPECT_EQ(find(figures, "oracle", "all", "pass@k")->n, 1);
}

TEST(Metrics, GiveTheSameFiguresAgain) {
  const auto rows = shifted("menu", 12, 2, 9);
  EXPECT_EQ(figures_of(rows, options()), figures_of(rows, options()));
}

TEST(Metrics, RefuseRowsThatDoNotFitTogether) {
  const EvaluationRow base = row("base", "e1", "a", {answered("0")});
  EvaluationRow knowing = row("menu", "e1", "a", {answered("0")});
  knowing.oracle = true;
  EvaluationRow both = base;
  both.example = "e2";
  const std::pair<std::vector<EvaluationRow>, std::string> cases[] = {
      {{base, base}, "found a second one"},
      {{row("menu", "e1", "a", {answered("0")})}, "expected a row of policy base"},
      {{base, row("menu", "e2", "a", {answered("0")})}, "example e2: expected a row of policy base"},
      {{base, both, row("static_best", "e1", "a", {answered("0")})}, "expected a row of policy static_best"},
      {{base, both, knowing, row("menu", "e2", "a", {answered("0")})}, "to be an oracle's, or none"},
      {{row("base", "e1", "all", {answered("0")})}, "any name but 'all'"},
      {{row("base", "e1", "a", {})}, "at least one program"},
  };
  for (const auto& [rows, expected] : cases) {
    const auto message = test::message_of<core::Error>([&] { figures_of(rows, options()); });
    EXPECT_NE(message.find(expected), std::string::npos) << message;
  }
}

TEST(Metrics, RefuseOptionsOutOfRange) {
  MetricOptions depth = options(), k = options(), resamples = options(), same = options();
  depth.depth = 0;
  k.max_k = 0;
  resamples.bootstrap_resamples = 1;
  same.same = nullptr;
  for (const auto& bad : {depth, k, resamples, same}) EXPECT_THROW(figures_of({}, bad), core::UsageError);
}

}  // namespace
}  // namespace polar::eval
