#pragma once
// How a cascade goes through the programs ranked for an input, and how that is tuned (method.md 3, menu policy).
// Torch-free.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace polar::predict {

enum class FinalAnswer {
  kMostConfident,  ///< of the tries made; equal ones: the earliest
  kLast            ///< of the last try
};

std::string to_string(FinalAnswer final_answer);
/// Throws core::UsageError for a name that to_string does not give.
FinalAnswer final_answer(const std::string& name);

/// The next program is tried until an answer is confident enough.
struct CascadeRule {
  int tries = 1;  ///< at most; ≥ 1
  double threshold =
      0;  ///< an answer of at least this confidence (nats a token, ≤ 0) is not tried again; above 0: never
  FinalAnswer answer = FinalAnswer::kMostConfident;
  std::string grader = {};  ///< by name (task/grader.h): the confidence is that of the answer it reads
  friend bool operator==(const CascadeRule&, const CascadeRule&) = default;
};

/// Whether another program is tried after tries of these confidences, in order. The first always is.
bool goes_on(std::span<const double> confidences, const CascadeRule& rule);

/// Index of the try whose answer is given. Throws core::Error when there are no tries.
std::size_t answer_of(std::span<const double> confidences, const CascadeRule& rule);

/// A program ranked for an example, and what came of it.
struct CascadeTry {
  double confidence = 0;
  double depth_ratio = 0;
  bool correct = false;
};

/// What a rule reaches on examples whose outcomes are known.
struct CascadePoint {
  CascadeRule rule;
  double accuracy = 0;
  double mean_depth_ratio = 0;  ///< all tries made
  double mean_tries = 0;
};

/// Rules of 1 … `tries` tries, both final answers, and `thresholds` quantiles of the first tries' confidences, the
/// least and the greatest among them, besides the threshold that is never reached. `examples`: each at least `tries`
/// programs in their order. Throws core::UsageError unless tries ≥ 1 and thresholds ≥ 2, core::Error for no examples or
/// one with fewer programs.
std::vector<CascadePoint> tune_cascade(std::span<const std::vector<CascadeTry>> examples, int tries, int thresholds);

}  // namespace polar::predict
