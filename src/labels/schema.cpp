#include "labels/schema.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "core/error.h"

namespace polar::labels {
namespace {

constexpr const char* kTables = R"sql(
CREATE TABLE about(
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE pool(
  key            INTEGER PRIMARY KEY CHECK (key = 1),  -- one pool a file
  weights_digest TEXT NOT NULL,                        -- architecture, tensors and tokenizer
  name           TEXT NOT NULL
) STRICT;

CREATE TABLE task(
  key    INTEGER PRIMARY KEY CHECK (key = 1),  -- one task a file
  digest TEXT NOT NULL,                        -- prompts, references, grader settings, generation length
  name   TEXT NOT NULL,
  grader TEXT NOT NULL
) STRICT;

CREATE TABLE fingerprint(
  key  INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE  -- what an outcome's bits depend on besides weights, tokens, program and sample
) STRICT;

CREATE TABLE settings(
  key         INTEGER PRIMARY KEY,
  fingerprint INTEGER NOT NULL REFERENCES fingerprint(key),
  stop_rule   TEXT NOT NULL CHECK (stop_rule IN ('verdict', 'answer')),
  root_seed   TEXT NOT NULL,  -- unsigned, decimal
  digest      TEXT NOT NULL,  -- SHA-256 of text
  text        TEXT NOT NULL,
  UNIQUE (fingerprint, stop_rule, root_seed, digest)
) STRICT;

CREATE TABLE examples(
  key   INTEGER PRIMARY KEY,
  id    TEXT NOT NULL UNIQUE,
  split TEXT NOT NULL CHECK (split IN ('train', 'valid', 'test')),
  level TEXT NOT NULL
) STRICT;

CREATE TABLE searches(
  key      INTEGER PRIMARY KEY,
  example  INTEGER NOT NULL REFERENCES examples(key),
  settings INTEGER NOT NULL REFERENCES settings(key),
  state    TEXT NOT NULL CHECK (state IN ('open', 'done')),
  rounds   INTEGER NOT NULL,  -- recorded whole
  UNIQUE (example, settings)
) STRICT;

CREATE TABLE programs(
  key  INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE  -- canonical notation: 0-13,15-29 skips layer 14; 0-14,12-29 runs 12 to 14 twice
) STRICT;

CREATE TABLE trials(
  search          INTEGER NOT NULL REFERENCES searches(key),
  round           INTEGER NOT NULL,  -- from 0
  position        INTEGER NOT NULL,  -- in the round, from 0
  program         INTEGER NOT NULL REFERENCES programs(key),
  temperature     REAL NOT NULL,     -- 0 = greedy
  sample          INTEGER NOT NULL,
  correct         INTEGER NOT NULL,  -- 0 or 1
  answer_log_prob REAL NOT NULL,     -- natural log of the probability of the reference answer and its end
  answer_tokens   INTEGER NOT NULL,  -- scored positions, terminator included
  margin          REAL NOT NULL,     -- min over scored positions of logit(required) - best other
  layers          INTEGER NOT NULL,  -- layer executions of the program
  answer          TEXT NOT NULL,     -- extracted; cut short where answer_final = 0
  answer_final    INTEGER NOT NULL,
  PRIMARY KEY (search, round, position)
) STRICT, WITHOUT ROWID;

CREATE VIEW labels AS
  SELECT settings.key AS settings, examples.id AS example, examples.split, examples.level, trials.round, trials.position,
         programs.text AS program, trials.temperature, trials.sample, trials.correct, trials.answer_log_prob,
         trials.answer_tokens, trials.margin, trials.layers, trials.answer, trials.answer_final
  FROM trials
  JOIN searches ON searches.key = trials.search
  JOIN settings ON settings.key = searches.settings
  JOIN examples ON examples.key = searches.example
  JOIN programs ON programs.key = trials.program;
)sql";

constexpr std::pair<const char*, const char*> kDocumentation[] = {
    {"what",
     "Labels of layer programs: each trial ran one program (a sequence of a frozen model's layers) on one example and "
     "was graded. Written by polar."},
    {"start here",
     "The view `labels` has one readable row a trial: SELECT program, layers, margin FROM labels WHERE example = "
     "'…' AND correct ORDER BY layers, margin DESC."},
    {"table pool", "The model whose layers were run, by the digest of its weights."},
    {"table task", "The data set, prompt and grader."},
    {"table fingerprint",
     "Software, device and dtype. Outcomes are equal to the last bit within one and never mixed across two."},
    {"table settings",
     "One row for each way the examples were searched: fingerprint, stop rule, root seed and every setting."},
    {"table examples", "Split is train, valid or test; test examples stand in oracle stores only."},
    {"table searches",
     "One example under one row of settings. State done: complete. rounds: number of whole rounds recorded."},
    {"table programs", "Program texts, each once."},
    {"table trials", "Ordered by search, round and position. A round is written in one transaction."},
};

int read_version(Database& database) {
  Statement query(database, "SELECT value FROM about WHERE key = 'schema_version'", "reading its schema version");
  if (!query.next()) return -1;
  const std::string text = query.text(0);
  int version = -1;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

}  // namespace

void create_schema(Database& database, StoreKind kind, const StoreIdentity& identity) {
  const char* doing = "creating its tables";
  Transaction transaction(database, doing);
  database.execute(kTables, doing);
  Statement about(database, "INSERT INTO about VALUES (?, ?)", doing);
  about.bind(1, "schema_version").bind(2, std::string_view(std::to_string(LabelStore::kSchemaVersion))).run();
  about.bind(1, "kind").bind(2, kind == StoreKind::kOracle ? "oracle" : "labels").run();
  for (const auto& [key, value] : kDocumentation) about.bind(1, key).bind(2, value).run();
  Statement(database, "INSERT INTO pool VALUES (1, ?, ?)", doing)
      .bind(1, std::string_view(identity.weights_digest))
      .bind(2, std::string_view(identity.pool_name))
      .run();
  Statement(database, "INSERT INTO task VALUES (1, ?, ?, ?)", doing)
      .bind(1, std::string_view(identity.task_digest))
      .bind(2, std::string_view(identity.task_name))
      .bind(3, std::string_view(identity.grader))
      .run();
  transaction.commit();
}

bool is_empty(Database& database) {
  return !Statement(database, "SELECT 1 FROM sqlite_schema LIMIT 1", "reading its schema").next();
}

std::string stored_kind(Database& database) {
  if (!Statement(database, "SELECT 1 FROM sqlite_schema WHERE name = 'about'", "reading its schema").next()) return {};
  Statement kind(database, "SELECT value FROM about WHERE key = 'kind'", "reading its kind");
  return kind.next() ? kind.text(0) : std::string();
}

StoreKind check_schema(Database& database) {
  const std::string path = database.path().string();
  const std::string kind = stored_kind(database);
  const int version = kind.empty() ? -1 : read_version(database);
  if (version < 0) {
    throw core::Error(
        fmt::format("{}: not a label store. Expected a table `about` with a schema_version, found another "
                    "database: move it away, or choose another run name",
                    path));
  }
  if (kind == kImportedKind) {
    throw core::Error(
        fmt::format("{}: expected labels of a search, found imported ones, whose log-probabilities and margins are not "
                    "known: judge them on the model first (polar labels rejudge --out)",
                    path));
  }
  if (version != LabelStore::kSchemaVersion) {
    throw core::Error(
        fmt::format("{}: label store of schema version {}. Expected version {}: use the polar that wrote it, or "
                    "move it away and search again",
                    path, version, LabelStore::kSchemaVersion));
  }
  return kind == "oracle" ? StoreKind::kOracle : StoreKind::kLabels;
}

}  // namespace polar::labels
