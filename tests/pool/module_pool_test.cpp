#include "pool/module_pool.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"
#include "support/temporary_folder.h"
#include "support/tiny_pool.h"

namespace polar::pool {
namespace {

using nlohmann::json;

class ModulePoolTest : public testing::Test {
 protected:
  ModulePoolTest() { test::write_tiny_pool(folder_ / "pool"); }

  std::string failure(bool verify = true) const {
    try {
      ModulePool::load(folder_ / "pool", {DType::kFloat32, verify});
    } catch (const core::Error& error) {
      EXPECT_EQ(error.exit_code(), 1);
      return error.what();
    }
    return "";
  }
  void change_manifest(const std::function<void(json&)>& change) const {
    json manifest = json::parse(core::read_file(folder_ / "pool" / "pool.json"));
    change(manifest);
    test::write_manifest(folder_ / "pool", manifest);
  }

  test::TemporaryFolder folder_;
};

TEST_F(ModulePoolTest, GivesRowsOfTheManifestsShapes) {
  const auto pool = ModulePool::load(folder_ / "pool", {DType::kBFloat16, true});
  const at::Tensor hidden = pool->embed(at::arange(5, at::kLong));
  EXPECT_EQ(hidden.scalar_type(), at::kBFloat16);
  const auto [q, k, v] = pool->attend_in(0, hidden, at::arange(5, at::kLong));
  EXPECT_EQ(q.sizes(), (std::vector<std::int64_t>{5, 4, 8}));
  EXPECT_EQ(k.sizes(), (std::vector<std::int64_t>{5, 2, 8}));
  EXPECT_EQ(pool->head(hidden).scalar_type(), at::kFloat);
  EXPECT_EQ(pool->head(hidden).sizes(), (std::vector<std::int64_t>{5, 257}));
}

TEST_F(ModulePoolTest, NamesAFileWithAFlippedByte) {
  const auto file = folder_ / "pool" / "layer_003.ts";
  std::string bytes = core::read_file(file);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  core::write_file(file, bytes);
  EXPECT_NE(failure().find("layer_003.ts: expected SHA-256"), std::string::npos) << failure();
}

TEST_F(ModulePoolTest, NoticesAnyChangedDigitOfTheManifest) {
  const auto file = folder_ / "pool" / "pool.json";
  const std::string whole = core::read_file(file);
  std::string changed = whole;
  changed[changed.find("\"scale\": 0.") + 12] ^= 1;
  core::write_file(file, changed);
  EXPECT_NE(failure().find("pool.json: manifest_sha256: expected"), std::string::npos) << failure();
  core::write_file(file, whole);
  EXPECT_EQ(failure(), "");
}

TEST_F(ModulePoolTest, NamesALayerThatFailsInsideOfItsModule) {
  test::write_tiny_pool(folder_ / "narrow", {.hidden = 16});
  std::filesystem::copy_file(folder_ / "narrow" / "layer_001.ts", folder_ / "pool" / "layer_001.ts",
                             std::filesystem::copy_options::overwrite_existing);
  for (Kernels kernels : {Kernels::kLibrary, Kernels::kRows}) {
    try {
      ModulePool::load(folder_ / "pool", {DType::kFloat32, false, kernels});
      FAIL() << "a layer of another width was loaded";
    } catch (const core::Error& error) {
      const std::string message = error.what();
      EXPECT_NE(message.find("layer_001.ts: expected a module that runs on packed rows, found: "), std::string::npos)
          << message;
      EXPECT_EQ(message.find("Traceback"), std::string::npos) << message;
    }
  }
}

TEST_F(ModulePoolTest, NamesATruncatedLayerWithBothSizes) {
  std::filesystem::resize_file(folder_ / "pool" / "layer_001.ts", 100);
  EXPECT_NE(failure().find("layer_001.ts: expected"), std::string::npos) << failure();
  EXPECT_NE(failure().find("found 100: the file is cut off"), std::string::npos) << failure();
}

TEST_F(ModulePoolTest, NamesAMissingFile) {
  std::filesystem::remove(folder_ / "pool" / "head.ts");
  EXPECT_NE(failure().find("head.ts: expected a file of"), std::string::npos) << failure();
}

TEST_F(ModulePoolTest, RefusesAFileThatIsNoModuleEvenUnverified) {
  core::write_file(folder_ / "pool" / "layer_002.ts", "not a module");
  EXPECT_NE(failure(false).find("layer_002.ts: expected a TorchScript module"), std::string::npos) << failure(false);
}

TEST_F(ModulePoolTest, RefusesAManifestOfALaterVersion) {
  change_manifest([](json& manifest) { manifest["format_version"] = 99; });
  EXPECT_NE(failure().find("format_version: expected at most 1, found 99"), std::string::npos) << failure();
}

TEST_F(ModulePoolTest, RefusesALayerCountThatDiffersFromTheDepth) {
  change_manifest([](json& manifest) { manifest["shape"]["depth"] = 7; });
  EXPECT_NE(failure().find("layers: expected 7 entries (shape.depth), found 6"), std::string::npos) << failure();
}

TEST_F(ModulePoolTest, NamesAFieldOfTheWrongType) {
  change_manifest([](json& manifest) { manifest["shape"]["heads"] = "four"; });
  EXPECT_NE(failure().find("pool.json: shape.heads: expected an integer >= 1, found \"four\""), std::string::npos)
      << failure();
}

TEST_F(ModulePoolTest, RefusesEndTokensOutsideTheVocabulary) {
  for (const json& id : {json(-1), json(257), json(1.5), json(true), json(4294967298)}) {
    change_manifest([&](json& manifest) { manifest["eos_ids"] = {json(0), id}; });
    EXPECT_NE(failure().find("pool.json: eos_ids: expected ids from 0 to 256, found [0,"), std::string::npos)
        << failure();
  }
}

TEST_F(ModulePoolTest, RefusesALayerThatLooksAhead) {
  change_manifest([](json& manifest) { manifest["layers"][1]["attention"]["kind"] = "bidirectional"; });
  EXPECT_NE(failure().find("pool.json: layers[1].attention.kind: expected causal"), std::string::npos) << failure();
}

TEST_F(ModulePoolTest, NamesAModuleWhoseShapesDifferFromTheManifest) {
  change_manifest([](json& manifest) { manifest["shape"]["vocabulary"] = 300; });
  EXPECT_NE(failure().find("head.ts: expected Float [2, 300], found Float [2, 257]"), std::string::npos) << failure();
}

TEST_F(ModulePoolTest, RefusesAFolderWithoutAManifest) {
  std::filesystem::remove(folder_ / "pool" / "pool.json");
  EXPECT_NE(failure().find("expected a pool package with a pool.json"), std::string::npos) << failure();
}

TEST(DTypeChoice, RefusesAnUnknownNameAsWrongConfiguration) {
  EXPECT_THROW(choose_dtype("float16"), core::UsageError);
  EXPECT_EQ(choose_dtype("float32").dtype, DType::kFloat32);
  EXPECT_FALSE(choose_dtype("auto").reason.empty());
}

}  // namespace
}  // namespace polar::pool
