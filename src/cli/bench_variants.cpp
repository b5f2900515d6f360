#include "cli/bench_variants.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iostream>

#include "core/error.h"

namespace polar::cli {
namespace {

struct Switch {
  const char* name;
  void (*turn_off)(ExecVariant&);
};

constexpr const char* kOwnKernels = "own-kernels";

constexpr std::array kSwitches = {
    Switch{"drafts", [](ExecVariant& variant) { variant.options.draft_verification = false; }},
    Switch{"early-stop", [](ExecVariant& variant) { variant.stop = exec::StopRule::kFull; }},
    Switch{"prefix-sharing", [](ExecVariant& variant) { variant.options.prefix_sharing = false; }},
    Switch{"layer-batching", [](ExecVariant& variant) { variant.options.layer_batching = false; }},
    Switch{"shared-prompt", [](ExecVariant& variant) { variant.options.shared_prompt = false; }},
    Switch{"read-rows-only", [](ExecVariant& variant) { variant.options.read_rows_only = false; }},
    Switch{kOwnKernels,
           [](ExecVariant& variant) {
             variant.kernels = "library";
             variant.same_bits = false;
           }},
    // Own kernels give a row the same bits in any batch, so that fixed row counts cost something with LibTorch's alone:
    // to be compared with the line above.
    Switch{"own-kernels-and-batch-invariance",
           [](ExecVariant& variant) {
             variant.kernels = "library";
             variant.options.batch_invariant = variant.same_bits = false;
           }},
    Switch{"several-workers", [](ExecVariant& variant) { variant.options.workers = 1; }},
};

/// Those that save work; without them every token of every program is computed.
constexpr std::array kWorkSavers = {"drafts", "early-stop", "prefix-sharing", "shared-prompt", "read-rows-only"};

std::vector<std::string> switch_names() {
  std::vector<std::string> names;
  for (const Switch& one : kSwitches) names.emplace_back(one.name);
  return names;
}

const Switch& find_switch(const std::string& name) {
  const auto found = std::ranges::find(kSwitches, name, &Switch::name);
  if (found == kSwitches.end()) {
    throw core::UsageError(
        fmt::format("--without: expected one of {}, found '{}'", fmt::join(switch_names(), ", "), name));
  }
  return *found;
}

}  // namespace

void VariantFlags::declare(CLI::App& command) {
  command.add_option(
      "--without", off,
      fmt::format("Measure without this shortcut too; may be given again: {}", fmt::join(switch_names(), ", ")));
  command.add_flag("--ablation", ablation, "Measure without each shortcut in turn")->excludes("--without");
  command.add_flag("--plain", plain, "No drafts, no early stop, no sharing: every token is generated, texts are whole");
}

std::vector<ExecVariant> VariantFlags::variants(const exec::ExecOptions& options, pool::Kernels kernels) const {
  std::vector<ExecVariant> variants = {{plain ? "plain" : "polar", options, exec::StopRule::kVerdict}};
  if (plain) {
    for (const char* name : kWorkSavers) find_switch(name).turn_off(variants.front());
  }
  for (const std::string& name : ablation ? switch_names() : off) {
    if (kernels == pool::Kernels::kLibrary && name == kOwnKernels) {
      if (ablation) continue;
      throw core::UsageError("--without own-kernels: expected kernels of polar's own, found LibTorch's already");
    }
    ExecVariant variant = variants.front();
    variant.name = "without " + name;
    find_switch(name).turn_off(variant);
    variants.push_back(std::move(variant));
  }
  return variants;
}

VariantExecutors::VariantExecutors(exec::Model usual, std::string pool_folder)
    : usual_(std::move(usual)), pool_folder_(std::move(pool_folder)) {}

exec::Executor& VariantExecutors::add(const ExecVariant& variant) {
  const exec::Model& model = model_of(variant);
  return *executors_.emplace_back(std::make_unique<exec::Executor>(model.pool, model.tokenizer, variant.options));
}

const exec::Model& VariantExecutors::model_of(const ExecVariant& variant) {
  const pool::ModulePool& pool = *usual_.pool;
  if (variant.kernels.empty() || variant.kernels == pool::to_string(pool.kernels())) return usual_;
  const auto found = others_.find(variant.kernels);
  if (found != others_.end()) return found->second;
  return others_
      .emplace(variant.kernels,
               exec::load_model(pool_folder_, pool::to_string(pool.dtype()), variant.kernels, pool.device()))
      .first->second;
}

void require_same_verdicts(std::span<const BenchSeries> series, std::span<const ExecVariant> variants) {
  const std::vector<int>& expected = series.front().runs.front().correct;
  for (std::size_t i = 0; i < variants.size(); ++i) {
    const bool same = std::ranges::all_of(series[i].runs, [&](const BenchRun& run) { return run.correct == expected; });
    if (!same && variants[i].same_bits) {
      throw core::Error(fmt::format("{}: expected the verdicts of {} in every run, found others", series[i].name,
                                    series.front().name));
    }
    if (!same)
      std::cerr << fmt::format("{}: other verdicts than {}'s: it rounds otherwise\n", series[i].name,
                               series.front().name);
  }
}

void share_limit(std::span<BenchSeries> series, std::span<const ExecVariant> variants) {
  for (std::size_t i = 1; i < variants.size(); ++i) {
    for (BenchRun& run : series[i].runs)
      run.distinct_flop = variants[i].same_bits ? series.front().median().distinct_flop : 0;
  }
}

}  // namespace polar::cli
