#include "task/arithmetic.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/seed.h"

namespace polar::task {
namespace {

struct Range {
  int low, high;  // both included
};

/// A kind of problem: one operation on operands from ranges.
struct Kind {
  std::string_view level;
  char operation;  // '+', '*' or '-'
  std::vector<Range> operands;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {
      {"one-digit sums", '+', {{0, 9}, {0, 9}}},
      {"products", '*', {{0, 12}, {0, 12}}},
      {"differences", '-', {{0, 35}, {0, 35}}},
      {"two-digit sums", '+', {{10, 99}, {10, 99}}},
      {"two-digit plus one-digit sums", '+', {{10, 99}, {1, 9}}},
      {"three-term sums", '+', {{0, 9}, {0, 9}, {0, 9}}},
  };
  return all;
}

constexpr Range kLarger{100, 199};
constexpr int kMostLarger = 1000;  // a level; 5,050 distinct problems is the fewest there are

/// The larger kind that answers to a kind of training; nullopt for products.
std::optional<Kind> larger_kind(const Kind& kind) {
  if (kind.operation == '*') return std::nullopt;
  const std::string_view level = kind.operation == '-'       ? "larger differences"
                                 : kind.operands.size() == 3 ? "larger three-term sums"
                                                             : "larger sums";
  return Kind{level, kind.operation, std::vector<Range>(kind.operands.size(), kLarger)};
}

struct Problem {
  std::vector<int> operands;
  char operation;

  int answer() const {
    int value = operands.front();
    for (std::size_t i = 1; i < operands.size(); ++i) {
      if (operation == '+') value += operands[i];
      if (operation == '-') value -= operands[i];
      if (operation == '*') value *= operands[i];
    }
    return value;
  }
  /// What is the same for every order of commuting operands.
  std::string key() const {
    std::vector<int> sorted = operands;
    if (operation != '-') std::sort(sorted.begin(), sorted.end());
    return fmt::format("{} {}", operation, fmt::join(sorted, " "));
  }
  std::string written(std::string_view between) const { return fmt::format("{}", fmt::join(operands, between)); }
};

std::vector<Problem> problems_of(const Kind& kind) {
  std::vector<Problem> problems = {{{}, kind.operation}};
  for (const Range& range : kind.operands) {
    std::vector<Problem> longer;
    for (const Problem& begun : problems) {
      for (int operand = range.low; operand <= range.high; ++operand) {
        longer.push_back(begun);
        longer.back().operands.push_back(operand);
      }
    }
    problems = std::move(longer);
  }
  std::erase_if(problems, [](const Problem& problem) { return problem.answer() < 0; });
  return problems;
}

Example example_of(const Problem& problem, std::string_view level) {
  Example example;
  example.id = fmt::format("arith/{}/{}", level, problem.written({&problem.operation, 1}));
  example.question = problem.written(fmt::format(" {} ", problem.operation));
  example.answer = std::to_string(problem.answer());
  example.level = level;
  example.source = "arithmetic";
  return example;
}

/// The examples of a kind by split, before any limit.
struct SplitExamples {
  std::array<std::vector<Example>, 3> of;
  int population = 0, distinct = 0;
};

SplitExamples split_examples(const Kind& kind, const ArithmeticOptions& options) {
  SplitExamples result;
  std::set<std::string> keys;
  for (const Problem& problem : problems_of(kind)) {
    const std::string key = problem.key();
    const Split split = split_of(options.seed, key, options.shares);
    result.of[static_cast<std::size_t>(split)].push_back(example_of(problem, kind.level));
    keys.insert(key);
    ++result.population;
  }
  std::vector<Example>& test = result.of[static_cast<std::size_t>(Split::kTest)];
  test = distinct_problems(std::move(test), options.seed);
  result.distinct = static_cast<int>(keys.size());
  return result;
}

/// The same problem in other words, chosen by seed and id; the question then holds the whole prompt.
Example rephrase(Example example, std::uint64_t seed) {
  const std::string e = example.question;
  std::string words;
  for (char c : e) words += c == '+' ? "plus" : c == '-' ? "minus" : c == '*' ? "times" : std::string(1, c);
  const std::array<std::string, 4> wordings = {
      fmt::format("Compute {}.\nResult: {} =", e, e),
      fmt::format("Q: How much is {}?\nA: {} is", words, words),
      fmt::format("Problem: {} = ?\nSolution: {} =", e, e),
      fmt::format("Let x = {}. Then x =", e),
  };
  example.question = wordings[core::Random(core::derive_seed(seed, "wording", example.id)).below(wordings.size())];
  example.id.replace(0, std::string_view("arith/").size(), "arith/rephrased/");
  return example;
}

std::vector<Kind> chosen_kinds(const std::vector<std::string>& names) {
  if (names.empty()) return kinds();
  std::vector<Kind> chosen;
  for (const std::string& name : names) {
    const auto found =
        std::find_if(kinds().begin(), kinds().end(), [&](const Kind& kind) { return kind.level == name; });
    if (found == kinds().end()) {
      throw core::UsageError(
          fmt::format("levels: expected names from '{}', found '{}'", fmt::join(arithmetic_levels(), "', '"), name));
    }
    const bool repeated =
        std::any_of(chosen.begin(), chosen.end(), [&](const Kind& kind) { return kind.level == name; });
    if (repeated)
      throw core::UsageError(fmt::format("levels: expected each name once, found '{}' again: remove it", name));
    chosen.push_back(*found);
  }
  return chosen;
}

/// Drawn, not listed: there are a million larger three-term sums.
NamedSplit larger_split(const std::vector<Kind>& chosen, const ArithmeticOptions& options) {
  if (options.ood_per_level < 1 || options.ood_per_level > kMostLarger) {
    throw core::UsageError(fmt::format("ood_per_level: expected an integer from 1 to {} for the set 'larger', found {}",
                                       kMostLarger, options.ood_per_level));
  }
  NamedSplit split{"larger", {}, std::nullopt};
  std::set<std::string_view> done;
  for (const Kind& trained : chosen) {
    const auto kind = larger_kind(trained);
    if (!kind || !done.insert(kind->level).second) continue;
    core::Random random(core::derive_seed(options.seed, "larger", kind->level));
    std::vector<Example> examples;
    std::set<std::string> keys;
    while (static_cast<int>(examples.size()) < options.ood_per_level) {
      Problem problem{{}, kind->operation};
      for (const Range& range : kind->operands) {
        problem.operands.push_back(
            range.low + static_cast<int>(random.below(static_cast<std::uint64_t>(range.high - range.low + 1))));
      }
      if (problem.answer() >= 0 && keys.insert(problem.key()).second)
        examples.push_back(example_of(problem, kind->level));
    }
    const auto drawn = static_cast<int>(examples.size());
    split.levels.emplace_back(kind->level, SplitCount{drawn, drawn, false});
    append(split.examples, std::move(examples));
  }
  return split;
}

/// A problem of an operation that no level has: its text, its answer and what the id calls it.
Example other_example(std::string_view level, std::string question, int answer) {
  Example example;
  std::string written = question;
  std::erase(written, ' ');
  std::ranges::replace(written, '/', ':');  // a slash divides the parts of an id
  example.id = fmt::format("arith/{}/{}", level, written);
  example.question = std::move(question);
  example.answer = std::to_string(answer);
  example.level = level;
  example.source = "arithmetic";
  return example;
}

NamedSplit operations_split(const ArithmeticOptions& options) {
  std::vector<Example> divisions, mixed, products;
  for (int b = 2; b <= 12; ++b)
    for (int answer = 2; answer <= 12; ++answer)
      divisions.push_back(other_example("divisions", fmt::format("{} / {}", b * answer, b), answer));
  for (int a = 1; a <= 9; ++a)
    for (int b = a; b <= 9; ++b)
      for (int c = 1; c <= std::min(9, a + b); ++c)
        mixed.push_back(other_example("sums and differences", fmt::format("{} + {} - {}", a, b, c), a + b - c));
  for (int a = 2; a <= 9; ++a)
    for (int b = a; b <= 9; ++b)
      for (int c = 1; c <= 9; ++c)
        products.push_back(other_example("products and sums", fmt::format("{} * {} + {}", a, b, c), a * b + c));
  NamedSplit split{"operations", {}, std::nullopt};
  for (std::vector<Example>* all : {&divisions, &mixed, &products}) {
    SplitCount& count = split.levels.emplace_back(all->front().level, SplitCount()).second;
    append(split.examples, take(std::move(*all), options.ood_per_level, options.seed, count));
  }
  return split;
}

}  // namespace

std::vector<std::string> arithmetic_levels() {
  std::vector<std::string> names;
  for (const Kind& kind : kinds()) names.emplace_back(kind.level);
  return names;
}

const std::vector<std::string>& arithmetic_variants() {
  static const std::vector<std::string> names = {"rephrased", "larger", "operations"};
  return names;
}

Dataset make_arithmetic_dataset(const ArithmeticOptions& options) {
  const std::vector<Kind> chosen = chosen_kinds(options.levels);
  Dataset data;
  NamedSplit rephrased{"rephrased", {}, "{question}"};
  for (const Kind& kind : chosen) {
    SplitExamples all = split_examples(kind, options);
    LevelReport report;
    report.level = kind.level;
    report.population = all.population;
    report.distinct = all.distinct;
    SplitCount& count = rephrased.levels.emplace_back(kind.level, SplitCount()).second;
    for (Example& example : take(all.of[2], options.ood_per_level, options.seed, count)) {
      rephrased.examples.push_back(rephrase(std::move(example), options.seed));
    }
    append(data.train, take(std::move(all.of[0]), options.per_level.train, options.seed, report.train));
    append(data.valid, take(std::move(all.of[1]), options.per_level.valid, options.seed, report.valid));
    append(data.test, take(std::move(all.of[2]), options.per_level.test, options.seed, report.test));
    data.levels.push_back(std::move(report));
  }
  for (const std::string& name : options.ood) {
    if (name == "rephrased") {
      data.ood.push_back(rephrased);
    } else if (name == "larger") {
      data.ood.push_back(larger_split(chosen, options));
    } else if (name == "operations") {
      data.ood.push_back(operations_split(options));
    } else {
      throw core::UsageError(
          fmt::format("ood: expected names from '{}', found '{}'", fmt::join(arithmetic_variants(), "', '"), name));
    }
  }
  return data;
}

std::optional<std::string> normalised_operands(const ExampleId& id) {
  if (!id.starts_with("arith/")) return std::nullopt;
  std::string_view rest = std::string_view(id).substr(id.rfind('/') + 1);
  Problem problem{{}, '\0'};
  for (;;) {
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), problem.operands.emplace_back());
    if (error != std::errc()) return std::nullopt;
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (rest.empty()) break;
    if (std::string_view("+-*").find(rest.front()) == std::string_view::npos) return std::nullopt;
    if (problem.operation != '\0' && problem.operation != rest.front()) return std::nullopt;
    problem.operation = rest.front();
    rest.remove_prefix(1);
  }
  if (problem.operands.size() < 2) return std::nullopt;
  return problem.key();
}

TaskSpec arithmetic_task() {
  TaskSpec task;
  task.name = "arithmetic";
  task.prompt_template = "Question: What is {question}?\nAnswer: {question} =";
  task.grader = "numeric:first";
  task.max_new_tokens = 6;
  return task;
}

}  // namespace polar::task
