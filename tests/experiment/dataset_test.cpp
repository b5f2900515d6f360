#include "experiment/dataset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "support/temporary_folder.h"

namespace polar::experiment {
namespace {

TEST(MakeData, SplitsArithmeticByTheSharesAskedFor) {
  Config config;
  config.task.kind = "arithmetic";
  config.task.levels = {"products"};
  config.task.train_per_level = config.task.valid_per_level = config.task.test_per_level = 169;
  const std::size_t usual = make_data(config).dataset.train.size();
  config.task.train_share = 0.8;
  const task::Dataset wider = make_data(config).dataset;
  EXPECT_GT(wider.train.size(), 120u);
  EXPECT_LT(usual, 90u);
  const auto problems = static_cast<std::size_t>(wider.levels.at(0).distinct);
  EXPECT_LE(wider.test.size(), problems / 10) << "asked in one order";
}

TEST(ShareOfLevels, TakesAPartOfEachRoundedUpAndTheSmallerFromTheLarger) {
  std::vector<task::Example> examples;
  for (int i = 0; i < 30; ++i)
    examples.push_back({std::to_string(i), "q", "1", {}, -1, i % 3 == 0 ? "few" : "many", ""});
  const auto ids = [&](double share) {
    std::vector<int> taken;
    for (const task::Example& example : share_of_levels(examples, share)) taken.push_back(std::stoi(example.id));
    return taken;
  };
  const std::vector<int> some = ids(0.25), half = ids(0.5), all = ids(1);
  EXPECT_EQ(std::ranges::count_if(some, [](int id) { return id % 3 == 0; }), 3) << "2.5 of 10, rounded up";
  EXPECT_EQ(some.size(), 8U);
  EXPECT_EQ(half.size(), 15U);
  EXPECT_EQ(all.size(), 30U);
  EXPECT_TRUE(std::ranges::is_sorted(half)) << "in the order given";
  EXPECT_TRUE(std::ranges::includes(half, some));
  EXPECT_EQ(ids(0.001).size(), 2U) << "at least one of each";
  for (int i = 30; i < 120; ++i) examples.push_back({std::to_string(i), "q", "1", {}, -1, "few", ""});
  EXPECT_EQ(ids(0.07).size(), 7U + 2U) << "0.07 * 100 is 7.000000000000001 as a number";
}

TEST(Describe, SaysOfEverySetWhatItTookAndWhichLevelRanOut) {
  Config config;
  config.task.kind = "arithmetic";
  config.task.levels = {"one-digit sums", "differences"};
  config.task.train_per_level = config.task.valid_per_level = config.task.test_per_level = 40;
  config.task.ood = {"rephrased", "larger"};
  config.task.ood_per_level = 60;
  const std::string text = describe(make_data(config).dataset);
  const task::SplitCount small = make_data(config).dataset.ood.at(0).levels.at(0).second;
  ASSERT_LT(small.taken, 40);
  EXPECT_NE(text.find("out of distribution: rephrased, " + std::to_string(small.taken + 60) + " examples"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("(all of " + std::to_string(small.taken) + ")"), std::string::npos) << text;
  EXPECT_NE(text.find("out of distribution: larger, 120 examples"), std::string::npos) << text;
}

TEST(MakeData, AsksAFilesProblemsInWordsOfTheirOwnBesideGeneratedSets) {
  const test::TemporaryFolder folder;
  std::ofstream(folder / "words.jsonl")
      << R"({"id": "w1", "question": "Ann has 3 pens and buys 4. How many?", "answer": "7"})" << '\n'
      << R"({"id": "w2", "question": "Bob had 9 nuts and ate 2. How many?", "answer": "7"})" << '\n';
  Config config;
  config.task.kind = "arithmetic";
  config.task.prompt_template = "What is {question}? {question} =";
  config.task.grader = "numeric:first";
  config.task.max_new_tokens = 6;
  config.task.train_per_level = config.task.valid_per_level = config.task.test_per_level = 10;
  config.task.ood = {"words=" + (folder / "words.jsonl").string(), "operations"};
  config.task.ood_per_level = 20;
  config.task.ood_template = "Question: {question}\nAnswer:";
  const RunData data = make_data(config);
  ASSERT_EQ(data.dataset.ood.size(), 2U);
  EXPECT_EQ(data.dataset.ood[0].name, "operations");
  EXPECT_EQ(task_of(data.task, data.dataset.ood[0]).prompt_template, config.task.prompt_template);
  EXPECT_EQ(data.dataset.ood[1].name, "words");
  EXPECT_EQ(data.dataset.ood[1].examples.size(), 2U);
  EXPECT_EQ(task_of(data.task, data.dataset.ood[1]).prompt_template, config.task.ood_template);
}

TEST(SliceLevels, DrawsFromEveryLevelInOrderAndNothingTwice) {
  std::vector<task::Example> examples;
  for (int i = 0; i < 90; ++i) examples.push_back({std::to_string(i), "q", "1", {}, -1, i % 3 == 0 ? "a" : "b", ""});
  const auto sliced = [&](int first, int count) {
    std::vector<int> ids;
    for (const task::Example& example : slice_levels(examples, first, count)) ids.push_back(std::stoi(example.id));
    return ids;
  };
  const std::vector<int> pilot = sliced(0, 10), rest = sliced(10, 0), all = sliced(0, 0);
  EXPECT_EQ(pilot.size(), 20U);
  EXPECT_EQ(std::ranges::count_if(pilot, [](int id) { return id % 3 == 0; }), 10);
  EXPECT_EQ(all.size(), 90U);
  for (const auto& ids : {pilot, rest, all}) EXPECT_TRUE(std::ranges::is_sorted(ids));
  std::vector<int> both = pilot;
  both.insert(both.end(), rest.begin(), rest.end());
  std::ranges::sort(both);
  EXPECT_EQ(both, all);
  EXPECT_GT(std::ranges::count_if(pilot, [](int id) { return id >= 45; }), 4) << "not the first of each level";
  EXPECT_EQ(sliced(0, 100), all);
}

}  // namespace
}  // namespace polar::experiment
