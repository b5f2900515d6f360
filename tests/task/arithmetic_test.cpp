#include "task/arithmetic.h"

#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "support/task_files.h"
#include "task/grader.h"
#include "text/prompt.h"

namespace polar::task {
namespace {

using test::error_of;

/// Operation and sorted operands of an example, read from its id.
std::string sorted_problem(const Example& example) {
  const std::string written = example.id.substr(example.id.rfind('/') + 1);
  std::vector<int> operands;
  static const std::regex kNumber("[0-9]+");
  for (std::sregex_iterator it(written.begin(), written.end(), kNumber), end; it != end; ++it)
    operands.push_back(std::stoi(it->str()));
  const char operation = written[written.find_first_of("+-*")];
  if (operation != '-') std::sort(operands.begin(), operands.end());
  std::string key(1, operation);
  for (int operand : operands) key += " " + std::to_string(operand);
  return key;
}

/// The answer computed from the question, by another way than the generator's.
int computed(const std::string& question) {
  int value = std::stoi(question);
  static const std::regex kStep(" ([+*-]) ([0-9]+)");
  for (std::sregex_iterator it(question.begin(), question.end(), kStep), end; it != end; ++it) {
    const int operand = std::stoi((*it)[2]);
    value = (*it)[1] == "+" ? value + operand : (*it)[1] == "-" ? value - operand : value * operand;
  }
  return value;
}

ArithmeticOptions everything() {
  ArithmeticOptions options;
  options.per_level = {0, 0, 0};
  options.ood = {"rephrased", "larger"};
  return options;
}

std::vector<Example> all_of(const Dataset& data) {
  std::vector<Example> all = data.train;
  all.insert(all.end(), data.valid.begin(), data.valid.end());
  all.insert(all.end(), data.test.begin(), data.test.end());
  return all;
}

TEST(Arithmetic, HasTheSixLevelsAndTheirPopulations) {
  const Dataset data = make_arithmetic_dataset(everything());
  std::map<std::string, std::pair<int, int>> found;
  for (const LevelReport& level : data.levels) found[level.level] = {level.population, level.distinct};
  const std::map<std::string, std::pair<int, int>> expected = {{"one-digit sums", {100, 55}},
                                                               {"products", {169, 91}},
                                                               {"differences", {666, 666}},
                                                               {"two-digit sums", {8100, 4095}},
                                                               {"two-digit plus one-digit sums", {810, 810}},
                                                               {"three-term sums", {1000, 220}}};
  EXPECT_EQ(found, expected);
  EXPECT_EQ(arithmetic_levels().size(), 6U);
}

TEST(Arithmetic, AnswersEveryProblemRightly) {
  std::set<std::string> ids;
  for (const Example& example : all_of(make_arithmetic_dataset(everything()))) {
    EXPECT_EQ(example.answer, std::to_string(computed(example.question))) << example.question;
    EXPECT_GE(computed(example.question), 0);
    EXPECT_EQ(example.source, "arithmetic");
    EXPECT_TRUE(ids.insert(example.id).second) << example.id;
  }
  EXPECT_TRUE(ids.contains("arith/two-digit sums/12+70") || ids.contains("arith/two-digit sums/70+12"));
  EXPECT_TRUE(ids.contains("arith/products/3*7") || ids.contains("arith/products/7*3"));
}

TEST(Arithmetic, NeverPartsTheOrdersOfAProblem) {
  const Dataset data = make_arithmetic_dataset(everything());
  std::map<std::string, std::set<int>> splits;
  int number = 0;
  for (const auto* split : {&data.train, &data.valid, &data.test}) {
    for (const Example& example : *split) splits[sorted_problem(example)].insert(number);
    ++number;
  }
  for (const auto& [problem, in] : splits) EXPECT_EQ(in.size(), 1U) << problem;
}

TEST(Arithmetic, TestsEveryProblemInOneOrderAndTrainsOnAll) {
  const Dataset data = make_arithmetic_dataset(everything());
  std::map<std::string, int> train, test, rephrased;
  for (const Example& example : data.train) ++train[example.level + sorted_problem(example)];
  for (const Example& example : data.test) ++test[example.level + sorted_problem(example)];
  for (const Example& example : data.ood.at(0).examples) ++rephrased[example.level + sorted_problem(example)];
  for (const auto& once : {test, rephrased})
    EXPECT_TRUE(std::ranges::all_of(once, [](const auto& problem) { return problem.second == 1; }));
  EXPECT_TRUE(std::ranges::any_of(train, [](const auto& problem) { return problem.second == 6; })) << "three terms";
  std::size_t distinct = 0;
  for (const LevelReport& level : data.levels) distinct += static_cast<std::size_t>(level.test.available);
  EXPECT_EQ(test.size(), distinct);
  const auto descends = [](const Example& example) {
    return example.level == "two-digit sums" && std::stoi(example.question) > std::stoi(example.question.substr(5));
  };
  const auto down = std::ranges::count_if(data.test, descends);
  EXPECT_NEAR(static_cast<double>(down) / static_cast<double>(data.levels.at(3).test.available), 0.5, 0.05)
      << "either order as often";
}

TEST(Arithmetic, SplitsByItsShares) {
  const Dataset data = make_arithmetic_dataset(everything());
  double all = 0;
  for (const LevelReport& level : data.levels) all += level.population;
  EXPECT_NEAR(static_cast<double>(data.train.size()) / all, 0.45, 0.03);
  EXPECT_NEAR(static_cast<double>(data.valid.size()) / all, 0.15, 0.03);
}

TEST(Arithmetic, TakesWhatIsAskedForAndSaysWhenALevelRunsOut) {
  const Dataset data = make_arithmetic_dataset(ArithmeticOptions{});
  std::map<std::string, int> taken;
  for (const Example& example : data.train) ++taken[example.level];
  for (const LevelReport& level : data.levels) {
    const bool small = level.level == "one-digit sums" || level.level == "products";
    EXPECT_EQ(level.train.exhausted, small) << level.level;
    EXPECT_EQ(level.train.taken, small ? level.train.available : 100) << level.level;
    EXPECT_EQ(level.train.taken, taken[level.level]);
    const int available = level.train.available + level.valid.available + level.test.available;
    EXPECT_LE(available, level.population);
    EXPECT_GE(available, level.distinct);
    if (!small && level.level != "three-term sums") {
      EXPECT_EQ(level.valid.taken, 40);
      EXPECT_EQ(level.test.taken, 90);
      EXPECT_FALSE(level.valid.exhausted || level.test.exhausted);
    }
  }
}

TEST(Arithmetic, IsAFunctionOfItsSeed) {
  const auto ids = [](std::uint64_t seed) {
    ArithmeticOptions options;
    options.seed = seed;
    options.ood = {"rephrased", "larger"};
    const Dataset data = make_arithmetic_dataset(options);
    std::string text;
    for (const Example& example : all_of(data)) text += example.id + "\n";
    for (const NamedSplit& split : data.ood) {
      for (const Example& example : split.examples) text += example.id + "|" + example.question + "\n";
    }
    return text;
  };
  EXPECT_EQ(ids(1), ids(1));
  EXPECT_NE(ids(1), ids(2));
}

TEST(Arithmetic, KeepsExamplesInPlaceWhenSizesOrLevelsChange) {
  ArithmeticOptions few;
  few.levels = {"differences", "three-term sums"};
  few.per_level = {10, 5, 7};
  const Dataset small = make_arithmetic_dataset(few), large = make_arithmetic_dataset(ArithmeticOptions{});
  EXPECT_EQ(small.train.size(), 20U);
  const auto contains = [](const std::vector<Example>& examples, const ExampleId& id) {
    return std::any_of(examples.begin(), examples.end(), [&](const Example& example) { return example.id == id; });
  };
  for (const Example& example : small.train) EXPECT_TRUE(contains(large.train, example.id)) << example.id;
  for (const Example& example : small.valid) EXPECT_TRUE(contains(large.valid, example.id)) << example.id;
  for (const Example& example : small.test) EXPECT_TRUE(contains(large.test, example.id)) << example.id;
}

TEST(Arithmetic, RephrasesTestProblemsOnly) {
  ArithmeticOptions options;
  options.ood = {"rephrased"};
  const Dataset data = make_arithmetic_dataset(options);
  ASSERT_EQ(data.ood.size(), 1U);
  EXPECT_EQ(data.ood[0].prompt_template, "{question}");
  std::size_t taken = 0;
  for (const auto& [level, count] : data.ood[0].levels) {
    EXPECT_EQ(count.taken, std::min(40, count.available)) << level;
    EXPECT_EQ(count.exhausted, count.available < 40) << level;
    taken += static_cast<std::size_t>(count.taken);
  }
  EXPECT_EQ(data.ood[0].levels.size(), data.levels.size());
  EXPECT_EQ(data.ood[0].examples.size(), taken);
  std::map<std::string, std::string> tested;
  for (const Example& example : data.test) tested["arith/rephrased/" + example.id.substr(6)] = example.answer;
  std::set<std::string> beginnings;
  for (const Example& example : data.ood[0].examples) {
    ASSERT_TRUE(tested.contains(example.id)) << example.id;
    EXPECT_EQ(example.answer, tested[example.id]);
    beginnings.insert(example.question.substr(0, example.question.find_first_of("0123456789")));
  }
  EXPECT_EQ(beginnings, (std::set<std::string>{"Compute ", "Let x = ", "Problem: ", "Q: How much is "}));
}

TEST(Arithmetic, DrawsLargerOperandsBeyondEveryTrainingRange) {
  ArithmeticOptions options;
  options.ood = {"larger"};
  const Dataset data = make_arithmetic_dataset(options);
  std::map<std::string, std::set<std::string>> problems;
  for (const Example& example : data.ood.at(0).examples) {
    EXPECT_EQ(example.answer, std::to_string(computed(example.question)));
    static const std::regex kOutside("\\b([0-9]{1,2}|[02-9][0-9]{2}|[0-9]{4,})\\b");
    EXPECT_FALSE(std::regex_search(example.question, kOutside)) << example.question;
    problems[example.level].insert(sorted_problem(example));
  }
  ASSERT_EQ(problems.size(), 3U);
  for (std::string_view level : {"larger sums", "larger differences", "larger three-term sums"}) {
    EXPECT_EQ(problems[std::string(level)].size(), 40U) << level;
  }
  options.levels = {"products"};
  EXPECT_TRUE(make_arithmetic_dataset(options).ood.at(0).examples.empty());
}

TEST(Arithmetic, AsksOtherOperationsThanAnyLevelWithAnswersThatAreNeverNegative) {
  ArithmeticOptions options;
  options.ood = {"operations"};
  options.ood_per_level = 0;
  const NamedSplit split = make_arithmetic_dataset(options).ood.at(0);
  std::map<std::string, std::set<std::string>> asked;
  std::set<ExampleId> ids;
  for (const Example& example : split.examples) {
    int a = 0, b = 0, c = 0;
    char first = 0, second = 0;
    std::istringstream question(example.question);
    question >> a >> first >> b >> second >> c;
    const int left = first == '/' ? a / b : first == '*' ? a * b : a + b;
    const int answer = second == '-' ? left - c : left + c;
    EXPECT_EQ(example.answer, std::to_string(answer)) << example.question;
    EXPECT_GE(answer, 0) << example.question;
    EXPECT_TRUE(first != '/' || a % b == 0) << example.question;
    EXPECT_FALSE(normalised_operands(example.id)) << example.id << " is no problem of a level";
    ids.insert(example.id);
    asked[example.level].insert(example.question);
  }
  EXPECT_EQ(ids.size(), split.examples.size());
  for (const char* id : {"arith/divisions/84:7", "arith/sums and differences/1+1-1", "arith/products and sums/2*2+1"})
    EXPECT_TRUE(ids.contains(id)) << id;
  ASSERT_EQ(asked.size(), 3U);
  EXPECT_EQ(asked["divisions"].size(), 121U);
  EXPECT_EQ(asked["products and sums"].size(), 324U);
  EXPECT_EQ(asked["sums and differences"].size(), 355U);
  options.ood_per_level = 40;
  EXPECT_EQ(make_arithmetic_dataset(options).ood.at(0).examples.size(), 120U);
}

TEST(Arithmetic, SharesNothingBetweenSplits) {
  const Dataset data = make_arithmetic_dataset(everything());
  EXPECT_TRUE(find_overlap(data.train, data.test).empty());
  EXPECT_TRUE(find_overlap(data.train, data.valid).empty());
  for (const NamedSplit& split : data.ood) EXPECT_TRUE(find_overlap(data.train, split.examples).empty());
}

TEST(Arithmetic, RefusesUnknownNames) {
  ArithmeticOptions options;
  options.levels = {"one-digit sum"};
  EXPECT_NE(error_of([&] {
              make_arithmetic_dataset(options);
            }).find("levels: expected names from 'one-digit sums', 'products'"),
            std::string::npos);
  options.levels = {"products", "products"};
  EXPECT_NE(error_of([&] { make_arithmetic_dataset(options); }).find("'products' again"), std::string::npos);
  options.levels = {};
  options.ood = {"harder"};
  EXPECT_EQ(error_of([&] { make_arithmetic_dataset(options); }),
            "ood: expected names from 'rephrased', 'larger', 'operations', found 'harder'");
  options.ood = {"larger"};
  options.ood_per_level = 0;
  EXPECT_NE(error_of([&] { make_arithmetic_dataset(options); }).find("ood_per_level: expected an integer from 1"),
            std::string::npos);
}

TEST(Arithmetic, ComesWithATaskThatGradesIt) {
  const TaskSpec task = arithmetic_task();
  check(task);
  EXPECT_EQ(text::PromptTemplate(task.prompt_template).render("12 + 7"), "Question: What is 12 + 7?\nAnswer: 12 + 7 =");
  EXPECT_EQ(make_grader(task.grader)->judge(task.separator + "19\n", "19", false), Verdict::kCorrect);
}

TEST(NormalisedOperands, AreThoseOfTheProblemWhateverOrderAndWording) {
  EXPECT_EQ(normalised_operands("arith/two-digit plus one-digit sums/12+7"), "+ 7 12");
  EXPECT_EQ(normalised_operands("arith/rephrased/three-term sums/9+0+4"), "+ 0 4 9");
  EXPECT_EQ(normalised_operands("arith/differences/12-7"), "- 12 7");
  for (const char* other : {"12+7", "math/12+7", "arith/sums/12", "arith/sums/", "arith/sums/1+2*3", "arith/sums/1+",
                            "arith/sums/1=1", "arith/sums/99999999999+1"})
    EXPECT_FALSE(normalised_operands(other)) << other;
}

}  // namespace
}  // namespace polar::task
