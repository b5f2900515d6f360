#include "predict/features.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/error.h"
#include "support/message_of.h"

namespace polar::predict {
namespace {

TEST(Features, PooledIsTheLastTokenThenTheMean) {
  EXPECT_EQ(pooled({2, 3, {1, 2, 3, 5, 6, 7}}), (std::vector<float>{5, 6, 7, 3, 4, 5}));
}

TEST(Features, OneTokenIsItsOwnMean) {
  EXPECT_EQ(pooled({1, 2, {4, -1}}), (std::vector<float>{4, -1, 4, -1}));
}

TEST(Features, RefuseMissingValuesAndNoTokens) {
  EXPECT_NE(test::message_of<core::Error>([] { pooled({2, 2, {1, 2, 3}}); }).find("expected 2 x 2 = 4 values, found 3"),
            std::string::npos);
  EXPECT_THROW(pooled({0, 2, {}}), core::Error);
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
