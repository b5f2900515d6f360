#include "experiment/train_cascade.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exec/encoding.h"
#include "experiment/interrupt.h"
#include "experiment/progress.h"
#include "predict/cascade_rule.h"
#include "predict/menu.h"
#include "task/grader.h"

namespace polar::experiment {
namespace {

using nlohmann::json;
using Tries = std::vector<std::vector<predict::CascadeTry>>;  ///< by validation example, in the menu's order

constexpr int kThresholds = 41;  ///< quantiles of 2.5 %

/// Step 1.
Tries tries_of(Experiment::State& state, std::span<const task::Example> examples, const MenuTraining& from, int most) {
  const exec::TaskEncoder encoder(state.model.pool->manifest(), *state.model.tokenizer, state.data.task);
  const exec::GenerationRules rules{&encoder.grader(), encoder.stop_strings(), encoder.max_new_tokens(),
                                    exec::StopRule::kFull};
  const std::vector<exec::EncodedExample> prompts = state.prompts(state.data.task, examples);
  state.executor.set_shared_prompt(exec::shared_prompt(prompts));
  const std::vector<double> ratios = from.menu.depth_ratios();
  const auto count = static_cast<std::size_t>(most);
  constexpr std::size_t kExamplesInStep = 32;
  Tries tries(examples.size());
  Progress progress("cascade", examples.size(), "examples");
  for (std::size_t first = 0; first < examples.size(); first += kExamplesInStep) {
    throw_if_interrupted("run the same command again to go on with training");
    const std::size_t last = std::min(examples.size(), first + kExamplesInStep);
    std::vector<exec::Request> requests;
    for (std::size_t i = first; i < last; ++i) {
      const std::vector<int> order =
          predict::ranking(from.valid_scores.row(static_cast<int>(i)), ratios, from.menu.rule);
      for (std::size_t rank = 0; rank < count; ++rank)
        requests.push_back(
            {&prompts[i], from.menu.menu[static_cast<std::size_t>(order.at(rank))], 0, 0, &rules, false});
    }
    const std::vector<exec::Answer> answers = state.executor.answer(requests);
    for (std::size_t a = 0; a < answers.size(); ++a) {
      const std::size_t example = first + a / count;
      const bool correct =
          encoder.grader().judge(answers[a].text, examples[example].answer, true) == task::Verdict::kCorrect;
      tries[example].push_back({answers[a].confidence, requests[a].program.depth_ratio(state.depth()), correct});
    }
    progress.add(last - first);
  }
  return tries;
}

json point_json(const predict::CascadePoint& point) {
  return {{"tries", point.rule.tries},
          {"threshold", point.rule.threshold},
          {"final_answer", to_string(point.rule.answer)},
          {"accuracy", point.accuracy},
          {"depth_ratio", point.mean_depth_ratio},
          {"mean_tries", point.mean_tries}};
}

std::string describe(const predict::CascadeRule& rule) {
  if (rule.tries == 1) return "one try, as the menu itself";
  if (rule.threshold > 0) return fmt::format("always {} tries, {} answer", rule.tries, to_string(rule.answer));
  return fmt::format("at most {} tries, on with the next below a confidence of {:.3f}, {} answer", rule.tries,
                     rule.threshold, to_string(rule.answer));
}

}  // namespace

bool trains_cascade(const MenuConfig& config) {
  return config.cascade_tries > 1;
}

predict::TrainedMenu train_cascade(Experiment::State& state, std::span<const task::Example> validation,
                                   std::span<const MenuTraining> menus) {
  const MenuConfig& config = state.config.menu;
  const std::vector<std::string> names = menu_names(config);
  const auto from = static_cast<std::size_t>(std::ranges::find(names, menu_name(config.cascade_from)) - names.begin());
  const int most = std::min(config.cascade_tries, static_cast<int>(menus[from].menu.menu.size()));
  const Tries tries = tries_of(state, validation, menus[from], most);
  const std::vector<predict::CascadePoint> points = predict::tune_cascade(tries, most, kThresholds);
  const double limit = config.cascade_limit;
  const auto within = predict::best_within(points, limit > 0 ? std::optional(limit) : std::nullopt);
  const predict::CascadePoint chosen = within ? *within : predict::shallowest(points);
  predict::TrainedMenu cascade = menus[from].menu;
  cascade.cascade = chosen.rule;
  cascade.cascade->grader = state.data.task.grader;
  json tried = json::array();
  for (const predict::CascadePoint& point : points) tried.push_back(point_json(point));
  cascade.selection = {{"menu", names[from]},
                       {"chosen", point_json(chosen)},
                       {"selected_by", "validation"},
                       {"depth_limit", limit > 0 ? json(limit) : json()},
                       {"within_limit", within.has_value()},
                       {"points", std::move(tried)}};
  state.say(fmt::format("train: cascade over {}: {}; on validation {:.1f} % at {:.3f} of the layers ({:.2f} tries){}",
                        names[from], describe(chosen.rule), 100 * chosen.accuracy, chosen.mean_depth_ratio,
                        chosen.mean_tries,
                        within ? "" : fmt::format("; nothing tried runs as few as {} of them", limit)));
  predict::save_menu(state.directory.file(kCascade), cascade);
  return cascade;
}

}  // namespace polar::experiment
