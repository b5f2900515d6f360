#pragma once
// What layer routers learn from, and how their choices compare with it (method.md 5, Dr.LLM). Torch-free.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/program.h"
#include "predict/layer_choice.h"

namespace polar::predict {

/// The one label of a question.
struct RouterLabel {
  core::Program program;
  std::vector<LayerChoice> choices;  ///< [D]
};

/// What became of the examples and of their valid programs: nothing is dropped without being counted.
/// examples = labelled + without_valid + dropped.
struct RouterLabelCounts {
  int examples = 0;
  int without_valid = 0;  ///< no program is known to be valid
  int dropped = 0;        ///< routers can make none of the valid programs
  int labelled = 0;
  int replaced = 0;       ///< of these, with another label than the published one, which routers cannot make
  int programs = 0;       ///< valid programs of all examples
  int inexpressible = 0;  ///< of these, those that routers cannot make (choices_of)
  friend bool operator==(const RouterLabelCounts&, const RouterLabelCounts&) = default;
};

/// Of an example's valid programs the shortest, of equals that of the fewest unique layers, as published, then the
/// smaller program, among those that routers can make; nullopt without one. Adds to `counts`.
std::optional<RouterLabel> router_label(std::span<const core::Program> valid, const RouteRules& rules,
                                        RouterLabelCounts& counts);

/// How often each choice stands in the labels' routed layers.
std::array<std::int64_t, kLayerChoices.size()> choice_counts(std::span<const RouterLabel> labels,
                                                             const RouteRules& rules);

/// Class weights by the effective number of samples (Cui et al., arXiv 1901.05555): class c of n_c labels weighs
/// (1 − β) / (1 − β^n_c), scaled so that the weights of the classes that occur sum to their number. A class that does
/// not occur weighs 0: no loss ever reads it. Throws core::UsageError unless 0 ≤ β < 1.
std::vector<double> effective_number_weights(std::span<const std::int64_t> counts, double beta);

/// Layers by label and choice.
struct ChoiceTable {
  std::array<std::array<std::int64_t, kLayerChoices.size()>, kLayerChoices.size()> counts{};  ///< [label][chosen]

  void add(LayerChoice label, LayerChoice chosen) {
    ++counts[static_cast<std::size_t>(label)][static_cast<std::size_t>(chosen)];
  }
  /// 2·TP / (2·TP + FP + FN) in [0, 1]; nullopt for a choice that neither labels nor routers make.
  std::optional<double> f1(LayerChoice choice) const;
  /// Share of choices as labelled; nullopt when the table is empty.
  std::optional<double> accuracy() const;
};

}  // namespace polar::predict
