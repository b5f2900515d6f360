#pragma once
// A learnable toy for the predictor: one marked token among random ones decides the valid program.

#include <string>
#include <vector>

#include "core/seed.h"
#include "predict/features.h"
#include "predict/targets.h"
#include "predict/training.h"

namespace polar::test {

inline constexpr int kToyDepth = 8;
inline constexpr int kToyWidth = 12;

inline const std::vector<core::Program>& toy_programs() {
  static const std::vector<core::Program> programs{core::Program::identity(kToyDepth), core::Program{0, 1, 2, 3, 6, 7},
                                                   core::Program{0, 1, 2, 2, 3, 4, 5, 6, 7},
                                                   core::Program{0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7}};
  return programs;
}

inline predict::TargetOptions toy_targets() {
  predict::TargetOptions options;
  options.depth = kToyDepth;
  return options;
}

/// `count` examples: 2 to 6 tokens of noise around one of four marks; answers[i] is the index into toy_programs().
struct PredictorToy {
  std::vector<predict::TokenFeatures> features;
  std::vector<predict::ExampleTargets> targets;
  std::vector<int> answers;
  std::vector<std::vector<core::Program>> programs;  ///< the valid one of each
  predict::TargetOptions options = toy_targets();
  predict::TargetCounts counts;

  PredictorToy(int count, const std::string& name) {
    for (int i = 0; i < count; ++i) {
      core::Random random(core::derive_seed(3, name, std::to_string(i)));
      const int tokens = 2 + static_cast<int>(random.below(5)), mark = static_cast<int>(random.below(4));
      predict::TokenFeatures example{tokens, kToyWidth, {}};
      for (int j = 0; j < tokens * kToyWidth; ++j) example.values.push_back(static_cast<float>(random.uniform() - 0.5));
      const auto at = static_cast<int>(random.below(static_cast<std::uint64_t>(tokens)));
      example.values[static_cast<std::size_t>(at * kToyWidth + mark)] += 3;
      features.push_back(std::move(example));
      answers.push_back(mark);
      const predict::ValidProgram valid[] = {{toy_programs()[static_cast<std::size_t>(mark)], 0}};
      programs.push_back({valid[0].program});
      targets.push_back(predict::make_targets(valid, options, counts));
    }
  }

  predict::TrainingSet set() const { return {features, targets, {}, programs}; }
};

inline predict::PredictorShape toy_shape() {
  predict::PredictorShape shape;
  shape.depth = kToyDepth;
  shape.input_width = kToyWidth;
  shape.width = 32;
  shape.heads = 4;
  shape.feed_forward = 64;
  return shape;
}

}  // namespace polar::test
