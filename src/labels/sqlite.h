#pragma once
// A small RAII wrapper around SQLite's C interface. Private to labels/: no public header includes it.

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace polar::labels {

enum class OpenMode { kRead, kWrite };

/// A connection; one thread at a time. Every failure becomes a core::Error that names the file, what was being done,
/// what SQLite and the system said and the remedy: disk full, damaged file, read-only folder, locked by another
/// program, I/O error.
class Database {
 public:
  /// kWrite creates a missing file; kRead refuses it. `vfs` is the name of a SQLite VFS; empty takes the default.
  Database(std::filesystem::path path, OpenMode mode, const std::string& vfs = {});

  void execute(const char* sql, std::string_view doing);
  /// Throws the Error for the connection's last failure.
  [[noreturn]] void fail(std::string_view doing) const;

  sqlite3* handle() const { return handle_.get(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  std::filesystem::path path_;
  std::unique_ptr<sqlite3, Close> handle_;
};

/// Write-ahead log where possible: readers do not wait and a commit need not reach the disk. Without it every commit
/// does, and `message` (which may be empty) is told.
void choose_journal(Database& database, const std::function<void(const std::string&)>& message);

/// A prepared statement. Parameters and columns count from 1 and 0, as in SQLite. The database must outlive it.
class Statement {
 public:
  /// `doing` completes "… while <doing>" in messages; it must outlive the statement (a literal).
  Statement(Database& database, std::string_view sql, const char* doing);

  Statement& bind(int parameter, std::int64_t value);
  Statement& bind(int parameter, int value) { return bind(parameter, static_cast<std::int64_t>(value)); }
  Statement& bind(int parameter, double value);
  /// The text must stay alive until the statement is run or reset.
  Statement& bind(int parameter, std::string_view value);
  /// Without it a literal would be ambiguous between the overloads.
  Statement& bind(int parameter, const char* value) { return bind(parameter, std::string_view(value)); }

  Statement& bind_null(int parameter);

  /// Steps to the next row; false, and reset, after the last one.
  bool next();
  /// Runs a statement that returns no rows, and resets it.
  void run();
  void reset() { sqlite3_reset(handle_.get()); }

  std::int64_t integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }
  double real(int column) const { return sqlite3_column_double(handle_.get(), column); }
  std::string text(int column) const;
  bool is_null(int column) const { return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL; }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }
  };
  void check(int code);

  Database* database_;
  const char* doing_;
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

/// BEGIN IMMEDIATE … COMMIT; rolled back when destroyed before commit().
class Transaction {
 public:
  Transaction(Database& database, const char* doing);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database* database_;
  const char* doing_;
};

}  // namespace polar::labels
