#include "predict/router_labels.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "support/layer_choices.h"

namespace polar::predict {
namespace {

using core::Program;
using test::kRun;
using test::kSkip;
using test::kTwice;

constexpr RouteRules kLabelRules{.depth = 6, .first_layer = 0, .end_layer = 6, .min_layers = 3, .max_layers = 12};

TEST(RouterLabel, IsTheShortestValidProgramThenThatOfTheFewestLayers) {
  RouterLabelCounts counts;
  const std::vector<Program> valid{Program::identity(6), Program{0, 2, 3, 4, 5}, Program{0, 1, 1, 3, 4}};
  const auto label = router_label(valid, kLabelRules, counts);
  ASSERT_TRUE(label);
  EXPECT_EQ(label->program, valid[2]) << "five executions, as the second, but four layers";
  EXPECT_EQ(label->choices, (std::vector<LayerChoice>{kRun, kTwice, kSkip, kRun, kRun, kSkip}));
  EXPECT_EQ(counts, (RouterLabelCounts{.examples = 1, .labelled = 1, .programs = 3}));
}

TEST(RouterLabel, IsTheNextOneWhereRoutersCannotMakeThePublishedOne) {
  RouterLabelCounts counts;
  const std::vector<Program> valid{Program::identity(6), Program::parse("0-1,0-1"), Program::parse("0-3,2-3,5"),
                                   Program::parse("1-5")};
  EXPECT_EQ(router_label(valid, kLabelRules, counts)->program, Program::parse("1-5"));
  EXPECT_EQ(counts,
            (RouterLabelCounts{.examples = 1, .labelled = 1, .replaced = 1, .programs = 4, .inexpressible = 2}));
}

TEST(RouterLabel, IsMissingAndCountedWhereThereIsNone) {
  RouterLabelCounts counts;
  EXPECT_FALSE(router_label({}, kLabelRules, counts));
  EXPECT_FALSE(router_label(std::vector<Program>{Program::parse("0-2,1-5")}, kLabelRules, counts));
  EXPECT_EQ(counts,
            (RouterLabelCounts{.examples = 2, .without_valid = 1, .dropped = 1, .programs = 1, .inexpressible = 1}));
}

TEST(RouterLabel, CountsChoicesOfRoutedLayersOnly) {
  RouteRules rules = kLabelRules;
  rules.first_layer = 1;
  const std::vector<RouterLabel> labels{{{}, {kRun, kSkip, kRun, kTwice, kRun, kRun}},
                                        {{}, {kRun, kRun, kRun, kRun, kRun, kSkip}}};
  EXPECT_EQ(choice_counts(labels, rules), (std::array<std::int64_t, 3>{2, 7, 1}));
}

TEST(ClassWeights, AreInverseEffectiveNumbersOfSamples) {
  const std::vector<std::int64_t> few{1, 3};
  const auto weights = effective_number_weights(few, 0.5);  // 0.5/0.5 = 1 and 0.5/0.875 = 4/7, times 2/(11/7)
  ASSERT_EQ(weights.size(), 2U);
  EXPECT_NEAR(weights[0], 14.0 / 11, 1e-12);
  EXPECT_NEAR(weights[1], 8.0 / 11, 1e-12);
  const std::vector<std::int64_t> published{4399, 120956, 1457};
  const double skip = 1 / (1 - std::pow(0.999, 4399)), run = 1, twice = 1 / (1 - std::pow(0.999, 1457));
  const auto three = effective_number_weights(published, 0.999);
  EXPECT_NEAR(three[0], 3 * skip / (skip + run + twice), 1e-9);
  EXPECT_NEAR(three[2], 3 * twice / (skip + run + twice), 1e-9);
}

TEST(ClassWeights, LeaveOutClassesThatDoNotOccurAndAreAllOneWithoutBeta) {
  const std::vector<std::int64_t> no_repeats{5, 50, 0};
  const auto weights = effective_number_weights(no_repeats, 0.9);
  EXPECT_GT(weights[0], weights[1]);
  EXPECT_NEAR(weights[0] + weights[1], 2, 1e-12);
  EXPECT_EQ(weights[2], 0);
  EXPECT_EQ(effective_number_weights(no_repeats, 0), (std::vector<double>{1, 1, 0}));
  EXPECT_THROW(effective_number_weights(no_repeats, 1), core::UsageError);
}

TEST(ChoiceTable, GivesF1ByChoiceAsComputedByHand) {
  ChoiceTable table;
  const auto add = [&](LayerChoice label, LayerChoice chosen, int times) {
    for (int i = 0; i < times; ++i) table.add(label, chosen);
  };
  EXPECT_FALSE(table.f1(kRun));
  EXPECT_FALSE(table.accuracy());
  add(kRun, kRun, 6);
  add(kRun, kSkip, 2);
  add(kSkip, kSkip, 1);
  add(kSkip, kRun, 1);
  EXPECT_DOUBLE_EQ(*table.f1(kSkip), 2.0 / (2 + 2 + 1));   // TP 1, FP 2, FN 1
  EXPECT_DOUBLE_EQ(*table.f1(kRun), 12.0 / (12 + 1 + 2));  // TP 6, FP 1, FN 2
  EXPECT_FALSE(table.f1(kTwice)) << "neither labelled nor chosen";
  EXPECT_DOUBLE_EQ(*table.accuracy(), 0.7);
}

}  // namespace
}  // namespace polar::predict
