#include "experiment/train_baselines.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"
#include "experiment/experiment.h"
#include "support/message_of.h"
#include "support/tiny_run.h"

namespace polar::experiment {
namespace {

using core::Program;
using nlohmann::json;

class TrainBaselinesTest : public test::TinyRunTest {
 protected:
  Config with(std::vector<std::string> policies) const {
    Config made = config("trained");
    made.eval.policies = {"base"};
    made.eval.policies.insert(made.eval.policies.end(), policies.begin(), policies.end());
    made.baselines.examples_per_level = 4;
    made.baselines.finalists = 0;
    made.search.max_block = 2;
    return made;
  }
  static void train(const Config& config) {
    Experiment experiment(config);
    experiment.search();
    experiment.train();
  }
  json read(const char* name) const { return json::parse(core::read_file(run("trained") / name)); }
  std::int64_t trials() const {
    return labels::LabelStore::read(run("trained") / "baselines/trials.sqlite").trial_count();
  }
  static std::pair<double, double> rank_of(const json& block) {
    return {block.at("train_accuracy").get<double>(), block.at("train_log_prob_change").get<double>()};
  }
  static std::pair<double, int> removed_by_rank(const json& entry) {
    return {entry.at("valid_accuracy").get<double>(), entry.at("removed_layers").get<int>()};
  }
  std::vector<labels::StoredTrial> trials_of(const std::string& example) const {
    return labels::LabelStore::read(run("trained") / "baselines/trials.sqlite").trials(example);
  }
};

TEST_F(TrainBaselinesTest, RanksBlocksByTheirTrainingAccuracy) {
  train(with({"static_skip", "rys"}));
  const json manifest = read("baselines/manifest.json");
  for (const auto& [policy, blocks] : {std::pair("static_skip", 11), std::pair("rys", 11)}) {
    const json& ranking = manifest.at(policy).at("ranking");
    ASSERT_EQ(ranking.size(), static_cast<std::size_t>(blocks)) << "of one and two of the layers 2 to 7";
    for (std::size_t i = 0; i < ranking.size(); ++i) {
      const Program program = Program::parse(ranking[i].at("program").get<std::string>(), 8);
      EXPECT_EQ(program[0], 0);
      EXPECT_EQ(program[1], 1);
      int right = 0;
      for (int example = 0; example < 24; ++example) {  // eight of them were drawn
        for (const labels::StoredTrial& row : trials_of("train" + std::to_string(example)))
          right += row.trial.program == program && row.outcome.correct;
      }
      EXPECT_EQ(ranking[i].at("train_examples"), 8);
      EXPECT_EQ(ranking[i].at("train_accuracy"), right / 8.0) << program.text();
      if (i > 0) {
        EXPECT_LE(rank_of(ranking[i]), rank_of(ranking[i - 1])) << "equal accuracies by log-probability";
      }
    }
  }
  EXPECT_EQ(trials(), 8 * (1 + 11 + 11));
  EXPECT_EQ(read("selection.json").at("baselines").at("rys"), manifest.at("rys").at("ranking").at(0));
  EXPECT_TRUE(std::filesystem::exists(run("trained") / "baselines/scan.csv"));
}

TEST_F(TrainBaselinesTest, RanksTheBestBlocksAgainOnMoreExamples) {
  Config made = with({"rys"});
  made.baselines.finalists = 3;
  made.baselines.finalists_per_level = 0;
  train(made);
  const json ranking = read("baselines/manifest.json").at("rys").at("ranking");
  ASSERT_EQ(ranking.size(), 11U);
  for (std::size_t i = 0; i < ranking.size(); ++i)
    EXPECT_EQ(ranking[i].at("train_examples"), i < 3 ? 24 : 8) << "the finalists come first";
  for (std::size_t i = 1; i < 3; ++i) EXPECT_LE(ranking[i].at("train_accuracy"), ranking[i - 1].at("train_accuracy"));
  EXPECT_EQ(trials(), 8 * (1 + 11) + (24 - 8) * (1 + 3)) << "nothing runs twice";
  EXPECT_EQ(read("selection.json").at("baselines").at("rys"), ranking.at(0));
}

TEST_F(TrainBaselinesTest, RemovesLayersAndRunsTheNumberFirstThatIsBestOnValidation) {
  Config three = with({"shortgpt"});
  three.baselines.shortgpt_layers = {3, 1, 2};
  train(three);
  const json found = read("baselines/manifest.json").at("shortgpt");
  EXPECT_EQ(found.at("block_influence").size(), 8U);
  const json& ranking = found.at("ranking");
  ASSERT_EQ(ranking.size(), 3U);
  std::vector<int> others;
  for (std::size_t i = 0; i < 3; ++i) {
    const Program program = Program::parse(ranking[i].at("program").get<std::string>(), 8);
    EXPECT_EQ(program.length(), 8 - ranking[i].at("removed_layers").get<int>());
    EXPECT_EQ(program[1], 1) << "layers before search.first_layer stay";
    if (i > 0) {
      EXPECT_LT(removed_by_rank(ranking[i]), removed_by_rank(ranking[0])) << "equal ones: more layers removed";
    }
    if (i > 0) others.push_back(ranking[i].at("removed_layers"));
  }
  EXPECT_TRUE(std::ranges::is_sorted(others));
  EXPECT_EQ(trials(), 10 * 3);
}

TEST_F(TrainBaselinesTest, WeighsEveryTrainingExampleAlikeInTheLabelPrior) {
  train(with({"label_prior"}));
  const json found = read("baselines/manifest.json").at("label_prior");
  double sum = 0;
  for (const json& entry : found.at("programs")) sum += entry.at("weight").get<double>();
  EXPECT_GT(found.at("train_examples"), 0);
  EXPECT_NEAR(sum, found.at("train_examples").get<double>(), 1e-9);
}

TEST_F(TrainBaselinesTest, CountsTheTargetsOfThePredictorInTheLabelPrior) {
  const auto whole_weights = [this](const char* targets) {
    Config made = with({"label_prior"});
    made.predict.targets = targets;
    train(made);
    return std::ranges::all_of(read("baselines/manifest.json").at("label_prior").at("programs"), [](const json& entry) {
      const auto weight = entry.at("weight").get<double>();
      return weight == std::round(weight);
    });
  };
  EXPECT_FALSE(whole_weights("all")) << "some question has more than one valid program";
  EXPECT_TRUE(whole_weights("shortest"));
}

TEST_F(TrainBaselinesTest, AddsABaselineWithoutTrainingAnewAndExecutesNothingTwice) {
  train(with({"rys"}));
  const auto predictor = std::filesystem::last_write_time(run("trained") / "predictor/manifest.json");
  const auto manifest = std::filesystem::last_write_time(run("trained") / "baselines/manifest.json");
  train(with({"rys"}));
  EXPECT_EQ(std::filesystem::last_write_time(run("trained") / "baselines/manifest.json"), manifest);
  const json before = read("selection.json");
  EXPECT_EQ(trials(), 8 * (1 + 11));
  train(with({"rys", "label_prior"}));
  EXPECT_EQ(std::filesystem::last_write_time(run("trained") / "predictor/manifest.json"), predictor);
  EXPECT_EQ(trials(), 8 * (1 + 11));
  json after = read("selection.json");
  EXPECT_TRUE(after.at("baselines").contains("label_prior"));
  after.at("baselines").erase("label_prior");
  EXPECT_EQ(after, before);
}

TEST_F(TrainBaselinesTest, LeavesNothingWhenNoneIsAsked) {
  train(with({"menu"}));
  EXPECT_FALSE(std::filesystem::exists(run("trained") / "baselines"));
  EXPECT_FALSE(read("selection.json").contains("baselines"));
}

TEST_F(TrainBaselinesTest, RefusesToRemoveMoreLayersThanMayBeEditedBeforeAnythingIsWritten) {
  Config many = with({"shortgpt"});
  many.baselines.shortgpt_layers = {1, 7};
  const auto message = test::message_of<core::UsageError>([&] { Experiment{many}; });
  EXPECT_NE(message.find("baselines.shortgpt_layers: expected at most 6"), std::string::npos) << message;
  EXPECT_FALSE(std::filesystem::exists(run("trained")));
}

}  // namespace
}  // namespace polar::experiment
