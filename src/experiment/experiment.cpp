#include "experiment/experiment.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/file.h"
#include "eval/label_report.h"
#include "experiment/analyse_run.h"
#include "experiment/evaluate_stage.h"
#include "experiment/state.h"
#include "experiment/train_stage.h"
#include "search/outcome_matrix.h"

namespace polar::experiment {
namespace {

std::vector<task::Example> part_of(std::span<const task::Example> examples, const SearchPart& part) {
  if (part.number < 1 || part.number > part.count) {
    throw core::UsageError(fmt::format("part: expected NUMBER/COUNT with 1 <= NUMBER <= COUNT, as in 2/3, found {}/{}",
                                       part.number, part.count));
  }
  std::vector<task::Example> chosen;
  for (auto i = static_cast<std::size_t>(part.number - 1); i < examples.size();
       i += static_cast<std::size_t>(part.count)) {
    chosen.push_back(examples[i]);
  }
  return chosen;
}

/// Every example by every program, from the labels of an exhaustive search.
std::string outcomes_of(const labels::LabelStore& store) {
  std::vector<search::SearchResult> results;
  for (const labels::StoredExample& example : store.registered_examples()) {
    search::SearchResult& result = results.emplace_back();
    result.example = example.id;
    for (labels::StoredTrial& row : store.trials(example.id))
      result.trials.push_back({std::move(row.trial.program), std::move(row.outcome), row.round});
  }
  return search::outcomes_csv(search::outcome_matrix(results));
}

}  // namespace

Experiment::Experiment(const Config& config, const RunOptions& options)
    : state_(std::make_unique<State>(config, options)) {}
Experiment::~Experiment() = default;

void Experiment::search(const SearchPart& part) {
  search_labels(part);
  if (part.count == 1) analyse_labels();
}

void Experiment::search_labels(const SearchPart& part) {
  State& state = *state_;
  const Stage stage = state.search_stage();
  if (state.directory.status(stage).up_to_date) return state.say("search: up to date");
  const std::vector<task::Example> examples = state.labelled_examples();
  const std::vector<task::Example> searched = part_of(examples, part);
  // A refusal of the store comes before anything is recorded.
  labels::LabelStore store = state.open_store(labels::StoreKind::kLabels, examples, state.config.search.rollouts);
  state.directory.begin(stage);
  state.search_into(store, searched, state.config.search.rollouts, "search");
  const labels::LabelDigests digests = store.digests();
  state.say(fmt::format("search: {} trials, verdicts {}, exact {}", digests.trials, digests.verdicts.substr(0, 16),
                        digests.exact.substr(0, 16)));
  if (part.count > 1) {
    return state.say(
        fmt::format("search: part {} of {} is searched. polar labels merge RUN/labels.sqlite PARTS... brings all parts "
                    "together; the same configuration then goes on with name=RUN",
                    part.number, part.count));
  }
  state.directory.finish(stage);
}

/// A stage of its own, so that it follows the labels without touching the record of the search.
void Experiment::analyse_labels() {
  State& state = *state_;
  constexpr std::string_view kKeys[] = {"seed", "search.", "-search.oracle_", "eval.bootstrap", "predict.max_runs"};
  const labels::LabelStore store = labels::LabelStore::read(state.directory.file("labels.sqlite"));
  Stage stage{"analyse",
              settings_of(state.config, kKeys),
              {{"labels", store.digests().exact}},
              {"report/labels.csv", "report/labels.md"}};
  const bool exhaustive = state.search_options().runs_whole_space();
  if (exhaustive) stage.outputs.emplace_back("report/outcomes.csv");
  if (state.directory.status(stage).up_to_date) return;
  state.directory.begin(stage);
  AnalyseOptions options;
  options.resamples = state.config.eval.bootstrap;
  const RunAnalysis analysis = analyse_run(state.directory.path(), options);
  eval::write_labels(state.directory.file("report"), analysis.stem, analysis.figures, analysis.title);
  if (exhaustive) core::write_file(state.directory.file("report/outcomes.csv"), outcomes_of(store));
  state.say(analysis.title + "\n" + eval::labels_console(analysis.figures, true));
  state.directory.finish(stage);
}

void Experiment::train() {
  TrainStage(*state_).run();
}
void Experiment::evaluate() {
  EvaluateStage(*state_).run();
}

int Experiment::depth() const {
  return state_->depth();
}

}  // namespace polar::experiment
