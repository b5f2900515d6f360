#include "search/options.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>

#include "core/error.h"
#include "support/message_of.h"

namespace polar::search {
namespace {

TEST(Reward, IsOneWhenCorrectAndHalfTheMeanTokenProbabilityOtherwise) {
  const Outcome wrong{.answer_log_prob = 3 * std::log(0.25), .answer_tokens = 3};
  EXPECT_DOUBLE_EQ(reward(wrong, RewardKind::kDense), 0.125);
  EXPECT_EQ(reward(wrong, RewardKind::kBinary), 0);
  const Outcome right{.correct = true, .answer_log_prob = -9, .answer_tokens = 3};
  EXPECT_EQ(reward(right, RewardKind::kDense), 1);
  EXPECT_EQ(reward(right, RewardKind::kBinary), 1);
}

TEST(Reward, OrdersWrongAnswersByProbabilityBelowAnyRightOne) {
  const Outcome likely{.answer_log_prob = -0.1};
  const Outcome unlikely{.answer_log_prob = -5};
  const Outcome impossible{.answer_log_prob = -INFINITY};
  const Outcome right{.correct = true, .answer_log_prob = -20};
  EXPECT_GT(reward(right, RewardKind::kDense), reward(likely, RewardKind::kDense));
  EXPECT_GT(reward(likely, RewardKind::kDense), reward(unlikely, RewardKind::kDense));
  EXPECT_GT(reward(unlikely, RewardKind::kDense), reward(impossible, RewardKind::kDense));
  EXPECT_EQ(reward(impossible, RewardKind::kDense), 0);
}

TEST(SearchOptionsTest, NamesComeBackAsWhatTheyName) {
  for (const std::string& name : algorithm_names()) EXPECT_EQ(to_string(algorithm_of(name)), name);
  for (const std::string& name : objective_names()) EXPECT_EQ(to_string(objective_of(name)), name);
  for (const std::string& name : minimise_names()) EXPECT_EQ(to_string(minimise_of(name)), name);
  EXPECT_EQ(algorithm_of("exhaustive"), Algorithm::kExhaustive);
  EXPECT_EQ(objective_of("pareto"), Objective::kPareto);
  EXPECT_EQ(minimise_of("edits"), Minimise::kEdits);
  const auto message = test::message_of<core::UsageError>([] { algorithm_of("magic"); });
  EXPECT_NE(message.find("expected one of guided, mcts, paper"), std::string::npos) << message;
}

TEST(SearchOptionsTest, TextTellsEverySettingOfTrialsApart) {
  std::set<std::string> texts{SearchOptions{}.text()};
  int changes = 0;
  const auto changed = [&](auto change) {
    SearchOptions options;
    change(options);
    texts.insert(options.text());
    ++changes;
  };
  changed([](SearchOptions& o) { o.algorithm = Algorithm::kMcts; });
  changed([](SearchOptions& o) { o.rollouts = 7; });
  changed([](SearchOptions& o) { o.leaves_per_round = 7; });
  changed([](SearchOptions& o) { o.exploration = 7; });
  changed([](SearchOptions& o) { o.length_penalty = 7; });
  changed([](SearchOptions& o) { o.widening_factor = 7; });
  changed([](SearchOptions& o) { o.widening_exponent = 0.1; });
  changed([](SearchOptions& o) { o.reward = RewardKind::kBinary; });
  changed([](SearchOptions& o) { o.stop_after_valid = 7; });
  changed([](SearchOptions& o) { o.objective = Objective::kPareto; });
  changed([](SearchOptions& o) { o.minimise = Minimise::kEdits; });
  changed([](SearchOptions& o) { o.stop_when_rescued = true; });
  changed([](SearchOptions& o) { o.random_child = 0.5; });
  changed([](SearchOptions& o) { o.log_visits_plus_one = true; });
  changed([](SearchOptions& o) { o.beam_width = 7; });
  changed([](SearchOptions& o) { o.beam_children = 7; });
  changed([](SearchOptions& o) { o.elite = 7; });
  changed([](SearchOptions& o) { o.model_spread = 7; });
  changed([](SearchOptions& o) { o.model_noise = 7; });
  changed([](SearchOptions& o) { o.model_reach = 7; });
  changed([](SearchOptions& o) { o.model_skip_cost = 7; });
  changed([](SearchOptions& o) { o.model_repeat_cost = 7; });
  changed([](SearchOptions& o) { o.first_programs = {{0, 1}}; });
  changed([](SearchOptions& o) { o.first_programs = {{0, 2}}; });
  EXPECT_EQ(static_cast<int>(texts.size()), 1 + changes);
  EXPECT_EQ(SearchOptions{.keep = 7}.text(), SearchOptions{}.text()) << "it changes no trial";
}

TEST(SearchOptionsTest, NamesTheOptionThatIsOutOfRange) {
  const auto expect_refused = [](const SearchOptions& options, const std::string& option) {
    try {
      options.check();
      ADD_FAILURE() << option << " was accepted";
    } catch (const core::UsageError& error) {
      EXPECT_NE(std::string(error.what()).find(option + ": expected"), std::string::npos) << error.what();
    }
  };
  EXPECT_NO_THROW(SearchOptions{}.check());
  expect_refused({.rollouts = 0}, "rollouts");
  expect_refused({.leaves_per_round = 0}, "leaves_per_round");
  expect_refused({.exploration = -1}, "exploration");
  expect_refused({.exploration = NAN}, "exploration");
  expect_refused({.length_penalty = -0.1}, "length_penalty");
  expect_refused({.widening_factor = 0}, "widening_factor");
  expect_refused({.widening_exponent = 1.5}, "widening_exponent");
  expect_refused({.stop_after_valid = -1}, "stop_after_valid");
  expect_refused({.keep = 0}, "keep");
  expect_refused({.random_child = 1.1}, "random_child");
  expect_refused({.beam_width = 0}, "beam_width");
  expect_refused({.beam_children = 0}, "beam_children");
  expect_refused({.elite = 1}, "elite");
  expect_refused({.model_spread = 0}, "model_spread");
  expect_refused({.model_noise = 0}, "model_noise");
  expect_refused({.model_reach = -1}, "model_reach");
  expect_refused({.model_skip_cost = NAN}, "model_skip_cost");
  expect_refused({.model_repeat_cost = INFINITY}, "model_repeat_cost");
}

}  // namespace
}  // namespace polar::search
