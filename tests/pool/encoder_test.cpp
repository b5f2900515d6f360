#include "pool/encoder.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "support/message_of.h"
#include "support/temporary_folder.h"
#include "support/tiny_encoder.h"

namespace polar::pool {
namespace {

class EncoderPackage : public testing::Test {
 protected:
  EncoderPackage() { test::write_tiny_encoder(folder_ / "encoder"); }

  std::string refusal() const {
    return test::message_of<core::Error>([&] { Encoder::load(folder_ / "encoder"); });
  }
  void change(const std::string& key, const nlohmann::json& value) const {
    auto manifest = nlohmann::json::parse(core::read_file(folder_ / "encoder" / "encoder.json"));
    manifest[key] = value;
    core::write_file(folder_ / "encoder" / "encoder.json", manifest.dump());
  }

  test::TemporaryFolder folder_;
};

TEST_F(EncoderPackage, GivesStatesOfEveryTokenThatDependOnTheWholeText) {
  const Encoder encoder = Encoder::load(folder_ / "encoder");
  EXPECT_EQ(encoder.width(), 6);
  EXPECT_EQ(encoder.context(), 10);
  EXPECT_EQ(encoder.digest(), "tiny-1");
  const std::vector<std::int32_t> one = {2, 4, 3}, other = {2, 5, 3};
  const std::vector<float> states = encoder.states(one);
  EXPECT_EQ(states.size(), 18U);
  EXPECT_EQ(encoder.states(one), states);
  EXPECT_NE(encoder.states(other).front(), states.front());
}

TEST_F(EncoderPackage, RefusesTextsItCannotTake) {
  const Encoder encoder = Encoder::load(folder_ / "encoder");
  EXPECT_EQ(test::message_of<core::Error>([&] { encoder.states({}); }),
            "encoder tiny: expected 1 to 10 tokens, found 0");
  EXPECT_EQ(test::message_of<core::Error>([&] { encoder.states(std::vector<std::int32_t>(11, 2)); }),
            "encoder tiny: expected 1 to 10 tokens, found 11");
  EXPECT_NE(test::message_of<core::Error>([&] {
              encoder.states(std::vector<std::int32_t>{999});
            }).find("encoder.ts: expected a module that runs on tokens of its vocabulary"),
            std::string::npos);
}

TEST_F(EncoderPackage, IsRefusedWhenItIsMissingDamagedOrNewer) {
  EXPECT_NE(test::message_of<core::Error>([&] {
              Encoder::load(folder_ / "none");
            }).find("encoder.json: expected an encoder package, found none; scripts/export_encoder.py writes one"),
            std::string::npos);
  change("format_version", 2);
  EXPECT_NE(refusal().find("format_version: expected 1, found 2; export it again"), std::string::npos);
  change("format_version", 1);
  change("width", "six");
  EXPECT_NE(refusal().find("expected an encoder's manifest, found: "), std::string::npos);
  change("width", 6);
  core::write_file(folder_ / "encoder" / "encoder.ts", "damaged");
  EXPECT_NE(refusal().find("encoder.ts: expected "), std::string::npos);
  EXPECT_NE(refusal().find("export it again with scripts/export_encoder.py"), std::string::npos);
}

}  // namespace
}  // namespace polar::pool
