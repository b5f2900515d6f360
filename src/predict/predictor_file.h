#pragma once
// A trained program predictor with what is needed to use it, and its folder on disk.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

#include "predict/artifact.h"
#include "predict/predictor.h"
#include "predict/targets.h"
#include "predict/training.h"

namespace polar::predict {

inline constexpr const char* kPredictorKind = "program predictor";  ///< in the manifest of its folder

/// How logits become programs, beside the vocabulary.
struct Decoding {
  double boundary_threshold = 0.5;  ///< DecodeOptions::boundary_threshold
  double length_penalty = 0;        ///< DecodeOptions::length_penalty
  int beam = 5;                     ///< DecodeOptions::beam
  friend bool operator==(const Decoding&, const Decoding&) = default;
};

/// What decode() takes of both.
DecodeOptions decode_options(const TargetOptions& targets, const Decoding& decoding);

struct TrainedPredictor {
  Origin origin;
  TargetOptions
      targets;  ///< vocabulary: depth, first_layer ≥ origin.prefix_layers, limits; and how targets were weighted
  Predictor predictor;
  TrainingReport report;
  TargetCounts train_counts;  ///< what became of the training programs, the unparsable ones included
  TargetCounts valid_counts;
  Decoding decoding = {};

  /// Ranked programs for one input, best first (decode.h), by `targets` and `decoding`.
  std::vector<ScoredProgram> propose(const TokenFeatures& features, int top_operations = 2) const;
};

/// An object with the members' names.
nlohmann::json counts_json(const TargetCounts& counts);

/// Replaces the predictor in `folder` atomically (artifact.h).
void save_predictor(const std::filesystem::path& folder, const TrainedPredictor& trained);

/// Reads it back: equal logits to the last bit. What earlier versions did not write is at its default. Refuses a
/// predictor of another pool, naming both digests; throws core::Error as load_artifact does.
TrainedPredictor load_predictor(const std::filesystem::path& folder, std::string_view weights_digest);

}  // namespace polar::predict
