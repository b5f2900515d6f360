#include "experiment/train_baselines.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "core/digest.h"
#include "core/error.h"
#include "core/file.h"
#include "eval/metrics.h"
#include "experiment/recorded_search.h"
#include "experiment/scan.h"
#include "experiment/selection_file.h"
#include "experiment/train_predictor.h"
#include "policy/block_influence.h"

namespace polar::experiment {
namespace {

using nlohmann::json;

constexpr const char* kManifest = "baselines/manifest.json";
/// A baseline of one block, and what the scan calls its edit.
constexpr std::pair<std::string_view, std::string_view> kBlockModes[] = {{"static_skip", "skip"}, {"rys", "repeat"}};

double accuracy_of(std::span<const search::Outcome> outcomes) {
  const auto right = std::ranges::count_if(outcomes, &search::Outcome::correct);
  return static_cast<double>(right) / static_cast<double>(outcomes.size());
}

/// The blocks of one mode over all levels, the best first.
std::vector<ScanRow> best_first(std::span<const ScanRow> rows, std::string_view mode) {
  std::vector<ScanRow> own;
  for (const ScanRow& row : rows) {
    if (row.mode == mode && row.level == eval::kAllLevels) own.push_back(row);
  }
  std::ranges::stable_sort(own, std::ranges::greater(),
                           [](const ScanRow& row) { return std::pair(row.accuracy, row.log_prob_change); });
  return own;
}

policy::RankedPrograms ranked(const json& manifest, const char* policy, int depth) {
  policy::RankedPrograms programs;
  if (!manifest.contains(policy)) return programs;
  for (const json& entry : manifest.at(policy).at("ranking"))
    programs.push_back(core::Program::parse(entry.at("program").get<std::string>(), depth));
  return programs;
}

[[noreturn]] void refuse_manifest(const std::filesystem::path& path, const json::exception& error) {
  throw core::Error(
      fmt::format("{}: expected the programs of baselines, found something else ({}); delete the file and train again",
                  path.string(), error.what()));
}

/// What stands in selection.json: of a ranking, its first program.
json chosen_of(const json& manifest) {
  json chosen = json::object();
  for (const auto& [policy, found] : manifest.items()) {
    if (found.contains("ranking")) {
      chosen[policy] = found.at("ranking").at(0);
    } else {
      chosen[policy] = {{"programs", found.at("programs").size()}, {"train_examples", found.at("train_examples")}};
    }
  }
  return chosen;
}

}  // namespace

std::vector<std::string> BaselineStage::wanted() const {
  std::vector<std::string> names;
  for (const char* policy : {"shortgpt", "static_skip", "rys", "label_prior", "label_draw"}) {
    if (state_.config.eval.uses(policy)) names.emplace_back(policy);
  }
  return names;
}

bool BaselineStage::uses_labels() const {
  return state_.config.eval.uses("label_prior") || state_.config.eval.uses("label_draw");
}

Stage BaselineStage::stage(const std::string& labels_digest) const {
  constexpr std::string_view kKeys[] = {
      "seed",       "pool",           "task.",           "exec.",     "search.",
      "baselines.", "eval.bootstrap", "-search.oracle_", "-task.ood", "-task.test_per_level"};
  constexpr std::string_view kTargetKeys[] = {
      "predict.max_runs",      "predict.unemittable",   "predict.max_programs", "predict.identity_weight",
      "predict.length_weight", "predict.margin_weight", "predict.targets"};
  Stage stage{"baselines",
              settings_of(state_.config, kKeys),
              {{"labels", labels_digest}, {"fingerprint", state_.executor.fingerprint()}},
              {kManifest}};
  stage.settings["eval.policies"] = fmt::format("{}", fmt::join(wanted(), ", "));
  if (uses_labels()) stage.settings.merge(settings_of(state_.config, kTargetKeys));
  stage.settings["ranking of blocks"] = "finalists again";  // earlier versions ranked once: their result is stale
  return stage;
}

StageStatus BaselineStage::status(const std::string& labels_digest) const {
  if (wanted().empty()) return {true, ""};
  return state_.directory.status(stage(labels_digest));
}

void BaselineStage::run(const labels::LabelStore& labels, const std::string& labels_digest) {
  if (status(labels_digest).up_to_date) return;
  core::ensure_folder(state_.directory.file("baselines"));
  const Stage own = stage(labels_digest);
  state_.directory.begin(own);
  json manifest = json::object();
  if (state_.config.eval.uses("shortgpt")) manifest["shortgpt"] = shortgpt(labels);
  if (state_.config.eval.uses("static_skip") || state_.config.eval.uses("rys")) {
    const std::vector<ScanRow> rows = scanned_blocks(labels);
    core::write_file(state_.directory.file("baselines/scan.csv"), scan_csv(rows));
    for (const auto& [policy, mode] : kBlockModes) {
      if (state_.config.eval.uses(policy)) manifest[std::string(policy)] = block_ranking(labels, rows, mode);
    }
  }
  if (uses_labels()) manifest["label_prior"] = label_prior(labels);
  core::write_file(state_.directory.file(kManifest), manifest.dump(2));
  const json chosen = chosen_of(manifest);
  renew_selection(state_.directory, "baselines", chosen);
  state_.say(fmt::format("train: baselines {}", chosen.dump()));
  state_.directory.finish(own);
}

json BaselineStage::selection() const {
  if (wanted().empty()) return nullptr;
  const auto path = state_.directory.file(kManifest);
  try {
    return chosen_of(json::parse(core::read_file(path)));
  } catch (const json::exception& error) {
    refuse_manifest(path, error);
  }
}

std::string BaselineStage::digest() const {
  return wanted().empty() ? "" : core::sha256_file(state_.directory.file(kManifest));
}

TrainedBaselines BaselineStage::load() const {
  TrainedBaselines trained;
  if (wanted().empty()) return trained;
  const auto path = state_.directory.file(kManifest);
  try {
    const json manifest = json::parse(core::read_file(path));
    trained.shortgpt = ranked(manifest, "shortgpt", state_.depth());
    trained.static_skip = ranked(manifest, "static_skip", state_.depth());
    trained.rys = ranked(manifest, "rys", state_.depth());
    if (!manifest.contains("label_prior")) return trained;
    for (const json& entry : manifest.at("label_prior").at("programs")) {
      trained.label_prior.push_back({core::Program::parse(entry.at("program").get<std::string>(), state_.depth()),
                                     entry.at("weight").get<double>()});
    }
  } catch (const json::exception& error) {
    refuse_manifest(path, error);
  }
  return trained;
}

json BaselineStage::shortgpt(const labels::LabelStore& labels) const {
  const SearchConfig& search = state_.config.search;
  const std::vector<task::Example> examples =
      slice_levels(state_.data.dataset.train, 0, state_.config.baselines.examples_per_level);
  const std::vector<double> influence =
      policy::block_influence(state_.executor, state_.prompts(state_.data.task, examples));

  std::vector<int> counts = state_.config.baselines.shortgpt_layers;
  std::ranges::sort(counts);
  const int depth = state_.depth();
  std::vector<core::Program> programs;
  for (const int count : counts)
    programs.push_back(policy::without_least_influential(influence, search.first_layer, search.end_of(depth), count));
  const auto results = outcomes(labels, state_.data.dataset.valid, programs);
  json ranking = json::array();
  std::size_t best = 0;
  for (std::size_t i = 0; i < programs.size(); ++i) {
    ranking.push_back(
        {{"program", programs[i].text()}, {"removed_layers", counts[i]}, {"valid_accuracy", accuracy_of(results[i])}});
    if (accuracy_of(results[i]) >= accuracy_of(results[best])) best = i;
  }
  std::rotate(ranking.begin(), ranking.begin() + static_cast<std::ptrdiff_t>(best),
              ranking.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  return {{"train_examples", examples.size()}, {"block_influence", influence}, {"ranking", ranking}};
}

/// The identity and every block that may be skipped (static_skip) and repeated (rys).
std::vector<ScanRow> BaselineStage::scanned_blocks(const labels::LabelStore& labels) const {
  const SearchConfig& search = state_.config.search;
  search::SpaceOptions options = scan_space(state_.depth(), std::min(search.max_block, state_.depth()));
  options.first_layer = search.first_layer;
  options.end_layer = search.end_of(state_.depth());
  options.allow_skip = state_.config.eval.uses("static_skip");
  options.allow_repeat = state_.config.eval.uses("rys");
  const search::SearchSpace space(options);
  std::vector<ScannedProgram> scanned = {{std::nullopt, space.identity().program, {}}};
  for (search::EditedProgram& block : space.single_edits())
    scanned.push_back({block.edits.front(), std::move(block.program), {}});

  const std::vector<task::Example> examples =
      slice_levels(state_.data.dataset.train, 0, state_.config.baselines.examples_per_level);
  return scan(labels, std::move(scanned), examples);
}

std::vector<ScanRow> BaselineStage::scan(const labels::LabelStore& labels, std::vector<ScannedProgram> scanned,
                                         std::span<const task::Example> examples) const {
  std::vector<core::Program> programs;
  for (const ScannedProgram& one : scanned) programs.push_back(one.program);
  std::vector<std::vector<search::Outcome>> results = outcomes(labels, examples, programs);
  for (std::size_t i = 0; i < scanned.size(); ++i) scanned[i].outcomes = std::move(results[i]);
  std::vector<std::string> levels;
  for (const task::Example& example : examples) levels.push_back(example.level);
  return scan_rows(scanned, levels, state_.config.seed, state_.config.eval.bootstrap);
}

json BaselineStage::block_ranking(const labels::LabelStore& labels, std::span<const ScanRow> rows,
                                  std::string_view mode) const {
  const BaselinesConfig& config = state_.config.baselines;
  std::vector<ScanRow> ranking = best_first(rows, mode);
  const std::vector<task::Example> more = slice_levels(state_.data.dataset.train, 0, config.finalists_per_level);
  const auto finalists = std::min(ranking.size(), static_cast<std::size_t>(config.finalists));
  if (finalists > 1 && static_cast<int>(more.size()) > ranking.front().n) {
    std::vector<ScannedProgram> scanned = {{std::nullopt, core::Program::identity(state_.depth()), {}}};
    for (const ScanRow& row : std::span(ranking).first(finalists)) scanned.push_back({row.edit, row.program, {}});
    std::ranges::copy(best_first(scan(labels, std::move(scanned), more), mode), ranking.begin());
  }
  json entries = json::array();
  for (const ScanRow& row : ranking) {
    entries.push_back({{"program", row.program.text()},
                       {"edit", core::to_string(*row.edit)},
                       {"train_examples", row.n},
                       {"train_accuracy", row.accuracy},
                       {"train_log_prob_change", row.log_prob_change}});
  }
  return {{"ranking", entries}};
}

json BaselineStage::label_prior(const labels::LabelStore& labels) const {
  std::map<core::Program, double> weights;
  int examples = 0;
  for (const auto& targets : target_programs(state_, labels, state_.data.dataset.train)) {
    if (!targets.empty()) ++examples;
    for (const policy::WeightedProgram& one : targets) weights[one.program] += one.weight;
  }
  if (weights.empty())
    throw core::Error(
        "policies label_prior and label_draw: expected a training example with a valid program that the predictor can "
        "emit, found none; search more programs (search.rollouts) or leave them out of eval.policies");
  json programs = json::array();
  for (const auto& [program, weight] : weights) programs.push_back({{"program", program.text()}, {"weight", weight}});
  return {{"train_examples", examples}, {"programs", programs}};
}

/// Greedy outcomes, by program and then example.
std::vector<std::vector<search::Outcome>> BaselineStage::outcomes(const labels::LabelStore& labels,
                                                                  std::span<const task::Example> examples,
                                                                  std::span<const core::Program> programs) const {
  labels::LabelStore store = state_.open_trials(labels::StoreKind::kLabels, "baselines/trials.sqlite",
                                                state_.labelled_examples(), "programs of baselines");
  record_missing({state_.config, state_.executor, state_.data.task, store, examples, "baselines"},
                 greedy_trials(examples, programs), &labels);
  std::vector<std::vector<search::Outcome>> results(programs.size());
  for (const task::Example& example : examples) {
    std::vector<search::Outcome> recorded = recorded_outcomes(store, example.id, programs);
    for (std::size_t i = 0; i < programs.size(); ++i) results[i].push_back(std::move(recorded[i]));
  }
  return results;
}

}  // namespace polar::experiment
