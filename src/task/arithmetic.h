#pragma once
// A generated arithmetic task: six levels from easy to hard for a small model.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "task/splits.h"
#include "task/task.h"

namespace polar::task {

struct ArithmeticOptions {
  std::uint64_t seed = 1;
  std::vector<std::string> levels;     ///< names of arithmetic_levels(); empty: all
  SplitLimits per_level{100, 40, 90};  ///< examples a level and split; 0: all
  SplitShares shares{0.45, 0.15};      ///< of the distinct problems of a level
  std::vector<std::string> ood;        ///< any of arithmetic_variants()
  int ood_per_level = 40;              ///< examples a set and level; 0: all ("larger": 1 … 1,000)
};

/// In order:
/// | level                        | problems        | operands                | examples | distinct |
/// |------------------------------|-----------------|-------------------------|----------|----------|
/// | one-digit sums               | a + b           | 0 … 9                   | 100      | 55       |
/// | products                     | a * b           | 0 … 12                  | 169      | 91       |
/// | differences                  | a - b, b ≤ a    | 0 … 35                  | 666      | 666      |
/// | two-digit sums               | a + b           | 10 … 99                 | 8,100    | 4,095    |
/// | two-digit plus one-digit sums| a + b           | a 10 … 99, b 1 … 9      | 810      | 810      |
/// | three-term sums              | a + b + c       | 0 … 9                   | 1,000    | 220      |
/// Answers are never negative. A problem with its operands in another order is another example, but the same distinct
/// problem. The small kinds stay small: with larger operands a small model knows next to none of their answers, and the
/// ladder would lose its lower rungs.
std::vector<std::string> arithmetic_levels();

/// "rephrased", "larger", "operations": the sets out of distribution that can be generated.
const std::vector<std::string>& arithmetic_variants();

/// Examples with id "arith/<level>/12+7", question "12 + 7", answer "19", source "arithmetic". A problem's split is a
/// hash of seed, operation and operands (sorted where the operation commutes): orders of one problem never part, and
/// nothing moves when sizes change. Training and validation hold every order; test and its rephrasings ask each
/// problem once, in an order drawn by hash, so that their intervals count no problem twice. A level that runs out is
/// reported as exhausted, never topped up.
///
/// Out of distribution:
/// - "rephrased": test problems only, in other words; the question holds the whole wording and the template is
///   "{question}". Ids "arith/rephrased/<level>/12+7".
/// - "larger": sums, differences and three-term sums with every operand in 100 … 199, beyond all training ranges, for
///   the operations in use. Levels "larger sums", "larger differences", "larger three-term sums". Products have none:
///   they would be out of any small model's reach.
/// - "operations": other operations than any level's, small operands, each problem once. Levels "divisions" (a / b
///   without remainder, b and the answer 2 … 12), "sums and differences" (a + b - c, 1 … 9, never negative) and
///   "products and sums" (a * b + c, a and b 2 … 9, c 1 … 9).
///
/// Throws core::UsageError for unknown levels and sets, naming the known ones, and for numbers outside their range.
Dataset make_arithmetic_dataset(const ArithmeticOptions& options);

/// What the id of an arithmetic example says of its problem, the same for every order of commuting operands and every
/// wording: "+ 7 12" for "arith/two-digit plus one-digit sums/12+7". nullopt for an id of any other form.
std::optional<std::string> normalised_operands(const ExampleId& id);

/// "Question: What is {question}?\nAnswer: {question} =", numeric:first, separator " ", stop "\n", 6 new tokens.
TaskSpec arithmetic_task();

}  // namespace polar::task
