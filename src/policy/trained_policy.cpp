#include "policy/trained_policy.h"

#include <fmt/format.h>

#include <numeric>
#include <optional>
#include <utility>

#include "core/error.h"
#include "policy/planners.h"

namespace polar::policy {
namespace {

constexpr int kBeam = 5;        ///< of the paper's decoding
constexpr int kCandidates = 1;  ///< a deployed policy runs its first choice

}  // namespace

core::Program feature_program(const predict::Origin& origin) {
  if (origin.features != "states" || origin.prefix_layers == 0) return {};
  return core::Program::identity(origin.prefix_layers);
}

std::vector<predict::TokenFeatures> read_features(exec::Executor& executor,
                                                  std::span<const exec::EncodedExample> prompts,
                                                  const core::Program& prefix) {
  std::vector<predict::TokenFeatures> features;
  for (exec::States& states : executor.states(prompts, prefix))
    features.push_back({states.tokens, states.width, std::move(states.values)});
  return features;
}

struct TrainedPolicy::Model {
  std::optional<predict::TrainedPredictor> predictor;
  std::optional<predict::TrainedMenu> menu;
  std::unique_ptr<Planner> planner;
};

TrainedPolicy::TrainedPolicy(std::unique_ptr<Model> model) : model_(std::move(model)) {}
TrainedPolicy::~TrainedPolicy() = default;
TrainedPolicy::TrainedPolicy(TrainedPolicy&&) noexcept = default;
TrainedPolicy& TrainedPolicy::operator=(TrainedPolicy&&) noexcept = default;

TrainedPolicy TrainedPolicy::load(const std::filesystem::path& folder, std::string_view weights_digest) {
  auto model = std::make_unique<Model>();
  const std::string kind = predict::artifact_kind(folder);
  if (kind == predict::kPredictorKind) {
    model->predictor.emplace(predict::load_predictor(folder, weights_digest));
    model->planner = std::make_unique<PredictorPlanner>(*model->predictor, kBeam);
  } else if (kind == predict::kMenuKind) {
    model->menu.emplace(predict::load_menu(folder, weights_digest));
    model->planner = std::make_unique<MenuPlanner>(*model->menu, kCandidates);
  } else {
    throw core::Error(fmt::format("{}: expected a {} or a {}, found a {}", folder.string(), predict::kPredictorKind,
                                  predict::kMenuKind, kind));
  }
  TrainedPolicy policy(std::move(model));
  if (const std::string& features = policy.origin().features; features != "states" && features != "embeddings") {
    throw core::Error(fmt::format("{}: features: expected states or embeddings of the pool itself, found '{}'",
                                  folder.string(), features));
  }
  return policy;
}

Planner& TrainedPolicy::planner() {
  return *model_->planner;
}

const predict::Origin& TrainedPolicy::origin() const {
  return model_->predictor ? model_->predictor->origin : model_->menu->origin;
}

std::vector<core::Program> TrainedPolicy::choose(exec::Executor& executor,
                                                 std::span<const exec::EncodedExample> prompts) {
  const auto features = read_features(executor, prompts, feature_program(origin()));
  std::vector<Input> inputs;
  for (std::size_t i = 0; i < prompts.size(); ++i) inputs.push_back({prompts[i].id, &features[i]});
  std::vector<core::Program> programs;
  for (RankedPrograms& ranked : planner().propose(inputs)) programs.push_back(std::move(ranked.front()));
  return programs;
}

}  // namespace polar::policy
