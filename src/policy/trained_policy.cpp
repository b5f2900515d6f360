#include "policy/trained_policy.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "core/error.h"
#include "policy/learned_router.h"
#include "policy/planners.h"
#include "policy/read_features.h"
#include "pool/module_pool.h"

namespace polar::policy {
namespace {

constexpr int kCandidates = 1;  ///< a deployed policy that is no cascade runs its first choice

}  // namespace

struct TrainedPolicy::Model {
  std::optional<predict::TrainedPredictor> predictor;
  std::optional<predict::TrainedMenu> menu;
  std::optional<predict::TrainedRouters> routers;
  std::unique_ptr<Planner> planner;     ///< of predictor or menu
  std::optional<FeatureReader> reader;  ///< of the same
};

TrainedPolicy::TrainedPolicy(std::unique_ptr<Model> model) : model_(std::move(model)) {}
TrainedPolicy::~TrainedPolicy() = default;
TrainedPolicy::TrainedPolicy(TrainedPolicy&&) noexcept = default;
TrainedPolicy& TrainedPolicy::operator=(TrainedPolicy&&) noexcept = default;

TrainedPolicy TrainedPolicy::load(const std::filesystem::path& folder, std::string_view weights_digest,
                                  const std::string& encoder) {
  auto model = std::make_unique<Model>();
  const std::string kind = predict::artifact_kind(folder);
  if (kind == predict::kPredictorKind) {
    model->predictor.emplace(predict::load_predictor(folder, weights_digest));
    model->planner = std::make_unique<PredictorPlanner>(*model->predictor);
  } else if (kind == predict::kMenuKind || kind == predict::kCascadeKind) {
    model->menu.emplace(predict::load_menu(folder, weights_digest));
    const int candidates = model->menu->cascade ? model->menu->cascade->tries : kCandidates;
    model->planner = std::make_unique<MenuPlanner>(*model->menu, candidates);
  } else if (kind == predict::kRouterKind) {
    model->routers.emplace(predict::load_routers(folder, weights_digest));
  } else {
    throw core::Error(fmt::format("{}: expected a {}, a {}, a {} or {}, found a {}", folder.string(),
                                  predict::kPredictorKind, predict::kMenuKind, predict::kCascadeKind,
                                  predict::kRouterKind, kind));
  }
  TrainedPolicy policy(std::move(model));
  if (policy.model_->routers) return policy;
  try {
    predict::Origin origin = policy.origin();
    if (!encoder.empty()) origin.encoder = encoder;
    policy.model_->reader.emplace(origin);
  } catch (const core::Error& error) {
    throw core::Error(fmt::format("{}: {}", folder.string(), error.what()));
  }
  return policy;
}

const predict::Origin& TrainedPolicy::origin() const {
  if (model_->routers) return model_->routers->origin;
  return model_->predictor ? model_->predictor->origin : model_->menu->origin;
}

std::vector<predict::TokenFeatures> TrainedPolicy::features(exec::Executor& executor,
                                                            std::span<const exec::EncodedExample> prompts) const {
  if (!model_->reader) return {};
  return model_->reader->read(executor, prompts);
}

std::vector<RankedPrograms> TrainedPolicy::rank(exec::Executor& executor,
                                                std::span<const exec::EncodedExample> prompts) {
  const std::string& semantics = origin().cache_semantics;
  if (!semantics.empty() && exec::parse_cache_semantics(semantics) != executor.options().cache_semantics) {
    throw core::UsageError(fmt::format(
        "policy: expected cache semantics {}, under which it was trained, found the other: give --cache-semantics {}",
        semantics, semantics));
  }
  std::vector<Input> inputs;
  for (const exec::EncodedExample& prompt : prompts) inputs.push_back({prompt.id, nullptr, &prompt});
  if (model_->routers) {
    return RouterPlanner(predict::kRouterKind, executor, std::make_unique<LearnedRouter>(*model_->routers),
                         model_->routers->rules)
        .propose(inputs);
  }
  const std::vector<predict::TokenFeatures> read = features(executor, prompts);
  for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i].features = &read[i];
  std::vector<RankedPrograms> ranked = model_->planner->propose(inputs);
  if (!cascade_rule()) {
    for (RankedPrograms& programs : ranked) programs.resize(kCandidates);  // the predictor's beam holds more
  }
  return ranked;
}

void TrainedPolicy::score(const predict::TokenFeatures& features) const {
  const pool::OneIntraOpThread alone;  // as planners do
  if (model_->predictor) model_->predictor->predictor.logits(std::span(&features, 1));
  if (model_->menu) model_->menu->scores(predict::pooled(features, model_->menu->pooling));
}

std::unique_ptr<Cascade> TrainedPolicy::cascade(const RankedPrograms& ranked) const {
  return model_->planner ? model_->planner->cascade(ranked) : nullptr;
}

std::optional<predict::CascadeRule> TrainedPolicy::cascade_rule() const {
  return model_->menu ? model_->menu->cascade : std::nullopt;
}

std::vector<core::Program> TrainedPolicy::choose(exec::Executor& executor,
                                                 std::span<const exec::EncodedExample> prompts) {
  std::vector<core::Program> programs;
  for (RankedPrograms& ranked : rank(executor, prompts)) programs.push_back(std::move(ranked.front()));
  return programs;
}

}  // namespace polar::policy
