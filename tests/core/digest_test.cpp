#include "core/digest.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "support/message_of.h"
#include "support/temporary_folder.h"

namespace polar::core {
namespace {

// FIPS 180-4 example digests.
TEST(Digest, GivesThePublishedDigests) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Digest, DoesNotDependOnHowTheBytesArrive) {
  EXPECT_EQ(Digest().update("a").update("").update("bc", 2).finish(), sha256("abc"));
  EXPECT_EQ(sha256(std::string("a\0b", 3)), Digest().update(std::string_view("a\0b", 3)).finish());
}

TEST(Digest, GoesOnAfterAMove) {
  Digest first;
  first.update("ab");
  Digest second = std::move(first);
  EXPECT_EQ(second.update("c").finish(), sha256("abc"));
}

TEST(Digest, OfAFileIsThatOfItsBytes) {
  test::TemporaryFolder folder;
  for (std::size_t size : {std::size_t{0}, std::size_t{10}, (std::size_t{1} << 20), (std::size_t{2} << 20) + 3}) {
    const std::string content(size, 'x');
    write_file(folder / "data", content);
    EXPECT_EQ(sha256_file(folder / "data"), sha256(content));
  }
}

TEST(Digest, OfAMissingFileOrAFolderNamesIt) {
  test::TemporaryFolder folder;
  const auto missing = folder / "missing";
  EXPECT_NE(test::message_of<Error>([&] { sha256_file(missing); }).find(missing.string()), std::string::npos);
  EXPECT_NE(test::message_of<Error>([&] { sha256_file(folder.path()); }).find("Is a directory"), std::string::npos);
}

}  // namespace
}  // namespace polar::core
