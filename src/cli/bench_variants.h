#pragma once
// Which shortcuts of the executor a measurement turns off.

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cli/bench_runs.h"
#include "exec/executor.h"
#include "exec/model.h"

namespace polar::cli {

/// The executor's settings under a name.
struct ExecVariant {
  std::string name;
  exec::ExecOptions options;
  exec::StopRule stop = exec::StopRule::kVerdict;
  std::string kernels = "";  ///< of exec::load_model, where they are not the default's
  bool same_bits = true;     ///< as the default; not with other kernels or without batch invariance
};

struct VariantFlags {
  std::vector<std::string> off;  ///< names of switches, each measured alone in turn
  bool ablation = false;         ///< all of them
  bool plain = false;            ///< every shortcut off, instead of the default

  void declare(CLI::App& command);
  /// The default (or plain) one first, then one a switch that is off; with `kernels` of LibTorch there are none of our
  /// own to leave out. Throws core::UsageError for an unknown name, and for a switch that would change nothing.
  std::vector<ExecVariant> variants(const exec::ExecOptions& options, pool::Kernels kernels) const;
};

/// What variants run: an executor each, on the default's model or on one of other kernels, which is loaded when first
/// asked for.
class VariantExecutors {
 public:
  VariantExecutors(exec::Model usual, std::string pool_folder);
  const exec::Model& model() const { return usual_; }  ///< the default's
  exec::Executor& add(const ExecVariant& variant);
  const exec::Executor& operator[](std::size_t variant) const { return *executors_[variant]; }

 private:
  const exec::Model& model_of(const ExecVariant& variant);
  exec::Model usual_;
  std::string pool_folder_;
  std::map<std::string, exec::Model> others_;  ///< by kernels
  std::vector<std::unique_ptr<exec::Executor>> executors_;
};

/// Every run of every variant against the first series' first run. Throws core::Error naming the variant when verdicts
/// differ from it that must be the same to the last bit; says so on standard error where they need not.
void require_same_verdicts(std::span<const BenchSeries> series, std::span<const ExecVariant> variants);

/// Shares of the limit count what the default must do, whatever a variant without one of its shortcuts does besides:
/// copies the first series' distinct work to the variants that run the same trials, and takes it from the others.
void share_limit(std::span<BenchSeries> series, std::span<const ExecVariant> variants);

}  // namespace polar::cli
