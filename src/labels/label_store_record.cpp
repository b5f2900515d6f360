// Writing examples and rounds.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "labels/label_store.h"
#include "labels/label_store_state.h"

namespace polar::labels {
namespace {

/// Programs whose keys are remembered between rounds; a bound on memory, not on programs.
constexpr std::size_t kProgramsRemembered = 1 << 18;
constexpr const char* kRecording = "recording a round";
constexpr const char* kRecordingExamples = "recording examples";
constexpr const char* kRecordingBatch = "recording a batch";

[[noreturn]] void refuse(const Database& database, const std::string& where, const std::string& what) {
  throw core::Error(fmt::format("{}: {}: {}", database.path().string(), where, what));
}

void check_example(const Database& database, StoreKind kind, const StoredExample& example) {
  const bool has_control =
      std::any_of(example.id.begin(), example.id.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (example.id.empty() || has_control) {
    refuse(database, fmt::format("example id '{}'", example.id),
           "expected at least one character and no control characters (tab, newline …): change the id in the data set");
  }
  if ((kind == StoreKind::kOracle) != (example.split == Split::kTest)) {
    refuse(database, fmt::format("example '{}'", example.id),
           fmt::format(
               "tagged {}. Expected {}: test examples are searched into the oracle's store only, everything else never",
               to_string(example.split),
               kind == StoreKind::kOracle ? "test, because this is an oracle store"
                                          : "train or valid, because this is a labels store"));
  }
}

/// SQLite stores −0 as 0; done here so that what is compared later is what was recorded.
double stored(double value) {
  return value + 0.0;
}

StoredTrial as_stored(const search::Trial& trial, const search::Outcome& outcome, int round) {
  StoredTrial result{trial, outcome, round};
  result.trial.sample.temperature = stored(trial.sample.temperature);
  result.outcome.answer_log_prob = stored(outcome.answer_log_prob);
  result.outcome.margin = stored(outcome.margin);
  return result;
}

std::string where_of(const task::ExampleId& example, int round) {
  return fmt::format("round {} of example '{}'", round, example);
}

void check_round(const Database& database, const task::ExampleId& example, int round,
                 std::span<const search::Trial> trials, std::span<const search::Outcome> outcomes) {
  const std::string where = where_of(example, round);
  if (trials.empty() || trials.size() != outcomes.size()) {
    refuse(database, where,
           fmt::format("expected as many outcomes as trials, and at least one, found {} and {}", outcomes.size(),
                       trials.size()));
  }
  for (std::size_t i = 0; i < trials.size(); ++i) {
    if (trials[i].example != example) {
      refuse(database, where, fmt::format("trial {} belongs to example '{}'", i, trials[i].example));
    }
    if (trials[i].program.empty()) refuse(database, where, fmt::format("trial {} has an empty program", i));
    const std::pair<const char*, double> numbers[] = {{"temperature", trials[i].sample.temperature},
                                                      {"answer_log_prob", outcomes[i].answer_log_prob},
                                                      {"margin", outcomes[i].margin}};
    for (const auto& [name, value] : numbers) {
      if (std::isnan(value)) {
        refuse(database, where,
               fmt::format(
                   "{} of program {} is not a number: the model's activations overflowed. Try another exec.dtype, or "
                   "leave the program out of the search space",
                   name, trials[i].program.text()));
      }
    }
  }
}

std::string brief(const StoredTrial& trial) {
  return fmt::format("{} ({}, answer_log_prob {}, margin {})", trial.trial.program.text(),
                     trial.outcome.correct ? "correct" : "wrong", trial.outcome.answer_log_prob, trial.outcome.margin);
}

}  // namespace

LabelStore::State::Recording::Recording(Database& database)
    : find_search(
          database,
          "SELECT examples.key, COALESCE(searches.key, 0), COALESCE(searches.rounds, 0) FROM examples "
          "LEFT JOIN searches ON searches.example = examples.key AND searches.settings = ? WHERE examples.id = ?",
          kRecording),
      add_search(database, "INSERT INTO searches(example, settings, state, rounds) VALUES (?, ?, 'open', 0)",
                 kRecording),
      set_rounds(database, "UPDATE searches SET rounds = ? WHERE key = ?", kRecording),
      set_done(database, "UPDATE searches SET state = 'done' WHERE key = ?", "marking a search as done"),
      find_round(database,
                 fmt::format("SELECT {} FROM trials JOIN programs ON programs.key = trials.program "
                             "WHERE trials.search = ? AND trials.round = ? ORDER BY trials.position",
                             kTrialColumns),
                 "comparing a round with the recorded one"),
      find_program(database, "SELECT key FROM programs WHERE text = ?", kRecording),
      add_program(database, "INSERT OR IGNORE INTO programs(text) VALUES (?)", kRecording),
      add_trial(database, "INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", kRecording) {}

namespace {

using State = LabelStore::State;

struct SearchRow {
  std::int64_t example = 0, search = 0;  ///< search = 0: none yet
  int rounds = 0;
};

void compare_round(State& state, std::int64_t search, const task::ExampleId& example, int round,
                   std::span<const search::Trial> trials, std::span<const search::Outcome> outcomes) {
  Database& database = state.database;
  Statement& query = state.recording->find_round;
  query.reset();  // of a comparison that a damaged row ended
  query.bind(1, search).bind(2, round);
  const std::vector<StoredTrial> recorded = collect_trials(database, query, example);
  constexpr const char* kRemedy =
      "The search does not repeat itself: another version of polar, or a setting missing from the recorded ones. Start "
      "a search of its own (--new-search)";
  const std::size_t common = std::min(recorded.size(), trials.size());
  for (std::size_t i = 0; i < common; ++i) {
    const StoredTrial found = as_stored(trials[i], outcomes[i], round);
    if (recorded[i] != found) {
      refuse(database, where_of(example, round),
             fmt::format("trial {}: recorded {}, now found {}. {}", i, brief(recorded[i]), brief(found), kRemedy));
    }
  }
  if (recorded.size() != trials.size()) {
    refuse(database, where_of(example, round),
           fmt::format("recorded {} trials, now found {}. {}", recorded.size(), trials.size(), kRemedy));
  }
}

SearchRow find_search(State& state, const task::ExampleId& example) {
  if (!state.recording) state.recording = std::make_unique<State::Recording>(state.database);
  Statement& query = state.recording->find_search;
  query.bind(1, state.settings_key).bind(2, std::string_view(example));
  if (!query.next()) {
    refuse(state.database, fmt::format("example '{}'", example),
           "not registered: add it before its rounds are recorded");
  }
  const SearchRow row{query.integer(0), query.integer(1), static_cast<int>(query.integer(2))};
  query.reset();
  return row;
}

std::int64_t add_search(State& state, std::int64_t example) {
  state.recording->add_search.bind(1, example).bind(2, state.settings_key).run();
  return sqlite3_last_insert_rowid(state.database.handle());
}

std::int64_t program_key(State& state, const core::Program& program) {
  if (const auto known = state.program_keys.find(program); known != state.program_keys.end()) return known->second;
  const std::string text = program.text();
  state.recording->add_program.bind(1, std::string_view(text)).run();
  std::int64_t key = sqlite3_last_insert_rowid(state.database.handle());
  if (sqlite3_changes(state.database.handle()) == 0) {
    Statement& query = state.recording->find_program;
    query.bind(1, std::string_view(text));
    if (!query.next()) state.database.fail(kRecording);
    key = query.integer(0);
    query.reset();
  }
  if (state.program_keys.size() >= kProgramsRemembered) state.program_keys.clear();
  state.program_keys.emplace(program, key);
  return key;
}

void add_trial(State& state, std::int64_t search, int position, const StoredTrial& row) {
  const search::Outcome& outcome = row.outcome;
  const std::int64_t program = program_key(state, row.trial.program);
  Statement& insert = state.recording->add_trial;
  insert.bind(1, search).bind(2, row.round).bind(3, position).bind(4, program);
  insert.bind(5, row.trial.sample.temperature).bind(6, row.trial.sample.index);
  insert.bind(7, outcome.correct ? 1 : 0).bind(8, outcome.answer_log_prob).bind(9, outcome.answer_tokens);
  insert.bind(10, outcome.margin).bind(11, outcome.layers).bind(12, std::string_view(outcome.answer));
  insert.bind(13, outcome.answer_final ? 1 : 0).run();
}

void register_examples(State& state, std::span<const StoredExample> examples) {
  Database& database = state.database;
  Statement find(database, "SELECT split, level FROM examples WHERE id = ?", kRecordingExamples);
  Statement insert(database, "INSERT INTO examples(id, split, level) VALUES (?, ?, ?)", kRecordingExamples);
  for (const StoredExample& example : examples) {
    check_example(database, state.kind, example);
    find.bind(1, std::string_view(example.id));
    if (!find.next()) {
      insert.bind(1, std::string_view(example.id)).bind(2, to_string(example.split));
      insert.bind(3, std::string_view(example.level)).run();
      continue;
    }
    const std::string split = find.text(0), level = find.text(1);
    find.reset();
    if (split != to_string(example.split) || level != example.level) {
      refuse(database, fmt::format("example '{}'", example.id),
             fmt::format(
                 "recorded with split {} and level '{}', this run has split {} and level '{}': use another run name",
                 split, level, to_string(example.split), example.level));
    }
  }
}

}  // namespace

void LabelStore::State::write(const char* doing, const std::function<void()>& body) {
  const bool rolled_back = in_batch && sqlite3_get_autocommit(database.handle()) != 0;
  if (rolled_back) refuse(database, doing, "the batch was rolled back after a failure: nothing more joins it");
  try {
    if (in_batch) return body();
    Transaction transaction(database, doing);
    body();
    transaction.commit();
  } catch (...) {
    program_keys.clear();  // some may have been rolled back
    if (in_batch) sqlite3_exec(database.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
}

LabelStore::Batch::Batch(LabelStore& store) : state_(*store.state_) {
  state_.require_writable();
  if (state_.in_batch) refuse(state_.database, kRecordingBatch, "another batch is open: commit it first");
  transaction_ = std::make_unique<Transaction>(state_.database, kRecordingBatch);
  state_.in_batch = true;
}

LabelStore::Batch::~Batch() {
  state_.in_batch = false;
  if (transaction_) state_.program_keys.clear();
}

void LabelStore::Batch::commit() {
  if (sqlite3_get_autocommit(state_.database.handle()) != 0) {
    refuse(state_.database, kRecordingBatch, "the batch was rolled back after a failure: nothing of it was kept");
  }
  transaction_->commit();
  transaction_.reset();
  state_.in_batch = false;
}

void LabelStore::add_examples(std::span<const StoredExample> examples) {
  state_->require_writable();
  state_->write(kRecordingExamples, [&] { register_examples(*state_, examples); });
}

void LabelStore::record(const task::ExampleId& example, int round, std::span<const search::Trial> trials,
                        std::span<const search::Outcome> outcomes) {
  state_->require_writable();
  check_round(state_->database, example, round, trials, outcomes);
  SearchRow row = find_search(*state_, example);
  if (round >= 0 && round < row.rounds) return compare_round(*state_, row.search, example, round, trials, outcomes);
  if (round != row.rounds) {
    refuse(state_->database, where_of(example, round),
           fmt::format("rounds come in order: expected round {}", row.rounds));
  }
  state_->write(kRecording, [&] {
    if (row.search == 0) row.search = add_search(*state_, row.example);
    for (std::size_t i = 0; i < trials.size(); ++i) {
      add_trial(*state_, row.search, static_cast<int>(i), as_stored(trials[i], outcomes[i], round));
    }
    state_->recording->set_rounds.bind(1, round + 1).bind(2, row.search).run();
  });
}

void LabelStore::record_step(std::span<const search::FinishedRound> rounds) {
  Batch transaction(*this);
  for (const search::FinishedRound& one : rounds) record(one.example, one.round, one.trials, one.outcomes);
  transaction.commit();
}

void LabelStore::mark_done(const task::ExampleId& example) {
  state_->require_writable();
  SearchRow row = find_search(*state_, example);
  state_->write("marking a search as done", [&] {
    if (row.search == 0) row.search = add_search(*state_, row.example);
    state_->recording->set_done.bind(1, row.search).run();
  });
}

}  // namespace polar::labels
