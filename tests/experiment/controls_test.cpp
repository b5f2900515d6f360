#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/error.h"
#include "experiment/analyse_run.h"
#include "experiment/controls_chance.h"
#include "experiment/controls_run.h"
#include "experiment/controls_sampling.h"
#include "experiment/dataset.h"
#include "experiment/experiment.h"
#include "labels/check.h"
#include "labels/sqlite.h"
#include "support/message_of.h"
#include "support/tiny_run.h"

namespace polar::experiment {
namespace {

constexpr int kRollouts = 6;

class ControlsTest : public test::TinyRunTest {
 protected:
  std::filesystem::path searched(const std::string& name) const {
    Config made = config(name);
    made.search.algorithm = "guided";  // without a pilot: all examples are judged
    made.search.rollouts = kRollouts;
    Experiment(made).search();
    return run(name);
  }

  static labels::LabelStore store(const std::filesystem::path& run, const std::string& name) {
    return labels::LabelStore::read(run / "controls" / (name + ".sqlite"));
  }

  static double value(const eval::ControlReport& report, const std::string& analysis, const std::string& key,
                      const std::string& level = "all") {
    const auto found = std::ranges::find_if(report.figures, [&](const eval::LabelFigure& figure) {
      return figure.level == level && figure.analysis == analysis && figure.key == key;
    });
    return found == report.figures.end() ? -1 : found->value;
  }

  static std::string refusal(const std::filesystem::path& run, const RecordedChoice& options = {}) {
    return test::message_of<core::UsageError>([&] { const ControlRun opened(run, options); });
  }
};

eval::ControlReport sampled(const std::filesystem::path& run, const RecordedChoice& options = {},
                            const SamplingControlOptions& sampling = {}) {
  ControlRun opened(run, options);
  return sampling_control(opened, sampling);
}

eval::ControlReport by_chance(const std::filesystem::path& run, const RecordedChoice& options = {},
                              const ChanceControlOptions& chance = {}, int budget = 0) {
  ControlRun opened(run, options, budget);
  return chance_control(opened, chance);
}

TEST_F(ControlsTest, SampleTheIdentityAsOftenAsTheSearchTriedPrograms) {
  const auto run = searched("sampled");
  const eval::ControlReport report = sampled(run);
  const labels::LabelStore recorded = store(run, "sampling");
  EXPECT_EQ(recorded.digests().trials, 3 * kRollouts * 34);
  EXPECT_EQ(recorded.settings().stop_rule, "answer");
  EXPECT_EQ(recorded.identity(), labels::LabelStore::read(run / "labels.sqlite").identity());
  for (const labels::StoredTrial& row : recorded.trials("train3")) {
    EXPECT_EQ(row.trial.program, core::Program::identity(8));
    EXPECT_TRUE(row.outcome.answer_final);
  }
  EXPECT_EQ(labels::check_labels(run / "controls/sampling.sqlite", [](const std::string& line) { FAIL() << line; }), 0);
  EXPECT_EQ(value(report, "counts", "examples"), 34);
  EXPECT_EQ(value(report, "counts", "tries each"), kRollouts);
  const RunAnalysis labels = analyse_run(run, {});
  const auto solved = std::ranges::find_if(labels.figures, [](const eval::LabelFigure& figure) {
    return figure.analysis == "solved" && figure.level == "all" && figure.set == "all";
  });
  EXPECT_EQ(value(report, "solved", "search"), solved->value);
}

TEST_F(ControlsTest, DoneInPartsRecordAndSayTheSameAsAtOnce) {
  const auto whole = searched("whole"), parts = searched("parts");
  const eval::ControlReport at_once = sampled(whole), chance = by_chance(whole);
  sampled(parts, {.examples_per_level = 3}, {.temperatures = {0.7}});
  sampled(parts, {.split = labels::Split::kValid, .overrides = {"exec.workers=2"}}, {.temperatures = {0.3, 0.7}});
  by_chance(parts, {.examples_per_level = 5}, {}, 2);
  const eval::ControlReport in_parts = sampled(parts), chance_in_parts = by_chance(parts);
  EXPECT_EQ(in_parts.figures, at_once.figures);
  EXPECT_EQ(chance_in_parts.figures, chance.figures);
  for (const char* name : {"sampling", "chance"})
    EXPECT_EQ(store(parts, name).digests().exact, store(whole, name).digests().exact) << name;
}

TEST_F(ControlsTest, JudgeEveryTrialAsItWasRecordedAndSayWhereNot) {
  const auto run = searched("judged");
  const eval::ControlReport report = by_chance(run, {}, {.permutations = 50});
  EXPECT_EQ(value(report, "counts", "answers"), kRollouts * 34);
  EXPECT_EQ(value(report, "counts", "disagreements"), 0);
  EXPECT_LT(value(report, "any_of_n", "chance"), 1);
  EXPECT_NEAR(value(report, "any_of_n", "excess"),
              value(report, "any_of_n", "observed") - value(report, "any_of_n", "chance"), 1e-12);
  EXPECT_TRUE(report.warnings.empty());
  labels::Database(run / "labels.sqlite", labels::OpenMode::kWrite)
      .execute("UPDATE trials SET correct = 1 - correct WHERE search = 2 AND round = 0 AND position = 0", "in a test");
  const eval::ControlReport changed = by_chance(run, {}, {.permutations = 50});
  EXPECT_EQ(value(changed, "counts", "disagreements"), 1);
  ASSERT_EQ(changed.warnings.size(), 1U);
  EXPECT_NE(changed.warnings[0].find(", program 0-7: recorded as right, judged wrong now"), std::string::npos)
      << changed.warnings[0];
}

TEST_F(ControlsTest, TakeTheFirstProgramsOfExamplesThatAHashDraws) {
  const auto run = searched("few");
  const eval::ControlReport report = by_chance(run, {.split = labels::Split::kTrain, .examples_per_level = 4}, {}, 3);
  EXPECT_EQ(report.title, "Chance control of few, train examples, 4 of each level, 3 programs each, each problem once");
  EXPECT_EQ(value(report, "counts", "answers"), 2 * 4 * 3);
  const std::vector<task::Example> train = task::read_jsonl(folder_ / "train.jsonl");
  const auto drawn_for = [&](const char* purpose) {
    std::set<task::ExampleId> ids;
    for (const task::Example& example : slice_levels(train, 0, 4, purpose)) ids.insert(example.id);
    return ids;
  };
  const std::set<task::ExampleId> drawn = drawn_for("control");
  EXPECT_NE(drawn, drawn_for("slice")) << "the pilot's";
  ASSERT_LT(drawn.size(), train.size());
  for (const task::Example& example : train)
    EXPECT_EQ(store(run, "chance").trials(example.id).size(), drawn.contains(example.id) ? 3U : 0U) << example.id;
  EXPECT_TRUE(store(run, "chance").trials("valid0").empty());
}

TEST_F(ControlsTest, JudgeNoExampleOfThePilot) {
  Config made = config("piloted");
  made.search.rollouts = kRollouts;
  made.search.transfer_pilot = 3;
  Experiment(made).search();
  const std::vector<task::Example> pilot = pilot_examples(made, make_data(made).dataset);
  ASSERT_EQ(pilot.size(), 6U);
  const ControlRun judged(run("piloted"), {});
  EXPECT_EQ(judged.examples().size(), 34U - pilot.size());
  for (const SearchedExample& one : judged.examples())
    EXPECT_EQ(std::ranges::count(pilot, one.example.id, &task::Example::id), 0) << one.example.id;
  EXPECT_EQ(judged.description(), "piloted, each problem once, none of the pilot's");
}

TEST_F(ControlsTest, RefuseAnotherFingerprintOtherDataAndKeysThatAreTheRuns) {
  const auto run = searched("refused");
  EXPECT_NE(refusal(run, {.overrides = {"exec.cache_semantics=shared_slot"}})
                .find("fingerprint: expected that of the labels"),
            std::string::npos);
  EXPECT_NE(refusal(run, {.overrides = {"search.rollouts=3"}}).find("--set: expected a key of exec"),
            std::string::npos);
  EXPECT_NE(refusal(folder_ / "none").find("config.yaml: expected the configuration of a run"), std::string::npos);
  write_rows("valid", 10, "3");
  EXPECT_NE(refusal(run).find("expected the prompt and examples of its configuration"), std::string::npos);
  test::write_tiny_pool(folder_ / "pool", {.depth = 8, .seed = 2});
  EXPECT_NE(refusal(run).find("expected the model of"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(run / "controls"));
}

TEST_F(ControlsTest, RefuseTemperaturesAndBudgetsOutOfRange) {
  const auto run = searched("range");
  ControlRun opened(run, {});
  const auto of = [&](std::vector<double> temperatures) {
    return test::message_of<core::UsageError>([&] { sampling_control(opened, {std::move(temperatures)}); });
  };
  EXPECT_NE(of({}).find("found none"), std::string::npos);
  EXPECT_NE(of({0.7, 0}).find("found 0"), std::string::npos);
  EXPECT_NE(of({0.7, 0.3, 0.7}).find("one of them twice"), std::string::npos);
  EXPECT_NE(test::message_of<core::UsageError>([&] { chance_control(opened, {.permutations = 0}); }).find("found 0"),
            std::string::npos);
  EXPECT_NE(test::message_of<core::UsageError>([&] { ControlRun(run, {}, -1); }).find("--budget"), std::string::npos);
  EXPECT_NE(refusal(run, {.split = labels::Split::kTest}).find("found test"), std::string::npos);
}

TEST_F(ControlsTest, RefuseASearchWhoseProgramsAreFewWhereOneIsValid) {
  Config early = config("early");
  early.search.stop_after_valid = 1;
  Experiment(early).search();
  EXPECT_NE(refusal(run("early")).find("expected a search that uses its whole budget"), std::string::npos);
}

}  // namespace
}  // namespace polar::experiment
