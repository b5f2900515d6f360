// Writing imported labels. Reading: imported_labels_read.cpp.
#include "labels/imported_labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "labels/imported_state.h"
#include "labels/label_store_state.h"
#include "labels/schema.h"

namespace polar::labels {
namespace {

constexpr const char* kImporting = "recording imported samples";
constexpr std::size_t kProgramKeys = 1 << 18;  ///< remembered; a bound on memory, not on programs
constexpr std::int64_t kOtherQuestion = 0;     ///< no key: an id that stands for two examples

const char* verdict_text(bool correct) {
  return correct ? "valid" : "invalid";
}

}  // namespace

ImportedLabels::State::Recording::Recording(Database& database)
    : find_example(database, "SELECT key, question, answer, initial_score, split, level FROM examples WHERE id = ?",
                   kImporting),
      add_example(database,
                  "INSERT INTO examples(id, split, level, question, answer, initial_score) VALUES (?, ?, ?, ?, ?, ?)",
                  kImporting),
      find_program(database, "SELECT key FROM programs WHERE text = ?", kImporting),
      add_program(database, "INSERT INTO programs(text, layers) VALUES (?, ?)", kImporting),
      find_trial(database, "SELECT correct FROM trials WHERE example = ? AND program = ?", kImporting),
      add_trial(database, "INSERT INTO trials VALUES (?, ?, ?)", kImporting),
      add_problem(database, "INSERT INTO problems(source, sample, place, reason) VALUES (?, ?, ?, ?)", kImporting),
      count(database,
            "UPDATE sources SET samples = samples + ?, programs = programs + ?, duplicates = duplicates + ? "
            "WHERE key = ?",
            kImporting) {}

namespace {

/// Takes the samples of one source, within a transaction of the caller.
class SampleRecorder {
 public:
  SampleRecorder(ImportedLabels::State& state, std::int64_t source)
      : database_(state.database), recording_(*state.recording), program_keys_(state.program_keys), source_(source) {}

  void take(const ImportedSample& sample) {
    for (const ImportProblem& problem : sample.problems) add(problem);
    if (!sample.example) return;
    const std::int64_t example = find_or_add(*sample.example, sample.index);
    if (example == kOtherQuestion && !sample.trials.empty()) {
      add({sample.index, "programs", fmt::format("{} programs were left out with their sample", sample.trials.size())});
    }
    if (example == kOtherQuestion) return;
    for (const ImportedTrial& trial : sample.trials) take(example, sample.example->example.id, trial, sample.index);
  }

  void add(const ImportProblem& problem) {
    recording_.add_problem.bind(1, source_).bind(2, problem.sample).bind(3, std::string_view(problem.place));
    recording_.add_problem.bind(4, std::string_view(problem.reason)).run();
  }

  std::int64_t programs = 0, duplicates = 0;

 private:
  std::int64_t last_key() const { return sqlite3_last_insert_rowid(database_.handle()); }

  std::int64_t find_or_add(const ImportedExample& found, std::int64_t sample) {
    Statement& find = recording_.find_example;
    find.bind(1, std::string_view(found.example.id));
    if (find.next()) {
      const std::int64_t key = find.integer(0);
      const std::string question = find.text(1), answer = find.text(2);
      const std::string score = find.is_null(3) ? "nothing" : fmt::format("{}", find.real(3));
      const std::string split = find.text(4), level = find.text(5);
      find.reset();
      compare(found, sample, "question", question, found.question);
      if (question != found.question) return kOtherQuestion;
      compare(found, sample, "answer", answer, found.answer);
      compare(found, sample, "split", split, std::string(to_string(found.example.split)));
      compare(found, sample, "level", level, found.example.level);
      if (found.initial_score) {  // + 0: −0 is stored as 0
        compare(found, sample, "initial_score", score, fmt::format("{}", *found.initial_score + 0.0));
      }
      return key;
    }
    Statement& insert = recording_.add_example;
    insert.bind(1, std::string_view(found.example.id)).bind(2, to_string(found.example.split));
    insert.bind(3, std::string_view(found.example.level)).bind(4, std::string_view(found.question));
    insert.bind(5, std::string_view(found.answer));
    found.initial_score ? insert.bind(6, *found.initial_score) : insert.bind_null(6);
    insert.run();
    return last_key();
  }

  void compare(const ImportedExample& found, std::int64_t sample, const char* what, const std::string& first,
               const std::string& now) {
    if (first == now) return;
    add({sample, what,
         fmt::format("example '{}' was imported before with '{}', expected the same, found '{}'; the first is kept",
                     found.example.id, first, now)});
  }

  void take(std::int64_t example, const task::ExampleId& id, const ImportedTrial& trial, std::int64_t sample) {
    const std::int64_t program = find_or_add(trial.program);
    Statement& find = recording_.find_trial;
    find.bind(1, example).bind(2, program);
    if (!find.next()) {
      recording_.add_trial.bind(1, example).bind(2, program).bind(3, trial.correct ? 1 : 0).run();
      ++programs;
      return;
    }
    const bool first = find.integer(0) != 0;
    find.reset();
    if (first == trial.correct) {
      ++duplicates;
      return;
    }
    add({sample, "program " + trial.program.text(),
         fmt::format("of example '{}' was imported before as {}, expected the same, found {}; the first is kept", id,
                     verdict_text(first), verdict_text(trial.correct))});
  }

  std::int64_t find_or_add(const core::Program& program) {
    if (const auto known = program_keys_.find(program); known != program_keys_.end()) return known->second;
    const std::string text = program.text();
    Statement& find = recording_.find_program;
    find.bind(1, std::string_view(text));
    std::int64_t key = 0;
    if (find.next()) {
      key = find.integer(0);
      find.reset();
    } else {
      recording_.add_program.bind(1, std::string_view(text)).bind(2, program.length()).run();
      key = last_key();
    }
    if (program_keys_.size() >= kProgramKeys) program_keys_.clear();
    program_keys_.emplace(program, key);
    return key;
  }

  Database& database_;
  ImportedLabels::State::Recording& recording_;
  std::unordered_map<core::Program, std::int64_t>& program_keys_;
  std::int64_t source_;
};

ImportedSource source_row(const Statement& query) {
  return {query.text(0),    query.text(1),    query.integer(2),     query.integer(3),
          query.integer(4), query.integer(5), query.integer(6) != 0};
}

constexpr const char* kSources =
    "SELECT name, sha256, samples, programs, duplicates, "
    "(SELECT COUNT(*) FROM problems WHERE problems.source = sources.key), complete, joined FROM sources";

}  // namespace

ImportedLabels ImportedLabels::open(const RunLock& lock, const std::string& file_name, const ImportedIdentity& identity,
                                    const std::string& vfs) {
  auto state = std::make_unique<State>(Database(lock.folder() / file_name, OpenMode::kWrite, vfs), true);
  choose_journal(state->database, {});
  state->database.execute("PRAGMA foreign_keys = ON", "switching foreign keys on");
  if (is_empty(state->database)) create_imported_schema(state->database, identity);
  state->identity = check_imported_schema(state->database);
  const auto refuse_other = [&](const char* what, const std::string& recorded, const std::string& found) {
    if (recorded == found) return;
    throw core::UsageError(
        fmt::format("{}: {}: the imported labels have '{}', this import has '{}': labels of different models never "
                    "share a file. Name another one",
                    state->database.path().string(), what, recorded, found));
  };
  refuse_other("layers", std::to_string(state->identity.depth), std::to_string(identity.depth));
  refuse_other("pool weights", state->identity.weights_digest, identity.weights_digest);
  return ImportedLabels(std::move(state));
}

ImportedLabels ImportedLabels::read(const std::filesystem::path& path) {
  auto state = std::make_unique<State>(Database(path, OpenMode::kRead), false);
  state->identity = check_imported_schema(state->database);
  return ImportedLabels(std::move(state));
}

ImportedLabels::ImportedLabels(std::unique_ptr<State> state) : state_(std::move(state)) {}
ImportedLabels::~ImportedLabels() = default;
ImportedLabels::ImportedLabels(ImportedLabels&&) noexcept = default;
ImportedLabels& ImportedLabels::operator=(ImportedLabels&&) noexcept = default;

const std::filesystem::path& ImportedLabels::path() const {
  return state_->database.path();
}
const ImportedIdentity& ImportedLabels::identity() const {
  return state_->identity;
}

void ImportedLabels::State::require_writable() const {
  if (writable) return;
  throw core::Error(fmt::format("{}: opened for reading, so that nothing can be recorded", database.path().string()));
}

std::int64_t ImportedLabels::State::source_key(const std::string& sha256) {
  Statement query(database, "SELECT key FROM sources WHERE sha256 = ?", kImporting);
  query.bind(1, std::string_view(sha256));
  if (!query.next()) {
    throw core::Error(
        fmt::format("{}: source {}: not registered: call source() first", database.path().string(), sha256));
  }
  return query.integer(0);
}

ImportedSource ImportedLabels::source(const std::string& name, const std::string& sha256, const std::string& joined) {
  state_->require_writable();
  Transaction transaction(state_->database, kImporting);
  Statement(state_->database, "INSERT OR IGNORE INTO sources VALUES (NULL, ?, ?, ?, 0, 0, 0, 0)", kImporting)
      .bind(1, std::string_view(name))
      .bind(2, std::string_view(sha256))
      .bind(3, std::string_view(joined))
      .run();
  Statement query(state_->database, std::string(kSources) + " WHERE sha256 = ?", kImporting);
  query.bind(1, std::string_view(sha256));
  if (!query.next()) state_->database.fail(kImporting);
  ImportedSource found = source_row(query);
  const bool same = query.text(7) == joined;
  query.reset();
  if (!same) {
    throw core::UsageError(
        fmt::format("{}: {}: imported before with other data or another split: expected the same (--data, --split), "
                    "found others. Import it into a new file (--out)",
                    state_->database.path().string(), name));
  }
  transaction.commit();
  return found;
}

void ImportedLabels::add(const ImportedSource& source, std::span<const ImportedSample> samples) {
  state_->require_writable();
  if (!state_->recording) state_->recording = std::make_unique<State::Recording>(state_->database);
  try {
    Transaction transaction(state_->database, kImporting);
    const std::int64_t key = state_->source_key(source.sha256);
    SampleRecorder recorder(*state_, key);
    for (const ImportedSample& sample : samples) recorder.take(sample);
    state_->recording->count.bind(1, static_cast<std::int64_t>(samples.size())).bind(2, recorder.programs);
    state_->recording->count.bind(3, recorder.duplicates).bind(4, key).run();
    transaction.commit();
  } catch (...) {
    state_->program_keys.clear();  // some were rolled back
    throw;
  }
}

void ImportedLabels::complete(const ImportedSource& source, std::span<const ImportProblem> problems) {
  state_->require_writable();
  if (!state_->recording) state_->recording = std::make_unique<State::Recording>(state_->database);
  Transaction transaction(state_->database, kImporting);
  const std::int64_t key = state_->source_key(source.sha256);
  SampleRecorder recorder(*state_, key);
  for (const ImportProblem& problem : problems) recorder.add(problem);
  Statement(state_->database, "UPDATE sources SET complete = 1 WHERE key = ?", kImporting).bind(1, key).run();
  transaction.commit();
}

std::vector<ImportedSource> ImportedLabels::sources() const {
  Statement query(state_->database, std::string(kSources) + " ORDER BY key", "reading its sources");
  std::vector<ImportedSource> sources;
  while (query.next()) sources.push_back(source_row(query));
  return sources;
}

}  // namespace polar::labels
