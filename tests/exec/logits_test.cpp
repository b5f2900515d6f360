#include "exec/logits.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace polar::exec {
namespace {

TEST(ReadRow, TakesTheLowestIdAmongTies) {
  std::vector<float> logits(40, 0.0F);
  logits[17] = logits[31] = 2.0F;
  EXPECT_EQ(read_row(logits, {}, {}).next, 17);
}

TEST(ReadRow, GivesLogProbabilityAndMarginOfTheRequiredToken) {
  const std::vector<float> logits = {1.0F, 3.0F, 2.0F};
  const RowReading reading = read_row(logits, {2, nullptr}, {});
  const double total = std::log(std::exp(1.0) + std::exp(3.0) + std::exp(2.0));
  EXPECT_NEAR(reading.required_log_prob, 2.0 - total, 1e-6);
  EXPECT_NEAR(reading.next_log_prob, 3.0 - total, 1e-6);
  EXPECT_DOUBLE_EQ(reading.margin, -1.0);
}

TEST(ReadRow, SumsTheMassOfARequiredSet) {
  const std::vector<float> logits = {1.0F, 3.0F, 2.0F, 2.5F};
  const std::vector<std::uint8_t> set = {1, 0, 0, 1};
  const RowReading reading = read_row(logits, {-1, &set}, {});
  const double total = std::exp(1.0) + std::exp(3.0) + std::exp(2.0) + std::exp(2.5);
  EXPECT_NEAR(reading.required_log_prob, std::log((std::exp(1.0) + std::exp(2.5)) / total), 1e-6);
  EXPECT_DOUBLE_EQ(reading.margin, -0.5);
}

TEST(ReadRow, SamplesWithTheFrequenciesOfTheSoftmax) {
  const std::vector<float> logits = {0.0F, std::log(2.0F), std::log(5.0F)};
  std::map<text::Token, int> counts;
  constexpr int kDraws = 20000;
  for (int i = 0; i < kDraws; ++i) ++counts[read_row(logits, {}, {1.0, 99, i}).next];
  EXPECT_NEAR(counts[0] / double{kDraws}, 1 / 8.0, 0.01);
  EXPECT_NEAR(counts[1] / double{kDraws}, 2 / 8.0, 0.015);
  EXPECT_NEAR(counts[2] / double{kDraws}, 5 / 8.0, 0.015);
}

TEST(ReadRow, DrawsTheSameTokenForTheSameKeyAndPosition) {
  const std::vector<float> logits(1000, 0.0F);
  EXPECT_EQ(read_row(logits, {}, {1.0, 5, 3}).next, read_row(logits, {}, {1.0, 5, 3}).next);
  EXPECT_NE(read_row(logits, {}, {1.0, 5, 3}).next, read_row(logits, {}, {1.0, 5, 4}).next);
}

TEST(ReadRow, AgreesWithDoublePrecisionOnALargeVocabulary) {
  std::vector<float> logits;
  double total = 0;
  for (int i = 0; i < 50001; ++i) {
    logits.push_back(static_cast<float>(std::sin(i * 0.7) * 8));
    total += std::exp(static_cast<double>(logits.back()));
  }
  EXPECT_NEAR(read_row(logits, {50000, nullptr}, {}).required_log_prob,
              static_cast<double>(logits.back()) - std::log(total), 1e-5);
}

TEST(ReadRow, SumsTheMassOfASetOnALargeVocabularyHoweverFarBelowTheBestToken) {
  for (const double lift : {0.0, 200.0}) {
    std::vector<float> logits;
    TokenSet set;
    double inside = 0, total = 0;
    for (int i = 0; i < 49153; ++i) {
      const bool member = i % 3 == 1;
      logits.push_back(static_cast<float>(std::sin(i * 0.7) * 8 + (i == 6 ? lift : 0)));
      set.push_back(member ? 1 : 0);
      const double mass = std::exp(static_cast<double>(logits.back()) - lift);
      total += mass;
      if (member) inside += mass;
    }
    EXPECT_NEAR(read_row(logits, {-1, &set}, {}).required_log_prob, std::log(inside / total), 1e-4) << lift;
  }
}

TEST(ReadRow, DrawsNothingFromLogitsThatAreNotFinite) {
  for (const float odd : {std::nanf(""), HUGE_VALF}) {
    std::vector<float> logits(100, 1.0F);
    logits[40] = odd;
    EXPECT_EQ(read_row(logits, {}, {}).next, kNoToken);
    EXPECT_EQ(read_row(std::vector<float>(100, odd), {}, {1.0, 5, 3}).next, kNoToken);
  }
}

}  // namespace
}  // namespace polar::exec
