// What can go wrong around a store: death of the process, full disk, damage, permissions, locks, other versions.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "labels/label_store.h"
#include "labels/sqlite.h"
#include "support/faulty_vfs.h"
#include "support/killed.h"
#include "support/label_fixture.h"
#include "support/message_of.h"
#include "support/parts.h"

namespace polar::labels {
namespace {

using namespace polar::test;

constexpr const char* kFile = "labels.sqlite";

LabelStore open_store(const RunLock& lock, const StoreOptions& options = {}) {
  return LabelStore::open(lock, kFile, some_identity(), some_settings(), options);
}

void execute(const std::filesystem::path& path, const char* sql) {
  Database(path, OpenMode::kWrite).execute(sql, "test");
}

/// After a death at any moment: only whole rounds, in order; then a replay of everything ends as if nothing had
/// happened.
void expect_whole_rounds_and_resume(const TemporaryFolder& folder, const std::vector<Round>& rounds,
                                    const LabelDigests& expected) {
  const RunLock lock(folder.path());
  LabelStore store = open_store(lock);
  {
    Database database(folder / kFile, OpenMode::kRead);
    Statement check(database, "PRAGMA integrity_check", "test");
    ASSERT_TRUE(check.next());
    EXPECT_EQ(check.text(0), "ok");
    EXPECT_FALSE(Statement(database, "PRAGMA foreign_key_check", "test").next());
  }
  for (const StoredExample& example : some_examples()) {
    const std::size_t size = rounds[0].trials.size();
    EXPECT_EQ(store.trials(example.id).size(), static_cast<std::size_t>(store.state(example.id).rounds) * size);
  }
  std::vector<Round> kept;
  for (const Round& round : rounds) {
    if (round.number < store.state(round.example).rounds) kept.push_back(round);
  }
  EXPECT_EQ(store.digests().exact, undisturbed_digests(kept).exact);
  record_all(store, rounds);
  EXPECT_EQ(store.digests().verdicts, expected.verdicts);
  EXPECT_EQ(store.digests().exact, expected.exact);
}

TEST(LabelStoreKilled, BeforeAnyStatementLeavesWholeRoundsOnly) {
  const std::vector<Round> rounds = some_rounds(2, 3);
  const LabelDigests expected = undisturbed_digests(rounds);
  int killed = 0;
  for (long statements = 0; statements < 160; statements += 11) {
    const TemporaryFolder folder;
    killed += is_killed([&] {
      KillBeforeStatement::arm(statements);
      const RunLock lock(folder.path());
      LabelStore store = open_store(lock);
      record_all(store, rounds);
    });
    expect_whole_rounds_and_resume(folder, rounds, expected);
  }
  EXPECT_GE(killed, 8);
}

class LabelStoreJournals : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(SharedMemory, LabelStoreJournals, ::testing::Bool());

TEST_P(LabelStoreJournals, KilledInAnyWriteLeavesWholeRoundsOnly) {
  const std::vector<Round> rounds = some_rounds(2, 3);
  const LabelDigests expected = undisturbed_digests(rounds);
  int killed = 0;
  for (long writes = 0; writes < 150; writes += 13) {
    const TemporaryFolder folder;
    killed += is_killed([&] {
      FaultyVfs::install(GetParam());
      const RunLock lock(folder.path());
      FaultyVfs::arm(FaultyVfs::Fault::kKill, writes);
      LabelStore store = open_store(lock, {.vfs = FaultyVfs::kName});
      record_all(store, rounds);
    });
    expect_whole_rounds_and_resume(folder, rounds, expected);
  }
  EXPECT_GE(killed, 8);
}

TEST_P(LabelStoreJournals, AFullDiskStopsWithAMessageAndKeepsTheRoundsBefore) {
  FaultyVfs::install(GetParam());
  const std::vector<Round> rounds = some_rounds(4, 3);
  const LabelDigests expected = undisturbed_digests(rounds);
  for (long writes = 0; writes < 60; writes += 11) {
    const TemporaryFolder folder;
    const RunLock lock(folder.path());
    LabelStore store = open_store(lock, {.vfs = FaultyVfs::kName});
    store.add_examples(some_examples());
    FaultyVfs::arm(FaultyVfs::Fault::kDiskFull, writes);
    std::vector<Round> kept;
    const std::string message = message_of<core::Error>([&] {
      for (const Round& round : rounds) {
        store.record(round.example, round.number, round.trials, round.outcomes);
        kept.push_back(round);
      }
    });
    expect_parts(message, {(folder / kFile).string(), "recording a round", "disk is full", "free some space"});
    FaultyVfs::disarm();
    EXPECT_EQ(store.digests().exact, undisturbed_digests(kept).exact);
    record_all(store, rounds);  // the same store goes on once there is room
    EXPECT_EQ(store.digests().exact, expected.exact);
  }
}

TEST(LabelStoreFailure, AFullDiskWhileCreatingIsNamed) {
  FaultyVfs::install();
  const TemporaryFolder folder;
  const RunLock lock(folder.path());
  FaultyVfs::arm(FaultyVfs::Fault::kDiskFull, 0);
  expect_parts(message_of<core::Error>([&] { open_store(lock, {.vfs = FaultyVfs::kName}); }), {kFile, "disk is full"});
  FaultyVfs::disarm();
  EXPECT_NO_THROW(open_store(lock));
}

TEST(LabelStoreFailure, FallsBackToARollbackJournalWithAMessage) {
  FaultyVfs::install(false);
  const TemporaryFolder folder;
  const RunLock lock(folder.path());
  std::vector<std::string> messages;
  StoreOptions options{.message = [&](const std::string& text) { messages.push_back(text); }, .vfs = FaultyVfs::kName};
  LabelStore store = open_store(lock, options);
  record_all(store, some_rounds());
  ASSERT_EQ(messages.size(), 1u);
  expect_parts(messages[0], {kFile, "cannot share memory", "rollback journal"});
  EXPECT_EQ(store.digests().exact, undisturbed_digests(some_rounds()).exact);
  messages.clear();
  options.vfs.clear();
  const TemporaryFolder other;
  const RunLock other_lock(other.path());
  open_store(other_lock, options);
  EXPECT_TRUE(messages.empty());
}

TEST(LabelStoreFailure, RefusesAFileThatIsNoDatabase) {
  const TemporaryFolder folder;
  const RunLock lock(folder.path());
  core::write_file(folder / kFile, std::string(5000, 'x'));
  expect_parts(message_of<core::Error>([&] { open_store(lock); }), {kFile, "damaged, or not a label store"});
  expect_parts(message_of<core::Error>([&] { LabelStore::read(folder / kFile); }),
               {kFile, "damaged, or not a label store"});
  EXPECT_EQ(core::read_file(folder / kFile), std::string(5000, 'x'));
}

TEST(LabelStoreFailure, NamesADamagedFile) {
  const TemporaryFolder folder;
  const RunLock lock(folder.path());
  {
    LabelStore store = open_store(lock);
    record_all(store, some_rounds());
  }
  std::string bytes = core::read_file(folder / kFile);
  std::fill(bytes.begin() + 4096, bytes.end(), '\xa5');  // all pages but the schema's
  core::write_file(folder / kFile, bytes);
  expect_parts(message_of<core::Error>([&] { LabelStore::read(folder / kFile).digests(); }), {kFile, "damaged"});
  expect_parts(message_of<core::Error>([&] { open_store(lock); }), {kFile, "damaged"});
}

TEST(LabelStoreFailure, NamesADamagedProgram) {
  const TemporaryFolder folder;
  const RunLock lock(folder.path());
  {
    LabelStore store = open_store(lock);
    record_all(store, some_rounds());
  }
  execute(folder / kFile, "UPDATE programs SET text = '5-3' WHERE key = 1");
  expect_parts(message_of<core::Error>([&] { LabelStore::read(folder / kFile).trials("a"); }),
               {kFile, "'5-3'", "damaged"});
}

TEST(LabelStoreFailure, RefusesAnotherDatabaseAndAnotherVersion) {
  const TemporaryFolder folder;
  const RunLock lock(folder.path());
  execute(folder / kFile, "CREATE TABLE recipes(name TEXT)");
  expect_parts(message_of<core::Error>([&] { open_store(lock); }), {kFile, "not a label store", "another run name"});
  std::filesystem::remove(folder / kFile);
  {
    open_store(lock);
  }
  execute(folder / kFile, "UPDATE about SET value = '2' WHERE key = 'schema_version'");
  for (const auto& open :
       std::vector<std::function<void()>>{[&] { open_store(lock); }, [&] { LabelStore::read(folder / kFile); }}) {
    expect_parts(message_of<core::Error>(open), {kFile, "schema version 2", "Expected version 1"});
  }
}

TEST(LabelStoreFailure, NamesAMissingOrEmptyStore) {
  const TemporaryFolder folder;
  expect_parts(message_of<core::Error>([&] { LabelStore::read(folder / kFile); }), {kFile, "no label store there"});
  core::write_file(folder / kFile, "");
  expect_parts(message_of<core::Error>([&] { LabelStore::read(folder / kFile); }), {kFile, "not a label store"});
}

TEST(LabelStoreFailure, NamesALockHeldByAnotherProgram) {
  const TemporaryFolder folder;
  const RunLock lock(folder.path());
  LabelStore store = open_store(lock);
  Database foreign(folder / kFile, OpenMode::kWrite);
  foreign.execute("BEGIN IMMEDIATE", "test");
  expect_parts(message_of<core::Error>([&] { store.add_examples(some_examples()); }),
               {kFile, "recording examples", "another program holds a lock"});
  foreign.execute("ROLLBACK", "test");
  EXPECT_NO_THROW(store.add_examples(some_examples()));
}

/// What the action answers when run by a user who may write nothing that is not his.
std::string without_privileges(const std::function<std::string()>& action) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(1);
    const std::string text = action();
    _exit(write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  close(ends[1]);
  std::string text(4096, '\0');
  const ssize_t size = read(ends[0], text.data(), text.size());
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return text;
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const core::Error& error) {
    return error.what();
  }
  return "threw nothing";
}

TEST(LabelStoreFailure, InAReadOnlyFolderIsReadButNotWritten) {
  const TemporaryFolder folder;
  std::string expected;
  {
    const RunLock lock(folder.path());
    LabelStore store = open_store(lock);
    record_all(store, some_rounds());
    expected = store.digests().exact;
  }
  ASSERT_EQ(chmod(folder.path().c_str(), 0555), 0);
  EXPECT_EQ(without_privileges([&] { return LabelStore::read(folder / kFile).digests().exact; }), expected);
  std::filesystem::remove(folder / "run.lock");
  expect_parts(without_privileges([&] { return error_of([&] { RunLock lock(folder.path()); }); }),
               {folder.path().string(), "Permission denied"});
  ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
}

TEST(LabelStoreFailure, AReadOnlyFileIsRefusedForWriting) {
  const TemporaryFolder folder;
  {
    const RunLock lock(folder.path());
    open_store(lock);
  }
  ASSERT_EQ(chmod(folder.path().c_str(), 0777), 0);
  ASSERT_EQ(chmod((folder / kFile).c_str(), 0444), 0);
  ASSERT_EQ(chmod((folder / "run.lock").c_str(), 0666), 0);
  const auto attempt = [&] {
    const RunLock lock(folder.path());
    open_store(lock);
  };
  expect_parts(without_privileges([&] { return error_of(attempt); }), {kFile, "read and write permission"});
}

}  // namespace
}  // namespace polar::labels
