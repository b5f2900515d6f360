#pragma once
// Cascade: runs programs one after another, and decides by what the model said whether another one is run.

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/program.h"
#include "exec/executor.h"
#include "predict/cascade_rule.h"

namespace polar::policy {

/// What a program made the model say; nothing derived from the reference answer.
struct ModelOutput {
  std::string text, answer;
  double confidence = 0;  ///< mean log-probability of the tokens up to the end of the answer
};

/// Of one input. Not thread-safe.
class Cascade {
 public:
  virtual ~Cascade() = default;
  /// The program to run after these outputs, in order; none when the input is answered.
  virtual std::optional<core::Program> next(std::span<const ModelOutput> so_far) = 0;
  /// Index of the output that is the answer, once next() gives none. `so_far` is not empty.
  virtual std::size_t answer(std::span<const ModelOutput> so_far) const = 0;
};

/// Ranked programs in their order, by a rule on confidences; ends early where there are fewer than the rule's tries.
class RankedCascade final : public Cascade {
 public:
  RankedCascade(std::vector<core::Program> programs, const predict::CascadeRule& rule)
      : programs_(std::move(programs)), rule_(rule) {}
  std::optional<core::Program> next(std::span<const ModelOutput> so_far) override;
  std::size_t answer(std::span<const ModelOutput> so_far) const override;

 private:
  std::vector<core::Program> programs_;
  predict::CascadeRule rule_;
};

/// A cascade run to its end.
struct CascadeRun {
  std::vector<core::Program> programs;  ///< all that ran, in order
  std::vector<exec::Answer> answers;    ///< as many
  std::size_t answer = 0;               ///< index of the one given

  int layers() const;          ///< executions a token, of all programs
  std::size_t tokens() const;  ///< generated under all of them
};

/// An input, by its place, to be answered under a program.
struct CascadeTrial {
  std::size_t input = 0;
  core::Program program;
};

/// Runs the cascade of every input; trials of inputs that go on are made together. `run` gives an answer a trial.
std::vector<CascadeRun> run_cascades(
    std::span<const std::unique_ptr<Cascade>> cascades,
    const std::function<std::vector<exec::Answer>(std::span<const CascadeTrial>)>& run);

}  // namespace polar::policy
