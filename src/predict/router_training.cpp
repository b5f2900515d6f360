#include "predict/router_training.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "core/seed.h"
#include "pool/module_pool.h"
#include "predict/checkpoint.h"
#include "predict/router_loss.h"
#include "predict/training.h"

namespace polar::predict {
namespace {

void check_router_options(const RouterTrainingOptions& options) {
  if (!options.checkpoint.empty() && options.digest.empty())
    throw core::UsageError("router training: expected a digest of the training with a checkpoint, found none");
  const bool sizes = options.epochs >= 1 && options.batch >= 1 && options.warmup_steps >= 0;
  if (sizes && options.learning_rate > 0 && options.weight_decay >= 0 && (options.gamma == 0 || options.gamma >= 1))
    return;
  throw core::UsageError(fmt::format(
      "router training: expected epochs >= 1, batch >= 1, warmup_steps >= 0, learning_rate > 0, "
      "weight_decay >= 0, gamma 0 or >= 1; found {}, {}, {}, {}, {}, {}",
      options.epochs, options.batch, options.warmup_steps, options.learning_rate, options.weight_decay, options.gamma));
}

void check_router_set(const RouterSet& set, const RouteRules& rules, const char* name) {
  const auto fits = [&](const std::vector<TokenFeatures>& layer) { return layer.size() == set.labels.size(); };
  const auto routed = static_cast<std::size_t>(rules.routed());
  const bool all_choices = std::ranges::all_of(set.labels, [&](const RouterLabel& label) {
    return label.choices.size() == static_cast<std::size_t>(rules.depth);
  });
  if (set.states.size() == routed && std::ranges::all_of(set.states, fits) && all_choices) return;
  throw core::Error(
      fmt::format("router training: {} set: expected {} labels of {} layers and states of each before {} layers, found "
                  "others, states before {}",
                  name, set.labels.size(), rules.depth, routed, set.states.size()));
}

/// One layer's examples as tensors.
struct LayerRows {
  torch::Tensor windows, shares;  ///< as RouterNetwork::forward takes them
  torch::Tensor classes;          ///< int64 [N]

  std::int64_t size() const { return classes.size(0); }
  LayerRows at(const torch::Tensor& indices) const {
    return {windows.index_select(0, indices), shares.index_select(0, indices), classes.index_select(0, indices)};
  }
};

LayerRows layer_rows(const RouterSet& set, const RouteRules& rules, int layer, const RouterNetwork& network) {
  const RouterShape& shape = network.shape();
  const auto count = static_cast<std::int64_t>(set.labels.size());
  LayerRows rows{torch::zeros({count, shape.windows, shape.width}), torch::zeros({count, shape.windows}),
                 torch::zeros({count}, torch::kInt64)};
  for (std::int64_t i = 0; i < count; ++i) {
    const TokenFeatures& states = set.states[static_cast<std::size_t>(layer)][static_cast<std::size_t>(i)];
    check_features(states, shape.width, fmt::format("router {}, example {}", layer, i));
    std::ranges::copy(states.values, rows.windows[i].data_ptr<float>());
    rows.shares[i].narrow(0, 0, states.tokens).fill_(1.0 / states.tokens);
    const RouterLabel& label = set.labels[static_cast<std::size_t>(i)];
    const LayerChoice choice = label.choices[static_cast<std::size_t>(rules.first_layer + layer)];
    rows.classes.data_ptr<std::int64_t>()[i] = std::min(static_cast<int>(choice), network.classes() - 1);
  }
  return rows;
}

/// What train_routers() does.
class RouterTraining {
 public:
  RouterTraining(RouterNetwork& network, const RouteRules& rules, const RouterSet& training,
                 const RouterSet& validation, const RouterTrainingOptions& options)
      : network_(network), rules_(rules), training_(training), validation_(validation), options_(options) {
    report_.choices = choice_counts(training.labels, rules);
    std::vector<std::int64_t> counts(report_.choices.begin(), report_.choices.begin() + network.classes());
    for (std::size_t i = counts.size(); i < report_.choices.size(); ++i) counts.back() += report_.choices[i];
    report_.class_weights = effective_number_weights(counts, options.beta);
    const std::vector<float> weights(report_.class_weights.begin(), report_.class_weights.end());
    weights_ = torch::tensor(weights);
    report_.parameters = network.parameter_count();
    report_.train_examples = static_cast<int>(training.labels.size());
    report_.valid_examples = static_cast<int>(validation.labels.size());
    report_.curve.resize(static_cast<std::size_t>(options.epochs));
    for (int epoch = 1; EpochRecord& record : report_.curve) record.epoch = epoch++;
  }

  RouterReport run() {
    const int found = resume();
    for (int layer = 0; layer < rules_.routed(); ++layer) {
      const LayerRows valid = layer_rows(validation_, rules_, layer, network_);
      if (layer >= found) {
        train_layer(layer, valid);
        keep(layer + 1);
      }
      if (valid.size() > 0) count_choices(layer, valid);
      if (options_.layer_done) options_.layer_done();
    }
    return std::move(report_);
  }

 private:
  /// Layers that a checkpoint holds, which are then the network's.
  int resume() {
    const auto found = checkpoint_of(options_.checkpoint, options_.digest, options_.say);
    if (!found) return 0;
    network_.load(found->network);
    report_.curve = found->curve;
    if (options_.say) {
      options_.say(fmt::format("{}: training goes on after {} of {} layers", options_.checkpoint.string(),
                               found->layers_done, rules_.routed()));
    }
    return found->layers_done;
  }

  void keep(int layers_done) const {
    if (options_.checkpoint.empty()) return;
    write_checkpoint(options_.checkpoint, {options_.digest, 0, layers_done, report_.curve, network_.save(), {}, {}});
  }

  torch::Tensor losses(int layer, const LayerRows& rows) const {
    return batch_focal_loss(network_.forward(layer, rows.windows, rows.shares), rows.classes, weights_, options_.gamma);
  }

  void train_layer(int layer, const LayerRows& valid) {
    const LayerRows rows = layer_rows(training_, rules_, layer, network_);
    torch::optim::AdamW optimiser(
        network_.parameters(layer),
        torch::optim::AdamWOptions(options_.learning_rate).weight_decay(options_.weight_decay));
    for (EpochRecord& record : report_.curve) {
      record.train_loss += train_epoch(layer, rows, optimiser, record) / rules_.routed();
      if (valid.size() == 0) continue;
      const torch::NoGradGuard no_grad;
      record.valid_loss = record.valid_loss.value_or(0) + losses(layer, valid).mean().item<double>() / rules_.routed();
    }
  }

  /// Mean loss of the epoch's steps, each before it was taken.
  double train_epoch(int layer, const LayerRows& rows, torch::optim::AdamW& optimiser, EpochRecord& record) const {
    std::vector<std::int64_t> order(static_cast<std::size_t>(rows.size()));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    core::Random random(core::derive_seed(options_.seed, "router.shuffle", std::to_string(record.epoch)));
    random.shuffle(order);
    const torch::Tensor shuffled = torch::tensor(order);
    const auto steps = static_cast<int>((rows.size() + options_.batch - 1) / options_.batch);
    double sum = 0;
    for (int step = 0; step < steps; ++step) {
      stop_if_interrupted(layer);
      record.learning_rate = scheduled_learning_rate(options_.learning_rate, (record.epoch - 1) * steps + step,
                                                     options_.warmup_steps, options_.epochs * steps);
      for (auto& group : optimiser.param_groups())
        static_cast<torch::optim::AdamWOptions&>(group.options()).lr(record.learning_rate);
      const std::int64_t first = std::int64_t{step} * options_.batch;
      const LayerRows batch =
          rows.at(shuffled.narrow(0, first, std::min<std::int64_t>(options_.batch, rows.size() - first)));
      optimiser.zero_grad();
      const torch::Tensor loss = losses(layer, batch);
      loss.mean().backward();
      optimiser.step();
      sum += loss.detach().sum().item<double>();
    }
    const double mean = sum / static_cast<double>(rows.size());
    if (!std::isfinite(mean)) {
      throw core::Error(
          fmt::format("router training: layer {}, epoch {}: expected a finite loss, found {}; lower the learning rate "
                      "(now {})",
                      rules_.first_layer + layer, record.epoch, mean, options_.learning_rate));
    }
    return mean;
  }

  void count_choices(int layer, const LayerRows& valid) {
    const torch::NoGradGuard no_grad;
    const torch::Tensor chosen = network_.forward(layer, valid.windows, valid.shares).argmax(-1);
    const auto *labels = valid.classes.data_ptr<std::int64_t>(), *choices = chosen.data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < valid.size(); ++i)
      report_.valid.add(static_cast<LayerChoice>(labels[i]), static_cast<LayerChoice>(choices[i]));
  }

  void stop_if_interrupted(int layer) const {
    if (options_.interrupt == nullptr || !options_.interrupt->load()) return;
    throw core::Interrupted(
        fmt::format("router training interrupted at layer {}; run it again to {}", rules_.first_layer + layer,
                    options_.checkpoint.empty() ? "train from the start" : "go on with this layer"));
  }

  RouterNetwork& network_;
  const RouteRules& rules_;
  const RouterSet& training_;
  const RouterSet& validation_;
  const RouterTrainingOptions& options_;
  torch::Tensor weights_;
  RouterReport report_;
};

nlohmann::json number_or_null(const std::optional<double>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json();
}

}  // namespace

nlohmann::json report_json(const RouterReport& report) {
  nlohmann::json choices, f1;
  for (const LayerChoice choice : kLayerChoices) {
    const std::string name(to_string(choice));
    choices[name] = report.choices[static_cast<std::size_t>(choice)];
    f1[name] = number_or_null(report.valid.f1(choice));
  }
  return {{"curve", curve_json(report.curve)},
          {"choices", choices},
          {"class_weights", report.class_weights},
          {"valid_f1", f1},
          {"valid_accuracy", number_or_null(report.valid.accuracy())},
          {"parameters", report.parameters},
          {"train_examples", report.train_examples},
          {"valid_examples", report.valid_examples}};
}

RouterReport train_routers(RouterNetwork& network, const RouteRules& rules, const RouterSet& training,
                           const RouterSet& validation, const RouterTrainingOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  check_router_options(options);
  check_route_rules(rules);
  if (network.shape().layers != rules.routed()) {
    throw core::UsageError(fmt::format("router training: expected a router for each of {} layers, found {}",
                                       rules.routed(), network.shape().layers));
  }
  check_router_set(training, rules, "training");
  check_router_set(validation, rules, "validation");
  if (training.labels.empty())
    throw core::Error("router training: expected at least one labelled example, found none; search longer");
  const pool::OneIntraOpThread alone;
  // A mode that records gradients, whatever the caller's is.
  const c10::InferenceMode normal(false);
  const torch::AutoGradMode record_gradients(true);
  RouterReport report = RouterTraining(network, rules, training, validation, options).run();
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return report;
}

}  // namespace polar::predict
