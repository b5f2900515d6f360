#include "eval/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <unordered_map>

#include "core/error.h"
#include "core/seed.h"
#include "eval/levels.h"
#include "eval/statistics.h"

namespace polar::eval {
namespace {

using Rows = std::vector<const EvaluationRow*>;
using ByExample = std::unordered_map<std::string_view, const EvaluationRow*>;

std::size_t first_k(std::span<const Candidate> ranked, int k) {
  return std::min(ranked.size(), static_cast<std::size_t>(k));
}

bool top_correct(const EvaluationRow& row) {
  return row.ranked[0].correct;
}

/// Rows of one policy in one split.
struct PolicyRows {
  std::string policy;
  bool oracle = false;
  Rows rows;
  ByExample by_example;
};

/// Rows of one split.
struct Split {
  std::string name;
  std::vector<PolicyRows> policies;
  std::vector<std::string> levels;  ///< kAllLevels last

  const PolicyRows* find(std::string_view policy) const {
    auto found = std::ranges::find(policies, policy, &PolicyRows::policy);
    return found == policies.end() ? nullptr : &*found;
  }
};

template <typename Items, typename Name>
auto& find_or_add(Items& items, const std::string& name, Name member) {
  auto found = std::ranges::find(items, name, member);
  if (found != items.end()) return *found;
  items.emplace_back();
  items.back().*member = name;
  return items.back();
}

[[noreturn]] void refuse(const EvaluationRow& row, std::string_view what) {
  throw core::Error(fmt::format("evaluation: policy {}, split {}, example {}: {}; evaluate again", row.policy,
                                row.split, row.example, what));
}

void add_row(Split& split, const EvaluationRow& row) {
  if (row.ranked.empty()) refuse(row, "expected at least one program, found none");
  if (row.level == kAllLevels) refuse(row, reserved_level());
  PolicyRows& policy = find_or_add(split.policies, row.policy, &PolicyRows::policy);
  if (policy.rows.empty()) policy.oracle = row.oracle;
  if (policy.oracle != row.oracle) refuse(row, "expected all rows of a policy to be an oracle's, or none");
  if (!policy.by_example.emplace(row.example, &row).second) refuse(row, "expected one row, found a second one");
  policy.rows.push_back(&row);
  if (!row.level.empty() && std::ranges::find(split.levels, row.level) == split.levels.end())
    split.levels.push_back(row.level);
}

void require_paired(const Split& split, std::string_view reference) {
  const PolicyRows* other = split.find(reference);
  for (const PolicyRows& policy : split.policies)
    for (const EvaluationRow* row : policy.rows)
      if (!other || !other->by_example.contains(row->example))
        refuse(*row, fmt::format("expected a row of policy {} for the same example, found none", reference));
}

std::vector<Split> split_rows(std::span<const EvaluationRow> rows) {
  std::vector<Split> splits;
  for (const EvaluationRow& row : rows) add_row(find_or_add(splits, row.split, &Split::name), row);
  for (Split& split : splits) {
    split.levels.emplace_back(kAllLevels);
    require_paired(split, kBase);
    for (const std::string_view reference : {kStaticBest, kLabelPrior}) {
      if (split.find(reference)) require_paired(split, reference);
    }
  }
  return splits;
}

Rows at_level(const Rows& rows, std::string_view level) {
  if (level == kAllLevels) return rows;
  Rows chosen;
  for (const EvaluationRow* row : rows)
    if (row->level == level) chosen.push_back(row);
  return chosen;
}

/// Makes the figures of one policy at one level of one split.
class FigureMaker {
 public:
  FigureMaker(const Split& split, const PolicyRows& policy, const std::string& level, const MetricOptions& options,
              std::vector<Figure>& out)
      : split_(split),
        policy_(policy),
        level_(level),
        options_(options),
        rows_(at_level(policy.rows, level)),
        out_(out) {}

  bool empty() const { return rows_.empty(); }

  void accuracies() {
    for (int k = 1; k <= longest(); ++k)
      share("pass@k", k, policy_.oracle || k > 1, [k](const EvaluationRow& row) {
        return std::any_of(row.ranked.begin(), row.ranked.begin() + static_cast<std::ptrdiff_t>(first_k(row.ranked, k)),
                           [](const Candidate& candidate) { return candidate.correct; });
      });
    for (int k = 2; k <= longest(); ++k)
      share("vote@k", k, policy_.oracle,
            [&, k](const EvaluationRow& row) { return row.ranked[vote(row.ranked, k, options_.same)].correct; });
    for (int k = 2; k <= longest(); ++k)
      share("select@k", k, policy_.oracle,
            [k](const EvaluationRow& row) { return row.ranked[select(row.ranked, k)].correct; });
  }

  void costs() {
    mean_of_top("layers", [](const Candidate& top) { return static_cast<double>(top.layers); });
    mean_of_top("unique_layers", [](const Candidate& top) { return static_cast<double>(top.unique_layers); });
    mean_of_top("depth_ratio", [&](const Candidate& top) { return static_cast<double>(top.layers) / options_.depth; });
    mean_of_top("new_tokens", [](const Candidate& top) { return static_cast<double>(top.new_tokens); });
    mean_of_top("executions", [](const Candidate& top) { return static_cast<double>(top.executions); });
    const ByExample& base = split_.find(kBase)->by_example;
    double own = 0, of_base = 0;
    for (const EvaluationRow* row : rows_) {
      own += row->ranked[0].executions;
      of_base += base.at(row->example)->ranked[0].executions;
    }
    if (of_base > 0) add("executions_ratio", 1, own / of_base, std::nullopt, policy_.oracle);
    for (int k = 2; k <= longest(); ++k)
      mean("layers@k", k, [k](const EvaluationRow& row) {
        int layers = 0;
        for (const Candidate& candidate : std::span(row.ranked).first(first_k(row.ranked, k)))
          layers += candidate.layers;
        return static_cast<double>(layers);
      });
    const auto identity = core::Program::identity(options_.depth);
    share("identity_share", 1, policy_.oracle,
          [&](const EvaluationRow& row) { return row.ranked[0].program == identity; });
  }

  void proposals() {
    const auto identity = core::Program::identity(options_.depth);
    for (int k = 1; k <= longest(); ++k) {
      const auto right = [&identity](const Candidate& candidate) {
        return candidate.correct && candidate.program != identity;
      };
      share("pass_without_identity@k", k, policy_.oracle || k > 1, [&, k](const EvaluationRow& row) {
        return std::ranges::any_of(std::span(row.ranked).first(first_k(row.ranked, k)), right);
      });
      std::set<core::Program> programs;
      std::map<std::set<core::Program>, int> sets;
      for (const EvaluationRow* row : rows_) {
        std::set<core::Program> own;
        for (const Candidate& candidate : std::span(row->ranked).first(first_k(row->ranked, k)))
          own.insert(candidate.program);
        programs.insert(own.begin(), own.end());
        ++sets[std::move(own)];
      }
      add("distinct_programs@k", k, static_cast<double>(programs.size()), std::nullopt, policy_.oracle);
      add("distinct_sets@k", k, static_cast<double>(sets.size()), std::nullopt, policy_.oracle);
      add("set_entropy@k", k, entropy_bits(sets), std::nullopt, policy_.oracle);
    }
  }

  void flips() {
    if (policy_.policy == kBase) return;
    const ByExample& base = split_.find(kBase)->by_example;
    share("flips_to_wrong", 1, policy_.oracle,
          [&](const EvaluationRow& row) { return !top_correct(row) && top_correct(*base.at(row.example)); });
    share("flips_to_right", 1, policy_.oracle,
          [&](const EvaluationRow& row) { return top_correct(row) && !top_correct(*base.at(row.example)); });
  }

  /// The p against another policy, or nothing when there is nothing to compare.
  std::optional<double> test(std::string_view metric, std::string_view against) {
    const PolicyRows* other = split_.find(against);
    if (!other || policy_.oracle || policy_.policy == against) return std::nullopt;
    std::int64_t to_wrong = 0, to_right = 0;
    for (const EvaluationRow* row : rows_) {
      const bool before = top_correct(*other->by_example.at(row->example));
      to_wrong += before && !top_correct(*row);
      to_right += !before && top_correct(*row);
    }
    const double p = mcnemar_exact_p(to_wrong, to_right);
    add(metric, 1, p, std::nullopt, false);
    return p;
  }

  void add(std::string_view metric, int k, double value, std::optional<Interval> interval, bool oracle) {
    Figure figure{policy_.policy, split_.name, level_, static_cast<int>(rows_.size()), std::string(metric), k, value};
    if (interval) {
      figure.ci_low = interval->low;
      figure.ci_high = interval->high;
    }
    figure.oracle = oracle;
    out_.push_back(std::move(figure));
  }

 private:
  int longest() const {
    std::size_t length = 1;
    for (const EvaluationRow* row : policy_.rows) length = std::max(length, row->ranked.size());
    return static_cast<int>(std::min(length, static_cast<std::size_t>(options_.max_k)));
  }

  template <typename Predicate>
  void share(std::string_view metric, int k, bool oracle, Predicate holds) {
    const auto hits = std::ranges::count_if(rows_, [&](const EvaluationRow* row) { return holds(*row); });
    const auto n = static_cast<std::int64_t>(rows_.size());
    add(metric, k, static_cast<double>(hits) / static_cast<double>(n), wilson_interval(hits, n), oracle);
  }

  double entropy_bits(const std::map<std::set<core::Program>, int>& counts) const {
    const auto n = static_cast<double>(rows_.size());
    double entropy = 0;
    for (const auto& [set, count] : counts) entropy += count / n * std::log2(n / count);
    return entropy;
  }

  template <typename Value>
  void mean_of_top(std::string_view metric, Value value) {
    mean(metric, 1, [&](const EvaluationRow& row) { return value(row.ranked[0]); });
  }

  template <typename Value>
  void mean(std::string_view metric, int k, Value value) {
    std::vector<double> values;
    double sum = 0;
    for (const EvaluationRow* row : rows_) {
      values.push_back(value(*row));
      sum += values.back();
    }
    const std::string id = fmt::format("{}\n{}\n{}\n{}\n{}", policy_.policy, split_.name, level_, metric, k);
    const std::uint64_t seed = core::derive_seed(options_.root_seed, "bootstrap", id);
    add(metric, k, sum / static_cast<double>(values.size()),
        bootstrap_mean_interval(values, seed, options_.bootstrap_resamples), policy_.oracle);
  }

  const Split& split_;
  const PolicyRows& policy_;
  const std::string& level_;
  const MetricOptions& options_;
  Rows rows_;
  std::vector<Figure>& out_;
};

/// The tests of one split and level against one policy, to be corrected together.
class TestFamily {
 public:
  TestFamily(std::string_view metric, std::string_view against) : metric_(metric), against_(against) {}

  void test(FigureMaker& maker) {
    const auto p = maker.test(metric_, against_);
    if (!p) return;
    makers_.push_back(maker);
    p_values_.push_back(*p);
  }

  /// Adds METRIC_holm.
  void correct() {
    const std::vector<double> corrected = holm_correction(p_values_);
    for (std::size_t i = 0; i < makers_.size(); ++i)
      makers_[i].add(fmt::format("{}_holm", metric_), 1, corrected[i], std::nullopt, false);
  }

 private:
  std::string_view metric_, against_;
  std::vector<FigureMaker> makers_;
  std::vector<double> p_values_;
};

void check(const MetricOptions& options) {
  if (options.depth < 1 || options.max_k < 1 || options.bootstrap_resamples < 2 || !options.same)
    throw core::UsageError(fmt::format(
        "metrics: expected depth ≥ 1, max_k ≥ 1, bootstrap_resamples ≥ 2 and a comparison of answers, found depth {}, "
        "max_k {}, bootstrap_resamples {}, {} comparison",
        options.depth, options.max_k, options.bootstrap_resamples, options.same ? "a" : "no"));
}

}  // namespace

std::size_t vote(std::span<const Candidate> ranked, int k, const SameAnswer& same) {
  struct Group {
    std::size_t first;
    int votes;
  };
  std::vector<Group> groups;
  for (std::size_t i = 0; i < first_k(ranked, k); ++i) {
    if (ranked[i].answer.empty()) continue;
    auto found = std::ranges::find_if(
        groups, [&](const Group& group) { return same(ranked[group.first].answer, ranked[i].answer); });
    if (found == groups.end()) {
      groups.push_back({i, 1});
    } else {
      ++found->votes;
    }
  }
  auto most = std::ranges::max_element(groups, {}, &Group::votes);  // the first of equal ones
  return most == groups.end() ? 0 : most->first;
}

std::size_t select(std::span<const Candidate> ranked, int k) {
  const auto candidates = ranked.first(first_k(ranked, k));
  auto best = std::ranges::max_element(candidates, {}, &Candidate::confidence);
  return static_cast<std::size_t>(best - candidates.begin());
}

std::vector<Figure> figures_of(std::span<const EvaluationRow> rows, const MetricOptions& options) {
  check(options);
  std::vector<Figure> figures;
  const std::vector<Split> splits = split_rows(rows);
  for (const Split& split : splits) {
    for (const std::string& level : split.levels) {
      std::array<TestFamily, 3> families = {TestFamily("mcnemar_p", kBase), TestFamily("mcnemar_p_static", kStaticBest),
                                            TestFamily("mcnemar_p_prior", kLabelPrior)};
      for (const PolicyRows& policy : split.policies) {
        FigureMaker maker(split, policy, level, options, figures);
        if (maker.empty()) continue;
        maker.accuracies();
        maker.costs();
        maker.proposals();
        maker.flips();
        for (TestFamily& family : families) family.test(maker);
      }
      for (TestFamily& family : families) family.correct();
    }
  }
  return figures;
}

}  // namespace polar::eval
