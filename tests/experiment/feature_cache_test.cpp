#include "experiment/feature_cache.h"

#include <gtest/gtest.h>

#include "core/file.h"
#include "support/temporary_folder.h"

namespace polar::experiment {
namespace {

std::vector<predict::TokenFeatures> some_features() {
  return {{2, 3, {1, -2.5F, 3, 4, 5, 1e-30F}}, {1, 3, {7, 8, 9}}};
}

class FeatureCacheTest : public ::testing::Test {
 protected:
  std::vector<predict::TokenFeatures> get(const std::string& digest = "a") {
    return FeatureCache(folder_ / "features").get(digest, [&] {
      ++reads_;
      return some_features();
    });
  }
  static void expect_same(const std::vector<predict::TokenFeatures>& found) {
    const auto wanted = some_features();
    ASSERT_EQ(found.size(), wanted.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].tokens, wanted[i].tokens);
      EXPECT_EQ(found[i].width, wanted[i].width);
      EXPECT_EQ(found[i].values, wanted[i].values);
    }
  }
  test::TemporaryFolder folder_;
  int reads_ = 0;
};

TEST_F(FeatureCacheTest, ReadsOnceAndGivesTheSameBitsAgain) {
  expect_same(get());
  expect_same(get());
  EXPECT_EQ(reads_, 1);
  get("another");
  EXPECT_EQ(reads_, 2);
}

TEST_F(FeatureCacheTest, ReadsAnewWhereAFileIsCutOrChanged) {
  get();
  const auto file = folder_ / "features/a.features";
  const std::string whole = core::read_file(file);
  for (const std::size_t size : {std::size_t{0}, std::size_t{5}, whole.size() - 1}) {
    core::write_file(file, whole.substr(0, size));
    expect_same(get());
  }
  std::string changed = whole;
  changed.back() ^= 1;
  core::write_file(file, changed);
  expect_same(get());
  EXPECT_EQ(reads_, 5);
  EXPECT_EQ(core::read_file(file), whole);
}

TEST(FeaturesDigest, TellsApartWhatFeaturesAreAFunctionOf) {
  exec::EncodedExample prompt;
  prompt.prompt = {1, 2, 3};
  prompt.question = "1+2";
  const predict::Origin origin{"weights", "task", "states", 4, "", ""};
  const auto digest = [&](const predict::Origin& from, const char* fingerprint, const exec::EncodedExample& of) {
    return features_digest(from, fingerprint, std::span(&of, 1));
  };
  const std::string first = digest(origin, "cpu", prompt);
  EXPECT_EQ(digest(origin, "cpu", prompt), first);
  EXPECT_NE(digest(origin, "cuda", prompt), first);
  predict::Origin other = origin;
  other.prefix_layers = 5;
  EXPECT_NE(digest(other, "cpu", prompt), first);
  other = origin;
  other.weights_digest = "others";
  EXPECT_NE(digest(other, "cpu", prompt), first);
  other = origin;
  other.encoder_digest = "encoder";
  EXPECT_NE(digest(other, "cpu", prompt), first);
  exec::EncodedExample asked = prompt;
  asked.prompt.back() = 4;
  EXPECT_NE(digest(origin, "cpu", asked), first);
  asked = prompt;
  asked.question = "1+3";
  EXPECT_NE(digest(origin, "cpu", asked), first);
}

}  // namespace
}  // namespace polar::experiment
