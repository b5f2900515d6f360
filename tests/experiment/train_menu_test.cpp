#include "experiment/train_menu.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace polar::experiment {
namespace {

using core::Program;

/// The sign of the first feature tells which of a deep and a shallow program is right; the identity is right on every
/// fourth example. The second half of the rows are validation examples.
class TrainMenuTest : public testing::Test {
 protected:
  TrainMenuTest() {
    data_.candidates = programs_;
    data_.features = predict::Matrix(80, 1);
    data_.correct = data_.log_prob = predict::Matrix(80, 3);
    data_.train_rows = 40;
    for (int i = 0; i < 80; ++i) {
      data_.features.at(i, 0) = (i % 2 == 0 ? 1 : -1) * (1 + 0.05 * (i % 40));
      data_.correct.at(i, 0) = i % 4 == 0 ? 1 : 0;
      data_.correct.at(i, i % 2 == 0 ? 1 : 2) = 1;
      data_.answer_tokens.push_back(2);
      data_.groups.push_back(i);
      for (int p = 0; p < 3; ++p) data_.log_prob.at(i, p) = std::log(data_.correct.at(i, p) > 0 ? 0.9 : 0.1);
    }
    config_.size = 3;
    config_.scorer = "ridge";
    config_.pooling = "both";
    config_.target = "mean";
    config_.ridge = {1, 1e6};
    config_.bandwidth = {1};
    config_.lambda = {0, 0.5, 5};
    config_.margin = {0};
    config_.calibration = "none";
    config_.select = "validation";
  }

  std::vector<MenuTraining> train_all() const { return train_menus(config_, data_, {"w", "t", "states", 2}, 4, 1); }
  std::vector<predict::TrainedMenu> train() const {
    std::vector<predict::TrainedMenu> menus;
    for (MenuTraining& one : train_all()) menus.push_back(std::move(one.menu));
    return menus;
  }
  double accuracy(const predict::TrainedMenu& menu) const {
    return menu.selection.at("chosen").at("accuracy").get<double>();
  }

  std::vector<Program> programs_ = {Program::identity(4), Program{0, 1, 2, 2, 3}, Program{0, 1, 3}};
  MenuData data_;
  MenuConfig config_;
};

TEST_F(TrainMenuTest, ChoosesByInputOnValidationAndWithEveryExampleLeftOut) {
  for (const char* select : {"validation", "leave-group-out"}) {
    config_.select = select;
    const std::vector<predict::TrainedMenu> menus = train();
    ASSERT_EQ(menus.size(), 1U);
    EXPECT_EQ(accuracy(menus[0]), 1) << select;
    EXPECT_EQ(menus[0].selection.at("base_accuracy"), 0.25);
    const float positive[] = {1.5F}, negative[] = {-1.5F};
    EXPECT_EQ(menus[0].menu[static_cast<std::size_t>(menus[0].choose(positive))], programs_[1]) << select;
    EXPECT_EQ(menus[0].menu[static_cast<std::size_t>(menus[0].choose(negative))], programs_[2]) << select;
  }
}

TEST_F(TrainMenuTest, ScoresValidationRowsByAScorerThatHasNotSeenTheirProblem) {
  const MenuTraining by_validation = train_all().front();
  predict::Matrix valid(40, 1);
  for (int row = 0; row < 40; ++row) valid.at(row, 0) = data_.features.at(40 + row, 0);
  EXPECT_EQ(by_validation.valid_scores.values, by_validation.menu.scores(valid).values);

  config_.select = "leave-group-out";
  config_.ridge = {1};
  config_.lambda = {0};
  const auto right_of_validation = [&] {
    const MenuTraining left_out = train_all().front();
    EXPECT_EQ(left_out.valid_scores.rows, 40);
    int right = 0;
    for (int row = 0; row < 40; ++row) {
      const int chosen =
          predict::choose(left_out.valid_scores.row(row), left_out.menu.depth_ratios(), left_out.menu.rule);
      const Program& program = left_out.menu.menu[static_cast<std::size_t>(chosen)];
      const auto candidate = std::ranges::find(programs_, program) - programs_.begin();
      right += data_.correct.at(40 + row, static_cast<int>(candidate)) > 0 ? 1 : 0;
    }
    return right;
  };
  EXPECT_EQ(right_of_validation(), 40);
  for (int i = 0; i < 80; ++i) data_.groups[static_cast<std::size_t>(i)] = i % 2;  // its problem says the opposite
  EXPECT_EQ(right_of_validation(), 0);
}

TEST_F(TrainMenuTest, LearnsNothingFromOtherExamplesOfTheSameProblem) {
  // Two problems: without the examples of its own, a row's score comes from the other problem, where the other program
  // is right.
  config_.select = "leave-group-out";
  config_.ridge = {1};
  config_.lambda = {0};
  for (int i = 0; i < 80; ++i) data_.groups[static_cast<std::size_t>(i)] = i % 2;
  EXPECT_EQ(accuracy(train().front()), 0);
}

TEST_F(TrainMenuTest, FitsTheProbabilityOfATokenOfTheAnswer) {
  config_.target = "token";
  config_.ridge = {1e9};  // every score is its program's mean target
  const predict::TrainedMenu menu = train().front();
  double mean = 0;
  for (int i = 0; i < 40; ++i) mean += std::exp(data_.log_prob.at(i, 1) / 2) / 40;
  EXPECT_NEAR(menu.scores(predict::Matrix::from_rows({{0.5}})).at(0, 1), mean, 1e-6);
}

TEST_F(TrainMenuTest, GivesAPolicyForEveryOperatingPointAndSaysWhereNoneFits) {
  config_.operating_points = {0.9, 0.1};
  const std::vector<predict::TrainedMenu> menus = train();
  EXPECT_EQ(menu_names(config_), (std::vector<std::string>{"menu", "menu_0.9", "menu_0.1"}));
  ASSERT_EQ(menus.size(), 3U);
  EXPECT_EQ(accuracy(menus[0]), 1);
  EXPECT_EQ(accuracy(menus[1]), 0.5) << "the shallow program alone runs 0.75 of the layers";
  EXPECT_LE(menus[1].selection.at("chosen").at("depth_ratio").get<double>(), 0.9);
  EXPECT_TRUE(menus[1].selection.at("within_limit").get<bool>());
  EXPECT_FALSE(menus[2].selection.at("within_limit").get<bool>());
  EXPECT_NE(describe_menu(menus[2]).find("nothing tried runs as few as 0.1"), std::string::npos);
}

TEST_F(TrainMenuTest, CalibratesScoresOfRowsThatTheScorerDidNotSee) {
  config_.calibration = "platt";
  config_.select = "leave-group-out";
  const predict::TrainedMenu menu = train().front();
  ASSERT_TRUE(menu.calibration);
  const auto& reliability = menu.selection.at("reliability");
  EXPECT_LT(reliability.at("after").at("error").get<double>(), reliability.at("before").at("error").get<double>());
  EXPECT_EQ(accuracy(menu), 1);
}

TEST_F(TrainMenuTest, CalibratesByATemperatureAloneWhereThatIsAskedFor) {
  config_.calibration = "temperature";
  config_.select = "leave-group-out";
  const predict::TrainedMenu menu = train().front();
  ASSERT_TRUE(menu.calibration && menu.calibration->of_log_odds);
  EXPECT_EQ(menu.calibration->offset, 0);
  const auto& reliability = menu.selection.at("reliability");
  EXPECT_LT(reliability.at("after").at("error").get<double>(), reliability.at("before").at("error").get<double>());
}

TEST_F(TrainMenuTest, CoversProbabilitiesWhereThatIsAskedFor) {
  config_.size = 2;
  EXPECT_EQ(train().front().menu, (std::vector<Program>{programs_[0], programs_[2]})) << "solves all that 0 leaves";
  for (int i = 0; i < 80; ++i) data_.log_prob.at(i, 1) = std::log(0.95);
  config_.cover = "log-probability";
  EXPECT_EQ(train().front().menu, (std::vector<Program>{programs_[0], programs_[1]}));
}

TEST_F(TrainMenuTest, MeasuresReliabilityOfEachProblemByCalibrationsOfOthers) {
  config_.select = "leave-group-out";
  const auto before = train().front().selection.at("reliability");
  EXPECT_FALSE(before.contains("after")) << "nothing is calibrated";
  int pairs = 0;
  for (const auto& bin : before.at("before").at("bins")) pairs += bin.at("count").get<int>();
  EXPECT_EQ(pairs, 80 * 3);
  config_.calibration = "platt";
  EXPECT_TRUE(train().front().selection.at("reliability").contains("after"));
  config_.select = "validation";
  for (int i = 0; i < 80; ++i) {  // of the one problem nothing is right, of the other everything, whatever the score
    const int problem = i % 4 < 2 ? 0 : 1;
    data_.groups[static_cast<std::size_t>(i)] = problem;
    for (int p = 0; p < 3 && i >= 40; ++p) data_.correct.at(i, p) = problem;
  }
  EXPECT_GT(train().front().selection.at("reliability").at("after").at("error").get<double>(), 0.9)
      << "by pairs of its own problem too it would be next to none";
  data_.groups.assign(80, 7);
  EXPECT_FALSE(train().front().selection.at("reliability").contains("after")) << "one problem has no others";
}

TEST_F(TrainMenuTest, RanksStaticProgramsByWhatTheScorerLearnsFromTheCheaperFirst) {
  const auto ranking = train().front().selection.at("static_ranking");
  EXPECT_EQ(ranking.at(0).at("program"), programs_[2].text());
  EXPECT_EQ(ranking.at(0).at("train_accuracy"), 0.5);
  EXPECT_EQ(ranking.at(2).at("program"), programs_[0].text());

  for (int i = 40; i < 80; ++i) data_.correct.at(i, 1) = 1;
  EXPECT_EQ(train().front().selection.at("static_ranking").at(0).at("program"), programs_[2].text());
  config_.select = "leave-group-out";  // which learns from validation as well
  const auto all = train().front().selection.at("static_ranking");
  EXPECT_EQ(all.at(0).at("program"), programs_[1].text());
  EXPECT_EQ(all.at(0).at("accuracy"), 0.75);
}

}  // namespace
}  // namespace polar::experiment
