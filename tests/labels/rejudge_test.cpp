#include "labels/rejudge.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "labels/import.h"
#include "labels/label_store.h"
#include "support/fake_evaluator.h"
#include "support/label_fixture.h"
#include "support/message_of.h"
#include "support/parts.h"

namespace polar::labels {
namespace {

using core::Program;
using namespace polar::test;

/// A model on which programs of an even number of layers are right.
search::Outcome even_is_right(const search::Trial& trial) {
  return {trial.program.length() % 2 == 0, -1, 1, 0, trial.program.length(), "x", true};
}

class Rejudge : public ::testing::Test {
 protected:
  void SetUp() override {
    core::write_file(folder_ / "file.json", R"([
      {"id": "a", "question": "1+1?", "gt_ans": "2", "level": "easy", "initial_score": 0,
       "final_valid_transitions": [[0, 1], [0, 1, 3]], "final_invalid_transitions": [[3], [1, 2]]},
      {"id": "b", "question": "2+2?", "gt_ans": "4", "level": "hard", "initial_score": 1,
       "final_valid_transitions": [[0, 1, 2, 3]], "final_invalid_transitions": []},
      {"id": "c", "question": "3+3?", "gt_ans": "6", "level": "hard", "final_valid_transitions": []}])");
    ImportedLabels labels = ImportedLabels::open(lock_, "imported.sqlite", {4, "", ""});
    import_file(labels, folder_ / "file.json", SampleJoin({}));
  }
  ImportedLabels imported() const { return ImportedLabels::read(folder_ / "imported.sqlite"); }

  TemporaryFolder folder_;
  RunLock lock_{folder_.path()};
  RuleEvaluator evaluator_{even_is_right};
};

TEST_F(Rejudge, CountsAndListsFlipsByLevelTheIdentityIncluded) {
  for (const int batch : {1, 100}) {
    std::vector<Flip> flips;
    std::vector<RejudgeCount> examples;
    std::int64_t judged = 0;
    const ImportedLabels labels = imported();
    const auto counts = rejudge(to_judge(labels), evaluator_,
                                {.trials_per_batch = batch,
                                 .on_flip = [&](const Flip& flip) { flips.push_back(flip); },
                                 .on_example = [&](const RejudgeCount& one) { examples.push_back(one); },
                                 .progress = [&](std::int64_t trials) { judged += trials; }});
    EXPECT_EQ(counts, (std::vector<RejudgeCount>{{"easy", 2, 1, 3, 2, 1, 0, 0, 0}, {"hard", 1, 0, 0, 0, 1, 0, 0, 0}}));
    EXPECT_EQ(examples, (std::vector<RejudgeCount>{
                            {"easy", 2, 1, 3, 2, 1, 0, 0, 0}, {"hard", 1, 0, 0, 0, 1, 0, 0, 0}, {"hard"}}));
    EXPECT_EQ(flips, (std::vector<Flip>{{"a", "easy", Program::identity(4), false, true},
                                        {"a", "easy", Program{1, 2}, false, true},
                                        {"a", "easy", Program{0, 1, 3}, true, false}}));
    EXPECT_EQ(judged, trials_to_judge(to_judge(labels)));
    EXPECT_EQ(judged, 7) << "the identity of c too, whose verdict the file does not say";
  }
}

TEST_F(Rejudge, RecordsOutcomesInALabelStoreThatCanBeTrainedOn) {
  {
    LabelStore store = LabelStore::open(lock_, "labels.sqlite", some_identity(), some_settings());
    for (const ImportedExample& row : imported().examples())
      store.add_examples(std::vector<StoredExample>{row.example});
    const ImportedLabels labels = imported();
    for (int i = 0; i < 2; ++i) rejudge(to_judge(labels), evaluator_, {.store = &store});  // a repeat changes nothing
    for (const char* example : {"a", "b", "c"}) EXPECT_TRUE(store.state(example).done);
  }
  const LabelStore store = LabelStore::read(folder_ / "labels.sqlite");
  EXPECT_NO_THROW(store.require_trainable());
  EXPECT_EQ(store.trial_count(), 7);
  EXPECT_EQ(store.valid_programs("a").size(), 3u);
  EXPECT_EQ(store.depth(), 4);
}

TEST_F(Rejudge, TakesNoProgramThatSkipsTheTailForTheIdentity) {
  core::write_file(folder_ / "tail.json", R"([{"id": "a", "question": "1+1?", "gt_ans": "2",
      "final_valid_transitions": [[0, 1]], "final_invalid_transitions": [[0, 1, 2]]}])");
  LabelStore store = LabelStore::open(lock_, "tail-labels.sqlite", some_identity(), some_settings());
  {
    ImportedLabels labels = ImportedLabels::open(lock_, "tail.sqlite", {4, "", ""});
    import_file(labels, folder_ / "tail.json", SampleJoin({}));
    store.add_examples(tagged_examples(labels, {}));
    EXPECT_EQ(rejudge(to_judge(labels), evaluator_, {.store = &store}),
              (std::vector<RejudgeCount>{{"", 1, 0, 1, 0, 1, 0, 0, 0}}));
  }
  EXPECT_EQ(store.depth(), 4);
  EXPECT_EQ(store.level_counts().at(0).c_to_c, 1);
}

TEST_F(Rejudge, TagsExamplesByTheDataAndMixesNoTestWithTheRest) {
  const ImportedLabels labels = imported();
  const auto splits = [&](const QuestionSplits& data) {
    std::vector<Split> found;
    for (const StoredExample& example : tagged_examples(labels, data)) found.push_back(example.split);
    return found;
  };
  EXPECT_EQ(splits({{"1+1?", Split::kTest}, {"3+3?", Split::kValid}}),
            (std::vector<Split>{Split::kTest, Split::kTrain, Split::kValid}));
  const QuestionSplits all = {{"1+1?", Split::kTest}, {"2+2?", Split::kTest}, {"3+3?", Split::kTest}};
  EXPECT_EQ(store_kind(tagged_examples(labels, {})), StoreKind::kLabels);
  EXPECT_EQ(store_kind(tagged_examples(labels, all)), StoreKind::kOracle);
  expect_parts(message_of<core::UsageError>([&] { store_kind(tagged_examples(labels, {{"1+1?", Split::kTest}})); }),
               {"--out", "found 1 of 3", "import them apart"});
}

TEST_F(Rejudge, StopsBetweenBatchesAndPassesFailuresOn) {
  const std::atomic<bool> stop = true;
  const ImportedLabels labels = imported();
  EXPECT_THROW(rejudge(to_judge(labels), evaluator_, {.stop = &stop}), core::Interrupted);
  RuleEvaluator failing([](const search::Trial&) -> search::Outcome { throw core::Error("no memory"); });
  EXPECT_THROW(rejudge(to_judge(labels), failing), core::Error);
}

}  // namespace
}  // namespace polar::labels
