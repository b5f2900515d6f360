#include "eval/results_csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "core/file.h"
#include "eval/results_table.h"
#include "eval/table_text.h"

namespace polar::eval {
namespace {

std::string percent(const Figure* figure) {
  return figure ? fmt::format("{:.1f}", 100 * figure->value) : "-";
}

std::string percent_interval(const Figure* figure) {
  if (!figure || !figure->ci_low || !figure->ci_high) return "-";
  return fmt::format("{:.1f}-{:.1f}", 100 * *figure->ci_low, 100 * *figure->ci_high);
}

std::vector<std::string> in_known_order(const std::vector<std::string>& policies) {
  constexpr std::string_view kFirst[] = {"base", "static_best", "predictor", "predictor_told_level", "menu", "random"};
  auto place = [&](const std::string& policy) {
    return policy == "oracle" ? std::ssize(kFirst) + 1 : std::ranges::find(kFirst, policy) - std::begin(kFirst);
  };
  std::vector<std::string> sorted = policies;
  std::ranges::stable_sort(sorted, {}, place);
  return sorted;
}

std::string console_table(const FigureIndex& index, const std::string& split) {
  const std::vector<std::string> policies = in_known_order(index.policies(split));
  std::vector<std::vector<std::string>> lines{{"level"}};
  for (const std::string& policy : policies) lines[0].push_back(shown_name(policy));
  auto add = [&](const std::string& head, auto cell) {
    lines.push_back({head});
    for (const std::string& policy : policies) lines.back().push_back(cell(policy));
  };
  for (const std::string& level : index.levels(split))
    add(level, [&](const std::string& policy) { return percent(index.find(policy, split, level, "pass@k")); });
  const std::string all(kAllLevels);
  add("95 % interval",
      [&](const std::string& policy) { return percent_interval(index.find(policy, split, all, "pass@k")); });
  add("layers a token", [&](const std::string& policy) {
    const Figure* layers = index.find(policy, split, all, "layers");
    return layers ? fmt::format("{:.1f}", layers->value) : "-";
  });
  add("examples", [&](const std::string& policy) {
    const Figure* figure = index.find(policy, split, all, "pass@k");
    return figure ? fmt::format("{}", figure->n) : "-";
  });
  return fmt::format("{}: accuracy in percent\n{}", split, aligned(lines));
}

}  // namespace

std::string results_csv(const std::vector<Figure>& figures) {
  std::string text = "policy,split,level,n,metric,k,value,ci_low,ci_high\n";
  for (const Figure& figure : figures)
    text += fmt::format("{},{},{},{},{},{},{},{},{}\n", csv_field(figure.policy), csv_field(figure.split),
                        csv_field(figure.level), figure.n, csv_field(figure.metric), figure.k, figure.value,
                        csv_number(figure.ci_low), csv_number(figure.ci_high));
  return text;
}

std::string results_console(const std::vector<Figure>& figures) {
  const FigureIndex index(figures);
  std::string text;
  for (const std::string& split : index.splits()) text += console_table(index, split) + "\n";
  return text + "all: every example of the split pooled. oracle: chosen with the right answer known; not deployable.\n";
}

void write_results(const std::filesystem::path& folder, const std::vector<Figure>& figures) {
  core::ensure_folder(folder);
  core::write_file(folder / "results.csv", results_csv(figures));
  core::write_file(folder / "results.md", results_markdown(figures));
}

}  // namespace polar::eval
