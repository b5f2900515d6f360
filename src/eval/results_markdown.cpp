#include <fmt/format.h>

#include <algorithm>

#include "eval/best_of.h"
#include "eval/results_csv.h"
#include "eval/results_table.h"
#include "eval/table_text.h"

namespace polar::eval {
namespace {

/// A value with its interval, times `scale`.
std::string cell(const Figure* figure, double scale, int digits) {
  if (!figure) return kNone;
  if (!figure->ci_low || !figure->ci_high) return fmt::format("{:.{}f}", scale * figure->value, digits);
  return fmt::format("{:.{}f} [{:.{}f}, {:.{}f}]", scale * figure->value, digits, scale * *figure->ci_low, digits,
                     scale * *figure->ci_high, digits);
}

std::string percent_cell(const Figure* figure) {
  return cell(figure, 100, 1);
}

std::string p_value(const Figure* figure) {
  if (!figure) return kNone;
  return figure->value < 0.001 ? fmt::format("{:.1e}", figure->value) : fmt::format("{:.3f}", figure->value);
}

std::string policy_name(const FigureIndex& index, const std::string& policy, const std::string& split) {
  return shown_name(policy) + (index.oracle(policy, split) ? " (oracle)" : "");
}

/// The first line of a table by level: how many examples stand behind the figures of the policy that has most.
std::vector<std::string> examples_line(const FigureIndex& index, const std::string& split, const char* metric) {
  std::vector<std::string> line = {"*examples*"};
  for (const std::string& level : index.levels(split)) {
    int most = 0;
    for (const std::string& policy : index.policies(split)) {
      if (const Figure* figure = index.find(policy, split, level, metric)) most = std::max(most, figure->n);
    }
    line.push_back(most > 0 ? fmt::format("{}", most) : kNone);
  }
  line.emplace_back();
  return line;
}

/// One metric, policy by level, with the number of examples at the end; policies without it are left out.
std::string level_table(const FigureIndex& index, const std::string& split, const std::string& title,
                        const char* metric, double scale, int digits) {
  const auto levels = index.levels(split);
  std::vector<std::string> cells{"policy"};
  for (const std::string& level : levels) cells.push_back(level == kAllLevels ? "all levels" : level);
  cells.emplace_back("examples");
  std::string lines;
  for (const std::string& policy : index.policies(split)) {
    const Figure* all = index.find(policy, split, kAllLevels, metric);
    if (!all) continue;
    std::vector<std::string> line = {policy_name(index, policy, split)};
    for (const std::string& level : levels)
      line.push_back(cell(index.find(policy, split, level, metric), scale, digits));
    line.push_back(fmt::format("{}", all->n));
    lines += markdown_line(line);
  }
  if (lines.empty()) return {};
  return fmt::format("\n### {}\n\n", title) + markdown_head(cells) +
         markdown_line(examples_line(index, split, metric)) + lines;
}

std::string levels_tables(const FigureIndex& index, const std::string& split) {
  return level_table(index, split, "Layers a token, by level", "layers", 1, 2) +
         level_table(index, split, "Answers of the unchanged order, by level (percent)", "identity_share", 100, 1) +
         level_table(index, split, "Latency, ratio to base, by level", "latency_ratio", 1, 3);
}

std::string depth_table(const FigureIndex& index, const std::string& split) {
  std::string text = "\n### Depth (means over all levels)\n\n" +
                     markdown_head({"policy", "layers a token", "distinct layers", "depth ratio", "new tokens",
                                    "layers an answer", "of base's", "identity (percent)"});
  for (const std::string& policy : index.policies(split)) {
    auto get = [&](const char* metric) { return index.find(policy, split, kAllLevels, metric); };
    text +=
        markdown_line({policy_name(index, policy, split), cell(get("layers"), 1, 2), cell(get("unique_layers"), 1, 2),
                       cell(get("depth_ratio"), 1, 3), cell(get("new_tokens"), 1, 2), cell(get("executions"), 1, 1),
                       cell(get("executions_ratio"), 1, 3), percent_cell(get("identity_share"))});
  }
  return text;
}

std::string comparison_table(const FigureIndex& index, const std::string& split) {
  std::string text = "\n### Against the base (all levels)\n\n" +
                     markdown_head({"policy", "right to wrong (percent)", "wrong to right (percent)", "McNemar p",
                                    "p, Holm", "p against static best", "Holm", "p against label prior", "Holm"});
  for (const std::string& policy : index.policies(split)) {
    if (policy == kBase) continue;
    auto get = [&](const char* metric) { return index.find(policy, split, kAllLevels, metric); };
    text += markdown_line(
        {policy_name(index, policy, split), percent_cell(get("flips_to_wrong")), percent_cell(get("flips_to_right")),
         p_value(get("mcnemar_p")), p_value(get("mcnemar_p_holm")), p_value(get("mcnemar_p_static")),
         p_value(get("mcnemar_p_static_holm")), p_value(get("mcnemar_p_prior")), p_value(get("mcnemar_p_prior_holm"))});
  }
  return text;
}

std::string several_programs_table(const FigureIndex& index, const std::string& split) {
  const int max_k = index.max_k(split);
  if (max_k < 2) return {};
  std::string text = "\n### Several programs an example (percent, all levels)\n\n" +
                     markdown_head({"policy", "k", "pass@k (oracle)", "vote@k", "select@k", "layers a token, all k"});
  for (const std::string& policy : index.policies(split)) {
    for (int k = 2; k <= max_k; ++k) {
      auto get = [&](const char* metric) { return index.find(policy, split, kAllLevels, metric, k); };
      if (!get("pass@k")) continue;
      text += markdown_line({policy_name(index, policy, split), fmt::format("{}", k), percent_cell(get("pass@k")),
                             percent_cell(get("vote@k")), percent_cell(get("select@k")), cell(get("layers@k"), 1, 2)});
    }
  }
  return text;
}

/// At the first and the largest k.
std::string proposals_table(const FigureIndex& index, const std::string& split) {
  std::string lines;
  std::vector<int> ks = {1};
  if (index.max_k(split) > 1) ks.push_back(index.max_k(split));
  for (const std::string& policy : index.policies(split)) {
    for (const int k : ks) {
      auto get = [&](const char* metric) { return index.find(policy, split, kAllLevels, metric, k); };
      if (!get("distinct_sets@k")) continue;
      lines += markdown_line({policy_name(index, policy, split), fmt::format("{}", k),
                              cell(get("distinct_programs@k"), 1, 0), cell(get("distinct_sets@k"), 1, 0),
                              cell(get("set_entropy@k"), 1, 2), percent_cell(get("pass_without_identity@k"))});
    }
  }
  if (lines.empty()) return {};
  return "\n### What is proposed (all levels)\n\n" +
         markdown_head({"policy", "k", "distinct programs", "distinct sets", "entropy of sets (bits)",
                        "pass@k without the identity (percent)"}) +
         lines;
}

std::string latency_table(const FigureIndex& index, const std::string& split) {
  std::string lines;
  for (const std::string& policy : index.policies(split)) {
    auto get = [&](const char* metric) { return index.find(policy, split, kAllLevels, metric); };
    const Figure* answer = get("answer_ms");
    if (!answer) continue;
    lines += markdown_line({policy_name(index, policy, split), cell(get("prefill_ms"), 1, 1),
                            cell(get("decode_ms"), 1, 1), cell(get("policy_ms"), 1, 2), cell(answer, 1, 1),
                            cell(get("latency_ratio"), 1, 3), fmt::format("{}", answer->n)});
  }
  if (lines.empty()) return {};
  return "\n### Latency (milliseconds an answer)\n\n" +
         markdown_head({"policy", "prefill", "decode", "policy", "answer", "ratio to base", "examples"}) + lines;
}

}  // namespace

std::string results_markdown(const std::vector<Figure>& figures) {
  const FigureIndex index(figures);
  std::string text =
      "# Results\n\n"
      "Brackets hold 95 % intervals: Wilson's for shares, bootstrap for means. \"All levels\" pools the examples of a "
      "split, so a level weighs by its size. An oracle is chosen with the right answer known: it is an upper bound and "
      "cannot be deployed. p-values are McNemar's exact ones, two-sided; Holm's correction is over the policies "
      "compared with the base, or with static best, in the same split.\n";
  if (std::ranges::find(figures, kBestSampling, &Figure::policy) != figures.end())
    text +=
        "\nBase sampling best takes, at each k, the temperature that is best on the very examples shown: an optimistic "
        "choice.\n";
  for (const std::string& split : index.splits())
    text += fmt::format("\n## {}\n", split) + level_table(index, split, "Accuracy (percent)", "pass@k", 100, 1) +
            depth_table(index, split) + comparison_table(index, split) + several_programs_table(index, split) +
            proposals_table(index, split) + latency_table(index, split) + levels_tables(index, split);
  return text;
}

}  // namespace polar::eval
