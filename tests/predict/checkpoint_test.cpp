#include "predict/checkpoint.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "predict/training.h"
#include "support/predictor_toy.h"
#include "support/temporary_folder.h"

namespace polar::predict {
namespace {

class CheckpointTest : public testing::Test {
 protected:
  struct Trained {
    std::string weights;
    std::vector<EpochRecord> curve;
    int epochs = 0;  ///< of this call
    std::string said;
  };

  CheckpointTest() {
    options_.epochs = 5;
    options_.batch = 16;
    options_.learning_rate = 3e-3;
    options_.loss = LossKind::kSet;
    options_.clip = 1;
    options_.selection = Selection::kMembership;
    options_.checkpoint = folder_ / "checkpoint";
  }

  /// A new predictor trained with these options, interrupted after `stop_after` epochs (0: never).
  Trained train_new(TrainingOptions options, int stop_after = 0) const {
    Trained trained;
    std::atomic<bool> interrupt{false};
    int last = 0;
    options.interrupt = &interrupt;
    options.say = [&](const std::string& line) { trained.said += line; };
    options.progress = [&](const EpochRecord& record, int) {
      ++trained.epochs;
      last = record.epoch;
      interrupt = last == stop_after;
    };
    Predictor predictor(test::toy_shape(), 1);
    try {
      trained.curve = train(predictor, toy_.set(), valid_.set(), toy_.options, options).curve;
    } catch (const core::Interrupted&) {
      EXPECT_EQ(last, stop_after);
    }
    trained.weights = predictor.save();
    return trained;
  }

  /// Without a checkpoint.
  Trained train_whole(TrainingOptions options) const {
    options.checkpoint.clear();
    return train_new(std::move(options));
  }

  test::TemporaryFolder folder_;
  test::PredictorToy toy_{60, "train"}, valid_{20, "valid"};
  TrainingOptions options_;
};

TEST_F(CheckpointTest, InterruptedTrainingEndsAtTheSameWeightsToTheLastBit) {
  const Trained whole = train_whole(options_);
  for (const int stop_after : {1, 2, 4}) {
    train_new(options_, stop_after);
    const Trained resumed = train_new(options_);
    EXPECT_EQ(resumed.epochs, 5 - stop_after) << resumed.said;
    EXPECT_TRUE(resumed.weights == whole.weights) << "after epoch " << stop_after;
    EXPECT_EQ(resumed.curve, whole.curve);
    std::filesystem::remove(options_.checkpoint);
  }
}

TEST_F(CheckpointTest, TrainingInterruptedTwiceEndsAtTheSameWeights) {
  train_new(options_, 1);
  train_new(options_, 3);
  EXPECT_TRUE(train_new(options_).weights == train_whole(options_).weights);
}

TEST_F(CheckpointTest, FinishedTrainingIsNotRepeated) {
  const Trained once = train_new(options_), again = train_new(options_);
  EXPECT_EQ(again.epochs, 0);
  EXPECT_TRUE(again.weights == once.weights);
}

TEST_F(CheckpointTest, TrainingThatLostPatienceStaysStopped) {
  options_.learning_rate = 1e-12;  // nothing changes
  options_.patience = 2;
  EXPECT_EQ(train_new(options_).epochs, 3);
  EXPECT_EQ(train_new(options_).epochs, 0);
}

TEST_F(CheckpointTest, AnotherTrainingsCheckpointIsPassedOverWithAMessage) {
  train_new(options_, 2);
  const std::string others = core::read_file(options_.checkpoint);
  for (auto change :
       {+[](TrainingOptions& o) { o.seed = 6; }, +[](TrainingOptions& o) { o.epochs = 4; },
        +[](TrainingOptions& o) { o.clip = 0; }, +[](TrainingOptions& o) { o.loss = LossKind::kAverage; }}) {
    core::write_file(options_.checkpoint, others);
    TrainingOptions options = options_;
    change(options);
    const Trained trained = train_new(options);
    EXPECT_NE(trained.said.find("passed over: it is of a training with other options"), std::string::npos);
    EXPECT_TRUE(trained.weights == train_whole(options).weights);
  }
  core::write_file(options_.checkpoint, others);
  toy_.features[7].values[3] += 1;
  EXPECT_NE(train_new(options_).said.find("passed over"), std::string::npos) << "other features";
  core::write_file(options_.checkpoint, others);
  toy_.features[7].values[3] -= 1;
  std::swap(toy_.targets[0], toy_.targets[1]);
  toy_.targets[0][0].weight = 0.5;
  EXPECT_NE(train_new(options_).said.find("passed over"), std::string::npos) << "other targets";
}

TEST_F(CheckpointTest, DamageIsPassedOverWithAMessage) {
  train_new(options_, 2);
  const std::string good = core::read_file(options_.checkpoint);
  std::string flipped = good;
  flipped[good.size() / 2] ^= 1;
  for (const std::string& bad : {flipped, good.substr(0, good.size() - 9), std::string("{}\n"), std::string()}) {
    core::write_file(options_.checkpoint, bad);
    const Trained trained = train_new(options_);
    EXPECT_NE(trained.said.find("passed over: it is damaged"), std::string::npos) << trained.said;
    EXPECT_EQ(trained.epochs, 5);
  }
}

TEST(Checkpoint, ReadsBackWhatWasWritten) {
  const test::TemporaryFolder folder;
  const Checkpoint written{"digest", 1,  3,      {{1, 0.1, 0.2, 1e-4, {}, {}}, {2, 0.3, {}, 0, 1.0 / 3, 0.7}},
                           "net",    "", "bes\n"};
  write_checkpoint(folder / "file", written);
  std::string why_not;
  const auto read = read_checkpoint(folder / "file", "digest", why_not);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->best_epoch, 1);
  EXPECT_EQ(read->layers_done, 3);
  EXPECT_EQ(read->curve, written.curve);
  EXPECT_EQ(read->network, "net");
  EXPECT_EQ(read->optimiser, "");
  EXPECT_EQ(read->best, "bes\n");
  EXPECT_FALSE(read_checkpoint(folder / "file", "other", why_not));
  EXPECT_NE(why_not, "");
  why_not.clear();
  EXPECT_FALSE(read_checkpoint(folder / "none", "digest", why_not));
  EXPECT_EQ(why_not, "");
}

}  // namespace
}  // namespace polar::predict
