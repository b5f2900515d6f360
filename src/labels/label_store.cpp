// Opening a store and comparing it with what it is opened for. Recording: label_store_record.cpp; reading:
// label_store_read.cpp.
#include "labels/label_store.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "core/digest.h"
#include "core/error.h"
#include "labels/label_store_state.h"
#include "labels/schema.h"
#include "labels/sqlite.h"

namespace polar::labels {
namespace {

void refuse_difference(const Database& database, const char* what, const std::string& recorded,
                       const std::string& found, const char* remedy) {
  if (recorded == found) return;
  throw core::UsageError(fmt::format("{}: {}: the store was recorded with '{}', this run has '{}': {}",
                                     database.path().string(), what, recorded, found, remedy));
}

constexpr const char* kOtherRun = "labels of different pools or tasks never share a file. Use another run name";
constexpr const char* kNewSearch =
    "resume with what was recorded, start a search of its own beside it (--new-search), or use another run name";

/// The first line in which two texts differ, of each; whole lines keep the message readable for long settings.
std::pair<std::string, std::string> first_difference(std::string_view a, std::string_view b) {
  while (true) {
    const std::string_view line_a = a.substr(0, a.find('\n'));
    const std::string_view line_b = b.substr(0, b.find('\n'));
    if (line_a != line_b || line_a.size() == a.size() || line_b.size() == b.size()) {
      return line_a == line_b ? std::pair{std::string(a), std::string(b)}
                              : std::pair{std::string(line_a), std::string(line_b)};
    }
    a.remove_prefix(line_a.size() + 1);
    b.remove_prefix(line_b.size() + 1);
  }
}

void compare_pool_and_task(const Database& database, const StoreIdentity& recorded, const StoreIdentity& found) {
  const auto named = [](const std::string& name, const std::string& digest) {
    return fmt::format("{} {}", name, digest);
  };
  if (recorded.weights_digest != found.weights_digest) {
    refuse_difference(database, "pool weights", named(recorded.pool_name, recorded.weights_digest),
                      named(found.pool_name, found.weights_digest), kOtherRun);
  }
  refuse_difference(database, "grader", recorded.grader, found.grader, kOtherRun);
  if (recorded.task_digest != found.task_digest) {
    refuse_difference(database, "task", named(recorded.task_name, recorded.task_digest),
                      named(found.task_name, found.task_digest), kOtherRun);
  }
}

}  // namespace

std::string_view to_string(Split split) {
  switch (split) {
    case Split::kTrain:
      return "train";
    case Split::kValid:
      return "valid";
    case Split::kTest:
      break;
  }
  return "test";
}

std::string SearchSettings::digest() const {
  return core::sha256(text);
}

void LabelStore::State::load_settings(std::int64_t key) {
  Statement query(database,
                  "SELECT pool.weights_digest, pool.name, task.digest, task.name, task.grader, fingerprint.text, "
                  "settings.text, settings.stop_rule, settings.root_seed FROM settings, pool, task "
                  "JOIN fingerprint ON fingerprint.key = settings.fingerprint WHERE settings.key = ?",
                  "reading what it was recorded with");
  query.bind(1, key);
  if (!query.next()) {
    throw core::Error(
        fmt::format("{}: the row of settings {} is incomplete. The file is damaged: restore a copy, or move it "
                    "away and search again",
                    database.path().string(), key));
  }
  identity = {query.text(0), query.text(1), query.text(2), query.text(3), query.text(4), query.text(5)};
  settings = {query.text(6), query.text(7), 0};
  const std::string seed = query.text(8);
  std::from_chars(seed.data(), seed.data() + seed.size(), settings.root_seed);
  settings_key = key;
}

void LabelStore::State::require_writable() const {
  if (writable) return;
  throw core::Error(fmt::format("{}: opened for reading, so that nothing can be recorded", database.path().string()));
}

namespace {

/// Without a fingerprint, which is a search's.
StoreIdentity recorded_pool_and_task(Database& database) {
  Statement query(database,
                  "SELECT pool.weights_digest, pool.name, task.digest, task.name, task.grader FROM pool, task",
                  "reading its pool and task");
  if (!query.next()) {
    throw core::Error(
        fmt::format("{}: expected a pool and a task, found none. The file is damaged: restore a copy, or move it away "
                    "and search again",
                    database.path().string()));
  }
  return {query.text(0), query.text(1), query.text(2), query.text(3), query.text(4), {}};
}

std::int64_t newest_settings(Database& database) {
  Statement query(database, "SELECT COALESCE(MAX(key), 0) FROM settings", "looking for its searches");
  return query.next() ? query.integer(0) : 0;
}

/// The row of these settings under this fingerprint; 0 when there is none.
std::int64_t find_settings(Database& database, const std::string& fingerprint, const SearchSettings& settings) {
  Statement query(database,
                  "SELECT settings.key FROM settings JOIN fingerprint ON fingerprint.key = settings.fingerprint "
                  "WHERE fingerprint.text = ? AND stop_rule = ? AND root_seed = ? AND digest = ?",
                  "looking for its searches");
  const std::string seed = std::to_string(settings.root_seed), digest = settings.digest();
  query.bind(1, std::string_view(fingerprint)).bind(2, std::string_view(settings.stop_rule));
  query.bind(3, std::string_view(seed)).bind(4, std::string_view(digest));
  return query.next() ? query.integer(0) : 0;
}

std::int64_t add_settings(Database& database, const std::string& fingerprint, const SearchSettings& settings) {
  const char* doing = "recording the search's settings";
  const std::string seed = std::to_string(settings.root_seed), digest = settings.digest();
  Transaction transaction(database, doing);
  Statement(database, "INSERT OR IGNORE INTO fingerprint(text) VALUES (?)", doing)
      .bind(1, std::string_view(fingerprint))
      .run();
  Statement insert(database,
                   "INSERT INTO settings(fingerprint, stop_rule, root_seed, digest, text) "
                   "SELECT key, ?, ?, ?, ? FROM fingerprint WHERE text = ?",
                   doing);
  insert.bind(1, std::string_view(settings.stop_rule))
      .bind(2, std::string_view(seed))
      .bind(3, std::string_view(digest));
  insert.bind(4, std::string_view(settings.text)).bind(5, std::string_view(fingerprint)).run();
  const std::int64_t key = sqlite3_last_insert_rowid(database.handle());
  transaction.commit();
  return key;
}

}  // namespace

LabelStore LabelStore::open(const RunLock& lock, const std::string& file_name, const StoreIdentity& identity,
                            const SearchSettings& settings, const StoreOptions& options) {
  if (settings.stop_rule != "verdict" && settings.stop_rule != "answer") {
    throw core::UsageError(fmt::format("stop rule: expected 'verdict' or 'answer', found '{}'", settings.stop_rule));
  }
  // 1. open the file and choose the journal
  auto state = std::make_unique<State>(Database(lock.folder() / file_name, OpenMode::kWrite, options.vfs), true);
  Database& database = state->database;
  choose_journal(database, options.message);
  database.execute("PRAGMA foreign_keys = ON", "switching foreign keys on");

  // 2. create the schema, or check it
  if (is_empty(database)) create_schema(database, options.kind, identity);
  state->kind = check_schema(database);
  const auto kind_name = [](StoreKind kind) { return kind == StoreKind::kOracle ? "oracle" : "labels"; };
  refuse_difference(database, "kind of store", kind_name(state->kind), kind_name(options.kind),
                    "searches on test examples have a store of their own. Use another file");

  // 3., 4. compare pool and task, before anything is added, then fingerprint and settings
  compare_pool_and_task(database, recorded_pool_and_task(database), identity);
  const std::int64_t newest = newest_settings(database);
  std::int64_t key = find_settings(database, identity.fingerprint, settings);
  if (newest == 0) {
    key = add_settings(database, identity.fingerprint, settings);
  }
  state->load_settings(key != 0 ? key : newest);
  if (key == 0) {
    if (!options.new_search) {
      const auto [recorded_line, found_line] = first_difference(state->settings.text, settings.text);
      refuse_difference(database, "fingerprint", state->identity.fingerprint, identity.fingerprint, kNewSearch);
      refuse_difference(database, "stop rule", state->settings.stop_rule, settings.stop_rule, kNewSearch);
      refuse_difference(database, "root seed", std::to_string(state->settings.root_seed),
                        std::to_string(settings.root_seed), kNewSearch);
      refuse_difference(database, "search settings", recorded_line, found_line, kNewSearch);
    }
    state->load_settings(add_settings(database, identity.fingerprint, settings));
  }
  return LabelStore(std::move(state));
}

LabelStore LabelStore::read(const std::filesystem::path& path) {
  auto state = std::make_unique<State>(Database(path, OpenMode::kRead), false);
  state->kind = check_schema(state->database);
  const std::int64_t newest = newest_settings(state->database);
  if (newest == 0) {
    throw core::Error(
        fmt::format("{}: no search was recorded yet. Expected at least one: run the search first", path.string()));
  }
  state->load_settings(newest);
  return LabelStore(std::move(state));
}

LabelStore::LabelStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
LabelStore::~LabelStore() = default;
LabelStore::LabelStore(LabelStore&&) noexcept = default;
LabelStore& LabelStore::operator=(LabelStore&&) noexcept = default;

const std::filesystem::path& LabelStore::path() const {
  return state_->database.path();
}
StoreKind LabelStore::kind() const {
  return state_->kind;
}
const StoreIdentity& LabelStore::identity() const {
  return state_->identity;
}
const SearchSettings& LabelStore::settings() const {
  return state_->settings;
}

}  // namespace polar::labels
