#include "policy/trained_policy.h"

#include <gtest/gtest.h>

#include <fstream>
#include <optional>

#include "core/error.h"
#include "policy/read_features.h"
#include "predict/menu_file.h"
#include "support/message_of.h"
#include "support/temporary_folder.h"
#include "support/tiny_encoder.h"
#include "support/tiny_pool.h"

namespace polar::policy {
namespace {

using core::Program;

constexpr int kTrainedDepth = 4, kPrefix = 2;

/// A tiny pool, and a menu of two programs in which the identity wins for prompts that the scorer was fitted on with 1.
class TrainedPolicyTest : public testing::Test {
 protected:
  void SetUp() override {
    test::write_tiny_pool(folder_ / "pool", {.depth = kTrainedDepth});
    loaded_ = test::load_pool(folder_ / "pool", pool::DType::kFloat32, pool::Kernels::kLibrary);
    executor_ = std::make_unique<exec::Executor>(loaded_.pool, loaded_.tokenizer, exec::ExecOptions{.workers = 1});
    const exec::TaskEncoder encoder(loaded_.pool->manifest(), *loaded_.tokenizer, task_);
    one_ = encoder.encode_input("one", "1 + 1");
    other_ = encoder.encode_input("other", "something else");
  }

  void save_menu(const std::string& weights_digest, const std::string& kind = "states",
                 const std::optional<predict::CascadeRule>& cascade = std::nullopt) {
    save_menu({weights_digest, "task", kind, kPrefix}, cascade);
  }
  void save_menu(const predict::Origin& origin, const std::optional<predict::CascadeRule>& cascade = std::nullopt) {
    const exec::EncodedExample prompts[] = {one_, other_};
    predict::Origin read = origin;
    if (read.features != "encoder") read.features = "states";  // the scorer needs rows of some kind
    std::vector<std::vector<double>> rows;
    for (const predict::TokenFeatures& features : FeatureReader(read).read(*executor_, prompts)) {
      const std::vector<float> pooled = predict::pooled(features, pooling_);
      rows.emplace_back(pooled.begin(), pooled.end());
    }
    const predict::Matrix x = predict::Matrix::from_rows(rows), y = predict::Matrix::from_rows({{1, 0}, {0, 1}});
    const predict::MenuScorer scorer = predict::MenuScorer::fit(x, y, {predict::ScorerKind::kRidge, 0.1, 1});
    predict::TrainedMenu menu{origin,    kTrainedDepth, {Program::identity(kTrainedDepth), Program{0, 1, 2, 2, 3}},
                              {0, 0, 0}, scorer,        nullptr};
    menu.cascade = cascade;
    menu.pooling = pooling_;
    predict::save_menu(folder_ / "menu", menu);
  }

  std::string digest() const { return loaded_.pool->manifest().weights_digest; }

  predict::Pooling pooling_ = predict::Pooling::kBoth;  ///< of the menus saved
  test::TemporaryFolder folder_;
  test::LoadedPool loaded_;
  task::TaskSpec task_;
  std::unique_ptr<exec::Executor> executor_;
  exec::EncodedExample one_, other_;
};

TEST_F(TrainedPolicyTest, ChoosesForEachPromptWhatItWasTrainedOn) {
  save_menu(digest());
  TrainedPolicy policy = TrainedPolicy::load(folder_ / "menu", digest());
  const exec::EncodedExample prompts[] = {one_, other_};
  EXPECT_EQ(policy.choose(*executor_, prompts),
            (std::vector<Program>{Program::identity(kTrainedDepth), Program{0, 1, 2, 2, 3}}));
}

TEST_F(TrainedPolicyTest, ReadsOfTheStatesWhatItsMenuWasTrainedOn) {
  const exec::EncodedExample prompts[] = {one_, other_};
  for (const predict::Pooling pooling : {predict::Pooling::kLast, predict::Pooling::kMean}) {
    pooling_ = pooling;
    save_menu(digest());
    TrainedPolicy policy = TrainedPolicy::load(folder_ / "menu", digest());
    EXPECT_EQ(policy.choose(*executor_, prompts),
              (std::vector<Program>{Program::identity(kTrainedDepth), Program{0, 1, 2, 2, 3}}));
    EXPECT_NO_THROW(policy.score(policy.features(*executor_, prompts).front()));
  }
}

TEST_F(TrainedPolicyTest, IsACascadeOverItsMenuWhereTheFolderSaysSo) {
  const exec::EncodedExample prompts[] = {one_, other_};
  save_menu(digest());
  const RankedPrograms programs{Program::identity(kTrainedDepth), Program{0, 1, 2, 2, 3}};
  TrainedPolicy plain = TrainedPolicy::load(folder_ / "menu", digest());
  EXPECT_EQ(plain.rank(*executor_, prompts), (std::vector<RankedPrograms>{{programs[0]}, {programs[1]}}));
  EXPECT_FALSE(plain.cascade(programs));
  save_menu(digest(), "states", predict::CascadeRule{2, 0, predict::FinalAnswer::kLast});
  TrainedPolicy cascade = TrainedPolicy::load(folder_ / "menu", digest());
  EXPECT_EQ(cascade.rank(*executor_, prompts), (std::vector<RankedPrograms>{programs, {programs[1], programs[0]}}));
  EXPECT_EQ(cascade.choose(*executor_, prompts), (RankedPrograms{programs[0], programs[1]}));
  ASSERT_TRUE(cascade.cascade(programs));
  EXPECT_EQ(cascade.cascade(programs)->next(std::vector<ModelOutput>{{"", "", -1}}), programs[1]);
}

TEST_F(TrainedPolicyTest, ReadsStatesThatTheAnswerFindsAgain) {
  save_menu(digest());
  TrainedPolicy policy = TrainedPolicy::load(folder_ / "menu", digest());
  const Program program = policy.choose(*executor_, std::span(&one_, 1)).front();
  executor_->reset_stats();
  const exec::GenerationRules rules{nullptr, {}, 1, exec::StopRule::kFull};
  const exec::Request request{&one_, program, 0, 0, &rules, false};
  executor_->answer(std::span(&request, 1));
  EXPECT_EQ(executor_->stats().computed_nodes, static_cast<std::uint64_t>(kTrainedDepth - kPrefix));
}

TEST_F(TrainedPolicyTest, RefusesAPolicyOfAnotherPoolAndNamesBothDigests) {
  save_menu("other-digest");
  const std::string message = test::message_of<core::Error>([&] { TrainedPolicy::load(folder_ / "menu", digest()); });
  EXPECT_NE(message.find("other-digest"), std::string::npos) << message;
  EXPECT_NE(message.find(digest()), std::string::npos) << message;
}

TEST_F(TrainedPolicyTest, ChoosesOnlyUnderTheCacheSemanticsOfItsLabels) {
  predict::Origin origin{digest(), "task", "states", kPrefix};
  origin.cache_semantics = "shared_slot";
  save_menu(origin);
  TrainedPolicy policy = TrainedPolicy::load(folder_ / "menu", digest());
  EXPECT_EQ(policy.origin(), origin);
  const auto message = test::message_of<core::UsageError>([&] { policy.choose(*executor_, std::span(&one_, 1)); });
  EXPECT_NE(message.find("expected cache semantics shared_slot"), std::string::npos) << message;
}

TEST_F(TrainedPolicyTest, ReadsAnExternalEncoderAndRefusesAnother) {
  test::write_tiny_encoder(folder_ / "encoder", 1);
  const predict::Origin origin{digest(), "task", "encoder", 0, (folder_ / "encoder").string(), "tiny-1"};
  save_menu(origin);
  const exec::EncodedExample prompts[] = {one_, other_};
  TrainedPolicy policy = TrainedPolicy::load(folder_ / "menu", digest());
  EXPECT_EQ(policy.origin(), origin);
  EXPECT_EQ(policy.choose(*executor_, prompts),
            (std::vector<Program>{Program::identity(kTrainedDepth), Program{0, 1, 2, 2, 3}}));
  EXPECT_EQ(policy.features(*executor_, prompts).front().width, 6);
  std::filesystem::rename(folder_ / "encoder", folder_ / "moved");
  EXPECT_THROW(TrainedPolicy::load(folder_ / "menu", digest()), core::Error);
  EXPECT_EQ(TrainedPolicy::load(folder_ / "menu", digest(), (folder_ / "moved").string()).origin(), origin);
  test::write_tiny_encoder(folder_ / "encoder", 2);
  const std::string message = test::message_of<core::Error>([&] { TrainedPolicy::load(folder_ / "menu", digest()); });
  EXPECT_NE(message.find("expected the encoder of digest tiny-1, found tiny-2"), std::string::npos) << message;
}

TEST_F(TrainedPolicyTest, GivesAnEncoderTheFirstTokensOfALongQuestionAndItsEnd) {
  test::write_tiny_encoder(folder_ / "encoder");
  const FeatureReader reader({"", "", "encoder", 0, (folder_ / "encoder").string(), ""});
  const exec::TaskEncoder encoder(loaded_.pool->manifest(), *loaded_.tokenizer, task_);
  const exec::EncodedExample prompts[] = {encoder.encode_input("long", "1 2 3 4 5 6 7 8 9 1 2"),
                                          encoder.encode_input("cut", "1 2 3 4 5 6 7 8")};
  const std::vector<predict::TokenFeatures> read = reader.read(*executor_, prompts);
  EXPECT_EQ(read[0].tokens, 10);
  EXPECT_EQ(read[0].values, read[1].values);
}

TEST_F(TrainedPolicyTest, RefusesFeaturesThatItCannotRead) {
  save_menu(digest(), "minilm");
  const std::string message = test::message_of<core::Error>([&] { TrainedPolicy::load(folder_ / "menu", digest()); });
  EXPECT_NE(message.find("'minilm'"), std::string::npos) << message;
}

TEST_F(TrainedPolicyTest, RefusesAFolderThatHoldsNone) {
  EXPECT_THROW(TrainedPolicy::load(folder_ / "nothing", digest()), core::Error);
  std::filesystem::create_directory(folder_ / "else");
  std::ofstream(folder_ / "else" / "manifest.json") << R"({"kind": "recipe"})";
  const std::string message = test::message_of<core::Error>([&] { TrainedPolicy::load(folder_ / "else", digest()); });
  EXPECT_NE(
      message.find("expected a program predictor, a program menu, a program cascade or layer routers, found a recipe"),
      std::string::npos);
}

}  // namespace
}  // namespace polar::policy
