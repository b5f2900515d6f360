#include "experiment/train_routers.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "core/error.h"
#include "core/file.h"
#include "eval/rows.h"
#include "experiment/experiment.h"
#include "policy/trained_policy.h"
#include "support/message_of.h"
#include "support/tiny_run.h"

namespace polar::experiment {
namespace {

using nlohmann::json;

class TrainRoutersTest : public test::TinyRunTest {
 protected:
  Config with(std::vector<std::string> policies) const {
    Config made = config("routed");
    made.eval.policies = {"base"};
    made.eval.policies.insert(made.eval.policies.end(), policies.begin(), policies.end());
    made.search.max_block = 2;
    made.search.rollouts = 30;
    made.router.epochs = 3;
    made.router.hidden = 16;
    made.router.windows = 4;
    made.router.warmup_steps = 2;
    return made;
  }
  static void run_all(const Config& config) {
    Experiment experiment(config);
    experiment.search();
    experiment.train();
    experiment.evaluate();
  }
  static void train(const Config& config) {
    Experiment experiment(config);
    experiment.search();
    experiment.train();
  }
  json read(const std::string& name) const { return json::parse(core::read_file(run("routed") / name)); }
  auto written(const std::string& name) const { return std::filesystem::last_write_time(run("routed") / name); }
};

TEST_F(TrainRoutersTest, TrainsEachRouterAndSaysWhatItLearned) {
  train(with({"drllm", "mindskip", "flexidepth"}));
  for (const char* name : {"drllm", "mindskip", "flexidepth"}) {
    EXPECT_EQ(read(std::string(name) + "/manifest.json").at("cache_semantics"), "per_step");
    const json body = read(std::string(name) + "/manifest.json").at("body");
    EXPECT_EQ(body.at("router"), name);
    EXPECT_EQ(body.at("first_layer"), 2) << "search.first_layer";
    EXPECT_EQ(body.at("end_layer"), 8);
    EXPECT_EQ(body.at("min_layers"), 6) << "of the search space: 0.7 x 8";
    EXPECT_EQ(body.at("max_layers"), 10);
    const json& report = body.at("report");
    EXPECT_EQ(report, read("selection.json").at("routers").at(name));
    EXPECT_EQ(report.at("curve").size(), 3U);
    EXPECT_TRUE(report.at("valid_f1").contains("repeat"));
    const json& labels = report.at("labels").at("train");
    EXPECT_EQ(labels.at("examples"), 24);
    EXPECT_EQ(
        labels.at("labelled").get<int>() + labels.at("dropped").get<int>() + labels.at("without_valid").get<int>(), 24);
    EXPECT_EQ(labels.at("labelled"), report.at("train_examples"));
    int choices = 0;
    for (const auto& [choice, count] : report.at("choices").items()) choices += count.get<int>();
    EXPECT_EQ(choices, 6 * report.at("train_examples").get<int>());
    const json& valid = report.at("valid");
    EXPECT_EQ(valid.at("examples"), 10);
    const double layers = valid.at("layers");
    EXPECT_TRUE(6 <= layers && layers <= 10) << layers;
  }
}

TEST_F(TrainRoutersTest, LearnsFromTheShortestValidProgramThatRoutersCanMake) {
  train(with({"drllm"}));
  const labels::LabelStore store = labels::LabelStore::read(run("routed") / "labels.sqlite");
  const predict::RouteRules rules{8, 2, 8, 6, 10};
  int labelled = 0, skips = 0;
  for (int i = 0; i < 24; ++i) {
    std::optional<core::Program> shortest;
    for (const search::RecordedTrial& trial : store.valid_programs("train" + std::to_string(i))) {
      if (!predict::choices_of(trial.program, rules)) continue;
      if (!shortest || trial.program.length() < shortest->length()) shortest = trial.program;
    }
    if (!shortest) continue;
    ++labelled;
    skips += 8 - shortest->unique_depth();
  }
  const json report = read("drllm/manifest.json").at("body").at("report");
  EXPECT_GT(labelled, 0);
  EXPECT_EQ(report.at("train_examples"), labelled);
  EXPECT_GE(report.at("choices").at("skip"), skips) << "of equally long ones that of the fewest layers";
}

TEST_F(TrainRoutersTest, RunsTheirProgramsInTheEvaluationAndCountsEveryLayer) {
  const Config all = with({"drllm", "mindskip", "flexidepth"});
  run_all(all);
  const auto rows = eval::read_rows(run("routed") / "evaluation.jsonl");
  ASSERT_EQ(rows.size(), 16U * 4U);
  const exec::Model model = exec::load_model(all.pool, all.exec.dtype, all.exec.kernels, all.exec.device);
  exec::Executor executor(model.pool, model.tokenizer, exec::ExecOptions{.workers = 1, .layer_rows = 32});
  const task::TaskSpec task = make_data(all).task;
  const exec::TaskEncoder encoder(model.pool->manifest(), *model.tokenizer, task);
  for (const eval::EvaluationRow& row : rows) {
    ASSERT_EQ(row.ranked.size(), 1U) << row.policy;
    const eval::Candidate& candidate = row.ranked.front();
    EXPECT_EQ(candidate.layers, candidate.program.length());
    if (row.policy == "base") continue;
    policy::TrainedPolicy policy =
        policy::TrainedPolicy::load(run("routed") / row.policy, model.pool->manifest().weights_digest);
    const exec::EncodedExample prompt = encoder.encode_input(row.example, row.question);
    EXPECT_EQ(candidate.program, policy.choose(executor, std::span(&prompt, 1)).front()) << row.policy;
  }
}

TEST_F(TrainRoutersTest, TurnsTheDialWithoutTrainingAnew) {
  Config shallow = with({"drllm"});
  run_all(shallow);
  const auto trained = written("drllm/manifest.json");
  shallow.router.dial = -1;
  run_all(shallow);
  EXPECT_EQ(written("drllm/manifest.json"), trained);
  for (const eval::EvaluationRow& row : eval::read_rows(run("routed") / "evaluation.jsonl")) {
    if (row.policy == "drllm") {
      EXPECT_EQ(row.ranked.front().layers, 6) << "the shortest program of the space";
    }
  }
}

TEST_F(TrainRoutersTest, AddsARouterWithoutTrainingTheOthersAnew) {
  train(with({"drllm"}));
  const auto drllm = written("drllm/manifest.json"), predictor = written("predictor/manifest.json");
  const std::string weights = read("drllm/manifest.json").at("weights_sha256");
  train(with({"drllm", "mindskip"}));
  EXPECT_EQ(written("drllm/manifest.json"), drllm);
  EXPECT_EQ(written("predictor/manifest.json"), predictor);
  EXPECT_TRUE(read("selection.json").at("routers").contains("mindskip"));
  std::filesystem::remove(run("routed") / "drllm/manifest.json");
  train(with({"drllm", "mindskip"}));
  EXPECT_EQ(read("drllm/manifest.json").at("weights_sha256"), weights) << "the same to the last bit";
  Config other = with({"drllm"});
  other.router.epochs = 4;
  train(other);
  EXPECT_NE(read("drllm/manifest.json").at("weights_sha256"), weights);
}

TEST_F(TrainRoutersTest, LeavesNothingWhenNoneIsAsked) {
  train(with({}));
  EXPECT_FALSE(std::filesystem::exists(run("routed") / "drllm"));
  EXPECT_FALSE(read("selection.json").contains("routers"));
}

TEST_F(TrainRoutersTest, RefusesToTrainWithoutALabel) {
  write_rows("train", 24, "424242");
  const auto message = test::message_of<core::Error>([&] { train(with({"drllm"})); });
  EXPECT_NE(message.find("found none among 24; search longer"), std::string::npos) << message;
}

}  // namespace
}  // namespace polar::experiment
