#include "eval/best_of.h"

#include <map>
#include <tuple>

namespace polar::eval {
namespace {

using Key = std::tuple<std::string, std::string, int>;  ///< split, metric, k

Key key_of(const Figure& figure) {
  return {figure.split, figure.metric, figure.k};
}

}  // namespace

std::vector<Figure> best_of(std::span<const Figure> figures, std::span<const std::string> members,
                            const std::string& policy) {
  std::map<Key, const Figure*> best;
  for (const std::string& member : members) {
    for (const Figure& figure : figures) {
      if (figure.policy != member || figure.level != kAllLevels) continue;
      if (figure.metric != "pass@k" && figure.metric != "vote@k" && figure.metric != "select@k") continue;
      const Figure*& found = best.try_emplace(key_of(figure), &figure).first->second;
      if (figure.value > found->value) found = &figure;
    }
  }
  std::vector<Figure> chosen;
  for (const Figure& figure : figures) {
    const auto found = best.find(key_of(figure));
    if (found == best.end() || found->second->policy != figure.policy) continue;
    chosen.push_back(figure);
    chosen.back().policy = policy;
    chosen.back().oracle = true;
  }
  return chosen;
}

}  // namespace polar::eval
