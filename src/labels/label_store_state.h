#pragma once
// What a LabelStore holds. Private to labels/.

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/program.h"
#include "labels/label_store.h"
#include "labels/sqlite.h"

namespace polar::labels {

struct LabelStore::State {
  State(Database opened, bool may_write) : database(std::move(opened)), writable(may_write) {}

  Database database;
  bool writable;
  StoreKind kind = StoreKind::kLabels;
  StoreIdentity identity;
  SearchSettings settings;
  std::int64_t settings_key = 0;

  /// Keys of programs met by record(), so that a text is composed once. Bounded; emptied when a transaction fails.
  std::unordered_map<core::Program, std::int64_t> program_keys;
  /// Statements of record(), prepared when first used.
  struct Recording;
  std::unique_ptr<Recording> recording;

  bool in_batch = false;

  /// Throws Error for a store opened by read().
  void require_writable() const;
  /// Runs `body` in a transaction of its own, or in the batch that is open. What it throws rolls either back.
  void write(const char* doing, const std::function<void()>& body);
  /// Fills identity from pool, task and the fingerprint of row `key` of settings, and settings and settings_key from
  /// that row.
  void load_settings(std::int64_t key);
};

struct LabelStore::State::Recording {
  explicit Recording(Database& database);
  Statement find_search, add_search, set_rounds, set_done, find_round, find_program, add_program, add_trial;
};

/// Runs a query whose columns are kTrialColumns.
inline constexpr const char* kTrialColumns =
    "trials.round, programs.text, trials.temperature, trials.sample, trials.correct, trials.answer_log_prob, "
    "trials.answer_tokens, trials.margin, trials.layers, trials.answer, trials.answer_final";
std::vector<StoredTrial> collect_trials(const Database& database, Statement& query, const task::ExampleId& example);

/// Runs a query whose columns are the fields of LevelCount; ordered by split, then level.
std::vector<LevelCount> collect_counts(Statement& query);

/// Of its text in a database; anything else is read as test, which no training may meet.
Split split_of(std::string_view text);

/// Shortest hexadecimal form, without prefix and independent of the locale; reads back exactly.
std::string hexadecimal(double value);

/// The program of a text in a database. Throws Error naming the file when it is none.
core::Program program_of(const Database& database, const std::string& text);

}  // namespace polar::labels
