#include "eval/results_table.h"

#include <algorithm>

namespace polar::eval {
namespace {

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

}  // namespace

std::string shown_name(std::string_view policy) {
  std::string shown(policy);
  std::ranges::replace(shown, '_', ' ');
  return shown;
}

FigureIndex::FigureIndex(const std::vector<Figure>& figures) : figures_(figures) {
  for (const Figure& figure : figures) {
    add_once(splits_, figure.split);
    by_key_.emplace(Key{figure.policy, figure.split, figure.level, figure.metric, figure.k}, &figure);
  }
}

std::vector<std::string> FigureIndex::policies(std::string_view split) const {
  std::vector<std::string> names;
  for (const Figure& figure : figures_)
    if (figure.split == split) add_once(names, figure.policy);
  return names;
}

std::vector<std::string> FigureIndex::levels(std::string_view split) const {
  std::vector<std::string> names;
  for (const Figure& figure : figures_)
    if (figure.split == split && figure.level != kAllLevels) add_once(names, figure.level);
  names.emplace_back(kAllLevels);
  return names;
}

const Figure* FigureIndex::find(std::string_view policy, std::string_view split, std::string_view level,
                                std::string_view metric, int k) const {
  auto found = by_key_.find(Key{policy, split, level, metric, k});
  return found == by_key_.end() ? nullptr : found->second;
}

bool FigureIndex::oracle(std::string_view policy, std::string_view split) const {
  const Figure* figure = find(policy, split, kAllLevels, "pass@k");
  return figure && figure->oracle;
}

int FigureIndex::max_k(std::string_view split) const {
  int largest = 1;
  for (const Figure& figure : figures_)
    if (figure.split == split && figure.metric == "pass@k") largest = std::max(largest, figure.k);
  return largest;
}

}  // namespace polar::eval
