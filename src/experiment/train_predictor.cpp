#include "experiment/train_predictor.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/seed.h"
#include "experiment/chosen_programs.h"
#include "experiment/interrupt.h"
#include "experiment/options.h"
#include "experiment/progress.h"
#include "experiment/recorded_search.h"
#include "experiment/selection_file.h"
#include "predict/crop.h"
#include "predict/predictor_file.h"
#include "predict/top_one.h"
#include "predict/training.h"

namespace polar::experiment {
namespace {

using nlohmann::json;

constexpr const char* kCheckpoint = ".checkpoint";  ///< after the folder's name
constexpr const char* kLevelFolder = "predictor-level-";

/// Valid programs of a split's examples, in order.
struct SplitLabels {
  std::vector<std::vector<predict::ValidProgram>> valid;
  predict::TargetCounts counts;
  std::vector<predict::ExampleTargets> targets;
};

predict::TargetOptions target_options(const Experiment::State& state) {
  const PredictConfig& config = state.config.predict;
  predict::TargetOptions options;
  options.depth = state.depth();
  options.first_layer = state.config.search.first_layer;
  options.limits = emitted_limits(config, state.space);
  options.max_programs = config.max_programs;
  options.identity_weight = config.identity_weight;
  options.length_weight = config.length_weight;
  options.margin_weight = config.margin_weight;
  options.choice = predict::target_choice(config.targets);
  return options;
}

void crop(Experiment::State& state, const labels::LabelStore& store, std::span<const task::Example> examples,
          const predict::TargetOptions& options, SplitLabels& labels) {
  StoredOrExecuted evaluator(state.executor, state.data.task, store, examples);
  std::vector<task::ExampleId> ids;
  for (const task::Example& example : examples) ids.push_back(example.id);
  Progress progress("cropped programs", examples.size(), "examples");
  constexpr std::size_t kExamplesInStep = 32;
  for (std::size_t first = 0; first < ids.size(); first += kExamplesInStep) {
    throw_if_interrupted("run the same command again to go on with training");
    const std::size_t count = std::min(kExamplesInStep, ids.size() - first);
    predict::crop_unemittable(std::span(ids).subspan(first, count), std::span(labels.valid).subspan(first, count),
                              options, evaluator, labels.counts);
    progress.add(count);
  }
}

/// Step 1.
SplitLabels labels_of(Experiment::State& state, const labels::LabelStore& store,
                      std::span<const task::Example> examples, const predict::TargetOptions& options) {
  SplitLabels labels;
  const search::SearchOptions searched = state.search_options();
  for (const task::Example& example : examples) {
    labels.valid.emplace_back();
    for (search::RecordedTrial& trial : chosen_trials(store, example.id, state.space, searched))
      labels.valid.back().push_back({std::move(trial.program), trial.outcome.margin});
  }
  if (state.config.predict.unemittable == "crop" && !examples.empty()) crop(state, store, examples, options, labels);
  return labels;
}

/// Of training examples; empty where targets are not chosen by it.
std::vector<core::Program> cover_of(const SplitLabels& train, const predict::TargetOptions& options) {
  if (options.choice != predict::TargetChoice::kCover) return {};
  return predict::cover_order(train.valid, options);
}

/// Step 2.
void make_targets(SplitLabels& labels, const predict::TargetOptions& options, std::span<const core::Program> cover) {
  for (const auto& valid : labels.valid)
    labels.targets.push_back(predict::make_targets(valid, options, labels.counts, cover));
}

/// Every program known to be valid: what the search found, and the crops.
std::vector<std::vector<core::Program>> known_valid(const labels::LabelStore& store,
                                                    std::span<const task::Example> examples,
                                                    const SplitLabels& labels) {
  std::vector<std::vector<core::Program>> known;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    known.emplace_back();
    for (search::RecordedTrial& trial : store.valid_programs(examples[i].id))
      known.back().push_back(std::move(trial.program));
    for (const predict::ValidProgram& one : labels.valid[i]) known.back().push_back(one.program);
  }
  return known;
}

predict::TrainingOptions training_options(const Experiment::State& state, const std::string& folder) {
  const PredictConfig& config = state.config.predict;
  predict::TrainingOptions options;
  options.epochs = config.epochs;
  options.batch = config.batch;
  options.learning_rate = config.learning_rate;
  options.warmup_steps = config.warmup_steps;
  options.seed = core::derive_seed(state.config.seed, "predictor training");
  options.loss = config.loss == "set" ? predict::LossKind::kSet : predict::LossKind::kAverage;
  options.positions =
      config.positions == "all" ? predict::BoundaryPositions::kAll : predict::BoundaryPositions::kAfterFirst;
  options.identity_penalty = config.identity_penalty;
  options.class_balance = config.class_balance;
  options.clip = config.clip;
  options.selection = config.select == "loss" ? predict::Selection::kLoss : predict::Selection::kMembership;
  options.patience = config.patience;
  options.length_penalty = config.rerank;
  if (config.threshold > 0) options.boundary_threshold = config.threshold;  // else it is chosen after training
  options.beam = config.beam;
  options.standardise_inputs = config.standardise;
  options.checkpoint = state.directory.file(folder + kCheckpoint);
  options.say = [&state](const std::string& line) { state.say("train: " + line); };
  options.interrupt = &interrupt_flag();
  return options;
}

json calibration_json(const predict::Calibration& calibration) {
  json points = json::array();
  for (const auto& [threshold, score] : calibration.points)
    points.push_back({{"threshold", threshold}, {"membership", score.membership}, {"identity", score.identity}});
  return points;
}

/// Of the programs given, in [0, 1].
json shares_json(const predict::TargetCounts& counts) {
  const auto share = [&](int part) { return counts.programs > 0 ? static_cast<double>(part) / counts.programs : 0.0; };
  return {{"dropped", share(counts.unparsable + counts.prefix_edits)},
          {"cropped", share(counts.cropped)},
          {"cropped_valid", share(counts.crops_valid)}};
}

json selection_json(const predict::TrainedPredictor& trained, const predict::Calibration& calibration) {
  const predict::TargetCounts& counts = trained.train_counts;
  return {{"best_epoch", trained.report.best_epoch},
          {"parameters", trained.report.parameters},
          {"curve", predict::curve_json(trained.report.curve)},
          {"boundary_threshold", trained.decoding.boundary_threshold},
          {"thresholds", calibration_json(calibration)},
          {"programs", counts.programs},
          {"programs_used", counts.used},
          {"programs_unparsable", counts.unparsable},
          {"train_programs", predict::counts_json(counts)},
          {"valid_programs", predict::counts_json(trained.valid_counts)},
          {"unemittable_shares", {{"train", shares_json(counts)}, {"valid", shares_json(trained.valid_counts)}}}};
}

/// Steps 1 and 2.
struct Prepared {
  predict::TargetOptions options;
  SplitLabels train, valid;
};

Prepared prepare(Experiment::State& state, const labels::LabelStore& store, const LearningSet& train,
                 const LearningSet& valid) {
  Prepared made{target_options(state), {}, {}};
  made.train = labels_of(state, store, train.examples, made.options);
  made.valid = labels_of(state, store, valid.examples, made.options);
  const std::vector<core::Program> cover = cover_of(made.train, made.options);
  make_targets(made.train, made.options, cover);
  make_targets(made.valid, made.options, cover);
  return made;
}

/// One an example, as predict.question_weights and predict.level_weights ask; those without targets do not count.
std::vector<double> example_weights(const PredictConfig& config, std::span<const task::Example> examples,
                                    std::span<const predict::ExampleTargets> targets) {
  const bool by_targets = config.question_weights == "targets", levels_alike = config.level_weights == "equal";
  std::map<std::string, double> of_level;
  std::vector<double> weights;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    weights.push_back(by_targets && !targets[i].empty() ? static_cast<double>(targets[i].size()) : 1);
    if (!targets[i].empty()) of_level[examples[i].level] += weights.back();
  }
  if (!levels_alike) return weights;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    if (!targets[i].empty()) weights[i] /= of_level.at(examples[i].level);
  }
  return weights;
}

/// Steps 3 to 5.
json train_on(Experiment::State& state, const labels::LabelStore& store, const Prepared& labels,
              const LearningSet& train, const LearningSet& valid, const std::string& folder) {
  const PredictConfig& config = state.config.predict;
  const predict::TargetOptions& targets = labels.options;
  const predict::PredictorShape shape{
      state.depth(), train.features.front().width, targets.limits.max_runs + 1, config.width,
      config.heads,  config.encoder_layers,        config.feed_forward,         config.dropout};
  predict::Predictor predictor(shape, core::derive_seed(state.config.seed, "predictor weights"));
  const auto known = known_valid(store, valid.examples, labels.valid);
  const std::vector<double> weights = example_weights(config, train.examples, labels.train.targets);
  const std::vector<double> valid_weights = example_weights(config, valid.examples, labels.valid.targets);
  Progress progress(folder, static_cast<std::uint64_t>(config.epochs), "epochs");
  predict::TrainingOptions training = training_options(state, folder);
  training.progress = [&progress](const predict::EpochRecord&, int) { progress.add(1); };
  predict::TrainingReport report =  // 3
      predict::train(predictor, {train.features, labels.train.targets, weights},
                     {valid.features, labels.valid.targets, valid_weights, known}, targets, training);
  progress.finish();

  predict::Calibration calibration;  // 4
  predict::Decoding decoding{config.threshold, config.rerank, config.beam};
  if (config.threshold == 0) {
    calibration = predict::calibrate_threshold(predictor.logits(valid.features), known,
                                               predict::decode_options(targets, decoding));
    decoding.boundary_threshold = calibration.threshold;
  }
  const predict::TargetCounts& counts = labels.train.counts;
  state.say(fmt::format(
      "train: {} of {} parameters, {} examples, best epoch {} of {}, {:.0f} s; {} of {} valid programs used, "
      "{} outside segment form, boundary threshold {}",
      folder, report.parameters, report.train_examples, report.best_epoch, report.curve.size(), report.seconds,
      counts.used, counts.programs, counts.unparsable + counts.prefix_edits, decoding.boundary_threshold));
  const predict::TrainedPredictor trained{state.origin(),      targets, std::move(predictor), std::move(report), counts,
                                          labels.valid.counts, decoding};
  predict::save_predictor(state.directory.file(folder), trained);  // 5
  return selection_json(trained, calibration);
}

void remove_entries(const Experiment::State& state, const std::function<bool(const std::filesystem::path&)>& wanted) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(state.directory.path())) {
    if (wanted(entry.path())) found.push_back(entry.path());
  }
  for (const std::filesystem::path& each : found) std::filesystem::remove_all(each);
}

LearningSet of_level(const LearningSet& all, const std::string& level) {
  LearningSet part;
  for (std::size_t i = 0; i < all.examples.size(); ++i) {
    if (all.examples[i].level != level) continue;
    part.examples.push_back(all.examples[i]);
    part.features.push_back(all.features[i]);
  }
  return part;
}

}  // namespace

std::vector<std::vector<policy::WeightedProgram>> target_programs(Experiment::State& state,
                                                                  const labels::LabelStore& store,
                                                                  std::span<const task::Example> examples) {
  const predict::TargetOptions options = target_options(state);
  SplitLabels labels = labels_of(state, store, examples, options);
  make_targets(labels, options, cover_of(labels, options));
  std::vector<std::vector<policy::WeightedProgram>> programs;
  for (const predict::ExampleTargets& targets : labels.targets) {
    programs.emplace_back();
    for (const predict::SegmentTarget& target : targets)
      programs.back().push_back({predict::program_of(target), target.weight / static_cast<double>(targets.size())});
  }
  return programs;
}

json train_predictor(Experiment::State& state, const labels::LabelStore& store, const LearningSet& train,
                     const LearningSet& valid) {
  return train_on(state, store, prepare(state, store, train, valid), train, valid, kPredictor);
}

json train_level_predictors(Experiment::State& state, const labels::LabelStore& store, const LearningSet& train,
                            const LearningSet& valid) {
  std::set<std::string> levels;
  for (const task::Example& example : train.examples) levels.insert(example.level);
  json entries = json::array();
  for (const std::string& level : levels) {
    const LearningSet own = of_level(train, level), held_out = of_level(valid, level);
    const Prepared labels = prepare(state, store, own, held_out);
    const std::string folder = fmt::format("{}{}", kLevelFolder, entries.size() + 1);
    if (labels.train.counts.used == 0) {
      state.say(
          fmt::format("train: no predictor for level '{}': none of its valid programs is one it could emit", level));
      continue;
    }
    json entry = train_on(state, store, labels, own, held_out, folder);
    entry["level"] = level;
    entry["folder"] = folder;
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::map<std::string, std::string> level_predictors(const Experiment::State& state) {
  std::map<std::string, std::string> folders;
  if (!state.config.predict.per_level) return folders;
  const json selection = read_selection(state.directory);
  try {
    for (const json& entry : selection.at(kLevelPredictors))
      folders.emplace(entry.at("level").get<std::string>(), entry.at("folder").get<std::string>());
  } catch (const json::exception& error) {
    throw core::Error(
        fmt::format("{}: expected {} with a level and a folder each, found {}: remove the file and train again",
                    state.directory.file(kSelectionFile).string(), kLevelPredictors, error.what()));
  }
  return folders;
}

void remove_level_predictors(const Experiment::State& state) {
  remove_entries(state, [](const std::filesystem::path& path) {
    return path.filename().string().starts_with(kLevelFolder) && std::filesystem::is_directory(path);
  });
}

void remove_predictor_checkpoints(const Experiment::State& state) {
  remove_entries(state, [](const std::filesystem::path& path) {
    return path.filename().string().starts_with(kPredictor) && path.extension() == kCheckpoint;
  });
}

}  // namespace polar::experiment
