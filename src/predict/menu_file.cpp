#include "predict/menu_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "core/error.h"

namespace polar::predict {
namespace {

void check(const TrainedMenu& trained, const std::string& where) {
  const auto size = trained.menu.size();
  const bool fits = static_cast<std::size_t>(trained.scorer.outputs()) == size && trained.rule.identity >= 0 &&
                    static_cast<std::size_t>(trained.rule.identity) < size && trained.depth >= 1 &&
                    trained.menu[trained.rule.identity] == core::Program::identity(trained.depth);
  if (!fits) {
    throw core::Error(
        fmt::format("{}: expected a menu with the identity of {} layers at index {} and one score a program, found {} "
                    "programs and {} scores",
                    where, trained.depth, trained.rule.identity, size, trained.scorer.outputs()));
  }
  if (trained.cascade && trained.cascade->tries < 1) {
    throw core::Error(fmt::format("{}: tries: expected at least 1, found {}", where, trained.cascade->tries));
  }
}

}  // namespace

std::vector<double> TrainedMenu::depth_ratios() const {
  std::vector<double> ratios;
  for (const core::Program& program : menu) ratios.push_back(program.depth_ratio(depth));
  return ratios;
}

Matrix TrainedMenu::scores(const Matrix& x) const {
  Matrix scores = scorer.score(x);
  if (calibration)
    std::ranges::transform(scores.values, scores.values.begin(),
                           [&](double score) { return calibration->probability(score); });
  return scores;
}

Matrix TrainedMenu::scores(std::span<const float> pooled_features) const {
  Matrix x(1, static_cast<int>(pooled_features.size()));
  x.values.assign(pooled_features.begin(), pooled_features.end());
  return scores(x);
}

int TrainedMenu::choose(std::span<const float> pooled_features) const {
  return predict::choose(scores(pooled_features).row(0), depth_ratios(), rule);
}

void save_menu(const std::filesystem::path& folder, const TrainedMenu& trained) {
  check(trained, folder.string());
  std::vector<std::string> programs;
  for (const core::Program& program : trained.menu) programs.push_back(program.text());
  const ScorerOptions& options = trained.scorer.options();
  nlohmann::json calibration;
  if (trained.calibration)
    calibration = {{"slope", trained.calibration->slope},
                   {"offset", trained.calibration->offset},
                   {"of_log_odds", trained.calibration->of_log_odds}};
  nlohmann::json body = {{"depth", trained.depth},
                         {"menu", programs},
                         {"identity", trained.rule.identity},
                         {"lambda", trained.rule.lambda},
                         {"margin", trained.rule.margin},
                         {"scorer", to_string(options.kind)},
                         {"strength", options.strength},
                         {"bandwidth_scale", options.bandwidth_scale},
                         {"calibration", calibration},
                         {"pooling", to_string(trained.pooling)},
                         {"selection", trained.selection}};
  if (const std::optional<CascadeRule>& rule = trained.cascade) {
    body["tries"] = rule->tries;
    body["threshold"] = rule->threshold;
    body["final_answer"] = to_string(rule->answer);
    body["grader"] = rule->grader;
  }
  save_artifact(folder, trained.cascade ? kCascadeKind : kMenuKind,
                {trained.origin, std::move(body), trained.scorer.save()});
}

TrainedMenu load_menu(const std::filesystem::path& folder, std::string_view weights_digest) {
  const bool cascade = artifact_kind(folder) == kCascadeKind;
  const Artifact artifact = load_artifact(folder, cascade ? kCascadeKind : kMenuKind, weights_digest);
  const auto number = [&](const char* key) { return manifest_field<double>(artifact.body, folder, key); };
  const auto integer = [&](const char* key) { return manifest_field<int>(artifact.body, folder, key); };
  const int depth = integer("depth");
  std::vector<core::Program> menu;
  for (const auto& text : manifest_field<std::vector<std::string>>(artifact.body, folder, "menu")) {
    menu.push_back(core::Program::parse(text, depth));
  }
  const ScorerOptions options{scorer_kind(manifest_field<std::string>(artifact.body, folder, "scorer")),
                              number("strength"), number("bandwidth_scale")};
  TrainedMenu trained{artifact.origin,
                      depth,
                      std::move(menu),
                      {number("lambda"), number("margin"), integer("identity")},
                      MenuScorer::load(artifact.weights, options),
                      manifest_field<nlohmann::json>(artifact.body, folder, "selection")};
  if (const auto found = artifact.body.find("calibration"); found != artifact.body.end() && !found->is_null())
    trained.calibration = {manifest_field<double>(*found, folder, "slope"),
                           manifest_field<double>(*found, folder, "offset"),
                           found->contains("of_log_odds") &&  // which earlier versions did not write
                               manifest_field<bool>(*found, folder, "of_log_odds")};
  if (artifact.body.contains("pooling"))  // which earlier versions did not write
    trained.pooling = pooling(manifest_field<std::string>(artifact.body, folder, "pooling"));
  if (cascade) {
    trained.cascade = {integer("tries"), number("threshold"),
                       final_answer(manifest_field<std::string>(artifact.body, folder, "final_answer")),
                       manifest_field<std::string>(artifact.body, folder, "grader")};
  }
  check(trained, folder.string());
  return trained;
}

}  // namespace polar::predict
