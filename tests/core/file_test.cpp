#include "core/file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "support/message_of.h"
#include "support/temporary_folder.h"

namespace polar::core {
namespace {

namespace fs = std::filesystem;

std::ptrdiff_t files_in(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

void expect_names(const std::string& message, const fs::path& path, const std::string& reason) {
  EXPECT_NE(message.find(path.string()), std::string::npos) << message;
  EXPECT_NE(message.find(reason), std::string::npos) << message;
}

TEST(File, ReadsBackExactlyWhatWasWritten) {
  test::TemporaryFolder folder;
  std::string content("line\r\n\0end", 10);
  for (int i = 0; i < 300000; ++i) content += static_cast<char>(i * 7);
  write_file(folder / "data", content);
  EXPECT_EQ(read_file(folder / "data"), content);
  write_file(folder / "data", "");
  EXPECT_EQ(read_file(folder / "data"), "");
  EXPECT_EQ(files_in(folder.path()), 1);
}

TEST(File, IsCreatedWithTheUsualPermissions) {
  test::TemporaryFolder folder;
  const mode_t mask = ::umask(022);
  write_file(folder / "data", "x");
  ::umask(mask);
  struct stat status{};
  ASSERT_EQ(::stat((folder / "data").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0644u);
}

TEST(File, CanBeWrittenByNameAlone) {
  test::TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  write_file("data", "here");
  fs::current_path(before);
  EXPECT_EQ(read_file(folder / "data"), "here");
}

TEST(File, ThatIsMissingOrAFolderIsNamedWithTheReason) {
  test::TemporaryFolder folder;
  expect_names(test::message_of<Error>([&] { read_file(folder / "missing"); }), folder / "missing", "No such file");
  expect_names(test::message_of<Error>([&] { read_file(folder.path()); }), folder.path(), "Is a directory");
}

TEST(File, ThatIsAFolderIsNotReplaced) {
  test::TemporaryFolder folder;
  fs::create_directory(folder / "taken");
  expect_names(test::message_of<Error>([&] { write_file(folder / "taken", "x"); }), folder / "taken", "Is a directory");
  EXPECT_TRUE(fs::is_directory(folder / "taken"));
  EXPECT_EQ(files_in(folder.path()), 1);
}

TEST(File, InAMissingFolderIsRefused) {
  test::TemporaryFolder folder;
  const fs::path path = folder.path() / "no" / "data";
  expect_names(test::message_of<Error>([&] { write_file(path, "x"); }), path, "No such file");
}

TEST(File, InAFolderWithoutPermissionIsRefused) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
  test::TemporaryFolder folder;
  write_file(folder / "data", "old");
  fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
  expect_names(test::message_of<Error>([&] { write_file(folder / "data", "new"); }), folder / "data",
               "Permission denied");
  EXPECT_EQ(read_file(folder / "data"), "old");
  fs::permissions(folder.path(), fs::perms::owner_all);
}

TEST(File, KeepsItsOldContentWhenTheDiskRefusesTheNew) {
  test::TemporaryFolder folder;
  write_file(folder / "data", "old");
  struct rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  auto* handler = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit small = before;
  small.rlim_cur = 4096;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string message = test::message_of<Error>([&] { write_file(folder / "data", std::string(10000, 'n')); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  expect_names(message, folder / "data", "File too large");
  EXPECT_EQ(read_file(folder / "data"), "old");
  EXPECT_EQ(files_in(folder.path()), 1);
}

TEST(File, IsNeverSeenHalfWritten) {
  test::TemporaryFolder folder;
  const fs::path path = folder / "data";
  write_file(path, std::string(200000, 'a'));
  std::atomic<bool> done{false};
  std::vector<std::thread> writers;
  for (char letter : {'b', 'c'}) {
    writers.emplace_back([&path, letter] {
      for (int i = 0; i < 20; ++i) write_file(path, std::string(200000, letter));
    });
  }
  std::thread reader([&] {
    while (!done) {
      const std::string content = read_file(path);
      ASSERT_EQ(content.size(), 200000u);
      ASSERT_EQ(std::count(content.begin(), content.end(), content[0]), 200000);
    }
  });
  for (std::thread& writer : writers) writer.join();
  done = true;
  reader.join();
  EXPECT_EQ(files_in(folder.path()), 1);
}

TEST(Folder, IsCreatedWithItsParentsAndAcceptedWhenThere) {
  test::TemporaryFolder folder;
  const fs::path deep = folder.path() / "a" / "b";
  ensure_folder(deep);
  ensure_folder(deep);
  EXPECT_TRUE(fs::is_directory(deep));
}

TEST(Folder, UnderOrAtAFileIsRefused) {
  test::TemporaryFolder folder;
  write_file(folder / "file", "x");
  const fs::path under = folder.path() / "file" / "sub";
  expect_names(test::message_of<UsageError>([&] { ensure_folder(under); }), under, "Not a directory");
  expect_names(test::message_of<UsageError>([&] { ensure_folder(folder / "file"); }), folder / "file",
               "Not a directory");
}

TEST(Folder, WithoutPermissionIsRefused) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
  test::TemporaryFolder folder;
  fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
  expect_names(test::message_of<UsageError>([&] { ensure_folder(folder.path()); }), folder.path(), "Permission denied");
  expect_names(test::message_of<UsageError>([&] { ensure_folder(folder / "new"); }), folder / "new",
               "Permission denied");
  fs::permissions(folder.path(), fs::perms::owner_all);
}

}  // namespace
}  // namespace polar::core
