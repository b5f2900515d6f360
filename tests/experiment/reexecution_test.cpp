#include "experiment/reexecution.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "core/file.h"
#include "eval/statistics.h"
#include "eval/table_text.h"
#include "experiment/experiment.h"
#include "experiment/state.h"
#include "labels/label_store.h"
#include "labels/sqlite.h"
#include "support/message_of.h"
#include "support/parts.h"
#include "support/tiny_run.h"

namespace polar::experiment {
namespace {

class ReexecutionTest : public test::TinyRunTest {
 protected:
  ReexecutionTest() { Experiment(config("run")).search(); }

  Reexecution reexecuted(std::vector<std::string> variants, int examples_per_level = 0) const {
    return reexecute(run("run"), {std::move(variants), {std::nullopt, examples_per_level}});
  }

  static const eval::LabelFigure& figure(const Reexecution& result, const std::string& key,
                                         const std::string& variant = "batch") {
    const auto found = std::ranges::find_if(result.report.figures, [&](const eval::LabelFigure& one) {
      return one.set == variant && one.level == "all" && one.key == key;
    });
    if (found == result.report.figures.end()) throw core::Error("no figure " + key + " of " + variant);
    return *found;
  }

  /// Turns the verdict of the second trial of every search.
  void turn_verdicts(const std::string& file) const {
    labels::Database database(run("run") / file, labels::OpenMode::kWrite);
    labels::Statement(database, "UPDATE trials SET correct = 1 - correct WHERE round = 1 AND position = 0", "testing")
        .run();
  }

  std::string written(const std::string& name) const { return core::read_file(run("run") / "controls" / name); }

  labels::LabelStore recorded_store() const { return labels::LabelStore::read(run("run") / "labels.sqlite"); }
  labels::LabelStore store_of(const std::string& variant) const {
    return labels::LabelStore::read(run("run") / "controls" / ("reexecution-" + variant + ".sqlite"));
  }
};

TEST_F(ReexecutionTest, RepeatsEveryOutcomeToTheBitInOtherBatches) {
  const Reexecution result = reexecuted({"batch"});
  EXPECT_TRUE(result.flips.empty());
  EXPECT_EQ(figure(result, "valid_flipped").value, 0);
  EXPECT_EQ(figure(result, "invalid_flipped").value, 0);
  const labels::LabelStore recorded = labels::LabelStore::read(run("run") / "labels.sqlite");
  const labels::LabelStore again = labels::LabelStore::read(run("run") / "controls" / "reexecution-batch.sqlite");
  EXPECT_EQ(figure(result, "valid_flipped").n + figure(result, "invalid_flipped").n, recorded.trial_count());
  for (const labels::StoredExample& example : recorded.examples()) {
    EXPECT_EQ(again.trials(example.id), recorded.trials(example.id)) << example.id;
    EXPECT_TRUE(again.state(example.id).done);
  }
  test::expect_parts(written("reexecution.csv"),
                     {"\ncounts,all,even,examples,17,17,", "\ncounts,all,all,examples,34,34,"});
  EXPECT_EQ(written("reexecution-flips.csv"), "example,level,program,sample,recorded,now,recorded_margin,variant\n");
}

TEST_F(ReexecutionTest, ListsAVerdictThatIsNotWhatTheModelGives) {
  turn_verdicts("labels.sqlite");
  const Reexecution result = reexecuted({"batch"});
  const labels::LabelStore recorded = labels::LabelStore::read(run("run") / "labels.sqlite");
  ASSERT_EQ(result.flips.size(), recorded.examples().size());
  const std::string csv = written("reexecution-flips.csv");
  for (const auto& [variant, flip] : result.flips) {
    const std::vector<labels::StoredTrial> trials = recorded.trials(flip.example);
    const labels::StoredTrial& turned = *std::ranges::find(trials, 1, &labels::StoredTrial::round);
    EXPECT_EQ(flip.program, turned.trial.program);
    EXPECT_EQ(flip.before, turned.outcome.correct);
    EXPECT_EQ(flip.now, !flip.before);
    EXPECT_EQ(flip.margin, turned.outcome.margin);
    const std::string line =
        fmt::format("\n{},{},{},0#0,{},{},{},batch\n", flip.example, flip.level, eval::csv_field(flip.program.text()),
                    flip.before ? 1 : 0, flip.now ? 1 : 0, turned.outcome.margin);
    EXPECT_NE(csv.find(line), std::string::npos) << line << csv;
  }
  const eval::LabelFigure &valid = figure(result, "valid_flipped"), &invalid = figure(result, "invalid_flipped");
  EXPECT_NEAR(valid.value * static_cast<double>(valid.n) + invalid.value * static_cast<double>(invalid.n),
              static_cast<double>(result.flips.size()), 1e-9);
}

TEST_F(ReexecutionTest, GoesOnFromWhatItRecordedWithMoreExamples) {
  EXPECT_EQ(figure(reexecuted({"batch"}, 2), "invalid_flipped").value, 0);
  turn_verdicts("controls/reexecution-batch.sqlite");
  const Reexecution all = reexecuted({"batch"});
  EXPECT_EQ(all.flips.size(), 4U) << "what was recorded for two examples a level is not run again";
  EXPECT_EQ(labels::LabelStore::read(run("run") / "controls" / "reexecution-batch.sqlite").trial_count(),
            labels::LabelStore::read(run("run") / "labels.sqlite").trial_count());
}

TEST_F(ReexecutionTest, ComparesEveryVariantByDefault) {
  const Reexecution result = reexecuted({}, 4);
  for (const std::string& variant : reexecution_variants()) {
    EXPECT_GT(figure(result, "invalid_flipped", variant).n, 0);
    test::expect_parts(written("reexecution.md"), {"| " + variant + " |", "\n- " + variant + ": "});
    EXPECT_TRUE(std::filesystem::exists(run("run") / "controls" / ("reexecution-" + variant + ".sqlite")));
  }
  for (const auto& [variant, flip] : result.flips) EXPECT_NE(variant, "batch");
  const std::string fingerprint = recorded_store().identity().fingerprint;
  EXPECT_EQ(store_of("batch").identity().fingerprint, fingerprint);
  for (const char* variant : {"noninvariant", "dtype", "cache"})
    EXPECT_NE(store_of(variant).identity().fingerprint, fingerprint) << variant;
  EXPECT_EQ(result.report.title,
            "Re-execution of the labels of run: train and valid, 4 examples a level, variants batch, "
            "noninvariant, dtype, cache");
}

TEST_F(ReexecutionTest, ChangesRepeatsAndNothingElseUnderOtherCacheSemantics) {
  const Reexecution result = reexecuted({"cache"}, 4);
  const labels::LabelStore before = recorded_store(), now = store_of("cache");
  int compared = 0, changed = 0;
  for (const labels::StoredExample& example : before.examples()) {
    const std::vector<labels::StoredTrial> old_trials = before.trials(example.id), trials = now.trials(example.id);
    if (trials.empty()) continue;  // not chosen
    ASSERT_EQ(trials.size(), old_trials.size());
    for (std::size_t i = 0; i < trials.size(); ++i) {
      const core::Program& program = trials[i].trial.program;
      ASSERT_EQ(program, old_trials[i].trial.program);
      if (program.length() > program.unique_depth()) {
        changed += trials[i].outcome.answer_log_prob != old_trials[i].outcome.answer_log_prob ? 1 : 0;
        continue;
      }
      ++compared;
      EXPECT_EQ(trials[i].outcome, old_trials[i].outcome) << program.text();
    }
  }
  EXPECT_GT(compared, 0);
  EXPECT_GT(changed, 0) << "a repeat sees what its layer's other run left";
  for (const auto& [variant, flip] : result.flips)
    EXPECT_GT(flip.program.length(), flip.program.unique_depth()) << flip.program.text();
}

TEST_F(ReexecutionTest, KeepsWhatItSaysOfTestExamplesBesideTheRest) {
  {
    Experiment::State state(config("run"), {});
    const std::vector<task::Example>& examples = state.data.dataset.test;
    const int rollouts = state.config.search.oracle_rollouts;
    labels::LabelStore store = state.open_store(labels::StoreKind::kOracle, examples, rollouts);
    state.search_into(store, examples, rollouts, "oracle");
  }
  reexecuted({"batch"});
  const std::string csv = written("reexecution.csv"), text = written("reexecution.md");
  const Reexecution of_test = reexecute(run("run"), {{"batch"}, {labels::Split::kTest, 3}});
  EXPECT_EQ(written("reexecution.csv"), csv);
  EXPECT_EQ(written("reexecution.md"), text);
  EXPECT_EQ(written("reexecution-test.md"), eval::control_markdown(of_test.report));
  test::expect_parts(written("reexecution-test.md"),
                     {": test, 3 examples a level, variants batch\n", "reexecution-test-flips.csv"});
  test::expect_parts(text, {": train and valid, all examples, variants batch\n", "in reexecution-flips.csv"});
  for (const char* name : {"reexecution-test.csv", "reexecution-test-flips.csv", "reexecution-test-batch.sqlite"})
    EXPECT_TRUE(std::filesystem::exists(run("run") / "controls" / name)) << name;
}

TEST_F(ReexecutionTest, RefusesUnknownVariantsFoldersAndOtherDataThanWasSearched) {
  test::expect_parts(test::message_of<core::UsageError>([&] { reexecuted({"batch", "fast"}); }),
                     {"--variants", "batch, noninvariant, dtype, cache", "found 'fast'"});
  test::expect_parts(test::message_of<core::UsageError>([&] { reexecuted({"batch", "batch"}); }),
                     {"--variants", "found batch again"});
  test::expect_parts(test::message_of<core::UsageError>([&] { reexecute(folder_ / "no-run", {}); }),
                     {"no-run/config.yaml", "name a run's folder"});
  test::expect_parts(
      test::message_of<core::UsageError>([&] { reexecute(run("run"), {{}, {labels::Split::kTest, 0}}); }),
      {"oracle.sqlite", "found none"});
  write_rows("train", 24, "7");
  test::expect_parts(test::message_of<core::UsageError>([&] { reexecuted({"batch"}); }),
                     {"labels.sqlite", "found others", "config.yaml"});
  EXPECT_FALSE(std::filesystem::exists(run("run") / "controls"));
}

TEST(ReexecutionFigures, TakeProgramsOfOneExampleTogether) {
  constexpr int kExamples = 20;
  std::vector<labels::RejudgeCount> counts;
  for (int i = 0; i < kExamples; ++i) {
    labels::RejudgeCount& one = counts.emplace_back();
    one.level = "a";
    one.valid = 100;
    one.valid_flipped = i % 2 == 0 ? 100 : 0;
    one.invalid = 50;
    one.solved = 1;
    one.lost = i % 2 == 0 ? 1 : 0;
  }
  const std::vector<eval::LabelFigure> figures = reexecution_figures("batch", counts, 1, 1000);
  ASSERT_EQ(figures.size(), 6U) << "three of the level, three of all; none of gained, where there is no case";
  const eval::LabelFigure &valid = figures[3], &invalid = figures[4], &lost = figures[5];
  EXPECT_EQ(valid.level, "all");
  EXPECT_EQ(valid.key, "valid_flipped");
  EXPECT_EQ(valid.n, 2000);
  EXPECT_DOUBLE_EQ(valid.value, 0.5);
  ASSERT_TRUE(valid.ci_low && valid.ci_high);
  EXPECT_GT(*valid.ci_high - *valid.ci_low, 0.3) << "that of 20 examples, not of 2000 programs";
  EXPECT_EQ(valid.note, "");
  EXPECT_EQ(invalid.value, 0);
  EXPECT_EQ(invalid.n, 1000);
  EXPECT_EQ((eval::Interval{*invalid.ci_low, *invalid.ci_high}), eval::wilson_interval(0, kExamples));
  EXPECT_EQ(invalid.note, "none flipped; Wilson's interval of 20 examples");
  EXPECT_EQ(lost.key, "lost");
  EXPECT_EQ((eval::Interval{*lost.ci_low, *lost.ci_high}), eval::wilson_interval(10, kExamples));
  EXPECT_EQ(lost.note, "");
  EXPECT_TRUE(reexecution_figures("batch", {}, 1, 1000).empty());
}

TEST(ReexecutionVariants, ChangeWhatTheirNameSays) {
  ExecConfig recorded = Config().exec;
  recorded.dtype = "bfloat16";
  recorded.kernels = "pairs";
  recorded.workers = 1;
  const ExecConfig batch = reexecution_variant("batch", recorded).exec;
  EXPECT_EQ(batch.workers, 2);
  EXPECT_FALSE(batch.prefix_sharing);
  EXPECT_TRUE(batch.batch_invariant);
  const ExecConfig free = reexecution_variant("noninvariant", recorded).exec;
  EXPECT_FALSE(free.batch_invariant);
  EXPECT_EQ(free.kernels, "library");
  const ExecConfig dtype = reexecution_variant("dtype", recorded).exec;
  EXPECT_EQ(dtype.dtype, "float32");
  EXPECT_EQ(dtype.kernels, "auto");
  EXPECT_EQ(reexecution_variant("cache", recorded).exec.cache_semantics, "shared_slot");
}

}  // namespace
}  // namespace polar::experiment
