#pragma once
// The examples of a TrainingSet that have targets, with their labels: for training.cpp.

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "predict/features.h"
#include "predict/loss.h"
#include "predict/predictor.h"
#include "predict/targets.h"

namespace polar::predict {

class Network;
struct TrainingSet;

/// Borrows the set's features.
class TrainingRows {
 public:
  /// `name` stands for the set in messages. Throws core::Error when sizes disagree, features do not fit `shape`, or a
  /// weight is not > 0.
  TrainingRows(const TrainingSet& set, const PredictorShape& shape, const LossOptions& options,
               std::span<const double> class_weights, const std::string& name);

  std::size_t size() const { return features_.size(); }
  const std::vector<const TokenFeatures*>& features() const { return features_; }

  /// Of the rows named: the mean of their weighted losses (a scalar, with gradients as the caller's mode says), and how
  /// many they are. Weights have the mean 1 over all rows, not over those named, so that each counts as it weighs.
  std::pair<at::Tensor, double> loss(const Network& network, std::span<const std::size_t> rows) const;

 private:
  PredictorShape shape_;
  LossOptions options_;
  std::vector<const TokenFeatures*> features_;
  std::vector<TargetRows> labels_;
  std::vector<float> weights_;
  std::vector<float> penalised_;  ///< 1 where another program than the identity is a target, else 0
};

}  // namespace polar::predict
