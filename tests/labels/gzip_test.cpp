#include "labels/gzip.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <istream>
#include <iterator>
#include <string>

#include "core/error.h"
#include "core/file.h"
#include "support/message_of.h"
#include "support/parts.h"
#include "support/temporary_folder.h"

namespace polar::labels {
namespace {

using namespace polar::test;

std::string content_of(const std::filesystem::path& path) {
  GzipReader reader(path);
  return {std::istreambuf_iterator<char>(&reader), {}};
}

/// Longer than a block, and not the same everywhere.
std::string long_text() {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += std::to_string(i);
  return text;
}

TEST(Gzip, ReadsBackWhatItWroteCompressedOrNot) {
  const TemporaryFolder folder;
  for (const char* name : {"plain.json", "small.json.gz"}) {
    GzipWriter writer(folder / name);
    writer.write(long_text());
    writer.write("");
    writer.write("end");
    writer.finish();
    EXPECT_EQ(content_of(folder / name), long_text() + "end");
  }
  EXPECT_EQ(core::read_file(folder / "plain.json"), long_text() + "end");
  EXPECT_LT(std::filesystem::file_size(folder / "small.json.gz"), long_text().size() / 2);
}

TEST(Gzip, TellsCompressionByContentNotByName) {
  const TemporaryFolder folder;
  core::write_file(folder / "plain.gz", "text");
  EXPECT_EQ(content_of(folder / "plain.gz"), "text");
}

TEST(Gzip, LeavesTheOldFileUntilItIsFinished) {
  const TemporaryFolder folder;
  core::write_file(folder / "file.json", "old");
  {
    GzipWriter writer(folder / "file.json");
    writer.write("new");
  }
  EXPECT_EQ(core::read_file(folder / "file.json"), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(Gzip, NamesWhatCannotBeReadOrWritten) {
  const TemporaryFolder folder;
  expect_parts(message_of<core::Error>([&] { GzipReader(folder / "none"); }), {"none", "cannot open", "No such file"});
  expect_parts(message_of<core::Error>([&] { GzipWriter(folder / "no folder/file"); }),
               {"no folder/file", "No such file"});
  expect_parts(message_of<core::Error>([&] { content_of(folder.path()); }), {"cannot read", "directory"});
  {
    GzipWriter writer(folder / "whole.gz");
    writer.write(long_text());
    writer.finish();
  }
  const std::string bytes = core::read_file(folder / "whole.gz");
  core::write_file(folder / "cut.gz", bytes.substr(0, bytes.size() / 2));
  expect_parts(message_of<core::Error>([&] { content_of(folder / "cut.gz"); }),
               {"cut.gz", "in the middle of the compressed data"});
  std::string damaged = bytes;
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 0x55);
  core::write_file(folder / "damaged.gz", damaged);
  expect_parts(message_of<core::Error>([&] { content_of(folder / "damaged.gz"); }),
               {"damaged.gz", "damaged compressed"});
}

TEST(Gzip, NamesAFullDisk) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "there is no /dev/full here";
  const TemporaryFolder folder;
  // The temporary file's name is made from the process's.
  std::filesystem::create_symlink("/dev/full", folder / ("file." + std::to_string(getpid()) + ".tmp"));
  expect_parts(message_of<core::Error>([&] {
                 GzipWriter writer(folder / "file");
                 for (int i = 0; i < 10; ++i) writer.write(long_text());
                 writer.finish();
               }),
               {"file", "No space left on device"});
}

}  // namespace
}  // namespace polar::labels
