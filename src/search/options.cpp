#include "search/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "core/digest.h"
#include "core/error.h"
#include "search/require.h"

namespace polar::search {

namespace {

template <typename Enum>
Enum named(std::string_view what, const std::vector<std::string>& names, std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end())
    throw core::UsageError(fmt::format("{}: expected one of {}, found '{}'", what, fmt::join(names, ", "), name));
  return static_cast<Enum>(found - names.begin());
}

/// Programs can be many: their digest stands for them.
std::string digest_of(const std::vector<core::Program>& programs) {
  if (programs.empty()) return "none";
  std::string lines;
  for (const core::Program& program : programs) lines += program.text() + '\n';
  return core::sha256(lines);
}

}  // namespace

const std::vector<std::string>& algorithm_names() {
  static const std::vector<std::string> names{"guided",     "mcts", "paper",  "authors", "drllm",    "replication",
                                              "best_first", "beam", "random", "evolve",  "transfer", "exhaustive"};
  return names;
}

std::string_view to_string(Algorithm algorithm) {
  return algorithm_names()[static_cast<std::size_t>(algorithm)];
}

Algorithm algorithm_of(std::string_view name) {
  return named<Algorithm>("search algorithm", algorithm_names(), name);
}

const std::vector<std::string>& objective_names() {
  static const std::vector<std::string> names{"first", "shortest", "best", "pareto"};
  return names;
}

std::string_view to_string(Objective objective) {
  return objective_names()[static_cast<std::size_t>(objective)];
}

Objective objective_of(std::string_view name) {
  return named<Objective>("search objective", objective_names(), name);
}

const std::vector<std::string>& minimise_names() {
  static const std::vector<std::string> names{"off", "repeats", "edits"};
  return names;
}

std::string_view to_string(Minimise minimise) {
  return minimise_names()[static_cast<std::size_t>(minimise)];
}

Minimise minimise_of(std::string_view name) {
  return named<Minimise>("search minimise", minimise_names(), name);
}

double reward(const Outcome& outcome, RewardKind kind) {
  if (outcome.correct) return 1;
  if (kind == RewardKind::kBinary) return 0;
  return 0.5 * std::exp(std::min(0.0, outcome.answer_log_prob / outcome.answer_tokens));
}

void SearchOptions::check() const {
  const Require require{"search"};
  const auto number = [&](std::string_view option, double value, double low) {
    require(std::isfinite(value) && value >= low, option, fmt::format("a number ≥ {}", low), value);
  };
  const auto above = [&](std::string_view option, double value) {
    require(std::isfinite(value) && value > 0, option, "a number > 0", value);
  };
  const auto share = [&](std::string_view option, double value) {
    require(value >= 0 && value <= 1, option, "0 … 1", value);
  };
  require(rollouts >= 1, "rollouts", "at least 1", rollouts);
  require(leaves_per_round >= 1, "leaves_per_round", "at least 1", leaves_per_round);
  number("exploration", exploration, 0);
  number("length_penalty", length_penalty, 0);
  above("widening_factor", widening_factor);
  share("widening_exponent", widening_exponent);
  require(stop_after_valid >= 0, "stop_after_valid", "at least 0 (0 = use the whole budget)", stop_after_valid);
  require(keep >= 1, "keep", "at least 1", keep);
  share("random_child", random_child);
  require(beam_width >= 1, "beam_width", "at least 1", beam_width);
  require(beam_children >= 1, "beam_children", "at least 1", beam_children);
  require(elite >= 2, "elite", "at least 2", elite);
  above("model_spread", model_spread);
  above("model_noise", model_noise);
  number("model_reach", model_reach, 0);
  require(std::isfinite(model_skip_cost), "model_skip_cost", "a number", model_skip_cost);
  require(std::isfinite(model_repeat_cost), "model_repeat_cost", "a number", model_repeat_cost);
}

std::string SearchOptions::text() const {
  return fmt::format(
      "{} rollouts={} leaves_per_round={} exploration={} length_penalty={} widening_factor={} widening_exponent={} "
      "reward={} stop_after_valid={} objective={} minimise={} stop_when_rescued={} random_child={} "
      "log_visits_plus_one={} beam_width={} beam_children={} elite={} model_spread={} model_noise={} model_reach={} "
      "model_skip_cost={} model_repeat_cost={} first_programs={}",
      to_string(algorithm), rollouts, leaves_per_round, exploration, length_penalty, widening_factor, widening_exponent,
      reward == RewardKind::kDense ? "dense" : "binary", stop_after_valid, to_string(objective), to_string(minimise),
      stop_when_rescued, random_child, log_visits_plus_one, beam_width, beam_children, elite, model_spread, model_noise,
      model_reach, model_skip_cost, model_repeat_cost, digest_of(first_programs));
}

}  // namespace polar::search
