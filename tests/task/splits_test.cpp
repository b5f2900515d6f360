#include "task/splits.h"

#include <fmt/format.h>

#include <set>

#include "support/task_files.h"

namespace polar::task {
namespace {

using test::error_of;

Example example(std::string id, std::string question, std::string level = {}) {
  return {std::move(id), std::move(question), "1", {}, -1, std::move(level), {}};
}

std::set<std::string> ids(const std::vector<Example>& examples) {
  std::set<std::string> found;
  for (const Example& each : examples) found.insert(each.id);
  return found;
}

std::string rows(int from, int to, const std::string& level) {
  std::string text;
  for (int i = from; i < to; ++i) {
    const std::string n = std::to_string(i);
    text += R"({"id": "r)" + n + R"(", "question": "What is )" + n + R"(?", "answer": ")" + n + R"(", "level": ")" +
            level + "\"}\n";
  }
  return text;
}

TEST(NormalisedQuestion, IgnoresCaseAndSpacing) {
  EXPECT_EQ(normalised_question("  What\t IS\n\n12 + 7? "), "what is 12 + 7?");
  EXPECT_EQ(normalised_question(" \n"), "");
  EXPECT_EQ(normalised_question("É"), "É");
}

TEST(Overlap, FindsSameIdsAndSameQuestions) {
  const std::vector<Example> a = {example("1", "One"), example("2", "Two"), example("3", "Three")};
  const std::vector<Example> b = {example("x", " two "), example("3", "Other"), example("y", "TWO"),
                                  example("z", "four")};
  const auto found = find_overlap(a, b);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].a, "2");
  EXPECT_EQ(found[0].b, "x");
  EXPECT_EQ(found[0].kind, Overlap::Kind::kQuestion);
  EXPECT_EQ(found[1].b, "y");
  EXPECT_EQ(found[2].a, "3");
  EXPECT_EQ(found[2].kind, Overlap::Kind::kId);
  EXPECT_TRUE(find_overlap({}, b).empty());
}

TEST(Overlap, NamesAPairOnceWhenIdAndQuestionAgree) {
  const std::vector<Example> a = {example("1", "One")};
  EXPECT_EQ(find_overlap(a, a).size(), 1U);
}

TEST(Overlap, FindsTheSameOperandsInAnotherOrder) {
  const std::vector<Example> a = {example("arith/two-digit sums/12+17", "12 + 17")};
  const std::vector<Example> b = {example("arith/two-digit sums/17+12", "17 + 12"),
                                  example("arith/rephrased/two-digit sums/12+17", "Compute 12 + 17"),
                                  example("arith/differences/17-12", "17 - 12"), example("17+12", "seventeen")};
  const auto found = find_overlap(a, b);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].b, b[0].id);
  EXPECT_EQ(found[1].b, b[1].id);
  EXPECT_EQ(to_string(found[1].kind), "operands");
}

TEST(DistinctProblems, KeepsOneExampleOfEachWhateverItsOrderOrWording) {
  const std::vector<Example> all = {
      example("arith/two-digit sums/12+17", "12 + 17"), example("arith/two-digit sums/17+12", "17 + 12"),
      example("arith/differences/17-12", "17 - 12"), example("a", "What is  THIS?"), example("b", "what is this?")};
  std::set<std::string> kept_somewhere;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const std::vector<Example> kept = distinct_problems(all, seed);
    ASSERT_EQ(kept.size(), 3U);
    EXPECT_EQ(kept[1].id, "arith/differences/17-12") << "in their order";
    EXPECT_EQ(problem_of(kept[0]), "+ 12 17");
    EXPECT_EQ(problem_of(kept[2]), "what is this?");
    for (const Example& each : kept) kept_somewhere.insert(each.id);
  }
  EXPECT_EQ(kept_somewhere.size(), 5U) << "drawn by the seed";
}

TEST(SplitOf, FollowsSharesAndSeed) {
  int train = 0, valid = 0, moved = 0;
  for (int i = 0; i < 4000; ++i) {
    const std::string key = std::to_string(i);
    const Split split = split_of(1, key, {0.5, 0.2});
    train += split == Split::kTrain;
    valid += split == Split::kValid;
    moved += split != split_of(2, key, {0.5, 0.2});
  }
  EXPECT_NEAR(train, 2000, 130);
  EXPECT_NEAR(valid, 800, 110);
  EXPECT_GT(moved, 1000);
  EXPECT_EQ(split_of(1, "x", {1, 0}), Split::kTrain);
  EXPECT_EQ(split_of(1, "x", {0, 0}), Split::kTest);
}

TEST(SplitOf, RefusesSharesThatAreNone) {
  for (const SplitShares& shares : {SplitShares{-0.1, 0.5}, SplitShares{0.5, -0.1}, SplitShares{0.8, 0.3}}) {
    EXPECT_NE(error_of([&] { split_of(1, "x", shares); }).find("add up to at most 1"), std::string::npos);
  }
}

TEST(Take, TakesNestedSubsetsInOrder) {
  std::vector<Example> examples;
  for (int i = 0; i < 50; ++i) examples.push_back(example("e" + std::to_string(i + 100), "q"));
  SplitCount count;
  const auto few = take(examples, 10, 1, count), more = take(examples, 20, 1, count);
  EXPECT_EQ(count.available, 50);
  EXPECT_EQ(count.taken, 20);
  EXPECT_FALSE(count.exhausted);
  for (const std::string& id : ids(few)) EXPECT_TRUE(ids(more).contains(id));
  EXPECT_TRUE(std::is_sorted(more.begin(), more.end(), [](const Example& a, const Example& b) { return a.id < b.id; }));
  EXPECT_EQ(take(examples, 0, 1, count).size(), 50U);
  EXPECT_FALSE(count.exhausted);
  EXPECT_EQ(take(examples, 51, 1, count).size(), 50U);
  EXPECT_TRUE(count.exhausted);
  EXPECT_NE(error_of([&] { take(examples, -1, 1, count); }), "");
}

class JsonlDataset : public test::FolderTest {};

TEST_F(JsonlDataset, TakesThreeFilesAsTheyAre) {
  JsonlOptions options;
  options.train_file = file("train.jsonl", rows(0, 10, "a") + rows(10, 15, "b"));
  options.valid_file = file("valid.jsonl", rows(20, 24, "a"));
  options.test_file = file("test.jsonl", rows(30, 36, "a"));
  options.ood = {{"far", file("far.jsonl", rows(40, 43, "c") + rows(50, 59, "d"))}};
  options.per_level.train = 6;
  options.ood_per_level = 4;
  const Dataset data = make_jsonl_dataset(options);
  EXPECT_EQ(data.train.size(), 11U);
  EXPECT_EQ(data.valid.size(), 4U);
  EXPECT_EQ(data.test.size(), 6U);
  ASSERT_EQ(data.levels.size(), 2U);
  EXPECT_EQ(data.levels[0].level, "a");
  EXPECT_EQ(data.levels[0].population, 20);
  EXPECT_EQ(data.levels[0].train.available, 10);
  EXPECT_EQ(data.levels[0].train.taken, 6);
  EXPECT_TRUE(data.levels[1].train.exhausted);
  ASSERT_EQ(data.ood.size(), 1U);
  EXPECT_EQ(data.ood[0].name, "far");
  EXPECT_EQ(data.ood[0].examples.size(), 3U + 4);
  EXPECT_FALSE(data.ood[0].prompt_template);
}

TEST_F(JsonlDataset, SplitsOneFileByProblemSoThatRepeatsNeverPartAndTestAsksEachOnce) {
  std::string text = rows(0, 300, "a");
  for (int i = 0; i < 300; ++i) {
    const std::string n = std::to_string(i);
    text += R"({"id": "again)" + n + R"(", "question": " what is  )" + n +
            R"(?", "answer": "1", "level": "a"})"
            "\n";
  }
  JsonlOptions options;
  options.train_file = file("all.jsonl", text);
  const Dataset data = make_jsonl_dataset(options);
  EXPECT_EQ(data.train.size() + data.valid.size() + 2 * data.test.size(), 600U);
  EXPECT_NEAR(static_cast<double>(data.train.size()), 360, 60);
  EXPECT_EQ(data.levels[0].test.available, static_cast<int>(data.test.size()));
  EXPECT_EQ(data.levels[0].distinct, 300);
  EXPECT_TRUE(find_overlap(data.train, data.test).empty());
  EXPECT_TRUE(find_overlap(data.train, data.valid).empty());
  EXPECT_TRUE(find_overlap(data.valid, data.test).empty());
}

TEST_F(JsonlDataset, KeepsBothOrdersOfAProblemInOneSplit) {
  std::string text;
  for (int i = 1; i <= 40; ++i) {
    for (const std::string& sum : {fmt::format("{}+50", i), fmt::format("50+{}", i)})
      text += fmt::format(R"({{"id": "arith/sums/{0}", "question": "{0}", "answer": "{1}"}})", sum, i + 50) + "\n";
  }
  JsonlOptions options;
  options.train_file = file("all.jsonl", text);
  const Dataset data = make_jsonl_dataset(options);
  EXPECT_EQ(data.levels[0].distinct, 40);
  EXPECT_GT(data.test.size(), 0U);
  EXPECT_EQ(data.train.size() + data.valid.size() + 2 * data.test.size(), 80U);
  EXPECT_TRUE(find_overlap(data.train, data.test).empty());
  EXPECT_TRUE(find_overlap(data.valid, data.test).empty());
}

TEST_F(JsonlDataset, KeepsTheLevelsAskedFor) {
  JsonlOptions options;
  options.train_file = file("all.jsonl", rows(0, 10, "a") + rows(10, 30, "b"));
  options.levels = {"b"};
  const Dataset data = make_jsonl_dataset(options);
  EXPECT_EQ(data.train.size() + data.valid.size() + data.test.size(), 20U);
  options.levels = {"c"};
  EXPECT_EQ(error_of([&] { make_jsonl_dataset(options); }, folder_.path()),
            "all.jsonl: level: expected rows of level 'c', found only 'a', 'b': mend the list of levels or the data");
}

TEST_F(JsonlDataset, RefusesFilesThatShareAnExample) {
  JsonlOptions options;
  options.train_file = file("train.jsonl", rows(0, 10, "a"));
  options.valid_file = file("valid.jsonl", rows(20, 24, "a"));
  options.test_file =
      file("test.jsonl", rows(30, 36, "a") + R"({"id": "new", "question": "what is 7?", "answer": "7"})");
  EXPECT_EQ(error_of([&] { make_jsonl_dataset(options); }, folder_.path()),
            "train.jsonl and test.jsonl: expected no example in both, found 1, first 'r7' and 'new' (same question): "
            "remove them from one of the "
            "files");
  options.test_file = file("other.jsonl", rows(30, 36, "a"));
  options.ood = {{"far", file("far.jsonl", rows(21, 22, "a"))}};
  EXPECT_NE(error_of([&] { make_jsonl_dataset(options); }, folder_.path()).find("'r21' and 'r21' (same id)"),
            std::string::npos);
}

TEST_F(JsonlDataset, LetsAnOutOfDistributionSetAskTestProblemsInOtherWordsOnly) {
  JsonlOptions options;
  const auto arithmetic = [](const std::string& id, const std::string& question) {
    return R"({"id": "arith/)" + id + R"(", "question": ")" + question + R"(", "answer": "9"})" + "\n";
  };
  options.train_file = file("train.jsonl", arithmetic("sums/2+7", "2 + 7"));
  options.valid_file = file("valid.jsonl", arithmetic("sums/3+6", "3 + 6"));
  options.test_file = file("test.jsonl", arithmetic("sums/4+5", "4 + 5"));
  options.ood = {{"words", file("words.jsonl", arithmetic("words/5+4", "five plus four"))}};
  EXPECT_EQ(make_jsonl_dataset(options).ood.front().examples.size(), 1U);
  options.ood = {{"words", file("words.jsonl", arithmetic("words/7+2", "seven plus two"))}};
  EXPECT_NE(error_of([&] { make_jsonl_dataset(options); }).find("(same operands)"), std::string::npos);
}

TEST_F(JsonlDataset, AsksForLettersOfChoicesAndKeepsRepeatsOfAQuestionTogether) {
  JsonlOptions options;
  std::string text;
  for (int i = 0; i < 200; ++i) {  // every question twice, with other choices
    text += fmt::format(
        R"({{"id": "r{}", "question": "Which is {}?", "answer": "{}", "choices": ["{}", "x{}"], "label": 0}})"
        "\n",
        i, i / 2, i / 2, i / 2, i % 2);
  }
  options.train_file = file("rows.jsonl", text);
  options.grader = "letter";
  options.letters = true;
  options.reordered = true;
  const Dataset data = make_jsonl_dataset(options);
  std::set<std::string> learnt;
  for (const Example& each : data.train) {
    learnt.insert(each.question.substr(0, each.question.find('\n')));
    EXPECT_EQ(each.answer, "A");
    EXPECT_NE(each.question.find("?\nA. "), std::string::npos);
  }
  for (const Example& each : data.test)
    EXPECT_FALSE(learnt.contains(each.question.substr(0, each.question.find('\n'))));
  ASSERT_EQ(data.ood.size(), 1U);
  EXPECT_EQ(data.ood[0].name, "reordered");
  ASSERT_EQ(data.ood[0].examples.size(), data.test.size());
  EXPECT_EQ(data.ood[0].examples[0].id, data.test[0].id + "/reordered");
  EXPECT_EQ(data.ood[0].examples[0].answer, "B");
  EXPECT_NE(data.ood[0].examples[0].question, data.test[0].question);
}

TEST_F(JsonlDataset, RefusesHalfASetOfFiles) {
  JsonlOptions options;
  EXPECT_NE(error_of([&] { make_jsonl_dataset(options); }).find("train_file: expected a JSONL file"),
            std::string::npos);
  options.train_file = file("train.jsonl", rows(0, 10, "a"));
  options.test_file = options.train_file;
  EXPECT_NE(error_of([&] { make_jsonl_dataset(options); }).find("found only the test one"), std::string::npos);
}

}  // namespace
}  // namespace polar::task
