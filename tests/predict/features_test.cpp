#include "predict/features.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/error.h"
#include "support/message_of.h"

namespace polar::predict {
namespace {

TEST(Features, PooledIsTheLastTokenThenTheMean) {
  EXPECT_EQ(pooled({2, 3, {1, 2, 3, 5, 6, 7}}, Pooling::kBoth), (std::vector<float>{5, 6, 7, 3, 4, 5}));
}

TEST(Features, PooledIsEitherAloneWhereAsked) {
  const TokenFeatures two{2, 3, {1, 2, 3, 5, 6, 7}};
  EXPECT_EQ(pooled(two, Pooling::kLast), (std::vector<float>{5, 6, 7}));
  EXPECT_EQ(pooled(two, Pooling::kMean), (std::vector<float>{3, 4, 5}));
  for (const Pooling each : {Pooling::kBoth, Pooling::kLast, Pooling::kMean}) EXPECT_EQ(pooling(to_string(each)), each);
  EXPECT_THROW(pooling("max"), core::UsageError);
}

TEST(Features, OneTokenIsItsOwnMean) {
  EXPECT_EQ(pooled({1, 2, {4, -1}}, Pooling::kBoth), (std::vector<float>{4, -1, 4, -1}));
}

TEST(Features, WindowsAreMeansOverNearlyEqualRunsOfAllRows) {
  const TokenFeatures five{5, 2, {1, 10, 2, 20, 3, 30, 4, 40, 5, 50}};
  const TokenFeatures two = window_means(five, 2);  // rows 0-1 and 2-4
  EXPECT_EQ(two.tokens, 2);
  EXPECT_EQ(two.width, 2);
  EXPECT_EQ(two.values, (std::vector<float>{1.5F, 15, 4, 40}));
  EXPECT_EQ(window_means(five, 3).values, (std::vector<float>{1, 10, 2.5F, 25, 4.5F, 45}));
  EXPECT_EQ(window_means(five, 1).values, (std::vector<float>{3, 30}));
}

TEST(Features, AShortPromptHasAWindowAToken) {
  const TokenFeatures three{3, 1, {7, 8, 9}};
  const TokenFeatures windows = window_means(three, 8);
  EXPECT_EQ(windows.tokens, 3);
  EXPECT_EQ(windows.values, three.values);
  EXPECT_THROW(window_means(three, 0), core::UsageError);
  EXPECT_THROW(window_means({0, 1, {}}, 8), core::Error);
}

TEST(Features, RefuseMissingValuesAndNoTokens) {
  EXPECT_NE(test::message_of<core::Error>([] {
              pooled({2, 2, {1, 2, 3}}, Pooling::kMean);
            }).find("expected 2 x 2 = 4 values, found 3"),
            std::string::npos);
  EXPECT_THROW(pooled({0, 2, {}}, Pooling::kLast), core::Error);
}

TEST(Features, RefuseAnotherWidthAndNameBoth) {
  const auto message = test::message_of<core::Error>([] { check_features({1, 2, {1, 2}}, 3, "input"); });
  EXPECT_NE(message.find("input: expected features of width 3, found 2"), std::string::npos);
}

TEST(Features, NameTheTokenThatIsNotANumber) {
  const TokenFeatures features{2, 2, {1, 2, 3, std::numeric_limits<float>::quiet_NaN()}};
  const auto message = test::message_of<core::Error>([&] { check_features(features, 2, "input"); });
  EXPECT_NE(message.find("token 1, dimension 1"), std::string::npos);
}

}  // namespace
}  // namespace polar::predict
