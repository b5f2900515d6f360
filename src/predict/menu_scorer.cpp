#include "predict/menu_scorer.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numbers>
#include <vector>

#include "core/error.h"
#include "core/seed.h"
#include "pool/module_pool.h"
#include "predict/tensor_bytes.h"

namespace polar::predict {

using torch::Tensor;

/// float64 tensors. Linear kinds: score = x̂ weights + bias. Kernels: score = k(x̂, rows) weights + bias.
struct MenuScorer::Model {
  ScorerOptions options;
  Tensor mean, scale;          ///< [f]
  Tensor weights, bias;        ///< [f or n, m], [m]
  Tensor rows, bandwidth;      ///< [n, f] standardised training inputs, scalar s; empty for linear kinds
  Tensor hidden, hidden_bias;  ///< [f, h], [h] of a network, whose weights are [h, m]; empty for others
  Tensor row_squares;          ///< [n], |row|²: with them a choice reads the rows once

  Tensor standardise(const Tensor& x) const { return (x - mean) / scale; }
};

namespace {

constexpr std::array kKinds{ScorerKind::kRidge, ScorerKind::kKernelRidge, ScorerKind::kLaplaceRidge,
                            ScorerKind::kLogistic, ScorerKind::kNetwork};

Tensor to_tensor(const Matrix& matrix) {
  return torch::tensor(at::ArrayRef<double>(matrix.values), torch::kFloat64).reshape({matrix.rows, matrix.cols});
}

Matrix to_matrix(const Tensor& tensor) {
  const auto flat = tensor.contiguous();
  Matrix matrix(static_cast<int>(flat.size(0)), static_cast<int>(flat.size(1)));
  std::copy_n(flat.data_ptr<double>(), flat.numel(), matrix.values.begin());
  return matrix;
}

void check(const Matrix& x, const Matrix& y, const ScorerOptions& options) {
  if (!(options.strength > 0) || !(options.bandwidth_scale > 0)) {
    throw core::UsageError(fmt::format("menu scorer: expected strength > 0 and bandwidth_scale > 0, found {} and {}",
                                       options.strength, options.bandwidth_scale));
  }
  if (x.rows < 2 || x.rows != y.rows || x.cols < 1 || y.cols < 1) {
    throw core::Error(fmt::format(
        "menu scorer: expected features and outcomes of the same examples, at least 2; found {} x {} and {} x {}",
        x.rows, x.cols, y.rows, y.cols));
  }
  const auto finite = [](double value) { return std::isfinite(value); };
  if (!std::ranges::all_of(x.values, finite) || !std::ranges::all_of(y.values, finite)) {
    throw core::Error("menu scorer: expected finite features and outcomes, found infinity or not-a-number");
  }
  const auto probability = [](double value) { return value >= 0 && value <= 1; };
  if (is_iterative(options.kind) && !std::ranges::all_of(y.values, probability)) {
    throw core::Error(fmt::format("menu scorer: {} expects outcomes in 0 … 1", to_string(options.kind)));
  }
}

Tensor squares_of(const Tensor& rows) {
  return rows.square().sum(1);
}

Tensor squared_distances(const Tensor& a, const Tensor& b, const Tensor& b_squares) {
  return (squares_of(a).unsqueeze(1) + b_squares.unsqueeze(0) - 2 * a.matmul(b.t())).clamp_min(0);
}

Tensor radial(ScorerKind kind, const Tensor& a, const Tensor& b, const Tensor& b_squares, const Tensor& bandwidth) {
  const auto distances = squared_distances(a, b, b_squares);
  if (kind == ScorerKind::kLaplaceRidge) return distances.sqrt().div_(-bandwidth).exp_();
  return distances.div(-2 * bandwidth.square()).exp_();
}

/// Lower median of the distances of all pairs of rows, times the scale.
Tensor bandwidth_of(const Tensor& x, double scale) {
  const auto distances = squared_distances(x, x, squares_of(x)).sqrt();
  const auto pairs = torch::triu_indices(x.size(0), x.size(0), 1);
  const auto median = distances.index({pairs[0], pairs[1]}).median();
  if (!(median.item<double>() > 1e-9)) {
    throw core::Error("menu scorer: a kernel expects inputs that differ, found a median distance of 0");
  }
  return median * scale;
}

/// The dual solution; see the class comment.
struct Dual {
  Tensor kernel, coefficients, cholesky, y_mean;
};

Dual solve(const Tensor& kernel, const Tensor& y, double strength) {
  const auto centred = kernel - kernel.mean(0, true) - kernel.mean(1, true) + kernel.mean();
  const auto system = centred + strength * torch::eye(kernel.size(0), torch::kFloat64);
  const auto [cholesky, info] = at::linalg_cholesky_ex(system);
  if (info.item<int>() != 0) {
    throw core::Error(fmt::format(
        "menu scorer: the ridge system is not positive definite at strength {}; raise the strength", strength));
  }
  const auto y_mean = y.mean(0);
  return {kernel, at::cholesky_solve(y - y_mean, cholesky), cholesky, y_mean};
}

Tensor hidden_units(const Tensor& x, const Tensor& hidden, const Tensor& bias) {
  return torch::relu(x.matmul(hidden) + bias);
}

/// Logistic regression, on hidden units where the model has them; starts from what the model holds.
void fit_iteratively(const Tensor& x, const Tensor& y, double strength, std::vector<Tensor*> weights,
                     std::vector<Tensor*> biases) {
  const torch::AutoGradMode record_gradients(true);
  std::vector<Tensor> parameters;
  for (const auto& part : {weights, biases}) {
    for (Tensor* each : part) parameters.push_back(each->requires_grad_());
  }
  torch::optim::LBFGS optimiser(parameters, torch::optim::LBFGSOptions(1)
                                                .max_iter(300)
                                                .history_size(10)
                                                .tolerance_grad(1e-6)
                                                .tolerance_change(1e-12)
                                                .line_search_fn("strong_wolfe"));
  optimiser.step([&] {
    optimiser.zero_grad();
    const auto basis = weights.size() > 1 ? hidden_units(x, *weights[1], *biases[1]) : x;
    auto loss =
        torch::binary_cross_entropy_with_logits(basis.matmul(*weights[0]) + *biases[0], y, {}, {}, at::Reduction::Sum);
    for (const Tensor* each : weights) loss = loss + 0.5 * strength * each->square().sum();
    loss.backward();
    return loss;
  });
  for (const auto& part : {weights, biases}) {
    for (Tensor* each : part) *each = each->detach();
  }
}

/// Normal numbers with the variance that keeps a rectified unit's scale (He and others 2015).
Tensor first_weights(std::int64_t inputs, std::int64_t outputs, std::uint64_t seed) {
  const core::CounterRandom draw(seed);
  auto weights = torch::empty({inputs, outputs}, torch::kFloat64);
  double* values = weights.data_ptr<double>();
  for (std::int64_t i = 0; i < weights.numel(); ++i) {
    const auto at = static_cast<std::uint64_t>(2 * i);
    const double radius = std::sqrt(-2 * std::log(draw.uniform_at(at)));
    values[i] = radius * std::cos(2 * std::numbers::pi * draw.uniform_at(at + 1)) * std::sqrt(2.0 / inputs);
  }
  return weights;
}

/// Standardised training inputs with their mean and scale.
struct Standardised {
  Tensor mean, scale, rows;
};

Standardised standardise(const Tensor& x) {
  const auto mean = x.mean(0);
  const auto deviation = (x - mean).square().mean(0).sqrt();
  const auto scale = torch::where(deviation > 1e-9, deviation, torch::ones_like(deviation));
  return {mean, scale, (x - mean) / scale};
}

Tensor kernel_of(ScorerKind kind, const Tensor& rows, const Tensor& bandwidth) {
  return has_kernel(kind) ? radial(kind, rows, rows, squares_of(rows), bandwidth) : rows.matmul(rows.t());
}

std::map<int, std::vector<std::int64_t>> members_of(std::span<const int> groups) {
  std::map<int, std::vector<std::int64_t>> members;
  for (std::size_t row = 0; row < groups.size(); ++row) members[groups[row]].push_back(static_cast<std::int64_t>(row));
  return members;
}

Tensor bandwidth_for(const Tensor& rows, const ScorerOptions& options) {
  if (!has_kernel(options.kind)) return torch::empty({0}, torch::kFloat64);
  return bandwidth_of(rows, options.bandwidth_scale);
}

}  // namespace

std::string to_string(ScorerKind kind) {
  switch (kind) {
    case ScorerKind::kRidge:
      return "ridge";
    case ScorerKind::kKernelRidge:
      return "kernel-ridge";
    case ScorerKind::kLaplaceRidge:
      return "laplace-ridge";
    case ScorerKind::kLogistic:
      return "logistic";
    case ScorerKind::kNetwork:
      return "network";
  }
  throw core::Error("menu scorer: unknown kind");
}

ScorerKind scorer_kind(const std::string& name) {
  for (ScorerKind kind : kKinds) {
    if (to_string(kind) == name) return kind;
  }
  throw core::UsageError(
      fmt::format("menu scorer: expected ridge, kernel-ridge, laplace-ridge, logistic or network, found '{}'", name));
}

bool has_kernel(ScorerKind kind) {
  return kind == ScorerKind::kKernelRidge || kind == ScorerKind::kLaplaceRidge;
}

bool is_iterative(ScorerKind kind) {
  return kind == ScorerKind::kLogistic || kind == ScorerKind::kNetwork;
}

MenuScorer::MenuScorer(std::shared_ptr<const Model> model) : model_(std::move(model)) {}

MenuScorer MenuScorer::fit(const Matrix& x, const Matrix& y, const ScorerOptions& options) {
  check(x, y, options);
  const c10::InferenceMode normal(false);
  const torch::NoGradGuard no_grad;
  const auto [mean, scale, rows] = standardise(to_tensor(x));
  const auto targets = to_tensor(y);
  auto model = std::make_shared<Model>();
  model->options = options;
  model->mean = mean;
  model->scale = scale;
  model->bandwidth = bandwidth_for(rows, options);
  model->rows = torch::empty({0, x.cols}, torch::kFloat64);
  model->hidden = model->hidden_bias = torch::empty({0}, torch::kFloat64);
  if (is_iterative(options.kind)) {
    const bool network = options.kind == ScorerKind::kNetwork;
    model->bias = torch::logit(targets.mean(0).clamp(1e-4, 1 - 1e-4));
    model->weights = network ? first_weights(kHiddenUnits, y.cols, core::derive_seed(options.seed, "scores"))
                             : torch::zeros({x.cols, y.cols}, torch::kFloat64);
    std::vector<Tensor*> weights = {&model->weights}, biases = {&model->bias};
    if (network) {
      model->hidden = first_weights(x.cols, kHiddenUnits, core::derive_seed(options.seed, "hidden units"));
      model->hidden_bias = torch::zeros({kHiddenUnits}, torch::kFloat64);
      weights.push_back(&model->hidden);
      biases.push_back(&model->hidden_bias);
    }
    const pool::OneIntraOpThread alone;
    fit_iteratively(rows, targets, options.strength, weights, biases);
    return MenuScorer(model);
  }
  const Dual dual = solve(kernel_of(options.kind, rows, model->bandwidth), targets, options.strength);
  if (options.kind == ScorerKind::kRidge) {
    model->weights = rows.t().matmul(dual.coefficients);  // rows have mean 0: the intercept is the mean of y
    model->bias = dual.y_mean;
  } else {
    model->rows = rows;
    model->row_squares = squares_of(rows);
    model->weights = dual.coefficients;
    model->bias = dual.y_mean - dual.kernel.mean(0).matmul(dual.coefficients);
  }
  return MenuScorer(model);
}

Matrix MenuScorer::leave_groups_out(const Matrix& x, const Matrix& y, std::span<const int> groups,
                                    const ScorerOptions& options) {
  if (is_iterative(options.kind)) {
    throw core::UsageError(
        fmt::format("menu scorer: {} has no closed form without some rows; select it on validation examples",
                    to_string(options.kind)));
  }
  check(x, y, options);
  const std::map<int, std::vector<std::int64_t>> members = members_of(groups);
  if (groups.size() != static_cast<std::size_t>(x.rows) || members.size() < 2) {
    throw core::Error(fmt::format("menu scorer: expected {} rows in at least two groups, found {} in {}", x.rows,
                                  groups.size(), members.size()));
  }
  const c10::InferenceMode normal(false);
  const torch::NoGradGuard no_grad;
  const auto rows = standardise(to_tensor(x)).rows;
  const auto targets = to_tensor(y);
  const Dual dual = solve(kernel_of(options.kind, rows, bandwidth_for(rows, options)), targets, options.strength);
  const auto residuals = options.strength * dual.coefficients;
  const auto operators = options.strength * at::cholesky_inverse(dual.cholesky) - 1.0 / x.rows;
  auto scores = torch::empty_like(targets);
  for (const auto& [group, list] : members) {
    const auto own = torch::tensor(list);
    const auto block = operators.index_select(0, own).index_select(1, own) +
                       1e-12 * torch::eye(own.size(0), torch::kFloat64);  // 0 where a group alone decides its scores
    scores.index_copy_(0, own, targets.index_select(0, own) - at::linalg_solve(block, residuals.index_select(0, own)));
  }
  return to_matrix(scores);
}

Matrix MenuScorer::score(const Matrix& x) const {
  if (x.cols != inputs()) {
    throw core::Error(fmt::format("menu scorer: expected {} features, found {}; features must be made as for training",
                                  inputs(), x.cols));
  }
  const c10::InferenceMode inference;
  const auto rows = model_->standardise(to_tensor(x));
  const ScorerKind kind = model_->options.kind;
  const auto basis = has_kernel(kind) ? radial(kind, rows, model_->rows, model_->row_squares, model_->bandwidth)
                     : kind == ScorerKind::kNetwork ? hidden_units(rows, model_->hidden, model_->hidden_bias)
                                                    : rows;
  const auto scores = basis.matmul(model_->weights) + model_->bias;
  return to_matrix(is_iterative(kind) ? torch::sigmoid(scores) : scores);
}

int MenuScorer::inputs() const {
  return static_cast<int>(model_->mean.size(0));
}
int MenuScorer::outputs() const {
  return static_cast<int>(model_->bias.size(0));
}
const ScorerOptions& MenuScorer::options() const {
  return model_->options;
}

std::string MenuScorer::save() const {
  return tensors_to_bytes({model_->mean, model_->scale, model_->weights, model_->bias, model_->rows, model_->bandwidth,
                           model_->hidden, model_->hidden_bias});
}

MenuScorer MenuScorer::load(const std::string& bytes, const ScorerOptions& options) {
  auto tensors = tensors_from_bytes(bytes, "menu scorer");
  if (tensors.size() == 6) tensors.resize(8, torch::empty({0}, torch::kFloat64));  // of a version without networks
  const bool network = options.kind == ScorerKind::kNetwork;
  const auto fits = [&] {
    if (tensors.size() != 8 || tensors[0].dim() != 1 || tensors[2].dim() != 2 || tensors[3].dim() != 1 ||
        tensors[4].dim() != 2 || tensors[6].dim() != (network ? 2 : 1) || tensors[7].dim() != 1)
      return false;
    if (network && (tensors[6].size(0) != tensors[0].size(0) || tensors[6].size(1) != tensors[7].size(0))) return false;
    const auto basis = has_kernel(options.kind) ? tensors[4].size(0)
                       : network                ? tensors[7].size(0)
                                                : tensors[0].size(0);
    const bool kernel = tensors[5].numel() == 1;
    return tensors[1].sizes() == tensors[0].sizes() && tensors[2].size(0) == basis &&
           tensors[2].size(1) == tensors[3].size(0) && tensors[4].size(1) == tensors[0].size(0) &&
           kernel == has_kernel(options.kind);
  };
  if (!fits()) {
    throw core::Error(
        fmt::format("menu scorer: expected the weights of a {} scorer, found {} tensors of other sizes; train again",
                    to_string(options.kind), tensors.size()));
  }
  return MenuScorer(std::make_shared<Model>(Model{options, tensors[0], tensors[1], tensors[2], tensors[3], tensors[4],
                                                  tensors[5], tensors[6], tensors[7], squares_of(tensors[4])}));
}

}  // namespace polar::predict
