#include "cli/bench_variants.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "core/error.h"

namespace polar::cli {
namespace {

struct Switch {
  const char* name;
  void (*turn_off)(ExecVariant&);
};

constexpr std::array kSwitches = {
    Switch{"drafts", [](ExecVariant& variant) { variant.options.draft_verification = false; }},
    Switch{"early-stop", [](ExecVariant& variant) { variant.stop = exec::StopRule::kFull; }},
    Switch{"prefix-sharing", [](ExecVariant& variant) { variant.options.prefix_sharing = false; }},
    Switch{"layer-batching", [](ExecVariant& variant) { variant.options.layer_batching = false; }},
    Switch{"shared-prompt", [](ExecVariant& variant) { variant.options.shared_prompt = false; }},
    Switch{"read-rows-only", [](ExecVariant& variant) { variant.options.read_rows_only = false; }},
    Switch{"batch-invariance",
           [](ExecVariant& variant) { variant.options.batch_invariant = variant.same_bits = false; }},
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

std::vector<ExecVariant> VariantFlags::variants(const exec::ExecOptions& options) const {
  std::vector<ExecVariant> variants = {{plain ? "plain" : "polar", options, exec::StopRule::kVerdict}};
  if (plain) {
    for (const char* name : kWorkSavers) find_switch(name).turn_off(variants.front());
  }
  for (const std::string& name : ablation ? switch_names() : off) {
    ExecVariant variant = variants.front();
    variant.name = "without " + name;
    find_switch(name).turn_off(variant);
    variants.push_back(std::move(variant));
  }
  return variants;
}

}  // namespace polar::cli
