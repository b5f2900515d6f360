#include "experiment/chosen_programs.h"

#include <gtest/gtest.h>

#include "support/label_fixture.h"
#include "support/temporary_folder.h"

namespace polar::experiment {
namespace {

using core::Program;
using Programs = std::vector<Program>;

class ChosenPrograms : public ::testing::Test {
 protected:
  ChosenPrograms()
      : lock_(folder_.path()),
        store_(labels::LabelStore::open(lock_, "labels.sqlite", test::some_identity(), test::some_settings())) {
    store_.add_examples(std::vector<labels::StoredExample>{{"a", labels::Split::kTrain, "sums"}});
    const std::vector<std::pair<Program, bool>> tried{
        {identity_, false}, {longest_, true}, {wrong_, false}, {longer_, true}, {shorter_, true}};
    std::vector<search::Trial> trials;
    std::vector<search::Outcome> outcomes;
    for (const auto& [program, correct] : tried) {
      trials.push_back({"a", program, {}});
      outcomes.push_back({.correct = correct, .answer_log_prob = -1});
    }
    store_.record("a", 0, trials, outcomes);
  }

  Programs chosen(const search::SearchOptions& options) const { return chosen_programs(store_, "a", space_, options); }

  test::TemporaryFolder folder_;
  labels::RunLock lock_;
  labels::LabelStore store_;
  const search::SearchSpace space_{
      {.depth = 4, .first_layer = 0, .max_block = 1, .min_depth_ratio = 0.5, .max_depth_ratio = 1.5}};
  const Program identity_{0, 1, 2, 3}, wrong_{0, 2, 3}, shorter_{0, 1, 3}, longer_{0, 1, 1, 2, 3},
      longest_{0, 0, 1, 1, 2, 3};
};

TEST_F(ChosenPrograms, AreTheBestKeepOfTheValidOnes) {
  EXPECT_EQ(chosen({}), (Programs{shorter_, longer_, longest_}));
  EXPECT_EQ(chosen({.keep = 2}), (Programs{shorter_, longer_}));
}

TEST_F(ChosenPrograms, AreWhatTheObjectiveAsksFor) {
  EXPECT_EQ(chosen({.objective = search::Objective::kFirstValid}), Programs{longest_});
  EXPECT_EQ(chosen({.objective = search::Objective::kShortest}), Programs{shorter_});
}

TEST_F(ChosenPrograms, LeaveOutThoseOfAnIdleEdit) {
  EXPECT_EQ(chosen({.minimise = search::Minimise::kRepeats}), (Programs{shorter_, longer_}))
      << "without its repeat of layer 0 the longest is the longer, which is valid";
}

}  // namespace
}  // namespace polar::experiment
