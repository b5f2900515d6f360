#pragma once
// Planner: decides before execution which programs to run for an input.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/program.h"
#include "exec/encoding.h"
#include "policy/cascade.h"
#include "predict/features.h"
#include "search/evaluator.h"
#include "task/example.h"

namespace polar::policy {

/// What a deployed policy may see of an input: never an outcome, a reference answer or a label.
struct Input {
  task::ExampleId id;                                ///< keys random streams; the oracle looks itself up by it
  const predict::TokenFeatures* features = nullptr;  ///< what the policy reads of the prompt (features.h); may be null
  const exec::EncodedExample* prompt = nullptr;      ///< without reference and draft; for routers (router.h)
  std::string level = {};                            ///< given to planners alone that are told it (is_told_the_level)
};

/// Programs, the one to run first; distinct, unless they are sampled (Planner::sample). Never empty.
using RankedPrograms = std::vector<core::Program>;

/// Most policies. `propose` may be called for any number of inputs; each result depends on its own input alone. Not
/// thread-safe.
class Planner {
 public:
  virtual ~Planner() = default;
  virtual std::string name() const = 0;
  /// True for a policy that needs the reference answer: nobody can deploy it.
  virtual bool is_oracle() const { return false; }
  /// Whether propose() needs Input::features; they may be null otherwise.
  virtual bool reads_features() const { return false; }
  /// Whether propose() reads Input::level, which is known of questions from the training distribution alone.
  virtual bool is_told_the_level() const { return false; }
  virtual std::vector<RankedPrograms> propose(std::span<const Input> inputs) = 0;
  /// How the answer of the program at this rank (from 0) is drawn; greedily, unless the policy samples.
  virtual search::Sample sample(std::size_t /*rank*/) const { return {}; }
  /// For a policy that is a cascade: it goes through the programs proposed for an input, gives one answer, and pays for
  /// every program it ran. Null for the others, which run the first.
  virtual std::unique_ptr<Cascade> cascade(const RankedPrograms& /*ranked*/) const { return nullptr; }
};

}  // namespace polar::policy
