#pragma once
// What ImportedLabels holds, and its schema. Private to labels/.

#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "labels/imported_labels.h"
#include "labels/sqlite.h"

namespace polar::labels {

struct ImportedLabels::State {
  State(Database opened, bool may_write) : database(std::move(opened)), writable(may_write) {}

  Database database;
  bool writable;
  ImportedIdentity identity;
  /// Keys of programs met by add(), so that a text is composed once. Bounded; emptied when a transaction fails.
  std::unordered_map<core::Program, std::int64_t> program_keys;
  /// Statements of add(), prepared when first used.
  struct Recording;
  std::unique_ptr<Recording> recording;

  void require_writable() const;
  std::int64_t source_key(const std::string& sha256);
};

struct ImportedLabels::State::Recording {
  explicit Recording(Database& database);
  Statement find_example, add_example, find_program, add_program, find_trial, add_trial, add_problem, count;
};

/// Creates the tables in an empty database, in one transaction.
void create_imported_schema(Database& database, const ImportedIdentity& identity);

/// Checks that these are imported labels of a known version and reads what they are of. Throws Error otherwise.
ImportedIdentity check_imported_schema(Database& database);

}  // namespace polar::labels
