#include "predict/layer_choice.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.h"
#include "support/layer_choices.h"
#include "support/message_of.h"

namespace polar::predict {
namespace {

using core::Program;
using test::kRun;
using test::kSkip;
using test::kTwice;

constexpr RouteRules kChoiceRules{.depth = 6, .first_layer = 1, .end_layer = 6, .min_layers = 4, .max_layers = 8};

TEST(LayerChoice, ReadsSkipsAndRepeatsOfSingleLayers) {
  const Program program{0, 1, 1, 3, 4, 4, 5};
  const auto choices = choices_of(program, kChoiceRules);
  ASSERT_TRUE(choices);
  EXPECT_EQ(*choices, (std::vector<LayerChoice>{kRun, kTwice, kSkip, kRun, kTwice, kRun}));
  EXPECT_EQ(program_of(*choices), program);
  EXPECT_EQ(program_of(std::span(*choices).first(3)), (Program{0, 1, 1}));
  EXPECT_TRUE(program_of(std::vector<LayerChoice>{kSkip, kSkip}).empty());
}

TEST(LayerChoice, HasNoneForProgramsThatRoutersCannotMake) {
  EXPECT_TRUE(choices_of(Program::identity(6), kChoiceRules));
  for (const char* text : {
           "0-2,1-5",          // two layers looped as a whole
           "0-1,1,1-5",        // three runs
           "0-3,1,4-5",        // goes back
           "1-5",              // skips a layer without a router
           "0,5",              // too short
           "0-1,1-2,2-3,3-5",  // too long: nine
           "0-5,6",            // another model's
       }) {
    EXPECT_FALSE(choices_of(Program::parse(text), kChoiceRules)) << text;
  }
}

TEST(LayerChoice, KeepsEveryProgramWithinItsBounds) {
  for (int code = 0; code < 243; ++code) {  // whatever five routers want
    std::vector<LayerChoice> choices{kRun};
    for (int layer = 1, rest = code; layer < 6; ++layer, rest /= 3)
      choices.push_back(
          within_bounds(static_cast<LayerChoice>(rest % 3), layer, program_of(choices).length(), kChoiceRules));
    const int length = program_of(choices).length();
    EXPECT_TRUE(4 <= length && length <= 8) << code;
  }
}

TEST(LayerChoice, OverrulesNothingThatTheBoundsAllow) {
  EXPECT_EQ(within_bounds(kSkip, 1, 1, kChoiceRules), kSkip);    // 1 + four layers left
  EXPECT_EQ(within_bounds(kSkip, 3, 2, kChoiceRules), kSkip);    // 2 + two
  EXPECT_EQ(within_bounds(kSkip, 3, 1, kChoiceRules), kRun);     // 1 + two
  EXPECT_EQ(within_bounds(kTwice, 2, 3, kChoiceRules), kTwice);  // 3 + 2 + three
  EXPECT_EQ(within_bounds(kTwice, 2, 4, kChoiceRules), kRun);    // 4 + 2 + three
  EXPECT_EQ(within_bounds(kRun, 5, 7, kChoiceRules), kRun);
}

TEST(LayerChoice, TakesTheMostProbableAndTheEarlierOfEquals) {
  EXPECT_EQ(choose_by(std::vector<float>{0, 2, 1}, 0), kRun);
  EXPECT_EQ(choose_by(std::vector<float>{0, 2, 3}, 0), kTwice);
  EXPECT_EQ(choose_by(std::vector<float>{1, 1, 1}, 0), kSkip);
  EXPECT_EQ(choose_by(std::vector<float>{0, 0.1F}, 0), kRun);  // a gate above 0.5
  EXPECT_EQ(choose_by(std::vector<float>{0, 0}, 0), kSkip);    // one of 0.5
}

TEST(LayerChoice, DialMixesTheSoftmaxWithAFixedChoice) {
  const std::vector<float> quarters{0, std::log(2.0F), 0};  // 1/4, 1/2, 1/4
  EXPECT_EQ(choose_by(quarters, -0.15), kRun);              // 0.85/4 + 0.15 < 0.85/2
  EXPECT_EQ(choose_by(quarters, -0.25), kSkip);             // 0.75/4 + 0.25 > 0.75/2
  EXPECT_EQ(choose_by(quarters, -1), kSkip);
  const std::vector<float> skipping{std::log(8.0F), 0, 0};  // 8/10, 1/10, 1/10
  EXPECT_EQ(choose_by(skipping, 0.2), kSkip);               // 0.6·8/10 > 0.6/10 + 0.4
  EXPECT_EQ(choose_by(skipping, 0.25), kRun);               // 0.5·8/10 < 0.5/10 + 0.5
  EXPECT_EQ(choose_by(skipping, 0.7), kRun);
  EXPECT_EQ(choose_by(skipping, 0.8), kTwice);
}

TEST(LayerChoice, RefusesLogitsThatAreNone) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const std::vector<float>& logits : {std::vector<float>{1}, {1, 2, 3, 4}, {0, nan, 1}}) {
    const auto message = test::message_of<core::Error>([&] { choose_by(logits, 0); });
    EXPECT_NE(message.find("expected two or three finite logits, found ["), std::string::npos) << message;
  }
}

TEST(LayerChoice, RefusesRulesThatContradictThemselves) {
  EXPECT_NO_THROW(check_route_rules(kChoiceRules));
  for (auto break_it : {+[](RouteRules& r) { r.first_layer = -1; }, +[](RouteRules& r) { r.end_layer = 1; },
                        +[](RouteRules& r) { r.end_layer = 7; }, +[](RouteRules& r) { r.min_layers = 0; },
                        +[](RouteRules& r) { r.min_layers = 7; }, +[](RouteRules& r) { r.max_layers = 5; }}) {
    RouteRules rules = kChoiceRules;
    break_it(rules);
    EXPECT_THROW(check_route_rules(rules), core::UsageError);
  }
}

}  // namespace
}  // namespace polar::predict
