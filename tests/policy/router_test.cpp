#include "policy/router.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "core/error.h"
#include "policy/learned_router.h"
#include "policy/read_features.h"
#include "policy/trained_policy.h"
#include "support/message_of.h"
#include "support/temporary_folder.h"
#include "support/tiny_pool.h"

namespace polar::policy {
namespace {

using core::Program;

constexpr int kRouterDepth = 6;
constexpr predict::RouteRules kRules{
    .depth = kRouterDepth, .first_layer = 1, .end_layer = 5, .min_layers = 4, .max_layers = 8};

/// Decides by a digit of the states' sum, so that another state gives another program.
class DigitRouter final : public Router {
 public:
  static Choice decide(const LayerStates& states) {
    const double sum = std::accumulate(states.values.begin(), states.values.end(), 0.0);
    return static_cast<Choice>(std::abs(std::llround(sum * 1e5)) % 3);
  }
  Choice next(int layer, const LayerStates& states) override {
    layers.insert(layer);
    return decide(states);
  }
  std::set<int> layers;
};

class SameRouter final : public Router {
 public:
  explicit SameRouter(Choice choice) : choice_(choice) {}
  Choice next(int /*layer*/, const LayerStates& /*states*/) override { return choice_; }

 private:
  Choice choice_;
};

class RouterTest : public testing::Test {
 protected:
  RouterTest() {
    test::write_tiny_pool(folder_ / "pool", {.depth = kRouterDepth});
    loaded_ = test::load_pool(folder_ / "pool", pool::DType::kFloat32);
    const exec::TaskEncoder encoder(loaded_.pool->manifest(), *loaded_.tokenizer, task_);
    for (int i = 0; i < 40; ++i)
      prompts_.push_back(encoder.encode_input("example " + std::to_string(i), std::to_string(i * 37 % 101) + " plus"));
  }

  exec::Executor executor() const {
    return {loaded_.pool, loaded_.tokenizer, exec::ExecOptions{.workers = 1, .layer_rows = 32}};
  }
  std::string digest() const { return loaded_.pool->manifest().weights_digest; }

  /// One prompt alone, each prefix executed from the start.
  Program by_hand(const exec::EncodedExample& prompt, const predict::RouteRules& rules) const {
    std::vector<Program::Layer> steps;
    for (int layer = 0; layer < kRouterDepth; ++layer) {
      int runs = 1;
      if (rules.routes(layer)) {
        exec::Executor alone = executor();
        const auto states = read_states(alone, std::span(&prompt, 1), steps.empty() ? Program() : Program(steps));
        runs = static_cast<int>(DigitRouter::decide(states.front()));
        const int rest = kRouterDepth - layer - 1, so_far = static_cast<int>(steps.size());
        if (so_far + runs + rest < rules.min_layers || so_far + runs + rest > rules.max_layers) runs = 1;
      }
      for (int run = 0; run < runs; ++run) steps.push_back(static_cast<Program::Layer>(layer));
    }
    return Program(steps);
  }

  predict::TrainedRouters trained(predict::RouterKind kind) const {
    return {{digest(), "task", predict::kRouterFeatures, 1},
            kRules,
            predict::RouterNetwork({kind, kRules.routed(), loaded_.pool->manifest().hidden, 16, 4}, 7),
            nullptr};
  }

  test::TemporaryFolder folder_;
  test::LoadedPool loaded_;
  task::TaskSpec task_;
  std::vector<exec::EncodedExample> prompts_;
};

TEST_F(RouterTest, SeesWhatExecutingTheProgramSoFarGives) {
  for (const int first_layer : {1, 0}) {
    predict::RouteRules rules = kRules;
    rules.first_layer = first_layer;
    rules.min_layers = 1 + 3 * first_layer;
    DigitRouter router;
    exec::Executor together = executor();
    const std::vector<Route> routes = route(together, prompts_, router, rules);
    ASSERT_EQ(routes.size(), prompts_.size());
    std::set<Program> programs;
    for (std::size_t i = 0; i < routes.size(); ++i) {
      if (i % 5 == 0) {
        EXPECT_EQ(routes[i].program, by_hand(prompts_[i], rules)) << i;
      }
      programs.insert(routes[i].program);
    }
    EXPECT_GT(programs.size(), 5U) << "many programs on the way at once";
    EXPECT_EQ(*router.layers.begin(), first_layer);
    EXPECT_EQ(*router.layers.rbegin(), 4);
  }
}

TEST_F(RouterTest, GivesAPromptTheSameProgramWhateverItsCompanions) {
  DigitRouter router;
  exec::Executor one = executor();
  const std::vector<Route> together = route(one, prompts_, router, kRules);
  for (std::size_t i = 0; i < prompts_.size(); i += 7) {
    exec::Executor other = executor();
    EXPECT_EQ(route(other, std::span(prompts_).subspan(i, 1), router, kRules).front().program, together[i].program);
  }
}

TEST_F(RouterTest, RunsNothingThatTheAnswerDoesNotRunToo) {
  DigitRouter router;
  exec::Executor one = executor();
  const Program program = route(one, std::span(prompts_).first(1), router, kRules).front().program;
  one.reset_stats();
  const exec::GenerationRules rules{nullptr, {}, 1, exec::StopRule::kFull};
  const exec::Request request{prompts_.data(), program, 0, 0, &rules, false};
  one.answer(std::span(&request, 1));
  const auto last_steps = std::ranges::count_if(program.layers(), [](int layer) { return layer >= 4; });
  EXPECT_LE(one.stats().computed_nodes, static_cast<std::uint64_t>(last_steps)) << "those from the last decision on";
}

TEST_F(RouterTest, NeverMakesAProgramTooShortOrTooLong) {
  exec::Executor one = executor();
  SameRouter skip(Choice::kSkip), repeat(Choice::kRepeat);
  for (const Route& routed : route(one, prompts_, skip, kRules)) {
    EXPECT_EQ(routed.program, Program::parse("0,3-5")) << "the first two routed layers are skipped";
    EXPECT_EQ(routed.overruled, 2);
  }
  for (const Route& routed : route(one, prompts_, repeat, kRules)) {
    EXPECT_EQ(routed.program, Program::parse("0-1,1-2,2-5"));
    EXPECT_EQ(routed.overruled, 2);
  }
  const predict::RouteRules all{
      .depth = kRouterDepth, .first_layer = 0, .end_layer = 6, .min_layers = 1, .max_layers = 12};
  EXPECT_EQ(route(one, prompts_, skip, all).front().program, (Program{5})) << "never empty";
  EXPECT_EQ(route(one, prompts_, repeat, all).front().program.length(), 12);
}

TEST_F(RouterTest, RefusesRulesOfAnotherDepthAndInputsWithoutAPrompt) {
  exec::Executor one = executor();
  SameRouter run(Choice::kExecute);
  predict::RouteRules other = kRules;
  other.depth = 7;
  const auto depth = test::message_of<core::UsageError>([&] { route(one, prompts_, run, other); });
  EXPECT_NE(depth.find("expected those of 6 layers"), std::string::npos) << depth;
  RouterPlanner planner("drllm", one, std::make_unique<SameRouter>(Choice::kExecute), kRules);
  EXPECT_EQ(planner.name(), "drllm");
  const std::vector<Input> inputs{{"asked", nullptr, prompts_.data()}, {"unasked", nullptr, nullptr}};
  EXPECT_EQ(planner.propose(std::span(inputs).first(1)),
            (std::vector<RankedPrograms>{{Program::identity(kRouterDepth)}}));
  const auto prompt = test::message_of<core::Error>([&] { planner.propose(inputs); });
  EXPECT_NE(prompt.find("policy drllm: example 'unasked': expected its prompt"), std::string::npos) << prompt;
}

TEST_F(RouterTest, ChoosesTheSameAfterItWasSavedAndLoadedAsAPolicy) {
  std::set<Program> chosen;
  for (const predict::RouterKind kind : predict::router_kinds()) {
    const predict::TrainedRouters routers = trained(kind);
    predict::save_routers(folder_ / "routers", routers);
    LearnedRouter router(routers);
    exec::Executor one = executor();
    std::vector<Program> expected;
    for (Route& routed : route(one, prompts_, router, kRules)) expected.push_back(std::move(routed.program));
    TrainedPolicy policy = TrainedPolicy::load(folder_ / "routers", digest());
    EXPECT_EQ(policy.choose(one, prompts_), expected);
    EXPECT_EQ(policy.origin().features, predict::kRouterFeatures);
    chosen.insert(expected.begin(), expected.end());
  }
  EXPECT_GT(chosen.size(), 2U) << "a choice that is always the same would be the same after loading anything";
}

TEST_F(RouterTest, TurnsTheDialFromTheShortestProgramToTheLongest) {
  const predict::TrainedRouters routers = trained(predict::RouterKind::kDrllm);
  exec::Executor one = executor();
  const auto program = [&](double dial) {
    LearnedRouter router(routers, dial);
    return route(one, std::span(prompts_).first(1), router, kRules).front().program;
  };
  EXPECT_EQ(program(-1).length(), kRules.min_layers);
  EXPECT_EQ(program(0.5), Program::identity(kRouterDepth));
  EXPECT_EQ(program(1).length(), kRules.max_layers);
  EXPECT_THROW(LearnedRouter(routers, 1.5), core::UsageError);
}

}  // namespace
}  // namespace polar::policy
