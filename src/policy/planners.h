#pragma once
// The planners (method.md 3 and 5). Each says how it makes its k candidates.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "labels/label_store.h"
#include "policy/planner.h"
#include "predict/menu_file.h"
#include "predict/predictor_file.h"
#include "search/space.h"

namespace polar::policy {

/// The same ranked programs for every input. `base`: the identity alone. `static_best`: the menu by accuracy on what
/// the scorer learns from (what layer-duplication tools such as RYS look for by hand).
class FixedPlanner final : public Planner {
 public:
  FixedPlanner(std::string name, RankedPrograms programs);
  std::string name() const override { return name_; }
  std::vector<RankedPrograms> propose(std::span<const Input> inputs) override;

 private:
  std::string name_;
  RankedPrograms programs_;
};

/// At most `count` distinct programs of exactly D executions other than the identity, uniform over the space; fewer
/// where it holds fewer. Throws core::UsageError where it holds none.
RankedPrograms random_programs(const search::SearchSpace& space, std::uint64_t seed, int count);

/// k of random_programs, drawn by a seed derived from the input's id. `space` must outlive the planner.
class RandomPlanner final : public Planner {
 public:
  RandomPlanner(const search::SearchSpace& space, std::uint64_t seed, int candidates);
  std::string name() const override { return "random"; }
  std::vector<RankedPrograms> propose(std::span<const Input> inputs) override;

 private:
  const search::SearchSpace& space_;
  std::uint64_t seed_;
  int candidates_;
};

/// The paper's predictor: programs of the beam, most probable first.
class PredictorPlanner final : public Planner {
 public:
  explicit PredictorPlanner(const predict::TrainedPredictor& predictor) : predictor_(predictor) {}
  std::string name() const override { return "predictor"; }
  bool reads_features() const override { return true; }
  std::vector<RankedPrograms> propose(std::span<const Input> inputs) override;

 private:
  const predict::TrainedPredictor& predictor_;
};

/// One predictor a level, as the paper has them in distribution; the identity for a level without one. Its inputs must
/// tell their level.
class LevelPredictorPlanner final : public Planner {
 public:
  /// `predictors`: by level; D layers are the identity's.
  LevelPredictorPlanner(std::map<std::string, predict::TrainedPredictor> predictors, int depth)
      : predictors_(std::move(predictors)), identity_(core::Program::identity(depth)) {}
  std::string name() const override { return "predictor_told_level"; }
  bool reads_features() const override { return true; }
  bool is_told_the_level() const override { return true; }
  std::vector<RankedPrograms> propose(std::span<const Input> inputs) override;

 private:
  std::map<std::string, predict::TrainedPredictor> predictors_;
  core::Program identity_;
};

/// The menu policy: the rule's choice first, then the other programs by score less λ·K/D. With a menu that is a cascade
/// it goes through them as predict::CascadeRule says, `candidates` of them at most.
class MenuPlanner final : public Planner {
 public:
  MenuPlanner(const predict::TrainedMenu& menu, int candidates, std::string name = "menu")
      : menu_(menu), candidates_(candidates), name_(std::move(name)) {}
  std::string name() const override { return name_; }
  bool reads_features() const override { return true; }
  std::vector<RankedPrograms> propose(std::span<const Input> inputs) override;
  std::unique_ptr<Cascade> cascade(const RankedPrograms& ranked) const override;

 private:
  const predict::TrainedMenu& menu_;
  int candidates_;
  std::string name_;
};

/// An oracle: of the programs that were tried with the reference answer at hand, the most optimal that is valid; the
/// identity where none is, and nothing for an example on which none was tried. Reads a store of oracle trials only:
/// `oracle` those of the search, `menu_oracle` those of every program of the menu. One candidate.
class OraclePlanner final : public Planner {
 public:
  /// Throws core::Error when `store` is no oracle store.
  OraclePlanner(const labels::LabelStore& store, int depth, std::string name = "oracle");
  std::string name() const override { return name_; }
  bool is_oracle() const override { return true; }
  std::vector<RankedPrograms> propose(std::span<const Input> inputs) override;

 private:
  const labels::LabelStore& store_;
  core::Program identity_;
  std::string name_;
};

}  // namespace polar::policy
