#include "experiment/reexecution.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "core/file.h"
#include "eval/table_text.h"
#include "experiment/experiment.h"
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
    const auto found = std::ranges::find_if(result.figures, [&](const eval::LabelFigure& one) {
      return one.set == variant && one.level == "all" && one.key == key;
    });
    if (found == result.figures.end()) throw core::Error("no figure " + key + " of " + variant);
    return *found;
  }

  /// Turns the verdict of the second trial of every search.
  void turn_verdicts(const std::string& file) const {
    labels::Database database(run("run") / file, labels::OpenMode::kWrite);
    labels::Statement(database, "UPDATE trials SET correct = 1 - correct WHERE round = 1 AND position = 0", "testing")
        .run();
  }

  std::string written(const std::string& name) const { return core::read_file(run("run") / "controls" / name); }
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

TEST_F(ReexecutionTest, ComparesEveryVariantByDefaultAndFlipsOnlyRepeatsUnderOtherCacheSemantics) {
  const Reexecution result = reexecuted({}, 4);
  for (const std::string& variant : reexecution_variants()) {
    EXPECT_GT(figure(result, "invalid_flipped", variant).n, 0);
    EXPECT_NE(result.markdown.find("| " + variant + " |"), std::string::npos) << result.markdown;
    EXPECT_TRUE(std::filesystem::exists(run("run") / "controls" / ("reexecution-" + variant + ".sqlite")));
  }
  for (const auto& [variant, flip] : result.flips) {
    EXPECT_NE(variant, "batch");
    const bool repeats = flip.program.length() > flip.program.unique_depth();
    EXPECT_TRUE(variant != "cache" || repeats) << flip.program.text();
  }
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
