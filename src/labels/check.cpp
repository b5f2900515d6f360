#include "labels/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <unordered_map>

#include "core/digest.h"
#include "core/error.h"
#include "core/program.h"
#include "labels/imported_state.h"
#include "labels/label_source.h"
#include "labels/schema.h"
#include "labels/sqlite.h"

namespace polar::labels {
namespace {

constexpr const char* kChecking = "checking it";

class StoreCheck {
 public:
  StoreCheck(Database& database, const std::function<void(const std::string&)>& on_problem)
      : database_(database), on_problem_(on_problem) {}

  int run(bool imported) {
    try {
      check_file();
      if (problems_ > 0) return problems_;  // rows of a damaged file say nothing
      check_programs();
      imported ? check_imported() : check_searches();
    } catch (const core::Error& error) {
      complain(error.what());
    }
    return problems_;
  }

 private:
  void complain(const std::string& problem) {
    ++problems_;
    if (on_problem_) on_problem_(problem);
  }

  /// 1.
  void check_file() {
    Statement quick(database_, "PRAGMA integrity_check", kChecking);
    while (quick.next()) {
      if (quick.text(0) != "ok") complain("file: " + quick.text(0));
    }
    Statement keys(database_, "PRAGMA foreign_key_check", kChecking);
    while (keys.next()) {
      complain(fmt::format("table {}: expected a row of {} for each reference, found none for one (row {})",
                           keys.text(0), keys.text(2), keys.is_null(1) ? "without number" : keys.text(1)));
    }
  }

  /// 2.
  void check_programs() {
    Statement query(database_, "SELECT key, text FROM programs", kChecking);
    while (query.next()) {
      const std::string text = query.text(1);
      try {
        const core::Program program = core::Program::parse(text);
        lengths_.emplace(query.integer(0), program.length());
        if (program.text() == text) continue;
        complain(fmt::format("programs: row {}: expected the canonical notation '{}', found '{}'", query.integer(0),
                             program.text(), text));
      } catch (const core::Error& error) {
        complain(
            fmt::format("programs: row {}: expected a program, found '{}': {}", query.integer(0), text, error.what()));
      }
    }
  }

  /// 0 where the text is no program, which was said by then.
  int length_of(std::int64_t program) const {
    const auto length = lengths_.find(program);
    return length == lengths_.end() ? 0 : length->second;
  }

  /// 3., and 4. for searches.
  void check_searches() {
    check_rounds();
    check_contradictions();
    check_settings();
    check_splits();
  }

  /// Where the reading of a search's trials has come to.
  struct Cursor {
    std::int64_t search = 0, rounds = 0, round = -1, position = -1;
    std::string example;
  };

  void check_rounds() {
    Statement query(database_,
                    "SELECT searches.key, examples.id, searches.rounds, trials.round, trials.position, trials.program, "
                    "trials.layers, trials.correct, trials.answer_final, trials.answer_log_prob, trials.answer_tokens "
                    "FROM searches LEFT JOIN examples ON examples.key = searches.example "
                    "LEFT JOIN trials ON trials.search = searches.key "
                    "ORDER BY searches.key, trials.round, trials.position",
                    kChecking);
    Cursor at;
    while (query.next()) {
      if (query.integer(0) != at.search) {
        end_search(at);
        at = {query.integer(0), query.integer(2), -1, -1, query.text(1)};
      }
      if (!query.is_null(3)) check_trial(at, query);  // NULL: a search without a trial
    }
    end_search(at);
  }

  void end_search(const Cursor& at) {
    if (at.search == 0 || at.round + 1 == at.rounds) return;
    complain(fmt::format("searches: example '{}': expected {} rounds, found {}", at.example, at.rounds, at.round + 1));
  }

  void check_trial(Cursor& at, const Statement& row) {
    const std::int64_t round = row.integer(3), position = row.integer(4);
    const bool follows = round == at.round ? position == at.position + 1 : round == at.round + 1 && position == 0;
    const auto where = [&] {
      return fmt::format("trials: example '{}', round {}, position {}", at.example, round, position);
    };
    if (!follows) {
      complain(fmt::format("{}: expected no gap after round {}, position {}", where(), at.round, at.position));
    }
    at.round = round;
    at.position = position;
    if (const int length = length_of(row.integer(5)); length > 0 && length != row.integer(6)) {
      complain(fmt::format("{}: layers: expected {}, the program's length, found {}", where(), length, row.integer(6)));
    }
    const auto is_verdict = [&](int column) { return row.integer(column) == 0 || row.integer(column) == 1; };
    if (!is_verdict(7)) complain(fmt::format("{}: correct: expected 0 or 1, found {}", where(), row.integer(7)));
    if (!is_verdict(8)) complain(fmt::format("{}: answer_final: expected 0 or 1, found {}", where(), row.integer(8)));
    if (row.real(9) > 0) {
      complain(fmt::format("{}: answer_log_prob: expected at most 0, found {}", where(), row.real(9)));
    }
    if (row.integer(10) < 1) {
      complain(fmt::format("{}: answer_tokens: expected at least 1, found {}", where(), row.integer(10)));
    }
  }

  /// 4. Sampled answers depend on the root seed too.
  void check_contradictions() {
    Statement query(
        database_,
        "SELECT examples.id, programs.text, settings.stop_rule FROM trials "
        "JOIN searches ON searches.key = trials.search JOIN settings ON settings.key = searches.settings "
        "JOIN examples ON examples.key = searches.example JOIN programs ON programs.key = trials.program "
        "GROUP BY searches.example, trials.program, trials.temperature, trials.sample, settings.fingerprint, "
        "settings.stop_rule, CASE WHEN trials.temperature = 0 THEN '' ELSE settings.root_seed END "
        "HAVING MIN(correct) <> MAX(correct) OR MIN(answer_log_prob) <> MAX(answer_log_prob) "
        "OR MIN(margin) <> MAX(margin)",
        kChecking);
    while (query.next()) {
      complain(
          fmt::format("trials: example '{}', program {}: expected one outcome under one fingerprint and stop rule, "
                      "found several",
                      query.text(0), query.text(1)));
    }
  }

  void check_settings() {
    Statement query(database_, "SELECT key, digest, text FROM settings", kChecking);
    while (query.next()) {
      const std::string digest = core::sha256(query.text(2));
      if (digest == query.text(1)) continue;
      complain(fmt::format("settings: row {}: expected the digest {} of its text, found {}", query.integer(0), digest,
                           query.text(1)));
    }
  }

  void check_splits() {
    const bool oracle = stored_kind(database_) == "oracle";
    Statement query(database_, "SELECT id, split FROM examples WHERE (split = 'test') <> ?", kChecking);
    query.bind(1, oracle ? 1 : 0);
    while (query.next()) {
      complain(fmt::format("examples: '{}': expected {}, found split {}", query.text(0),
                           oracle ? "test examples only in an oracle store" : "no test example in a labels store",
                           query.text(1)));
    }
  }

  /// 3. and 4. of imported labels.
  void check_imported() {
    const int depth = check_imported_schema(database_).depth;
    check_imported_programs(depth);
    check_initial_scores(depth);
    Statement open(database_, "SELECT name, samples FROM sources WHERE NOT complete", kChecking);
    while (open.next()) {
      complain(fmt::format("sources: {}: expected to be read to its end, found {} samples of it: import it again",
                           open.text(0), open.integer(1)));
    }
  }

  void check_imported_programs(int depth) {
    Statement query(database_, "SELECT key, text, layers FROM programs", kChecking);
    while (query.next()) {
      const int length = length_of(query.integer(0));
      if (length == 0) continue;
      if (length != query.integer(2)) {
        complain(fmt::format("programs: {}: layers: expected {}, the program's length, found {}", query.text(1), length,
                             query.integer(2)));
      }
      const core::Program program = core::Program::parse(query.text(1));
      const auto highest = std::ranges::max(program.layers());
      if (highest < depth) continue;
      complain(fmt::format("programs: {}: expected layers from 0 to {}, found {}", query.text(1), depth - 1, highest));
    }
  }

  void check_initial_scores(int depth) {
    const std::string identity = core::Program::identity(depth).text();
    Statement query(
        database_,
        "SELECT examples.id, initial_score, correct FROM examples JOIN trials ON trials.example = examples.key "
        "JOIN programs ON programs.key = trials.program "
        "WHERE programs.text = ? AND initial_score IS NOT NULL AND (initial_score > 0.5) <> correct",
        kChecking);
    query.bind(1, std::string_view(identity));
    while (query.next()) {
      const bool valid = query.integer(2) != 0;
      complain(fmt::format(
          "trials: example '{}': the identity has an initial score of {}, expected it among the {} programs, found it "
          "among the {}",
          query.text(0), query.real(1), valid ? "invalid" : "valid", valid ? "valid" : "invalid"));
    }
  }

  Database& database_;
  const std::function<void(const std::string&)>& on_problem_;
  std::unordered_map<std::int64_t, int> lengths_;  ///< of the programs, by key
  int problems_ = 0;
};

}  // namespace

int check_labels(const std::filesystem::path& path, const std::function<void(const std::string&)>& on_problem) {
  const std::filesystem::path file = label_file(path);
  Database database(file, OpenMode::kRead);
  const bool imported = stored_kind(database) == kImportedKind;
  imported ? static_cast<void>(check_imported_schema(database)) : static_cast<void>(check_schema(database));
  return StoreCheck(database, on_problem).run(imported);
}

}  // namespace polar::labels
