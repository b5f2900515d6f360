#pragma once
// A trained menu policy's model, or a cascade's over a menu, and its folder on disk.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/program.h"
#include "predict/artifact.h"
#include "predict/calibration.h"
#include "predict/cascade_rule.h"
#include "predict/features.h"
#include "predict/menu.h"
#include "predict/menu_scorer.h"

namespace polar::predict {

/// In the manifests of their folders.
inline constexpr const char* kMenuKind = "program menu";
inline constexpr const char* kCascadeKind = "program cascade";

struct TrainedMenu {
  Origin origin;
  int depth = 0;                    ///< D
  std::vector<core::Program> menu;  ///< as many as the scorer's outputs; menu[rule.identity] is the identity
  ChoiceRule rule;
  MenuScorer scorer;
  nlohmann::json selection;  ///< how it was chosen (sizes, grid, validation figures), for the report; may be null
  std::optional<ScoreCalibration> calibration = std::nullopt;  ///< of the scorer; the rule weighs calibrated scores
  std::optional<CascadeRule> cascade = std::nullopt;  ///< goes through the menu's programs as ranking() orders them
  Pooling pooling = Pooling::kBoth;                   ///< of the features that the scorer reads

  std::vector<double> depth_ratios() const;  ///< K/D of each program
  /// What the rule chooses by, [rows, menu], for inputs [rows, f]. Throws core::Error for another width.
  Matrix scores(const Matrix& x) const;
  /// The same, one row, for one input's pooled features.
  Matrix scores(std::span<const float> pooled_features) const;
  /// Index in the menu for one input's pooled features. Throws core::Error for another width.
  int choose(std::span<const float> pooled_features) const;
};

/// Replaces the menu in `folder` atomically (artifact.h). Throws core::Error when menu, scorer and rule do not fit
/// together.
void save_menu(const std::filesystem::path& folder, const TrainedMenu& trained);

/// Reads it back, a cascade or not: equal choices. Refuses a menu of another pool, naming both digests; throws
/// core::Error as load_artifact does.
TrainedMenu load_menu(const std::filesystem::path& folder, std::string_view weights_digest);

}  // namespace polar::predict
