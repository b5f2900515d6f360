#include "eval/chance_control.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "core/error.h"
#include "support/message_of.h"
#include "task/grader.h"

namespace polar::eval {
namespace {

SameAnswer numeric() {
  const std::shared_ptr<task::TextGrader> grader = task::make_grader("numeric:first");
  return [grader](std::string_view a, std::string_view b) { return grader->same(a, b); };
}

ChanceFigureOptions some_options(SameAnswer same = numeric()) {
  return {.same = std::move(same), .permutations = 400, .root_seed = 1, .resamples = 200};
}

const LabelFigure* find_figure(const std::vector<LabelFigure>& figures, const std::string& level,
                               const std::string& analysis, const std::string& key) {
  const auto found = std::ranges::find_if(figures, [&](const LabelFigure& figure) {
    return figure.level == level && figure.analysis == analysis && figure.key == key;
  });
  return found == figures.end() ? nullptr : &*found;
}

double value_of(const std::vector<LabelFigure>& figures, const std::string& level, const std::string& analysis,
                const std::string& key) {
  const LabelFigure* figure = find_figure(figures, level, analysis, key);
  return figure ? figure->value : -100;
}

/// Two examples have one permutation: each is given the other's reference.
TEST(ChanceControl, CountsAnyOfNWithOwnAndWithPermutedReferences) {
  const std::vector<AnsweredExample> examples = {
      {"pair", "1", {"2", "1"}, 0},      // rescued; the identity's answer is the other reference
      {"pair", "2", {"5", "1", ""}, 0},  // never right; by luck with the other's reference
  };
  const std::vector<LabelFigure> figures = chance_figures(examples, some_options());
  EXPECT_EQ(value_of(figures, "pair", "counts", "answers"), 5);
  EXPECT_DOUBLE_EQ(value_of(figures, "pair", "any_of_n", "observed"), 0.5);
  EXPECT_DOUBLE_EQ(value_of(figures, "pair", "any_of_n", "chance"), 1);
  EXPECT_DOUBLE_EQ(value_of(figures, "pair", "any_of_n", "excess"), -0.5);
  EXPECT_EQ(find_figure(figures, "pair", "rescued", "observed")->n, 2);
  EXPECT_DOUBLE_EQ(value_of(figures, "pair", "rescued", "observed"), 0.5);
  // Of the pairs of example and permuted reference, the first is no W→C: its identity would be right.
  EXPECT_DOUBLE_EQ(value_of(figures, "pair", "rescued", "chance"), 1);
  EXPECT_FALSE(find_figure(figures, "pair", "any_of_n", "chance")->ci_low);  // every permutation is the same
}

TEST(ChanceControl, AveragesOverPermutations) {
  const std::vector<AnsweredExample> examples = {
      {"", "1", {"9", "1"}, 0}, {"", "2", {"2"}, 0}, {"", "3", {"7", "1"}, 0}};
  const std::vector<LabelFigure> figures = chance_figures(examples, some_options());
  EXPECT_DOUBLE_EQ(value_of(figures, "", "any_of_n", "observed"), 2.0 / 3);
  // Of the two permutations, one gives the third example the first's reference, and nothing else is ever hit.
  EXPECT_NEAR(value_of(figures, "", "any_of_n", "chance"), 1.0 / 6, 0.04);
  const LabelFigure& chance = *find_figure(figures, "", "any_of_n", "chance");
  EXPECT_EQ(chance.ci_low, 0);
  EXPECT_DOUBLE_EQ(*chance.ci_high, 1.0 / 3);
  const LabelFigure& excess = *find_figure(figures, "", "any_of_n", "excess");
  EXPECT_DOUBLE_EQ(excess.value, 2.0 / 3 - chance.value);
  EXPECT_LT(*excess.ci_low, excess.value);
  EXPECT_GT(*excess.ci_high, excess.value);
  EXPECT_EQ(find_figure(figures, "", "rescued", "observed")->n, 2);
  EXPECT_NEAR(value_of(figures, "", "rescued", "chance"), 0.25, 0.06);
  EXPECT_EQ(figures, chance_figures(examples, some_options()));
}

TEST(ChanceControl, NeverGradesAgainstAnEqualAnswer) {
  const std::vector<AnsweredExample> examples = {
      {"", "12", {"7"}, 0}, {"", "12.0", {"7"}, 0}, {"", "7", {"12", "7"}, 0}, {"", "7.00", {"12", "7"}, 0}};
  const std::vector<LabelFigure> figures = chance_figures(examples, some_options());
  EXPECT_DOUBLE_EQ(value_of(figures, "", "any_of_n", "observed"), 0.5);
  EXPECT_DOUBLE_EQ(value_of(figures, "", "any_of_n", "chance"), 1);  // 7 and 12 always change places
}

TEST(ChanceControl, LeavesOutALevelWhoseAnswersAllowNoPermutationAndSaysSo) {
  const std::vector<AnsweredExample> examples = {
      {"same", "4", {"4"}, 0}, {"same", "4.0", {"1"}, 0}, {"pair", "1", {"2"}, 0, 1}, {"pair", "2", {"2"}, 0, 2}};
  const std::vector<LabelFigure> figures = chance_figures(examples, some_options());
  EXPECT_DOUBLE_EQ(value_of(figures, "same", "any_of_n", "observed"), 0.5);
  EXPECT_NE(find_figure(figures, "same", "any_of_n", "observed")->note.find("2 of 2 examples have the same answer"),
            std::string::npos);
  EXPECT_EQ(find_figure(figures, "same", "any_of_n", "chance"), nullptr);
  EXPECT_EQ(find_figure(figures, "same", "any_of_n", "excess"), nullptr);
  const LabelFigure& all = *find_figure(figures, "all", "any_of_n", "observed");
  EXPECT_EQ(all.n, 2);
  EXPECT_EQ(all.note, "without same, whose answers allow no permutation");
  EXPECT_DOUBLE_EQ(value_of(figures, "all", "any_of_n", "chance"), 0.5);
  EXPECT_EQ(value_of(figures, "all", "counts", "examples"), 4);
  EXPECT_EQ(value_of(figures, "all", "counts", "disagreements"), 3);
}

TEST(ChanceControl, SaysOfAllLevelsThatNoneAllowsAPermutation) {
  const std::vector<AnsweredExample> examples = {{"a", "4", {"4"}, 0}, {"b", "5", {"1"}, 0}};
  const std::vector<LabelFigure> figures = chance_figures(examples, some_options());
  const LabelFigure& all = *find_figure(figures, "all", "any_of_n", "observed");
  EXPECT_EQ(all.n, 2);
  EXPECT_DOUBLE_EQ(all.value, 0.5);
  EXPECT_NE(all.note.find("no level"), std::string::npos);
  EXPECT_EQ(find_figure(figures, "all", "any_of_n", "chance"), nullptr);
}

TEST(ChanceControl, JudgesEachDistinctPairOfAnswerAndReferenceOnce) {
  std::vector<AnsweredExample> examples;
  for (int i = 0; i < 60; ++i)
    examples.push_back({"", std::to_string(i % 3), {std::to_string(i % 5), std::to_string(i % 4), ""}, 0});
  int judged = 0;
  const SameAnswer counting = [&](std::string_view a, std::string_view b) {
    ++judged;
    return a == b;
  };
  chance_figures(examples, some_options(counting));
  EXPECT_LE(judged, 5 * 3 + 3);  // five answers with three references, and three pairs of references
}

TEST(ChanceControl, RefusesExamplesWithoutTheIdentitysAnswer) {
  const std::vector<AnsweredExample> examples = {{"", "1", {"1"}, 1}};
  const auto figures = [&] { chance_figures(examples, some_options()); };
  EXPECT_NE(test::message_of<core::Error>(figures).find("that of the identity included"), std::string::npos);
}

}  // namespace
}  // namespace polar::eval
