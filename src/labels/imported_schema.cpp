#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "core/error.h"
#include "labels/imported_state.h"
#include "labels/schema.h"

namespace polar::labels {
namespace {

constexpr const char* kImportedTables = R"sql(
CREATE TABLE about(
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sources(
  key        INTEGER PRIMARY KEY,
  name       TEXT NOT NULL,
  sha256     TEXT NOT NULL UNIQUE,
  joined     TEXT NOT NULL,     -- digest of the data and the split that its samples were joined with
  samples    INTEGER NOT NULL,  -- taken so far
  programs   INTEGER NOT NULL,  -- recorded from it
  duplicates INTEGER NOT NULL,
  complete   INTEGER NOT NULL
) STRICT;

CREATE TABLE examples(
  key           INTEGER PRIMARY KEY,
  id            TEXT NOT NULL UNIQUE,
  split         TEXT NOT NULL CHECK (split IN ('train', 'valid', 'test')),
  level         TEXT NOT NULL,
  question      TEXT NOT NULL,
  answer        TEXT NOT NULL,
  initial_score REAL  -- of the identity; NULL: the file does not say
) STRICT;

CREATE TABLE programs(
  key    INTEGER PRIMARY KEY,
  text   TEXT NOT NULL UNIQUE,  -- canonical notation
  layers INTEGER NOT NULL       -- layer executions
) STRICT;

CREATE TABLE trials(
  example INTEGER NOT NULL REFERENCES examples(key),
  program INTEGER NOT NULL REFERENCES programs(key),
  correct INTEGER NOT NULL CHECK (correct IN (0, 1)),  -- what the file says
  PRIMARY KEY (example, program)
) STRICT, WITHOUT ROWID;

CREATE TABLE problems(
  key    INTEGER PRIMARY KEY,
  source INTEGER NOT NULL REFERENCES sources(key),
  sample INTEGER NOT NULL,  -- position in the file, from 0; -1: the file as a whole
  place  TEXT NOT NULL,
  reason TEXT NOT NULL
) STRICT;
)sql";

constexpr std::pair<const char*, const char*> kImportedDocumentation[] = {
    {"what", "Labels that others made: programs of layers and whether the file they came from calls them valid."},
    {"table sources", "The files that were read, by the digest of their content."},
    {"table examples", "Question, answer and the score of the unchanged model, as imported."},
    {"table programs", "Program texts, each once."},
    {"table trials", "The verdict of the file. No log-probability or margin is known."},
    {"table problems", "Everything that could not be taken as it stood."},
};

std::string about_value(Database& database, const char* key) {
  Statement query(database, "SELECT value FROM about WHERE key = ?", "reading its schema");
  query.bind(1, key);
  return query.next() ? query.text(0) : std::string();
}

}  // namespace

void create_imported_schema(Database& database, const ImportedIdentity& identity) {
  const char* doing = "creating its tables";
  Transaction transaction(database, doing);
  database.execute(kImportedTables, doing);
  Statement about(database, "INSERT INTO about VALUES (?, ?)", doing);
  const std::string version = std::to_string(ImportedLabels::kSchemaVersion), depth = std::to_string(identity.depth);
  const std::pair<const char*, std::string_view> values[] = {{"schema_version", version},
                                                             {"kind", "imported"},
                                                             {"depth", depth},
                                                             {"pool_name", identity.pool_name},
                                                             {"weights_digest", identity.weights_digest}};
  for (const auto& [key, value] : values) about.bind(1, key).bind(2, value).run();
  for (const auto& [key, value] : kImportedDocumentation) about.bind(1, key).bind(2, value).run();
  transaction.commit();
}

ImportedIdentity check_imported_schema(Database& database) {
  const std::string path = database.path().string();
  const std::string kind = stored_kind(database);
  if (kind != kImportedKind) {
    throw core::Error(fmt::format("{}: expected imported labels, found {}: name a file that polar labels import wrote",
                                  path, kind.empty() ? "another database" : "a store of kind '" + kind + "'"));
  }
  const std::string version = about_value(database, "schema_version"), depth = about_value(database, "depth");
  if (version != std::to_string(ImportedLabels::kSchemaVersion)) {
    throw core::Error(fmt::format("{}: imported labels of schema version {}. Expected version {}: import again", path,
                                  version, ImportedLabels::kSchemaVersion));
  }
  ImportedIdentity identity{0, about_value(database, "pool_name"), about_value(database, "weights_digest")};
  std::from_chars(depth.data(), depth.data() + depth.size(), identity.depth);
  return identity;
}

}  // namespace polar::labels
