#include "labels/diff.h"

#include <map>
#include <utility>

namespace polar::labels {
namespace {

using TrialsByProgram = std::map<std::pair<core::Program, search::Sample>, SourceTrial>;

TrialsByProgram by_program(const LabelSource& source, const task::ExampleId& example) {
  TrialsByProgram trials;
  for (SourceTrial& row : source.trials(example)) {
    std::pair key(row.trial.program, row.trial.sample);
    trials.try_emplace(std::move(key), std::move(row));
  }
  return trials;
}

class Comparison {
 public:
  explicit Comparison(const std::function<void(const TrialDifference&)>& on_difference)
      : on_difference_(on_difference) {}

  void compare(const std::string& level, const TrialsByProgram& a, const TrialsByProgram& b) {
    DiffCount& count = counts_[level];
    count.level = level;
    auto in_a = a.begin();
    auto in_b = b.begin();
    while (in_a != a.end() || in_b != b.end()) {
      if (in_b == b.end() || (in_a != a.end() && in_a->first < in_b->first)) {
        ++count.only_a;
        report({TrialDifference::Kind::kOnlyA, level, in_a->second.trial, in_a->second.correct, false});
        ++in_a;
      } else if (in_a == a.end() || in_b->first < in_a->first) {
        ++count.only_b;
        report({TrialDifference::Kind::kOnlyB, level, in_b->second.trial, false, in_b->second.correct});
        ++in_b;
      } else {
        compare(count, in_a->second, in_b->second);
        ++in_a;
        ++in_b;
      }
    }
  }

  std::vector<DiffCount> counts() && {
    std::vector<DiffCount> counts;
    for (auto& [level, count] : counts_) counts.push_back(std::move(count));
    return counts;
  }

 private:
  void compare(DiffCount& count, const SourceTrial& a, const SourceTrial& b) {
    ++count.both;
    if (a.correct != b.correct) {
      ++(a.correct ? count.right_to_wrong : count.wrong_to_right);
      report({TrialDifference::Kind::kFlip, count.level, a.trial, a.correct, b.correct});
    } else if (a.scores && b.scores && *a.scores != *b.scores) {
      ++count.other_scores;
    }
  }

  void report(const TrialDifference& difference) const {
    if (on_difference_) on_difference_(difference);
  }

  const std::function<void(const TrialDifference&)>& on_difference_;
  std::map<std::string, DiffCount> counts_;
};

}  // namespace

std::vector<DiffCount> diff_labels(const LabelSource& a, const LabelSource& b,
                                   const std::function<void(const TrialDifference&)>& on_difference) {
  std::map<task::ExampleId, std::string> levels;
  for (const LabelSource* source : {&a, &b}) {
    for (StoredExample& example : source->examples())
      levels.try_emplace(std::move(example.id), std::move(example.level));
  }
  Comparison comparison(on_difference);
  for (const auto& [example, level] : levels) comparison.compare(level, by_program(a, example), by_program(b, example));
  return std::move(comparison).counts();
}

}  // namespace polar::labels
