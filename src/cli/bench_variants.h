#pragma once
// Which shortcuts of the executor a measurement turns off.

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "exec/executor.h"

namespace polar::cli {

/// The executor's settings under a name.
struct ExecVariant {
  std::string name;
  exec::ExecOptions options;
  exec::StopRule stop = exec::StopRule::kVerdict;
  bool same_bits = true;  ///< as the default; not without batch invariance
};

struct VariantFlags {
  std::vector<std::string> off;  ///< names of switches, each measured alone in turn
  bool ablation = false;         ///< all of them
  bool plain = false;            ///< every shortcut off, instead of the default

  void declare(CLI::App& command);
  /// The default (or plain) one first, then one a switch that is off. Throws core::UsageError for an unknown name.
  std::vector<ExecVariant> variants(const exec::ExecOptions& options) const;
};

}  // namespace polar::cli
