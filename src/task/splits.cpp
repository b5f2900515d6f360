#include "task/splits.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "core/error.h"
#include "core/seed.h"
#include "task/arithmetic.h"
#include "task/choices.h"

namespace polar::task {
namespace {

std::vector<std::string> levels_of(std::span<const std::vector<Example>> splits) {
  std::vector<std::string> levels;
  for (const auto& split : splits) {
    for (const Example& example : split) {
      if (std::find(levels.begin(), levels.end(), example.level) == levels.end()) levels.push_back(example.level);
    }
  }
  return levels;
}

std::vector<std::string> chosen_levels(std::vector<std::string> found, const std::vector<std::string>& asked,
                                       const std::filesystem::path& file) {
  if (asked.empty()) return found;
  for (const std::string& level : asked) {
    if (std::find(found.begin(), found.end(), level) == found.end()) {
      throw core::Error(
          fmt::format("{}: level: expected rows of level '{}', found only '{}': mend the list of levels or the data",
                      file.string(), level, fmt::join(found, "', '")));
    }
  }
  return asked;
}

std::vector<Example> of_level(const std::vector<Example>& examples, const std::string& level) {
  std::vector<Example> chosen;
  std::copy_if(examples.begin(), examples.end(), std::back_inserter(chosen),
               [&](const Example& example) { return example.level == level; });
  return chosen;
}

void refuse_overlap(std::span<const Example> a, const std::filesystem::path& a_file, std::span<const Example> b,
                    const std::filesystem::path& b_file, bool same_operands_count = true) {
  std::vector<Overlap> overlaps = find_overlap(a, b);
  if (!same_operands_count)
    std::erase_if(overlaps, [](const Overlap& overlap) { return overlap.kind == Overlap::Kind::kOperands; });
  if (overlaps.empty()) return;
  throw core::Error(
      fmt::format("{} and {}: expected no example in both, found {}, first '{}' and '{}' (same {}): remove them from "
                  "one of the files",
                  a_file.string(), b_file.string(), overlaps.size(), overlaps.front().a, overlaps.front().b,
                  to_string(overlaps.front().kind)));
}

/// train, valid, test
using Rows = std::vector<std::vector<Example>>;

/// A letter as the answer needs no check: the grader of letters finds every one.
std::vector<Example> read_rows(const JsonlOptions& options, const std::filesystem::path& file) {
  return read_jsonl(file, options.grader.empty() || options.letters ? nullptr : make_grader(options.grader).get());
}

Rows read_splits(const JsonlOptions& options) {
  if (options.train_file.empty()) throw core::UsageError("train_file: expected a JSONL file, found none: name one");
  if (options.valid_file.empty() != options.test_file.empty()) {
    throw core::UsageError(
        fmt::format("{}: expected a file for validation and one for test, or neither, found only the {} one",
                    options.train_file.string(), options.valid_file.empty() ? "test" : "validation"));
  }
  const auto read = [&](const std::filesystem::path& file) { return read_rows(options, file); };
  Rows rows(3);
  if (!options.valid_file.empty()) {
    rows = {read(options.train_file), read(options.valid_file), read(options.test_file)};
    refuse_overlap(rows[0], options.train_file, rows[1], options.valid_file);
    refuse_overlap(rows[0], options.train_file, rows[2], options.test_file);
    refuse_overlap(rows[1], options.valid_file, rows[2], options.test_file);
    return rows;
  }
  for (Example& example : read(options.train_file)) {
    const Split split = split_of(options.seed, problem_of(example), options.shares);
    rows[static_cast<std::size_t>(split)].push_back(std::move(example));
  }
  return rows;
}

NamedSplit ood_set(const JsonlOptions& options, const std::string& name, const std::vector<Example>& all) {
  NamedSplit ood{name, {}, std::nullopt};
  if (!options.ood_template.empty()) ood.prompt_template = options.ood_template;
  for (const std::string& level : levels_of({{all}})) {
    SplitCount& count = ood.levels.emplace_back(level, SplitCount()).second;
    append(ood.examples,
           take(distinct_problems(of_level(all, level), options.seed), options.ood_per_level, options.seed, count));
  }
  return ood;
}

NamedSplit read_ood(const JsonlOptions& options, const std::string& name, const std::filesystem::path& file,
                    const Rows& rows) {
  const std::vector<Example> all = read_rows(options, file);
  const std::filesystem::path* files[] = {&options.train_file, &options.valid_file, &options.test_file};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool is_test = i == 2;  // whose problems a set may ask in other words
    refuse_overlap(rows[i], files[i]->empty() ? options.train_file : *files[i], all, file, !is_test);
  }
  return ood_set(options, name, all);
}

NamedSplit reordered_test(const JsonlOptions& options, const std::vector<Example>& test) {
  NamedSplit set = ood_set(options, "reordered", test);
  set.prompt_template.reset();  // asked as test is
  for (Example& example : set.examples) example = reordered(std::move(example), options.seed);
  return set;
}

/// Last of all, so that splits and overlaps go by the question without its choices.
void ask_for_letters(Dataset& data) {
  std::vector<std::vector<Example>*> sets = {&data.train, &data.valid, &data.test};
  for (NamedSplit& set : data.ood) sets.push_back(&set.examples);
  for (std::vector<Example>* set : sets) {
    for (Example& example : *set) example = lettered(std::move(example));
  }
}

}  // namespace

Split split_of(std::uint64_t seed, std::string_view key, const SplitShares& shares) {
  if (!(shares.train >= 0 && shares.valid >= 0 && shares.train + shares.valid <= 1)) {
    throw core::UsageError(
        fmt::format("shares of train and valid: expected numbers ≥ 0 that add up to at most 1, found {} and {}",
                    shares.train, shares.valid));
  }
  const double at = core::CounterRandom(core::derive_seed(seed, "split", key)).uniform_at(0);
  if (at < shares.train) return Split::kTrain;
  return at < shares.train + shares.valid ? Split::kValid : Split::kTest;
}

void append(std::vector<Example>& to, std::vector<Example> examples) {
  to.insert(to.end(), std::make_move_iterator(examples.begin()), std::make_move_iterator(examples.end()));
}

std::vector<Example> take(std::vector<Example> examples, int limit, std::uint64_t seed, SplitCount& count) {
  if (limit < 0) throw core::UsageError(fmt::format("examples a level: expected an integer ≥ 0, found {}", limit));
  count.available = static_cast<int>(examples.size());
  count.exhausted = limit > count.available;
  count.taken = limit == 0 ? count.available : std::min(limit, count.available);
  if (count.taken == count.available) return examples;
  std::vector<std::pair<std::uint64_t, std::size_t>> order;
  for (std::size_t i = 0; i < examples.size(); ++i)
    order.emplace_back(core::derive_seed(seed, "take", examples[i].id), i);
  std::sort(order.begin(), order.end());
  order.resize(static_cast<std::size_t>(count.taken));
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  std::vector<Example> taken;
  for (const auto& [hash, i] : order) taken.push_back(std::move(examples[i]));
  return taken;
}

std::string normalised_question(std::string_view question) {
  std::string text;
  bool space = false;
  for (char c : question) {
    if (std::string_view(" \t\n\r\f\v").find(c) != std::string_view::npos) {
      space = !text.empty();
      continue;
    }
    if (std::exchange(space, false)) text += ' ';
    text += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return text;
}

std::string problem_of(const Example& example) {
  return normalised_operands(example.id).value_or(normalised_question(example.question));
}

std::vector<Example> distinct_problems(std::vector<Example> examples, std::uint64_t seed) {
  std::unordered_map<std::string, std::pair<std::uint64_t, ExampleId>> drawn;  // by problem
  for (const Example& example : examples) {
    const std::pair one{core::derive_seed(seed, "order", example.id), example.id};
    const auto [kept, first] = drawn.try_emplace(problem_of(example), one);
    if (!first) kept->second = std::min(kept->second, one);
  }
  std::erase_if(examples, [&](const Example& example) { return drawn.at(problem_of(example)).second != example.id; });
  return examples;
}

std::string_view to_string(Overlap::Kind kind) {
  switch (kind) {
    case Overlap::Kind::kId:
      return "id";
    case Overlap::Kind::kQuestion:
      return "question";
    case Overlap::Kind::kOperands:
      break;
  }
  return "operands";
}

std::vector<Overlap> find_overlap(std::span<const Example> a, std::span<const Example> b) {
  using Index = std::unordered_map<std::string, std::vector<std::size_t>>;
  Index ids, questions, operands;
  for (std::size_t i = 0; i < b.size(); ++i) {
    ids[b[i].id].push_back(i);
    questions[normalised_question(b[i].question)].push_back(i);
    if (const auto own = normalised_operands(b[i].id)) operands[*own].push_back(i);
  }
  std::vector<Overlap> overlaps;
  for (const Example& example : a) {
    std::map<std::size_t, Overlap::Kind> hits;
    const auto add = [&hits](const Index& index, const std::string& key, Overlap::Kind kind) {
      const auto found = index.find(key);
      if (found == index.end()) return;
      for (const std::size_t i : found->second) hits.try_emplace(i, kind);
    };
    add(ids, example.id, Overlap::Kind::kId);
    add(questions, normalised_question(example.question), Overlap::Kind::kQuestion);
    if (const auto own = normalised_operands(example.id)) add(operands, *own, Overlap::Kind::kOperands);
    for (const auto& [i, kind] : hits) overlaps.push_back({example.id, b[i].id, kind});
  }
  return overlaps;
}

Dataset make_jsonl_dataset(const JsonlOptions& options) {
  Rows rows = read_splits(options);
  Dataset data;
  for (const std::string& level : chosen_levels(levels_of(rows), options.levels, options.train_file)) {
    LevelReport report;
    report.level = level;
    const Rows of = {of_level(rows[0], level), of_level(rows[1], level), of_level(rows[2], level)};
    std::unordered_set<std::string> problems;
    for (const auto& split : of) {
      report.population += static_cast<int>(split.size());
      for (const Example& example : split) problems.insert(problem_of(example));
    }
    report.distinct = static_cast<int>(problems.size());
    append(data.train, take(of[0], options.per_level.train, options.seed, report.train));
    append(data.valid, take(of[1], options.per_level.valid, options.seed, report.valid));
    append(data.test, take(distinct_problems(of[2], options.seed), options.per_level.test, options.seed, report.test));
    data.levels.push_back(std::move(report));
  }
  if (options.reordered) data.ood.push_back(reordered_test(options, data.test));
  for (const auto& [name, file] : options.ood) data.ood.push_back(read_ood(options, name, file, rows));
  if (options.letters) ask_for_letters(data);
  return data;
}

NamedSplit read_ood_set(const JsonlOptions& options, const std::string& name, const std::filesystem::path& file) {
  return ood_set(options, name, read_rows(options, file));
}

}  // namespace polar::task
