#pragma once
// Part of stage 2 of a run: the learned routers that eval.policies names (method.md 5).

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "experiment/state.h"
#include "predict/router_file.h"
#include "predict/router_labels.h"

namespace polar::experiment {

/// `drllm`, `mindskip` and `flexidepth` (predict/router_network.h) over the layers search.first_layer …
/// search.end_layer − 1, within the depths of the search space. Each is a folder of the run and a stage of its own, so
/// that one can be added without training the others or the predictor anew; a training that was interrupted goes on
/// after its last whole layer.
///
/// Steps: (1) one label an example, of all valid programs in the store; training examples without one are left out and
/// counted; (2) the states that the label's program leaves before each routed layer, pooled into windows as they are
/// read: examples × routed layers × router.windows × d floats stay in memory; (3) training, with validation examples
/// for reporting only; (4) the routers' own programs for every validation prompt.
///
/// Deviations from Dr.LLM, beside those of policy::route and predict::RouterNetwork: labels come from the run's own
/// search, whatever its algorithm, not from a search that stops when a question is rescued; layers that the search
/// never edits have no router; class weights come from the labels at hand. Not thread-safe.
class RouterStage {
 public:
  explicit RouterStage(Experiment::State& state) : state_(state) {}

  /// Those named, in the order of predict::router_kinds().
  std::vector<predict::RouterKind> wanted() const;
  /// Up to date as well when there is nothing to train.
  StageStatus status(const std::string& labels_digest) const;
  /// Does what status() misses, and renews the entry `routers` of a selection.json that is there. Throws core::Error
  /// when no training example has a label, core::Interrupted, and as the executor does.
  void run(const labels::LabelStore& labels, const std::string& labels_digest);

  /// By policy what was learned and what it does on validation, for selection.json; null when nothing was asked for.
  nlohmann::json selection() const;
  /// SHA-256 over the manifests; empty when nothing was asked for.
  std::string digest() const;
  /// Throws as predict::load_routers does.
  predict::TrainedRouters load(predict::RouterKind kind) const;

 private:
  /// Labelled examples of a split, and the states before every routed layer.
  struct Labelled {
    std::vector<exec::EncodedExample> prompts;
    std::vector<predict::RouterLabel> labels;
    predict::RouterLabelCounts counts;
    std::vector<std::vector<predict::TokenFeatures>> states;  ///< [routed layers][examples]
  };
  Stage stage(predict::RouterKind kind, const std::string& labels_digest) const;
  predict::RouteRules rules() const;
  Labelled labelled(const labels::LabelStore& labels, std::span<const task::Example> examples) const;
  void read_states(Labelled& split) const;
  std::filesystem::path checkpoint_of(predict::RouterKind kind) const;
  void train_one(predict::RouterKind kind, const Stage& own, const Labelled& train, const Labelled& valid) const;
  nlohmann::json own_programs(const predict::TrainedRouters& trained) const;

  Experiment::State& state_;
};

}  // namespace polar::experiment
