// Labels of a model that were exported, imported and judged again, under the cache semantics they were made with and
// under the other. Here, because labels/ knows no model.

#include "labels/rejudge.h"

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

#include "labels/export.h"
#include "labels/import.h"
#include "labels/label_store.h"
#include "search/executor_evaluator.h"
#include "support/executor_trials.h"
#include "support/label_fixture.h"
#include "support/tiny_pool.h"

namespace polar::experiment {
namespace {

using core::Program;
using exec::CacheSemantics;
using exec::StopRule;

const std::vector<Program> kJudgedPrograms = {Program::identity(6),    {0, 1, 3, 4, 5},          {0, 1, 2, 3},
                                              {0, 1, 1, 2, 3, 4, 5},   {0, 1, 2, 1, 2, 3, 4, 5}, {2, 2},
                                              {0, 0, 1, 2, 3, 4, 5, 5}};

class RejudgedModel : public ::testing::Test {
 protected:
  RejudgedModel() {
    test::write_tiny_pool(folder_ / "pool", {.depth = 6});
    model_ = test::load_pool(folder_ / "pool", pool::DType::kFloat32, pool::Kernels::kRows);
    core::Random random(11);
    for (int i = 0; i < 12; ++i) {
      examples_.push_back(test::random_sum(random, i));
      for (const Program& program : kJudgedPrograms) trials_.push_back({examples_.back().id, program, {}});
    }
    take_the_models_answers();
  }

  template <typename Action>
  auto with_model(CacheSemantics semantics, StopRule stop, const Action& action) {
    exec::ExecOptions options;
    options.workers = 1;
    options.cache_semantics = semantics;
    exec::Executor executor(model_.pool, model_.tokenizer, options);
    exec::TaskEncoder encoder(model_.pool->manifest(), *model_.tokenizer, task_);
    search::ExecutorEvaluator evaluator(executor, encoder, examples_, stop);
    return action(evaluator);
  }

  std::vector<search::Outcome> outcomes(CacheSemantics semantics, StopRule stop) {
    return with_model(semantics, stop, [&](search::Evaluator& evaluator) { return evaluator.evaluate(trials_); });
  }

  /// A random model is never right: references become what one of an example's programs answers.
  void take_the_models_answers() {
    const std::vector<search::Outcome> found = outcomes(CacheSemantics::kPerStep, StopRule::kFull);
    for (std::size_t i = 0; i < examples_.size(); ++i) {
      const std::size_t program = i % kJudgedPrograms.size();
      examples_[i].answer = found[i * kJudgedPrograms.size() + program].answer;
    }
    for (task::Example& example : examples_) {
      if (example.answer.empty()) example.answer = "7";
    }
  }

  labels::LabelStore store(const std::string& name) {
    labels::LabelStore made = labels::LabelStore::open(lock_, name, test::some_identity(), test::some_settings());
    std::vector<labels::StoredExample> stored;
    for (const task::Example& example : examples_) stored.push_back({example.id, labels::Split::kTrain, example.level});
    made.add_examples(stored);
    return made;
  }

  /// The outcomes of a search, as a store, exported and imported.
  labels::ImportedLabels exchanged(const std::vector<search::Outcome>& found, labels::LabelStore& recorded) {
    const std::size_t each = kJudgedPrograms.size();
    for (std::size_t i = 0; i < examples_.size(); ++i) {
      recorded.record(examples_[i].id, 0, std::span(trials_).subspan(i * each, each),
                      std::span(found).subspan(i * each, each));
      recorded.mark_done(examples_[i].id);
    }
    labels::export_labels(recorded, examples_, folder_ / "samples.json.gz");
    labels::ImportedLabels imported = labels::ImportedLabels::open(lock_, "imported.sqlite", {6, "", ""});
    labels::import_file(imported, folder_ / "samples.json.gz", labels::SampleJoin(examples_));
    return imported;
  }

  test::TemporaryFolder folder_;
  labels::RunLock lock_{folder_.path()};
  test::LoadedPool model_;
  task::TaskSpec task_ = test::sums(4);
  std::vector<task::Example> examples_;
  std::vector<search::Trial> trials_;
};

TEST_F(RejudgedModel, RepeatsItsOwnSemanticsToTheBitAndFlipsOnlyRepeatsUnderTheOther) {
  const std::vector<search::Outcome> own = outcomes(CacheSemantics::kPerStep, StopRule::kVerdict);
  const std::vector<search::Outcome> shared = outcomes(CacheSemantics::kSharedSlot, StopRule::kVerdict);
  labels::LabelStore recorded = store("labels.sqlite");
  const labels::ImportedLabels imported = exchanged(own, recorded);

  labels::LabelStore again = store("again.sqlite");
  std::vector<labels::Flip> flips;
  labels::RejudgeOptions options;
  options.store = &again;
  options.on_flip = [&](const labels::Flip& flip) { flips.push_back(flip); };
  const auto judge = [&](search::Evaluator& evaluator) {
    return labels::rejudge(labels::to_judge(imported), evaluator, options);
  };
  with_model(CacheSemantics::kPerStep, StopRule::kVerdict, judge);
  EXPECT_TRUE(flips.empty());
  EXPECT_EQ(again.digests().exact, recorded.digests().exact);

  options.store = nullptr;
  const std::vector<labels::RejudgeCount> counts = with_model(CacheSemantics::kSharedSlot, StopRule::kVerdict, judge);
  std::int64_t differ = 0;
  for (std::size_t i = 0; i < own.size(); ++i) differ += own[i].correct != shared[i].correct ? 1 : 0;
  EXPECT_GT(differ, 0);
  ASSERT_EQ(counts.size(), 1u);
  EXPECT_EQ(counts[0].valid + counts[0].invalid, static_cast<std::int64_t>(trials_.size()));
  EXPECT_EQ(counts[0].valid_flipped + counts[0].invalid_flipped, differ);
  EXPECT_EQ(static_cast<std::int64_t>(flips.size()), differ);
  for (const labels::Flip& flip : flips) EXPECT_GT(flip.program.length(), flip.program.unique_depth());
}

}  // namespace
}  // namespace polar::experiment
