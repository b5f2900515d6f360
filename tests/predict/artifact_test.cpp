#include "predict/artifact.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "core/file.h"
#include "predict/menu_file.h"
#include "predict/predictor_file.h"
#include "support/message_of.h"
#include "support/predictor_toy.h"
#include "support/temporary_folder.h"

namespace polar::predict {
namespace {

using core::Program;

const Origin kOrigin{"pool-digest", "task-digest", "states", 2};

TrainedPredictor trained_predictor() {
  const test::PredictorToy toy(16, "file");
  TrainedPredictor trained{kOrigin, toy.options, Predictor(test::toy_shape(), 3), {}, toy.counts, {}};
  TrainingOptions options;
  options.epochs = 2;
  trained.report = train(trained.predictor, toy.set(), toy.set(), toy.options, options);
  return trained;
}

TrainedMenu trained_menu() {
  const auto x = Matrix::from_rows({{1, 0}, {0, 1}, {1, 1}, {0, 0}});
  const auto y = Matrix::from_rows({{0, 1}, {1, 0}, {0, 1}, {1, 0}});
  return {kOrigin,
          4,
          {Program::identity(4), Program{0, 1, 2}},
          {0.1, 0.02, 0},
          MenuScorer::fit(x, y, {ScorerKind::kKernelRidge, 0.1, 1}),
          {{"accuracy", 0.5}}};
}

TEST(PredictorFile, GivesTheSameOutputsAndReportBack) {
  const test::TemporaryFolder folder;
  auto trained = trained_predictor();
  trained.targets.length_weight = 0.05;
  trained.targets.choice = TargetChoice::kCover;
  trained.train_counts.cropped = 3;
  trained.decoding = {0.3, 2.5, 3};
  save_predictor(folder / "predictor", trained);
  const auto loaded = load_predictor(folder / "predictor", "pool-digest");
  const test::PredictorToy toy(8, "inputs");
  const auto before = trained.predictor.logits(toy.features), after = loaded.predictor.logits(toy.features);
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(before[i].boundary, after[i].boundary);
    EXPECT_EQ(before[i].operation, after[i].operation);
    EXPECT_EQ(trained.propose(toy.features[i])[0].program, loaded.propose(toy.features[i])[0].program);
  }
  EXPECT_EQ(loaded.origin, kOrigin);
  EXPECT_EQ(loaded.predictor.shape(), trained.predictor.shape());
  EXPECT_EQ(loaded.targets.depth, trained.targets.depth);
  EXPECT_EQ(loaded.targets.length_weight, 0.05);
  EXPECT_EQ(loaded.targets.choice, TargetChoice::kCover);
  EXPECT_EQ(loaded.decoding, trained.decoding);
  EXPECT_EQ(loaded.train_counts, trained.train_counts);
  EXPECT_EQ(loaded.report.best_epoch, trained.report.best_epoch);
  EXPECT_EQ(loaded.report.curve, trained.report.curve);
}

TEST(PredictorFile, RemembersTheEncoderItReadsAndRefusesAManifestWithoutIt) {
  const test::TemporaryFolder folder;
  auto trained = trained_predictor();
  trained.origin = {"pool-digest", "task-digest", "encoder", 0, "pools/minilm", "encoder-digest"};
  save_predictor(folder.path(), trained);
  EXPECT_EQ(load_predictor(folder.path(), "pool-digest").origin, trained.origin);
  const auto whole = nlohmann::json::parse(core::read_file(folder / "manifest.json"));
  for (const char* key : {"encoder", "encoder_digest"}) {
    auto manifest = whole;
    manifest.erase(key);
    core::write_file(folder / "manifest.json", manifest.dump());
    const auto message = test::message_of<core::Error>([&] { load_predictor(folder.path(), "pool-digest"); });
    EXPECT_NE(message.find(key), std::string::npos) << message;
  }
}

TEST(PredictorFile, ReadsWhatEarlierVersionsWroteWithTheirSettings) {
  const test::TemporaryFolder folder;
  save_predictor(folder.path(), trained_predictor());
  auto manifest = nlohmann::json::parse(core::read_file(folder / "manifest.json"));
  auto& body = manifest.at("body");
  for (const char* key : {"length_weight", "margin_weight", "choice"}) body.at("targets").erase(key);
  for (const char* key : {"not_chosen", "cropped", "crops_valid"}) body.at("train_programs").erase(key);
  body.erase("decoding");
  core::write_file(folder / "manifest.json", manifest.dump());
  const auto loaded = load_predictor(folder.path(), "pool-digest");
  EXPECT_EQ(loaded.targets.choice, TargetChoice::kAll);
  EXPECT_EQ(loaded.decoding, Decoding{});
  EXPECT_EQ(loaded.train_counts.used, 16);
}

TEST(PredictorFile, ProposesByItsOwnThresholdBeamAndLengthPenalty) {
  auto trained = trained_predictor();
  const test::PredictorToy toy(8, "inputs");
  trained.decoding = {0.3, 2.5, 3};
  DecodeOptions options;
  options.beam = 3;
  options.boundary_threshold = 0.3;
  options.length_penalty = 2.5;
  bool differs = false;
  for (const TokenFeatures& features : toy.features) {
    const auto logits = trained.predictor.logits(std::span(&features, 1)).front();
    const auto proposed = trained.propose(features), expected = decode(logits, options), plain = decode(logits, {});
    ASSERT_EQ(proposed.size(), expected.size());
    for (std::size_t i = 0; i < proposed.size(); ++i) EXPECT_EQ(proposed[i].program, expected[i].program);
    differs = differs || proposed[0].program != plain[0].program;
  }
  EXPECT_TRUE(differs);
}

TEST(PredictorFile, RefusesAnotherPoolAndNamesBothDigests) {
  const test::TemporaryFolder folder;
  save_predictor(folder.path(), trained_predictor());
  const auto message = test::message_of<core::Error>([&] { load_predictor(folder.path(), "other-digest"); });
  EXPECT_NE(message.find("expected weights digest other-digest, found pool-digest"), std::string::npos) << message;
}

TEST(PredictorFile, SavingAgainReplacesItAndLeavesNothingBehind) {
  const test::TemporaryFolder folder;
  auto trained = trained_predictor();
  save_predictor(folder.path(), trained);
  trained.predictor = Predictor(test::toy_shape(), 9);
  save_predictor(folder.path(), trained);
  const auto files = std::filesystem::directory_iterator(folder.path());
  EXPECT_EQ(std::distance(begin(files), end(files)), 2);
  const test::PredictorToy toy(1, "inputs");
  EXPECT_EQ(load_predictor(folder.path(), "pool-digest").predictor.logits(toy.features)[0].operation,
            trained.predictor.logits(toy.features)[0].operation);
}

/// Rewrites the manifest's text.
void edit_manifest(const test::TemporaryFolder& folder, const std::string& from, const std::string& to) {
  std::string text = core::read_file(folder / "manifest.json");
  const auto at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  core::write_file(folder / "manifest.json", text.replace(at, from.size(), to));
}

TEST(MenuFile, GivesTheSameChoicesBack) {
  const test::TemporaryFolder folder;
  const auto trained = trained_menu();
  save_menu(folder.path(), trained);
  const auto loaded = load_menu(folder.path(), "pool-digest");
  EXPECT_EQ(loaded.menu, trained.menu);
  EXPECT_EQ(loaded.rule.lambda, 0.1);
  EXPECT_EQ(loaded.rule.margin, 0.02);
  EXPECT_EQ(loaded.selection, trained.selection);
  for (const std::vector<float>& x : {std::vector<float>{1, 0}, std::vector<float>{0, 1}}) {
    EXPECT_EQ(loaded.choose(x), trained.choose(x));
  }
  EXPECT_EQ(trained.choose(std::vector<float>{1, 0}), 1);
  EXPECT_EQ(trained.choose(std::vector<float>{0, 1}), 0);
  EXPECT_EQ(trained.depth_ratios(), (std::vector<double>{1.0, 0.75}));
}

TEST(MenuFile, GivesTheCalibrationBackAndReadsOneOfAnEarlierVersion) {
  const test::TemporaryFolder folder;
  auto trained = trained_menu();
  trained.calibration = {0.4, 0, true};
  save_menu(folder.path(), trained);
  EXPECT_EQ(load_menu(folder.path(), "pool-digest").calibration, trained.calibration);
  edit_manifest(folder, "\"of_log_odds\"", "\"of_something\"");
  EXPECT_EQ(load_menu(folder.path(), "pool-digest").calibration, (ScoreCalibration{0.4, 0, false}));
}

TEST(MenuFile, GivesACascadesRuleBackUnderAKindOfItsOwn) {
  const test::TemporaryFolder folder;
  auto cascade = trained_menu();
  cascade.cascade = CascadeRule{3, -0.25, FinalAnswer::kLast, "exact"};
  save_menu(folder.path(), cascade);
  EXPECT_EQ(artifact_kind(folder.path()), kCascadeKind);
  EXPECT_EQ(load_menu(folder.path(), "pool-digest").cascade, cascade.cascade);
  edit_manifest(folder, "\"tries\": 3", "\"tries\": 0");
  const auto message = test::message_of<core::Error>([&] { load_menu(folder.path(), "pool-digest"); });
  EXPECT_NE(message.find("tries: expected at least 1, found 0"), std::string::npos) << message;
  save_menu(folder.path(), trained_menu());
  EXPECT_EQ(artifact_kind(folder.path()), kMenuKind);
  EXPECT_FALSE(load_menu(folder.path(), "pool-digest").cascade);
}

TEST(MenuFile, RefusesDamageAndNamesIt) {
  const test::TemporaryFolder folder;
  save_menu(folder.path(), trained_menu());
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    if (entry.path().extension() != ".bin") continue;
    std::string bytes = core::read_file(entry.path());
    bytes[bytes.size() / 2] ^= 1;
    core::write_file(entry.path(), bytes);
  }
  const auto message = test::message_of<core::Error>([&] { load_menu(folder.path(), "pool-digest"); });
  EXPECT_NE(message.find("expected SHA-256"), std::string::npos) << message;
  EXPECT_THROW(load_menu(folder / "missing", "pool-digest"), core::Error);
}

TEST(MenuFile, RefusesAFutureFormatAnotherKindAndEditedFields) {
  const auto refusal = [](const std::string& from, const std::string& to) {
    const test::TemporaryFolder folder;
    save_menu(folder.path(), trained_menu());
    edit_manifest(folder, from, to);
    return test::message_of<core::Error>([&] { load_menu(folder.path(), "pool-digest"); });
  };
  EXPECT_NE(refusal("\"format_version\": 1", "\"format_version\": 2").find("expected 1, found 2"), std::string::npos);
  EXPECT_NE(refusal("program menu", "program zoo").find("expected a program menu, found a program zoo"),
            std::string::npos);
  EXPECT_NE(refusal("\"lambda\": 0.1", "\"lambda\": true").find("lambda"), std::string::npos);
  EXPECT_NE(refusal("\"strength\"", "\"strenght\"").find("strength"), std::string::npos);
  EXPECT_NE(refusal("\"0-3\"", "\"0-2\"").find("identity"), std::string::npos);
  EXPECT_NE(refusal("{", "[").find("expected a JSON object"), std::string::npos);
  const test::TemporaryFolder folder;
  save_menu(folder.path(), trained_menu());
  EXPECT_THROW(load_predictor(folder.path(), "pool-digest"), core::Error);
}

TEST(MenuFile, RefusesToSaveAMenuWithoutItsIdentity) {
  const test::TemporaryFolder folder;
  auto trained = trained_menu();
  trained.rule.identity = 1;
  EXPECT_THROW(save_menu(folder.path(), trained), core::Error);
}

}  // namespace
}  // namespace polar::predict
