#pragma once
// What a LabelStore holds. Private to labels/.

#include <cstdint>
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

  /// Throws Error for a store opened by read().
  void require_writable() const;
  /// Fills identity from pool, task and the fingerprint of row `key` of settings, and settings and settings_key from
  /// that row.
  void load_settings(std::int64_t key);
};

struct LabelStore::State::Recording {
  explicit Recording(Database& database);
  Statement find_search, add_search, set_rounds, find_program, add_program, add_trial;
};

/// Runs a query whose columns are kTrialColumns.
inline constexpr const char* kTrialColumns =
    "trials.round, programs.text, trials.temperature, trials.sample, trials.correct, trials.answer_log_prob, "
    "trials.answer_tokens, trials.margin, trials.layers, trials.answer, trials.answer_final";
std::vector<StoredTrial> collect_trials(const Database& database, Statement& query, const task::ExampleId& example);

}  // namespace polar::labels
