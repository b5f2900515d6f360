#include "eval/chance_hits.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <numeric>
#include <utility>

#include "eval/restricted_permutations.h"

namespace polar::eval {
namespace {

std::size_t root_of(std::vector<std::size_t>& parents, std::size_t item) {
  while (parents[item] != item) item = parents[item] = parents[parents[item]];
  return item;
}

void add_hits(std::vector<bool>& all, const std::vector<bool>& more) {
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = all[i] || more[i];
}

/// With their own references.
void count_observed(const AnsweredGroup& group, const ChanceHits& hits, LevelChance& chance) {
  for (std::size_t i = 0; i < group.size(); ++i) {
    const bool base = hits.identity(i, i), any = hits.any(i, i);
    chance.any_of_n.member[i] = 1;
    chance.any_of_n.observed[i] = any ? 1 : 0;
    chance.rescued.member[i] = base ? 0 : 1;
    chance.rescued.observed[i] = !base && any ? 1 : 0;
  }
}

void count_permuted(const AnsweredGroup& group, const ChanceHits& hits, RestrictedPermutations permutations,
                    LevelChance& chance) {
  for (std::size_t p = 0; p < chance.any_of_n.asked_in.size(); ++p) {
    const std::span<const std::size_t> given = permutations.next();
    for (std::size_t i = 0; i < group.size(); ++i) {
      const bool any = hits.any(i, given[i]);
      chance.any_of_n.count(i, p, true, any);
      chance.rescued.count(i, p, chance.rescued.member[i] == 1 && !hits.identity(i, given[i]), any);
    }
  }
}

std::string no_permutation_note(const std::vector<int>& classes) {
  std::vector<std::size_t> sizes(classes.size(), 0);
  for (const int one : classes) ++sizes[static_cast<std::size_t>(one)];
  return fmt::format(
      "no chance figure: {} of {} examples have the same answer, so that no permutation leaves each with another one",
      std::ranges::max(sizes), classes.size());
}

}  // namespace

ChanceHits::ChanceHits(const AnsweredGroup& group, const SameAnswer& same) {
  std::unordered_map<std::string, std::size_t> known;
  for (const AnsweredExample* example : group) {
    const auto [place, is_new] = known.try_emplace(example->reference, texts_.size());
    if (is_new) texts_.push_back(example->reference);
    references_.push_back(place->second);
  }
  for (const AnsweredExample* example : group) {
    std::vector<bool>& any = any_.emplace_back(texts_.size(), false);
    for (const std::string& answer : example->answers) add_hits(any, hits_of(answer, same));
    identity_.push_back(hits_of(example->answers[example->identity], same));
  }
}

const std::vector<bool>& ChanceHits::hits_of(const std::string& answer, const SameAnswer& same) {
  const auto [known, is_new] = judged_.try_emplace(answer);
  if (is_new) {
    for (const std::string& reference : texts_) known->second.push_back(is_right(same, answer, reference));
  }
  return known->second;
}

std::vector<int> ChanceHits::reference_classes(const SameAnswer& same) const {
  std::vector<std::size_t> parents(texts_.size());
  std::iota(parents.begin(), parents.end(), std::size_t{0});
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (same(texts_[i], texts_[j])) parents[root_of(parents, i)] = root_of(parents, j);
    }
  }
  std::vector<int> classes;
  for (const std::size_t reference : references_) classes.push_back(static_cast<int>(root_of(parents, reference)));
  return classes;
}

void ChanceTally::resize(std::size_t examples, std::size_t permutations) {
  for (auto* values : {&member, &observed, &asked, &lucky}) values->assign(examples, 0);
  for (auto* values : {&asked_in, &lucky_in}) values->assign(permutations, 0);
}

void ChanceTally::count(std::size_t example, std::size_t permutation, bool concerns, bool hit) {
  if (!concerns) return;
  ++asked[example];
  ++asked_in[permutation];
  if (!hit) return;
  ++lucky[example];
  ++lucky_in[permutation];
}

void ChanceTally::append(const ChanceTally& level) {
  for (auto values : {&ChanceTally::member, &ChanceTally::observed, &ChanceTally::asked, &ChanceTally::lucky})
    std::ranges::copy(level.*values, std::back_inserter(this->*values));
  for (auto sums : {&ChanceTally::asked_in, &ChanceTally::lucky_in}) {
    (this->*sums).resize((level.*sums).size(), 0);
    std::ranges::transform(this->*sums, level.*sums, (this->*sums).begin(), std::plus());
  }
}

LevelChance chance_of_level(const AnsweredGroup& group, const ChanceFigureOptions& options, std::uint64_t seed) {
  LevelChance chance;
  const ChanceHits hits(group, options.same);
  for (ChanceTally* tally : {&chance.any_of_n, &chance.rescued})
    tally->resize(group.size(), static_cast<std::size_t>(options.permutations));
  count_observed(group, hits, chance);
  std::vector<int> classes = hits.reference_classes(options.same);
  chance.permuted = RestrictedPermutations::exist(classes);
  if (!chance.permuted)
    chance.note = no_permutation_note(classes);
  else
    count_permuted(group, hits, RestrictedPermutations(std::move(classes), seed), chance);
  return chance;
}

}  // namespace polar::eval
