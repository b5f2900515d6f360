#pragma once
// The label store's schema. Private to labels/.

#include <string>

#include "labels/label_store.h"
#include "labels/sqlite.h"

namespace polar::labels {

/// Creates tables, view and documentation in an empty database, with its pool and task, in one transaction.
void create_schema(Database& database, StoreKind kind, const StoreIdentity& identity);

/// Whether the database has no table at all (a new file).
bool is_empty(Database& database);

inline constexpr const char* kImportedKind = "imported";

/// "labels", "oracle" or kImportedKind, of any schema version; empty for a database that is no store.
std::string stored_kind(Database& database);

/// Checks that this is a label store of a known version and returns its kind. Throws Error otherwise.
StoreKind check_schema(Database& database);

}  // namespace polar::labels
