#pragma once
// A training on disk after an epoch of a predictor or a layer of routers, to go on from. Torch-free: tensors are bytes.

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "predict/learning_curve.h"

namespace polar::predict {

struct Checkpoint {
  std::string digest;              ///< of options, data and initial weights: whose run this is
  int best_epoch = 0;              ///< whose weights `best` are; of a predictor
  int layers_done = 0;             ///< of routers
  std::vector<EpochRecord> curve;  ///< of the epochs done; of routers, the sums over the layers done
  std::string network;
  std::string optimiser, best;  ///< empty of routers, whose layers each have an optimiser of their own
};

/// Replaces the file atomically. Throws core::Error naming the path and the reason.
void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// The checkpoint of that digest; nullopt when there is no file, or when `why_not` says why the file is of no use
/// (another digest, damage). Throws core::Error when it exists and cannot be read.
std::optional<Checkpoint> read_checkpoint(const std::filesystem::path& path, std::string_view digest,
                                          std::string& why_not);

/// What a training goes on from: the same, but for a file of no use, which `say` (may be empty) is told is passed over,
/// and an empty path, where there is none.
std::optional<Checkpoint> checkpoint_of(const std::filesystem::path& path, std::string_view digest,
                                        const std::function<void(const std::string&)>& say);

}  // namespace polar::predict
