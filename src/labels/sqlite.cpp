#include "labels/sqlite.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace polar::labels {
namespace {

constexpr int kBusyTimeoutMs = 2000;
constexpr int kCacheKib = 64 << 10;

/// "file:" address of a path, with SQLite's reserved characters escaped.
std::string uri_of(const std::filesystem::path& path) {
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(path).string()) {
    if (c == '%' || c == '?' || c == '#') {
      uri += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      uri += c;
    }
  }
  return uri;
}

/// A cleanly closed WAL database in a folder without write permission has no log and cannot be given one: nobody can be
/// writing to it, so that SQLite may read it as immutable.
bool is_immutable(const std::filesystem::path& path) {
  std::filesystem::path log = path;
  log += "-wal";
  const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
  return access(folder.c_str(), W_OK) != 0 && !std::filesystem::exists(log);
}

std::string remedy_for(int code, int system_error) {
  if (code == SQLITE_FULL || system_error == ENOSPC || system_error == EDQUOT) {
    return "the disk is full. Nothing was half-written and every round recorded earlier is kept: free some space, then "
           "run the same command again";
  }
  switch (code) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "the file is damaged, or not a label store. Expected a SQLite database written by polar: restore a copy, "
             "or move it away and search again";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
      return "the file or its folder cannot be opened or written to. Expected read and write permission on both: "
             "change the permission, or choose another run folder";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another program holds a lock on the file. Close it (an open SQLite shell with a pending transaction does "
             "that), then run the same command again";
    case SQLITE_IOERR:
      return "the file system reported an error. Every round recorded earlier is kept: check the disk, then run the "
             "same command again";
    default:
      return "SQLite refused the operation";
  }
}

}  // namespace

Database::Database(std::filesystem::path path, OpenMode mode, const std::string& vfs) : path_(std::move(path)) {
  if (mode == OpenMode::kRead && !std::filesystem::exists(path_)) {
    throw core::Error(fmt::format(
        "{}: no label store there. Expected a file written by a search: run the search first, or check the run's name",
        path_.string()));
  }
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE;
  flags |= mode == OpenMode::kRead ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  std::string uri = uri_of(path_);
  if (mode == OpenMode::kRead && is_immutable(path_)) uri += "?immutable=1";
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(uri.c_str(), &handle, flags, vfs.empty() ? nullptr : vfs.c_str());
  handle_.reset(handle);
  if (code != SQLITE_OK) fail("opening it");
  if (mode == OpenMode::kWrite && sqlite3_db_readonly(handle, "main") == 1) {  // SQLite falls back without a word
    throw core::Error(
        fmt::format("{}: while opening it for writing: {}", path_.string(), remedy_for(SQLITE_READONLY, 0)));
  }
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  // Programs are looked up by text, all over their index: with SQLite's own 2 MiB every other look-up misses.
  execute(fmt::format("PRAGMA cache_size = -{}", kCacheKib).c_str(), "setting its cache");
}

void Database::execute(const char* sql, std::string_view doing) {
  if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail(doing);
}

void Database::fail(std::string_view doing) const {
  const int code = sqlite3_extended_errcode(handle_.get()) & 0xff;
  const bool from_system = code == SQLITE_IOERR || code == SQLITE_CANTOPEN || code == SQLITE_FULL;
  const int system_error = from_system ? sqlite3_system_errno(handle_.get()) : 0;
  const std::string reason = system_error != 0 ? fmt::format("; {}", std::strerror(system_error)) : std::string();
  throw core::Error(fmt::format("{}: while {}: {} (SQLite: {}{})", path_.string(), doing,
                                remedy_for(code, system_error), sqlite3_errmsg(handle_.get()), reason));
}

void choose_journal(Database& database, const std::function<void(const std::string&)>& message) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database.handle(), "PRAGMA journal_mode = WAL", -1, &statement, nullptr) != SQLITE_OK) {
    database.fail("choosing its journal");
  }
  const int code = sqlite3_step(statement);
  const bool is_log =
      code == SQLITE_ROW && std::string_view(reinterpret_cast<const char*>(sqlite3_column_text(statement, 0))) == "wal";
  sqlite3_finalize(statement);
  const bool no_shared_memory =
      code == SQLITE_IOERR_SHMMAP || code == SQLITE_IOERR_SHMOPEN || code == SQLITE_IOERR_SHMLOCK;
  if (code != SQLITE_ROW && !no_shared_memory) database.fail("choosing its journal");
  if (is_log) {
    // Only a checkpoint waits for the disk: at most every 32 MiB of log.
    database.execute("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 8192", "choosing its journal");
    return;
  }
  database.execute("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL", "choosing its journal");
  if (message) {
    message(
        fmt::format("{}: this file system cannot share memory between processes, so that the label store uses a "
                    "rollback journal: recording is slower, and readers wait for the writer",
                    database.path().string()));
  }
}

Statement::Statement(Database& database, std::string_view sql, const char* doing)
    : database_(&database), doing_(doing) {
  sqlite3_stmt* handle = nullptr;
  const int code = sqlite3_prepare_v3(database.handle(), sql.data(), static_cast<int>(sql.size()), 0, &handle, nullptr);
  handle_.reset(handle);
  check(code);
}

Statement& Statement::bind(int parameter, std::int64_t value) {
  check(sqlite3_bind_int64(handle_.get(), parameter, value));
  return *this;
}

Statement& Statement::bind(int parameter, double value) {
  check(sqlite3_bind_double(handle_.get(), parameter, value));
  return *this;
}

Statement& Statement::bind(int parameter, std::string_view value) {
  const char* data = value.data() != nullptr ? value.data() : "";  // SQLite reads a null pointer as NULL
  check(sqlite3_bind_text64(handle_.get(), parameter, data, value.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind_null(int parameter) {
  check(sqlite3_bind_null(handle_.get(), parameter));
  return *this;
}

bool Statement::next() {
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) {
    try {
      database_->fail(doing_);
    } catch (...) {
      reset();
      throw;
    }
  }
  reset();
  return false;
}

void Statement::run() {
  while (next()) {
  }
}

std::string Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
  const int size = sqlite3_column_bytes(handle_.get(), column);
  return data == nullptr ? std::string() : std::string(data, static_cast<std::size_t>(size));
}

void Statement::check(int code) {
  if (code != SQLITE_OK) database_->fail(doing_);
}

Transaction::Transaction(Database& database, const char* doing) : database_(&database), doing_(doing) {
  database.execute("BEGIN IMMEDIATE", doing);
}

Transaction::~Transaction() {
  // SQLite may have rolled back by itself (disk full); then there is nothing to do, and an error here could not be told
  // anyone.
  if (database_ == nullptr || sqlite3_get_autocommit(database_->handle()) != 0) return;
  sqlite3_exec(database_->handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  database_->execute("COMMIT", doing_);
  database_ = nullptr;
}

}  // namespace polar::labels
