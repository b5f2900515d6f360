#include "experiment/leakage.h"

#include <gtest/gtest.h>

#include <tuple>

#include "core/error.h"
#include "experiment/config.h"
#include "experiment/dataset.h"
#include "support/message_of.h"
#include "support/parts.h"
#include "support/temporary_folder.h"

namespace polar::experiment {
namespace {

task::Example example(const std::string& id, const std::string& question) {
  return {id, question, "1", {}, -1, "", ""};
}

/// Three examples of train and validation, and one that is evaluated.
task::Dataset dataset(const task::Example& evaluated) {
  task::Dataset data;
  data.train = {example("arith/sums/12+7", "12 + 7"), example("t", "What is a prime?")};
  data.valid = {example("v", "What is a square?")};
  data.test = {example("fresh", "What is a cube?")};
  data.ood = {{"other", {evaluated}, std::nullopt}};
  return data;
}

labels::LabelStore store_of(const labels::RunLock& lock, std::initializer_list<labels::StoredExample> examples,
                            labels::StoreKind kind = labels::StoreKind::kLabels) {
  labels::LabelStore store = labels::LabelStore::open(lock, "labels.sqlite", {"w", "p", "t", "n", "g", "f"},
                                                      {"s", "verdict", 1}, {.kind = kind});
  store.add_examples(std::vector<labels::StoredExample>(examples));
  return store;
}

TEST(Leakage, IsRefusedByIdQuestionAndOperandsNamingBothPlaces) {
  const std::tuple<task::Example, std::vector<std::string>> leaks[] = {
      {example("v", "Something else?"), {"other", "validation", "first 'v', which is 'v' there (same id)"}},
      {example("x", " what IS a\tprime? "), {"other", "train", "first 'x', which is 't' there (same question)"}},
      {example("arith/words/7+12", "seven plus twelve"),
       {"'arith/words/7+12', which is 'arith/sums/12+7' there (same "
        "operands)"}}};
  for (const auto& [leak, parts] : leaks)
    test::expect_parts(test::message_of<core::Error>([&] { refuse_leakage(dataset(leak)); }), parts);
  EXPECT_NO_THROW(refuse_leakage(dataset(example("arith/words/7-2", "seven less two"))));
}

TEST(Leakage, IsRefusedWhereTheLabelsHoldWhatTheDataSetDoesNot) {
  const test::TemporaryFolder folder;
  const labels::RunLock lock(folder.path());
  const labels::LabelStore store = store_of(lock, {{"t", labels::Split::kTrain, ""},
                                                   {"gone", labels::Split::kValid, ""},
                                                   {"arith/sums/3+4", labels::Split::kTrain, ""}});
  const std::tuple<task::Example, std::vector<std::string>> leaks[] = {
      {example("gone", "Another?"), {"labels.sqlite, tagged valid", "'gone' there (same id)"}},
      {example("arith/words/4+3", "four plus three"), {"'arith/sums/3+4' there (same operands)"}}};
  for (const auto& [leak, parts] : leaks)
    test::expect_parts(test::message_of<core::Error>([&] { refuse_leakage(dataset(leak), store); }), parts);
  EXPECT_NO_THROW(refuse_leakage(dataset(example("y", "Another?")), store));
}

TEST(Leakage, IsNotLookedForInAnOraclesStoreWhichIsRefused) {
  const test::TemporaryFolder folder;
  const labels::RunLock lock(folder.path());
  const labels::LabelStore store = store_of(lock, {{"fresh", labels::Split::kTest, ""}}, labels::StoreKind::kOracle);
  EXPECT_THROW(refuse_leakage(dataset(example("y", "Another?")), store), core::Error);
}

TEST(Leakage, IsNotSeenInGeneratedSetsThatAskTestProblemsOtherwise) {
  Config config;
  config.task.ood = {"rephrased", "larger"};
  config.task.train_per_level = config.task.valid_per_level = config.task.test_per_level = 1000;
  const task::Dataset data = make_data(config).dataset;  // compares them
  EXPECT_FALSE(task::find_overlap(data.test, data.ood.front().examples).empty()) << "the same operands, by design";
}

}  // namespace
}  // namespace polar::experiment
