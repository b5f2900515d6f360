#include "experiment/evaluate_stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <utility>

#include "core/digest.h"
#include "core/error.h"
#include "core/file.h"
#include "eval/best_of.h"
#include "eval/results_csv.h"
#include "eval/results_table.h"
#include "eval/statistics.h"
#include "experiment/interrupt.h"
#include "experiment/latency.h"
#include "experiment/leakage.h"
#include "experiment/progress.h"
#include "experiment/recorded_search.h"
#include "experiment/selection_file.h"
#include "experiment/train_baselines.h"
#include "experiment/train_cascade.h"
#include "experiment/train_menu.h"
#include "experiment/train_predictor.h"
#include "experiment/train_routers.h"
#include "experiment/train_stage.h"
#include "policy/baselines.h"
#include "policy/learned_router.h"

namespace polar::experiment {
namespace {

using nlohmann::json;

constexpr const char* kTest = "test";
constexpr std::size_t kExamplesInStep = 32;
constexpr const char* kSampling = "base_sampling";  ///< a policy for each of eval.temperatures

/// Of all that a step's rows depend on.
std::string digest_of(const Stage& stage) {
  std::string text = fmt::format("{} examples a step\n", kExamplesInStep);
  for (const auto* part : {&stage.settings, &stage.inputs}) {
    for (const auto& [name, value] : *part) text += fmt::format("{} {}\n", name, value);
  }
  return core::sha256(text);
}

eval::Candidate candidate_of(const core::Program& program, const exec::Answer& answer, const task::Example& example,
                             const task::TextGrader& grader) {
  const bool correct = grader.judge(answer.text, example.answer, true) == task::Verdict::kCorrect;
  const int tokens = static_cast<int>(answer.tokens.size());
  return {program,          answer.answer,          correct, answer.confidence,
          program.length(), program.unique_depth(), tokens,  program.length() * tokens};
}

/// What a cascade answers, charged with all that it ran: what it would have made of these answers, one after another.
/// `answer` gives the answer under a program.
template <typename AnswerOf>
eval::Candidate settled(std::unique_ptr<policy::Cascade> cascade, AnswerOf answer, const task::Example& example,
                        const task::TextGrader& grader) {
  const policy::CascadeRun run =
      policy::run_cascades(std::span(&cascade, 1), [&](std::span<const policy::CascadeTrial> trials) {
        return std::vector<exec::Answer>{answer(trials.front().program)};
      }).front();
  eval::Candidate given = candidate_of(run.programs[run.answer], run.answers[run.answer], example, grader);
  given.layers = run.layers();
  given.new_tokens = static_cast<int>(run.tokens());
  std::set<int> distinct;
  given.executions = 0;
  for (std::size_t i = 0; i < run.programs.size(); ++i) {
    const auto layers = run.programs[i].layers();
    distinct.insert(layers.begin(), layers.end());
    given.executions += run.programs[i].length() * static_cast<int>(run.answers[i].tokens.size());
  }
  given.unique_layers = static_cast<int>(distinct.size());
  return given;
}

/// Of one row, by rank. `answer` gives the answer under a program and sample.
template <typename AnswerOf>
std::vector<eval::Candidate> candidates_of(const policy::Planner& planner, const policy::RankedPrograms& ranked,
                                           AnswerOf answer, const task::Example& example,
                                           const task::TextGrader& grader) {
  if (auto cascade = planner.cascade(ranked)) {
    const auto greedy = [&](const core::Program& program) { return answer(program, search::Sample()); };
    return {settled(std::move(cascade), greedy, example, grader)};
  }
  std::vector<eval::Candidate> candidates;
  for (std::size_t rank = 0; rank < ranked.size(); ++rank)
    candidates.push_back(candidate_of(ranked[rank], answer(ranked[rank], planner.sample(rank)), example, grader));
  return candidates;
}

}  // namespace

Stage EvaluateStage::stage() const {
  constexpr std::string_view kKeys[] = {"seed",       "pool", "task.", "exec.", "search.", "eval.", "predict.per_level",
                                        "router.dial"};
  std::vector<task::Example> all = state_.data.dataset.test;
  for (const task::NamedSplit& split : state_.data.dataset.ood)
    all.insert(all.end(), split.examples.begin(), split.examples.end());
  Stage own{"evaluate",
            settings_of(state_.config, kKeys),
            {{"baselines", BaselineStage(state_).digest()},
             {"selection", core::sha256_file(state_.directory.file(kSelectionFile))},
             {"predictor", core::sha256_file(state_.directory.file("predictor/manifest.json"))},
             {"menu", menus_digest()},
             {"data", data_digest(state_.data.task, all)},
             {"fingerprint", state_.executor.fingerprint()}},
            {"evaluation.jsonl", "report/results.csv", "report/results.md", "report/summary.txt"}};
  own.settings["rows"] = "with executions";  // earlier versions' rows have none: they are stale
  std::string levels;
  for (const auto& [level, folder] : level_predictors(state_))
    levels += core::sha256_file(state_.directory.file(folder) / "manifest.json");
  if (!levels.empty()) own.inputs.emplace("level predictors", core::sha256(levels));
  if (std::string routers = RouterStage(state_).digest(); !routers.empty())
    own.inputs.emplace("routers", std::move(routers));
  return own;
}

std::string EvaluateStage::menus_digest() const {
  std::string digests;
  std::vector<std::string> names = menu_names(state_.config.menu);
  if (state_.config.eval.uses(kCascade)) names.emplace_back(kCascade);
  for (const std::string& name : names) digests += core::sha256_file(state_.directory.file(name) / "manifest.json");
  return core::sha256(digests);
}

std::vector<EvaluateStage::Set> EvaluateStage::sets() const {
  std::vector<Set> all = {{kTest, state_.data.dataset.test, state_.data.task}};
  for (const task::NamedSplit& split : state_.data.dataset.ood)
    all.push_back({split.name, split.examples, task_of(state_.data.task, split)});
  return all;
}

void EvaluateStage::run() {
  if (const auto labels = state_.directory.file("labels.sqlite"); std::filesystem::exists(labels))
    refuse_leakage(state_.data.dataset, labels::LabelStore::read(labels));
  if (const StageStatus training = TrainStage(state_).status(); !training.up_to_date) {
    throw core::Error(
        fmt::format("{}: expected a finished training with these settings, found none ({}); run polar train with this "
                    "configuration first",
                    state_.directory.path().string(), training.reason));
  }
  const Stage own = stage();
  if (state_.directory.status(own).up_to_date) {
    state_.say("evaluate: up to date");
    return state_.say(core::read_file(state_.directory.file("report/summary.txt")));
  }
  if (state_.config.eval.uses("oracle")) open_oracle();
  state_.directory.begin(own);
  if (oracle_) state_.search_into(*oracle_, oracle_examples(), state_.config.search.oracle_rollouts, "oracle search");
  load_policies();
  steps_.emplace(state_.directory.file("evaluation.steps"), digest_of(own));
  std::vector<eval::EvaluationRow> rows;
  std::vector<eval::Figure> times;
  for (const Set& set : sets()) std::ranges::move(evaluate(set), std::back_inserter(rows));
  for (const Set& set : sets())
    std::ranges::move(latency_figures(state_, planners_, set.name, set.examples, set.task), std::back_inserter(times));
  write(std::move(rows), std::move(times));
  state_.directory.finish(own);
  steps_->remove();
}

std::vector<task::Example> EvaluateStage::oracle_examples() const {
  return slice_levels(state_.data.dataset.test, 0, state_.config.search.oracle_examples);
}

void EvaluateStage::open_oracle() {
  oracle_ = std::make_unique<labels::LabelStore>(
      state_.open_store(labels::StoreKind::kOracle, oracle_examples(), state_.config.search.oracle_rollouts));
}

policy::RankedPrograms EvaluateStage::static_ranking() const {
  policy::RankedPrograms best;
  try {
    for (const json& entry : menus_.front().selection.at("static_ranking"))
      best.push_back(core::Program::parse(entry.at("program").get<std::string>(), state_.depth()));
  } catch (const json::exception& error) {
    throw core::Error(
        fmt::format("{}: selection: expected static_ranking, a list of programs, found something else "
                    "({}); delete the folder and train again",
                    state_.directory.file(menu_names(state_.config.menu).front()).string(), error.what()));
  }
  return best;
}

void EvaluateStage::load_policies() {
  const std::string& digest = state_.model.pool->manifest().weights_digest;
  const int k = state_.config.eval.max_k;
  predictor_ =
      std::make_unique<predict::TrainedPredictor>(predict::load_predictor(state_.directory.file("predictor"), digest));
  for (const std::string& name : menu_names(state_.config.menu))
    menus_.push_back(predict::load_menu(state_.directory.file(name), digest));
  add_fixed("base", {core::Program::identity(state_.depth())});
  add_fixed("static_best", static_ranking());
  if (state_.config.eval.uses("random"))
    planners_.push_back(std::make_unique<policy::RandomPlanner>(state_.space, state_.config.seed, k));
  load_baselines();
  if (state_.config.eval.uses("predictor"))
    planners_.push_back(std::make_unique<policy::PredictorPlanner>(*predictor_));
  load_level_predictors();
  load_routers();
  if (state_.config.eval.uses("menu")) {
    const std::vector<std::string> names = menu_names(state_.config.menu);
    for (std::size_t i = 0; i < names.size(); ++i)
      planners_.push_back(std::make_unique<policy::MenuPlanner>(menus_[i], k, names[i]));
  }
  if (state_.config.eval.uses(kCascade)) {
    cascade_ = std::make_unique<predict::TrainedMenu>(predict::load_menu(state_.directory.file(kCascade), digest));
    planners_.push_back(std::make_unique<policy::MenuPlanner>(*cascade_, cascade_->cascade.value().tries, kCascade));
  }
  if (state_.config.eval.uses("menu_oracle")) {
    try_menu();
    planners_.push_back(std::make_unique<policy::OraclePlanner>(*menu_oracle_, state_.depth(), "menu_oracle"));
  }
  if (oracle_) planners_.push_back(std::make_unique<policy::OraclePlanner>(*oracle_, state_.depth()));
}

/// The first max_k of programs that are the same for every input.
void EvaluateStage::add_fixed(const std::string& name, policy::RankedPrograms programs) {
  if (!state_.config.eval.uses(name)) return;
  programs.resize(std::min(programs.size(), static_cast<std::size_t>(state_.config.eval.max_k)));
  planners_.push_back(std::make_unique<policy::FixedPlanner>(name, std::move(programs)));
}

void EvaluateStage::load_baselines() {
  const int k = state_.config.eval.max_k;
  const std::uint64_t seed = state_.config.seed;
  TrainedBaselines trained = BaselineStage(state_).load();
  add_fixed("shortgpt", std::move(trained.shortgpt));
  add_fixed("static_skip", std::move(trained.static_skip));
  add_fixed("rys", std::move(trained.rys));
  if (state_.config.eval.uses("random_menu"))
    add_fixed("random_menu", policy::random_programs(state_.space, core::derive_seed(seed, "random menu"), k));
  add_fixed("menu_first_k", menus_.front().menu);
  add_fixed("label_prior", policy::heaviest(trained.label_prior, k));
  if (state_.config.eval.uses("label_draw"))
    planners_.push_back(std::make_unique<policy::LabelDrawPlanner>(std::move(trained.label_prior), seed, k));
  if (state_.config.eval.uses(kSampling)) {
    for (const double temperature : state_.config.eval.temperatures)
      planners_.push_back(std::make_unique<policy::SamplingPlanner>(state_.depth(), temperature, k));
  }
}

void EvaluateStage::load_level_predictors() {
  if (!state_.config.eval.uses(kPredictor) || !state_.config.predict.per_level) return;
  std::map<std::string, predict::TrainedPredictor> predictors;
  for (const auto& [level, folder] : level_predictors(state_)) {
    predictors.emplace(
        level, predict::load_predictor(state_.directory.file(folder), state_.model.pool->manifest().weights_digest));
  }
  planners_.push_back(std::make_unique<policy::LevelPredictorPlanner>(std::move(predictors), state_.depth()));
}

/// The dial is Dr.LLM's.
void EvaluateStage::load_routers() {
  const RouterStage stage(state_);
  const std::vector<predict::RouterKind> kinds = stage.wanted();
  for (const predict::RouterKind kind : kinds) routers_.push_back(stage.load(kind));
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const double dial = kinds[i] == predict::RouterKind::kDrllm ? state_.config.router.dial : 0;
    planners_.push_back(std::make_unique<policy::RouterPlanner>(
        std::string(predict::to_string(kinds[i])), state_.executor,
        std::make_unique<policy::LearnedRouter>(routers_[i], dial), routers_[i].rules));
  }
}

/// Every program of the menu on the examples of the oracle, with the answer at hand.
void EvaluateStage::try_menu() {
  const std::vector<task::Example> examples = oracle_examples();
  std::string settings = "programs of a menu:";
  for (const core::Program& program : menus_.front().menu) settings += " " + program.text();
  menu_oracle_ = std::make_unique<labels::LabelStore>(
      state_.open_trials(labels::StoreKind::kOracle, "menu_oracle.sqlite", examples, settings));
  record_missing({state_.config, state_.executor, state_.data.task, *menu_oracle_, examples, "menu oracle"},
                 greedy_trials(examples, menus_.front().menu), oracle_.get());
}

/// What every policy proposes for every example of a set.
struct EvaluateStage::Proposals {
  std::vector<const policy::Planner*> planners;
  std::vector<std::vector<policy::RankedPrograms>> programs;  ///< by planner and example
};

EvaluateStage::Proposals EvaluateStage::propose(const Set& set) const {
  const std::vector<exec::EncodedExample> prompts = state_.prompts(set.task, set.examples);
  const bool read = std::ranges::any_of(planners_, [](const auto& planner) { return planner->reads_features(); });
  const std::vector<predict::TokenFeatures> features =
      read ? state_.kept_features(prompts) : std::vector<predict::TokenFeatures>();
  std::vector<policy::Input> inputs, told;
  for (std::size_t i = 0; i < set.examples.size(); ++i) {
    inputs.push_back({set.examples[i].id, read ? &features[i] : nullptr, &prompts[i]});
    told.push_back(inputs.back());
    told.back().level = set.examples[i].level;
  }
  Proposals proposals;
  for (const auto& planner : planners_) {
    // Only test examples were searched, and only they are of a level that was learnt.
    if ((planner->is_oracle() || planner->is_told_the_level()) && set.name != kTest) continue;
    proposals.planners.push_back(planner.get());
    std::vector<policy::RankedPrograms> programs = planner->propose(planner->is_told_the_level() ? told : inputs);
    for (policy::RankedPrograms& ranked : programs) {
      const auto most = static_cast<std::size_t>(state_.config.eval.max_k);
      if (ranked.size() > most && !planner->cascade(ranked)) ranked.resize(most);
    }
    proposals.programs.push_back(std::move(programs));
  }
  return proposals;
}

std::vector<eval::EvaluationRow> EvaluateStage::evaluate(const Set& set) {
  const Proposals proposals = propose(set);
  const exec::TaskEncoder encoder(state_.model.pool->manifest(), *state_.model.tokenizer, set.task);
  const std::vector<exec::EncodedExample> encoded = state_.prompts(set.task, set.examples);
  state_.executor.set_shared_prompt(exec::shared_prompt(encoded));
  std::vector<eval::EvaluationRow> rows;
  Progress progress("evaluate " + set.name, set.examples.size(), "examples");
  for (std::size_t first = 0; first < set.examples.size(); first += kExamplesInStep) {
    throw_if_interrupted("every finished step was recorded, and the same command goes on from there");
    const std::size_t last = std::min(set.examples.size(), first + kExamplesInStep);
    const int step = step_++;
    std::optional<std::vector<eval::EvaluationRow>> answered = steps_->find(step);
    if (!answered) {
      answered = answer(set, proposals, encoder, encoded, first, last);
      steps_->add(step, *answered);
    }
    std::ranges::move(*answered, std::back_inserter(rows));
    progress.add(last - first);
  }
  return rows;
}

/// What a step asks: every distinct program of an example once, whoever proposed it; sampled, once a sample.
struct EvaluateStage::Asked {
  std::vector<exec::Request> requests;
  std::map<std::tuple<std::size_t, core::Program, search::Sample>, std::size_t> request_of;  ///< first: the example

  void ask(std::size_t example, const policy::Planner& planner, const policy::RankedPrograms& ranked,
           const exec::EncodedExample& encoded, const exec::GenerationRules& rules) {
    for (std::size_t rank = 0; rank < ranked.size(); ++rank) {
      const search::Sample sample = planner.sample(rank);
      if (request_of.try_emplace({example, ranked[rank], sample}, requests.size()).second)
        requests.push_back({&encoded, ranked[rank], sample.temperature, sample.index, &rules, false});
    }
  }
};

std::vector<eval::EvaluationRow> EvaluateStage::answer(const Set& set, const Proposals& proposals,
                                                       const exec::TaskEncoder& encoder,
                                                       std::span<const exec::EncodedExample> encoded, std::size_t first,
                                                       std::size_t last) {
  const auto& [planners, programs] = proposals;
  const exec::GenerationRules rules{&encoder.grader(), encoder.stop_strings(), encoder.max_new_tokens(),
                                    exec::StopRule::kFull};
  Asked asked;
  for (std::size_t i = first; i < last; ++i) {
    for (std::size_t p = 0; p < planners.size(); ++p) asked.ask(i, *planners[p], programs[p][i], encoded[i], rules);
  }
  const std::vector<exec::Answer> answers = state_.executor.answer(asked.requests);
  std::vector<eval::EvaluationRow> rows;
  for (std::size_t i = first; i < last; ++i) {
    const task::Example& example = set.examples[i];
    const auto answer_of = [&](const core::Program& program, const search::Sample& sample) -> const exec::Answer& {
      return answers[asked.request_of.at({i, program, sample})];
    };
    for (std::size_t p = 0; p < planners.size(); ++p) {
      if (programs[p][i].empty()) continue;  // the oracle did not search it
      rows.push_back({example.id, set.name, example.level, planners[p]->name(), planners[p]->is_oracle(),
                      candidates_of(*planners[p], programs[p][i], answer_of, example, encoder.grader()),
                      example.question, example.answer});
    }
  }
  return rows;
}

void EvaluateStage::write(std::vector<eval::EvaluationRow> rows, std::vector<eval::Figure> latency) {
  const std::unique_ptr<task::TextGrader> grader = task::make_grader(state_.data.task.grader);
  eval::MetricOptions options;
  options.depth = state_.depth();
  options.max_k = state_.config.eval.max_k;
  options.same = [&](std::string_view a, std::string_view b) { return grader->same(a, b); };
  options.root_seed = state_.config.seed;
  options.bootstrap_resamples = state_.config.eval.bootstrap;
  std::vector<eval::Figure> figures = eval::figures_of(rows, options);
  if (state_.config.eval.uses(kSampling)) {
    std::vector<std::string> temperatures;
    for (const double each : state_.config.eval.temperatures)
      temperatures.push_back(policy::SamplingPlanner::name_of(each));
    std::ranges::move(eval::best_of(figures, temperatures, std::string(eval::kBestSampling)),
                      std::back_inserter(figures));
  }
  std::ranges::move(latency, std::back_inserter(figures));
  eval::write_rows(state_.directory.file("evaluation.jsonl"), rows);
  eval::write_results(state_.directory.file("report"), figures);
  const std::string summary = eval::results_console(figures);
  core::write_file(state_.directory.file("report/summary.txt"), summary);
  state_.say(summary);
}

}  // namespace polar::experiment
