#pragma once
// What the answers of a level hit when they are graded against references of other examples. Private to eval/.

#include <string>
#include <unordered_map>
#include <vector>

#include "eval/chance_control.h"

namespace polar::eval {

using AnsweredGroup = std::vector<const AnsweredExample*>;

/// Every answer judged against every reference of the level, each distinct pair of texts once.
class ChanceHits {
 public:
  ChanceHits(const AnsweredGroup& group, const SameAnswer& same);

  /// Whether some answer of the example (of its identity) is right under the reference of `other`.
  bool any(std::size_t example, std::size_t other) const { return any_[example][references_[other]]; }
  bool identity(std::size_t example, std::size_t other) const { return identity_[example][references_[other]]; }

  /// The class of each example's reference: references that are the same answer, directly or through others, are one.
  std::vector<int> reference_classes(const SameAnswer& same) const;

 private:
  const std::vector<bool>& hits_of(const std::string& answer, const SameAnswer& same);

  std::vector<std::string> texts_;                             ///< distinct references
  std::vector<std::size_t> references_;                        ///< in texts_, by example
  std::unordered_map<std::string, std::vector<bool>> judged_;  ///< by answer: whether each reference makes it right
  std::vector<std::vector<bool>> any_, identity_;              ///< [example][reference]
};

/// One question about examples ("does any answer hit?"), with their own and with permuted references.
struct ChanceTally {
  std::vector<double> member;              ///< [example] 1: the question concerns it
  std::vector<double> observed;            ///< [example] 1: yes with its own reference
  std::vector<double> asked;               ///< [example] permutations in which the question concerns it
  std::vector<double> lucky;               ///< [example] … and the answer is yes
  std::vector<double> asked_in, lucky_in;  ///< [permutation] the same, counted over examples

  void resize(std::size_t examples, std::size_t permutations);
  void count(std::size_t example, std::size_t permutation, bool concerns, bool hit);
  /// The examples of another level behind these, its p-th permutation being part of this p-th.
  void append(const ChanceTally& level);
};

/// The two questions of the control.
struct LevelChance {
  ChanceTally any_of_n, rescued;
  bool permuted = false;  ///< false: only member and observed are filled
  std::string note;       ///< why not
};

LevelChance chance_of_level(const AnsweredGroup& group, const ChanceFigureOptions& options, std::uint64_t seed);

}  // namespace polar::eval
