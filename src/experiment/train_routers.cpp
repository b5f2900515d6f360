#include "experiment/train_routers.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>
#include <utility>

#include "core/digest.h"
#include "core/error.h"
#include "core/seed.h"
#include "experiment/interrupt.h"
#include "experiment/progress.h"
#include "experiment/selection_file.h"
#include "policy/learned_router.h"
#include "policy/read_features.h"
#include "predict/router_training.h"

namespace polar::experiment {
namespace {

using nlohmann::json;

constexpr std::size_t kPromptsRead = 32;  ///< at once, with all their rows
constexpr auto kAgain = "run the same command again to go on with training the routers";

json label_counts_json(const predict::RouterLabelCounts& counts) {
  const auto share = [&](int part) { return counts.examples > 0 ? static_cast<double>(part) / counts.examples : 0.0; };
  return {{"examples", counts.examples},
          {"labelled", counts.labelled},
          {"without_valid", counts.without_valid},
          {"dropped", counts.dropped},
          {"dropped_share", share(counts.dropped)},
          {"replaced", counts.replaced},
          {"replaced_share", share(counts.replaced)},
          {"programs", counts.programs},
          {"inexpressible", counts.inexpressible}};
}

predict::RouterTrainingOptions router_options(const Config& config, predict::RouterKind kind) {
  predict::RouterTrainingOptions options;
  options.epochs = config.router.epochs;
  options.batch = config.router.batch;
  options.learning_rate = config.router.learning_rate;
  options.weight_decay = config.router.weight_decay;
  options.warmup_steps = config.router.warmup_steps;
  options.gamma = config.router.focal_gamma;
  options.beta = config.router.class_beta;
  options.seed = core::derive_seed(config.seed, "router training", predict::to_string(kind));
  options.interrupt = &interrupt_flag();
  return options;
}

std::string manifest_of(predict::RouterKind kind) {
  return fmt::format("{}/manifest.json", predict::to_string(kind));
}

}  // namespace

std::vector<predict::RouterKind> RouterStage::wanted() const {
  std::vector<predict::RouterKind> kinds;
  for (const predict::RouterKind kind : predict::router_kinds()) {
    if (state_.config.eval.uses(predict::to_string(kind))) kinds.push_back(kind);
  }
  return kinds;
}

Stage RouterStage::stage(predict::RouterKind kind, const std::string& labels_digest) const {
  constexpr std::string_view kKeys[] = {
      "seed",        "pool",         "task.",           "exec.",     "search.",
      "router.",     "-router.dial", "-search.oracle_", "-task.ood", "-task.test_per_level",
      "-search.keep"};
  return {std::string(predict::to_string(kind)),
          settings_of(state_.config, kKeys),
          {{"labels", labels_digest}, {"fingerprint", state_.executor.fingerprint()}},
          {manifest_of(kind)}};
}

StageStatus RouterStage::status(const std::string& labels_digest) const {
  for (const predict::RouterKind kind : wanted()) {
    const StageStatus status = state_.directory.status(stage(kind, labels_digest));
    if (!status.up_to_date) return {false, fmt::format("{}: {}", predict::to_string(kind), status.reason)};
  }
  return {true, ""};
}

void RouterStage::run(const labels::LabelStore& labels, const std::string& labels_digest) {
  if (wanted().empty()) return;
  if (status(labels_digest).up_to_date) return renew_selection(state_.directory, "routers", selection());
  Labelled train = labelled(labels, state_.data.dataset.train);  // 1
  Labelled valid = labelled(labels, state_.data.dataset.valid);
  if (train.labels.empty()) {
    throw core::Error(
        fmt::format("learned routers: expected a training example with a valid program that skips, runs or repeats "
                    "single layers, found none among {}; search longer, or leave the routers out of eval.policies",
                    train.counts.examples));
  }
  read_states(train);  // 2
  read_states(valid);
  for (const predict::RouterKind kind : wanted()) {
    const Stage own = stage(kind, labels_digest);
    if (state_.directory.status(own).up_to_date) continue;
    state_.directory.begin(own);
    train_one(kind, own, train, valid);  // 3, 4
    state_.directory.finish(own);
    std::filesystem::remove(checkpoint_of(kind));
  }
  renew_selection(state_.directory, "routers", selection());
}

predict::RouteRules RouterStage::rules() const {
  const SearchConfig& search = state_.config.search;
  return {state_.depth(), search.first_layer, search.end_of(state_.depth()), state_.space.min_layers(),
          state_.space.max_layers()};
}

RouterStage::Labelled RouterStage::labelled(const labels::LabelStore& labels,
                                            std::span<const task::Example> examples) const {
  Labelled split;
  std::vector<task::Example> kept;
  for (const task::Example& example : examples) {
    std::vector<core::Program> valid;
    for (search::RecordedTrial& trial : labels.valid_programs(example.id)) valid.push_back(std::move(trial.program));
    if (auto label = predict::router_label(valid, rules(), split.counts)) {
      split.labels.push_back(std::move(*label));
      kept.push_back(example);
    }
  }
  split.prompts = state_.prompts(state_.data.task, kept);
  return split;
}

/// Examples of one label are read together, so that each of its prefixes is one call.
void RouterStage::read_states(Labelled& split) const {
  const predict::RouteRules allowed = rules();
  const std::size_t floats =
      split.prompts.size() *
      static_cast<std::size_t>(allowed.routed() * state_.config.router.windows * state_.model.pool->manifest().hidden);
  state_.say(fmt::format("train: router states of {} examples take up to {} MiB", split.prompts.size(),
                         (floats * sizeof(float)) >> 20));
  split.states.assign(static_cast<std::size_t>(allowed.routed()),
                      std::vector<predict::TokenFeatures>(split.prompts.size()));
  std::map<core::Program, std::vector<std::size_t>> by_label;
  for (std::size_t i = 0; i < split.labels.size(); ++i) by_label[split.labels[i].program].push_back(i);
  Progress progress("router states", split.prompts.size(), "examples");
  for (const auto& [program, members] : by_label) {
    const std::span<const predict::LayerChoice> choices = split.labels[members.front()].choices;
    for (std::size_t first = 0; first < members.size(); first += kPromptsRead) {
      throw_if_interrupted(kAgain);
      const auto some = std::span(members).subspan(first, std::min(kPromptsRead, members.size() - first));
      std::vector<exec::EncodedExample> prompts;
      for (const std::size_t i : some) prompts.push_back(split.prompts[i]);
      for (std::size_t layer = 0; layer < split.states.size(); ++layer) {
        const core::Program before =
            predict::program_of(choices.first(static_cast<std::size_t>(allowed.first_layer) + layer));
        const auto states = policy::read_states(state_.executor, prompts, before);
        for (std::size_t i = 0; i < some.size(); ++i)
          split.states[layer][some[i]] = predict::window_means(states[i], state_.config.router.windows);
      }
      progress.add(some.size());
    }
  }
}

std::filesystem::path RouterStage::checkpoint_of(predict::RouterKind kind) const {
  return state_.directory.file(fmt::format("{}.checkpoint", predict::to_string(kind)));
}

void RouterStage::train_one(predict::RouterKind kind, const Stage& own, const Labelled& train,
                            const Labelled& valid) const {
  const RouterConfig& config = state_.config.router;
  const std::string name(predict::to_string(kind));
  const pool::Manifest& manifest = state_.model.pool->manifest();
  const predict::RouteRules allowed = rules();
  const predict::RouterShape shape{kind, allowed.routed(), manifest.hidden, config.hidden, config.windows};
  predict::TrainedRouters trained{
      {manifest.weights_digest,
       state_.data.task.digest(),
       predict::kRouterFeatures,
       allowed.first_layer,
       {},
       {},
       state_.config.exec.cache_semantics},
      allowed,
      predict::RouterNetwork(shape, core::derive_seed(state_.config.seed, "router weights", name)),
      nullptr};
  Progress progress(name, static_cast<std::uint64_t>(allowed.routed()), "layers");
  predict::RouterTrainingOptions options = router_options(state_.config, kind);
  options.layer_done = [&progress] { progress.add(1); };
  options.checkpoint = checkpoint_of(kind);
  options.digest = core::sha256(json{own.name, own.settings, own.inputs}.dump());
  options.say = [this](const std::string& line) { state_.say("train: " + line); };
  const predict::RouterReport report = predict::train_routers(trained.network, allowed, {train.labels, train.states},
                                                              {valid.labels, valid.states}, options);
  progress.finish();
  const int steps = config.epochs * ((report.train_examples + config.batch - 1) / config.batch);
  if (config.warmup_steps >= steps) {
    state_.say(fmt::format("train: {}: its {} steps are all warm-up; set router.warmup_steps below {}", name, steps,
                           config.warmup_steps));
  }
  trained.report = predict::report_json(report);
  trained.report["labels"] = {{"train", label_counts_json(train.counts)}, {"valid", label_counts_json(valid.counts)}};
  trained.report["valid"] = own_programs(trained);
  predict::save_routers(state_.directory.file(name), trained);
  state_.say(fmt::format(
      "train: {} of {} parameters, {} examples, {:.0f} s; labels: {} replaced and {} dropped as no router "
      "can make them; on validation F1 {}, {:.2f} layers, {:.1f} % the identity",
      name, report.parameters, report.train_examples, report.seconds, train.counts.replaced, train.counts.dropped,
      trained.report.at("valid_f1").dump(), trained.report.at("valid").at("layers").get<double>(),
      100 * trained.report.at("valid").at("identity").get<double>()));
}

/// What the routers choose by themselves, not teacher forced, with the compute dial at 0.
json RouterStage::own_programs(const predict::TrainedRouters& trained) const {
  const std::vector<exec::EncodedExample> prompts = state_.prompts(state_.data.task, state_.data.dataset.valid);
  policy::LearnedRouter router(trained);
  double layers = 0, identities = 0, overruled = 0;
  for (std::size_t first = 0; first < prompts.size(); first += kPromptsRead) {
    throw_if_interrupted(kAgain);
    const auto some = std::span(prompts).subspan(first, std::min(kPromptsRead, prompts.size() - first));
    for (const policy::Route& one : policy::route(state_.executor, some, router, trained.rules)) {
      layers += one.program.length();
      identities += one.program == core::Program::identity(state_.depth()) ? 1 : 0;
      overruled += one.overruled;
    }
  }
  const auto count = static_cast<double>(prompts.size());
  return {{"examples", prompts.size()},
          {"layers", layers / count},
          {"identity", identities / count},
          {"overruled", overruled / (count * trained.rules.routed())}};
}

json RouterStage::selection() const {
  json chosen;
  for (const predict::RouterKind kind : wanted()) chosen[std::string(predict::to_string(kind))] = load(kind).report;
  return chosen;
}

std::string RouterStage::digest() const {
  std::string digests;
  for (const predict::RouterKind kind : wanted())
    digests += core::sha256_file(state_.directory.file(manifest_of(kind)));
  return digests.empty() ? "" : core::sha256(digests);
}

predict::TrainedRouters RouterStage::load(predict::RouterKind kind) const {
  return predict::load_routers(state_.directory.file(predict::to_string(kind)),
                               state_.model.pool->manifest().weights_digest);
}

}  // namespace polar::experiment
