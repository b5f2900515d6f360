// What every algorithm promises.

#include "search/search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "core/error.h"
#include "core/segment.h"
#include "search/evaluator.h"
#include "search/minimise.h"
#include "search/presets.h"
#include "search/run_searches.h"
#include "search/search_factory.h"
#include "support/fake_evaluator.h"
#include "support/landscape.h"
#include "support/message_of.h"

namespace polar::search {
namespace {

using core::Program;
using test::arbitrary_outcome;
using test::LandscapeEvaluator;
using test::RuleEvaluator;

constexpr int kDepth = 10;

SpaceOptions bounds(EditForm form = EditForm::kDisjoint) {
  return {.depth = kDepth,
          .first_layer = 2,
          .max_block = 2,
          .min_depth_ratio = 0.7,
          .max_depth_ratio = 1.3,
          .max_edits = 2,
          .form = form};
}

/// Every algorithm, at some budget, and exhaustive at that of its space.
std::vector<SearchPlan> plans(EditForm form, int rollouts, int leaves) {
  std::vector<SearchPlan> plans;
  for (const std::string& name : algorithm_names()) {
    SearchPlan plan{bounds(form), {.rollouts = rollouts, .leaves_per_round = leaves, .minimise = Minimise::kEdits}};
    plan.options.algorithm = algorithm_of(name);
    if (plan.options.algorithm == Algorithm::kTransfer)
      plan.options.first_programs = {{0, 1, 2, 4, 5, 6, 7, 8, 9}, {5, 6}, {0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9}};
    plan = with_preset(std::move(plan));
    if (plan.options.algorithm == Algorithm::kExhaustive)
      plan.options.rollouts = static_cast<int>(SearchSpace(plan.space).count());
    plans.push_back(std::move(plan));
  }
  return plans;
}

std::vector<Trial> play(Search& search, Evaluator& evaluator) {
  std::vector<Trial> all;
  for (auto trials = search.select(); !trials.empty(); trials = search.select()) {
    search.backup(evaluator.evaluate(trials));
    all.insert(all.end(), trials.begin(), trials.end());
  }
  return all;
}

std::vector<Trial> played(const SearchPlan& plan, Evaluator& evaluator, const std::string& example = "a") {
  const SearchSpace space(plan.space);
  return play(*SearchFactory(space, plan.options, 5).make(example), evaluator);
}

RuleEvaluator arbitrary() {
  return RuleEvaluator([](const Trial& trial) { return arbitrary_outcome(trial, 0.1); });
}

const EditForm kForms[] = {EditForm::kDisjoint, EditForm::kOverlapping, EditForm::kNested};

TEST(EverySearch, TriesTheIdentityFirstAndNoProgramTwiceWithinBudgetAndSpace) {
  RuleEvaluator evaluator = arbitrary();
  for (const EditForm form : kForms) {
    for (const int rollouts : {1, 2, 30, 90}) {
      for (const int leaves : {1, 7}) {
        for (const SearchPlan& plan : plans(form, rollouts, leaves)) {
          SCOPED_TRACE(plan.options.text());
          const SearchSpace space(plan.space);
          const std::vector<Trial> trials = played(plan, evaluator);
          ASSERT_FALSE(trials.empty());
          EXPECT_EQ(trials[0].program, Program::identity(kDepth));
          EXPECT_LE(static_cast<int>(trials.size()), plan.options.rollouts);
          std::set<Program> programs;
          for (const Trial& trial : trials) {
            EXPECT_TRUE(programs.insert(trial.program).second) << trial.program.text();
            EXPECT_GE(trial.program.length(), space.min_layers());
            EXPECT_LE(trial.program.length(), space.max_layers());
          }
        }
      }
    }
  }
}

TEST(EverySearch, UsesItsWholeBudgetUnlessItStopsOrTheSpaceEnds) {
  RuleEvaluator evaluator([](const Trial&) { return Outcome{}; });
  for (const SearchPlan& plan : plans(EditForm::kDisjoint, 60, 7)) {
    SCOPED_TRACE(plan.options.text());
    EXPECT_EQ(static_cast<int>(played(plan, evaluator).size()), plan.options.rollouts);
  }
}

TEST(EverySearch, GivesProgramsThatReadBackFromTheirTextAndExpandFromTheirParse) {
  RuleEvaluator evaluator = arbitrary();
  for (const EditForm form : kForms) {
    for (const SearchPlan& plan : plans(form, 60, 7)) {
      SCOPED_TRACE(plan.options.text());
      const SearchSpace space(plan.space);
      int parsed = 0;
      const std::vector<Trial> trials = played(plan, evaluator);
      for (const Trial& trial : trials) {
        EXPECT_EQ(Program::parse(trial.program.text(), kDepth), trial.program);
        const auto segments = core::parse_segments(trial.program, kDepth, space.segment_limits());
        if (!segments) continue;
        ++parsed;
        EXPECT_EQ(core::expand(*segments, kDepth), trial.program);
      }
      if (plan.space.form == EditForm::kDisjoint) {
        EXPECT_EQ(parsed, static_cast<int>(trials.size()));
      }
    }
  }
}

TEST(EverySearch, OfASmallerBudgetMakesAPrefixOfTheTrialsOfALargerOne) {
  LandscapeEvaluator evaluator(kDepth);
  const auto longer = plans(EditForm::kDisjoint, 80, 8);
  const auto shorter = plans(EditForm::kDisjoint, 27, 8);
  for (std::size_t i = 0; i < longer.size(); ++i) {
    if (longer[i].options.algorithm == Algorithm::kExhaustive) continue;
    SCOPED_TRACE(longer[i].options.text());
    const std::vector<Trial> all = played(longer[i], evaluator), some = played(shorter[i], evaluator);
    ASSERT_LE(some.size(), all.size());
    EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin()));
  }
}

TEST(EverySearch, IsAPureFunctionOfExampleAndSeed) {
  LandscapeEvaluator evaluator(kDepth);
  for (const SearchPlan& plan : plans(EditForm::kDisjoint, 40, 4)) {
    SCOPED_TRACE(plan.options.text());
    EXPECT_EQ(played(plan, evaluator), played(plan, evaluator));
    if (plan.options.algorithm == Algorithm::kExhaustive) continue;
    std::vector<Trial> other = played(plan, evaluator, "b");
    for (Trial& trial : other) trial.example = "a";
    EXPECT_NE(played(plan, evaluator), other);
  }
}

TEST(EverySearch, RunsInStepAsItRunsAlone) {
  LandscapeEvaluator evaluator(kDepth);
  const std::vector<task::ExampleId> ids{"a", "b", "c", "d", "e"};
  for (const SearchPlan& plan : plans(EditForm::kDisjoint, 30, 4)) {
    SCOPED_TRACE(plan.options.text());
    const SearchSpace space(plan.space);
    const auto results = run_searches(ids, space, plan.options, evaluator, {.root_seed = 5, .trees_in_step = 3});
    for (std::size_t i = 0; i < ids.size(); ++i) {
      std::vector<Trial> trials;
      for (const RecordedTrial& trial : results[i].trials) trials.push_back({ids[i], trial.program, {}});
      EXPECT_EQ(trials, played(plan, evaluator, ids[i]));
    }
  }
}

TEST(EverySearch, ExhaustsASmallSpace) {
  RuleEvaluator evaluator = arbitrary();
  SpaceOptions small = bounds();
  small.depth = 8;
  const SearchSpace space(small);
  for (const Algorithm algorithm : {Algorithm::kGuided, Algorithm::kMcts, Algorithm::kBestFirst, Algorithm::kBeam,
                                    Algorithm::kRandom, Algorithm::kEvolve, Algorithm::kExhaustive}) {
    SCOPED_TRACE(to_string(algorithm));
    const SearchOptions options{.algorithm = algorithm, .rollouts = 5000, .objective = Objective::kShortest};
    auto search = SearchFactory(space, options, 5).make("a");
    EXPECT_EQ(static_cast<double>(play(*search, evaluator).size()), space.count());
    EXPECT_TRUE(search->take_result().exhausted);
  }
}

TEST(SearchTest, EndsWithTheRoundOfTheFirstValidProgramWhenAnyWillDo) {
  LandscapeEvaluator evaluator(kDepth);
  for (const Algorithm algorithm : {Algorithm::kGuided, Algorithm::kMcts, Algorithm::kRandom}) {
    const SearchSpace space(bounds());
    const SearchOptions options{.algorithm = algorithm, .leaves_per_round = 4, .objective = Objective::kFirstValid};
    for (const char* example : {"a", "b", "c", "d", "e", "f"}) {
      auto search = SearchFactory(space, options, 1).make(example);
      play(*search, evaluator);
      const SearchResult result = search->take_result();
      for (const RecordedTrial& trial : result.trials) {
        EXPECT_TRUE(!trial.outcome.correct || trial.round == result.trials.back().round);
      }
      EXPECT_EQ(result.chosen.size(), result.valid.empty() ? 0U : 1U);
    }
  }
}

/// Every reduction of the edits that the space reads in a valid program; how many there were.
int expect_reductions_tried(const SearchResult& result, const SearchSpace& space) {
  std::set<Program> tried;
  for (const RecordedTrial& trial : result.trials) tried.insert(trial.program);
  int reductions = 0;
  for (const std::size_t i : result.valid) {
    for (const EditedProgram& reduced :
         reductions_of(space.find(result.trials[i].program).value(), space, Minimise::kEdits)) {
      EXPECT_TRUE(tried.contains(reduced.program)) << result.trials[i].program.text();
      ++reductions;
    }
  }
  return reductions;
}

TEST(SearchTest, TriesWhatIsLeftOfAValidProgramWithoutItsEdits) {
  // Only programs with layer 5 twice are valid: every other edit beside it is idle.
  RuleEvaluator evaluator([](const Trial& trial) {
    const auto layers = trial.program.layers();
    return Outcome{.correct = std::ranges::count(layers, 5) == 2, .answer_log_prob = -3};
  });
  const SearchSpace space(bounds());
  for (int example = 0; example < 20; ++example) {
    const SearchOptions options{.algorithm = Algorithm::kRandom,
                                .rollouts = 5000,
                                .leaves_per_round = 1,
                                .stop_after_valid = 3,
                                .minimise = Minimise::kEdits};
    auto search = SearchFactory(space, options, 1).make(std::to_string(example));
    play(*search, evaluator);
    const SearchResult result = search->take_result();
    expect_reductions_tried(result, space);  // it ends no earlier
    EXPECT_LT(static_cast<double>(result.trials.size()), space.count()) << "it ends once it has enough";
    ASSERT_FALSE(result.chosen.empty());
    for (const std::size_t i : result.chosen) {
      EXPECT_TRUE(result.trials[i].outcome.correct);
      EXPECT_EQ(space.find(result.trials[i].program)->edits.size(), 1U) << result.trials[i].program.text();
    }
  }
}

TEST(SearchTest, TriesReductionsOfTheEditsThatTheResultReadsWhateverItWasMadeBy) {
  // Three layers that no block of two skips at once: 5 and 6 to 7, or 5 to 6 and 7.
  RuleEvaluator evaluator([](const Trial& trial) {
    const bool skipped =
        std::ranges::none_of(trial.program.layers(), [](int layer) { return layer >= 5 && layer <= 7; });
    return Outcome{.correct = skipped, .answer_log_prob = -3};
  });
  for (const EditForm form : {EditForm::kOverlapping, EditForm::kNested}) {
    const SearchSpace space(bounds(form));
    int reductions = 0;
    for (const Algorithm algorithm : {Algorithm::kMcts, Algorithm::kBestFirst, Algorithm::kEvolve}) {
      for (int example = 0; example < 20; ++example) {
        const SearchOptions options{.algorithm = algorithm,
                                    .rollouts = 5000,
                                    .leaves_per_round = 1,
                                    .stop_after_valid = 1,
                                    .minimise = Minimise::kEdits};
        auto search = SearchFactory(space, options, 1).make(std::to_string(example));
        play(*search, evaluator);
        reductions += expect_reductions_tried(search->take_result(), space);
      }
    }
    EXPECT_GT(reductions, 20);
  }
}

TEST(SearchTest, ChoosesNoProgramOfUnknownEditsThatIsLongerThanAMinimalOne) {
  RuleEvaluator evaluator([](const Trial& trial) {
    return Outcome{.correct = std::ranges::count(trial.program.layers(), 5) > 1, .answer_log_prob = -3};
  });
  const SearchSpace space({.depth = 30, .form = EditForm::kNested});
  ASSERT_FALSE(space.counted());
  const SearchOptions options{.algorithm = Algorithm::kAuthors, .rollouts = 400, .minimise = Minimise::kRepeats};
  std::size_t unknown = 0, proven = 0;
  for (int example = 0; example < 10; ++example) {
    auto search = SearchFactory(space, options, 1).make(std::to_string(example));
    play(*search, evaluator);
    const SearchResult result = search->take_result();
    std::set<Program> tried;
    for (const RecordedTrial& trial : result.trials) tried.insert(trial.program);
    const auto is_proven = [&](std::size_t i) {
      const auto edited = space.find(result.trials[i].program);
      return edited && std::ranges::all_of(reductions_of(*edited, space, options.minimise),
                                           [&](const auto& reduced) { return tried.contains(reduced.program); });
    };
    const auto is_known = [&](std::size_t i) { return space.find(result.trials[i].program).has_value(); };
    const auto length = [&](std::size_t i) { return result.trials[i].program.length(); };
    unknown += static_cast<std::size_t>(std::ranges::count_if(result.valid, std::not_fn(is_known)));
    proven += static_cast<std::size_t>(std::ranges::count_if(result.chosen, is_proven));
    for (const std::size_t i : result.chosen) {
      const auto as_short = [&](std::size_t other) { return is_proven(other) && length(other) <= length(i); };
      EXPECT_TRUE(is_known(i) || std::ranges::none_of(result.chosen, as_short)) << result.trials[i].program.text();
    }
  }
  EXPECT_GT(unknown, 0U);
  EXPECT_GT(proven, 0U);
}

TEST(SearchTest, ChoosesProgramsOfWhichEveryReductionWasTriedThoughTheBudgetEnds) {
  RuleEvaluator evaluator([](const Trial& trial) { return test::arbitrary_outcome(trial, 0.3); });
  int cut_short = 0;
  for (const EditForm form : {EditForm::kDisjoint, EditForm::kOverlapping, EditForm::kNested}) {
    SpaceOptions bounded = bounds();
    bounded.form = form;
    bounded.max_edits = 2;
    const SearchSpace space(bounded);
    for (const Minimise minimise : {Minimise::kRepeats, Minimise::kEdits}) {
      for (int example = 0; example < 30; ++example) {
        const SearchOptions options{.algorithm = Algorithm::kMcts, .rollouts = 40, .minimise = minimise};
        auto search = SearchFactory(space, options, 1).make(std::to_string(example));
        play(*search, evaluator);
        const SearchResult result = search->take_result();
        std::map<Program, bool> tried;
        for (const RecordedTrial& trial : result.trials) tried.emplace(trial.program, trial.outcome.correct);
        const auto is_minimal = [&](std::size_t i) {
          return std::ranges::all_of(reductions_of(space.find(result.trials[i].program).value(), space, minimise),
                                     [&](const EditedProgram& reduced) {
                                       return tried.contains(reduced.program) && !tried.at(reduced.program);
                                     });
        };
        EXPECT_EQ(result.chosen.empty(), result.valid.empty());
        for (const std::size_t i : result.chosen) {
          EXPECT_TRUE(result.trials[i].outcome.correct);
          const auto as_short = [&](std::size_t j) {
            return is_minimal(j) && result.trials[j].program.length() <= result.trials[i].program.length();
          };
          EXPECT_TRUE(is_minimal(i) || std::ranges::none_of(result.valid, as_short)) << "nothing shorter is known";
        }
        if (result.chosen.size() < result.valid.size()) ++cut_short;
      }
    }
  }
  EXPECT_GT(cut_short, 20);
}

TEST(SearchTest, ChoosesMinimalProgramsAloneWhereTheBudgetReaches) {
  RuleEvaluator evaluator([](const Trial& trial) { return test::arbitrary_outcome(trial, 0.3); });
  for (const EditForm form : {EditForm::kDisjoint, EditForm::kOverlapping, EditForm::kNested}) {
    SpaceOptions bounded = bounds();
    bounded.form = form;
    bounded.max_edits = 2;
    const SearchSpace space(bounded);
    for (const Minimise minimise : {Minimise::kRepeats, Minimise::kEdits}) {
      const SearchOptions options{
          .algorithm = Algorithm::kMcts, .rollouts = 1 << 20, .keep = 1 << 20, .minimise = minimise};
      auto search = SearchFactory(space, options, 1).make("whole");
      play(*search, evaluator);
      const SearchResult result = search->take_result();
      std::map<Program, bool> tried;
      for (const RecordedTrial& trial : result.trials) tried.emplace(trial.program, trial.outcome.correct);
      const auto is_minimal = [&](std::size_t i) {
        return std::ranges::none_of(reductions_of(space.find(result.trials[i].program).value(), space, minimise),
                                    [&](const EditedProgram& reduced) { return tried.at(reduced.program); });
      };
      EXPECT_EQ(result.chosen.size(), static_cast<std::size_t>(std::ranges::count_if(result.valid, is_minimal)));
      EXPECT_TRUE(std::ranges::all_of(result.chosen, is_minimal));
      EXPECT_LT(result.chosen.size(), result.valid.size());
    }
  }
}

TEST(SearchTest, RefusesToDrawEvenlyFromASpaceThatIsTooLargeToCount) {
  SpaceOptions large{.depth = 30, .form = EditForm::kNested};
  const SearchSpace space(large);
  ASSERT_FALSE(space.counted());
  EXPECT_THROW(SearchFactory(space, {.algorithm = Algorithm::kRandom}, 1), core::UsageError);
}

TEST(SearchTest, TriesTheProgramsItWasGivenFirst) {
  RuleEvaluator evaluator([](const Trial&) { return Outcome{}; });
  const SearchSpace space(bounds());
  const Program shorter{0, 1, 2, 4, 5, 6, 7, 8, 9}, longer{0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9}, foreign{9, 8};
  for (const Algorithm algorithm : {Algorithm::kTransfer, Algorithm::kMcts, Algorithm::kBestFirst, Algorithm::kBeam,
                                    Algorithm::kEvolve, Algorithm::kRandom}) {
    const SearchOptions options{.algorithm = algorithm,
                                .rollouts = 40,
                                .first_programs = {shorter, foreign, Program::identity(kDepth), longer}};
    const std::vector<Trial> trials = play(*SearchFactory(space, options, 1).make("a"), evaluator);
    EXPECT_EQ(trials[1].program, shorter);
    EXPECT_EQ(trials[2].program, longer);
    EXPECT_EQ(trials.size(), 40U);
  }
}

TEST(SearchFactoryTest, RefusesToExhaustASpaceBeyondTheBudgetAndToTransferNothing) {
  const SearchSpace space(bounds());
  const auto too_small = test::message_of<core::UsageError>(
      [&] { SearchFactory(space, {.algorithm = Algorithm::kExhaustive, .rollouts = 10}, 1); });
  EXPECT_NE(too_small.find("rollouts: expected at least the whole space"), std::string::npos) << too_small;
  EXPECT_THROW(SearchFactory(space, {.algorithm = Algorithm::kTransfer}, 1), core::UsageError);
  EXPECT_THROW(SearchFactory(space, {.rollouts = 0}, 1), core::UsageError);
}

}  // namespace
}  // namespace polar::search
