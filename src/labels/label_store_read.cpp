// Reading: examples, trials, counts and digests.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/digest.h"
#include "core/error.h"
#include "labels/label_store.h"
#include "labels/label_store_state.h"

namespace polar::labels {
namespace {

std::vector<StoredExample> collect_examples(Statement& query) {
  std::vector<StoredExample> examples;
  while (query.next()) examples.push_back({query.text(0), split_of(query.text(1)), query.text(2)});
  return examples;
}

std::string digest_header(const StoreIdentity& identity, const SearchSettings& settings, const char* name) {
  return fmt::format(
      "polar labels {} "
      "1\nweights\t{}\ntask\t{}\ngrader\t{}\nstop_rule\t{}\nroot_seed\t{}\nsettings\t{}\nfingerprint\t{}\n",
      name, identity.weights_digest, identity.task_digest, identity.grader, settings.stop_rule, settings.root_seed,
      settings.digest(), identity.fingerprint);
}

/// Both lines of a trial at once: the verdict's is the beginning of the exact one, so that one order serves both.
struct DigestLine {
  std::string exact;
  std::size_t verdict_size = 0;
};

void add_lines(std::vector<DigestLine>& lines, core::Digest& verdicts, core::Digest& exact) {
  std::sort(lines.begin(), lines.end(), [](const DigestLine& a, const DigestLine& b) { return a.exact < b.exact; });
  for (const DigestLine& line : lines) {
    verdicts.update(std::string_view(line.exact).substr(0, line.verdict_size)).update("\n");
    exact.update(line.exact).update("\n");
  }
  lines.clear();
}

}  // namespace

Split split_of(std::string_view text) {
  if (text == "train") return Split::kTrain;
  return text == "valid" ? Split::kValid : Split::kTest;
}

core::Program program_of(const Database& database, const std::string& text) {
  try {
    return core::Program::parse(text);
  } catch (const core::Error& error) {
    throw core::Error(
        fmt::format("{}: table programs: '{}' is not a program: {}. The file is damaged: restore a copy, or move it "
                    "away and search again",
                    database.path().string(), text, error.what()));
  }
}

std::string hexadecimal(double value) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::hex).ptr;
  return {text, end};
}

std::vector<StoredTrial> collect_trials(const Database& database, Statement& query, const task::ExampleId& example) {
  std::vector<StoredTrial> trials;
  while (query.next()) {
    StoredTrial& row = trials.emplace_back();
    row.round = static_cast<int>(query.integer(0));
    row.trial = {example, program_of(database, query.text(1)), {query.real(2), static_cast<int>(query.integer(3))}};
    row.outcome.correct = query.integer(4) != 0;
    row.outcome.answer_log_prob = query.real(5);
    row.outcome.answer_tokens = static_cast<int>(query.integer(6));
    row.outcome.margin = query.real(7);
    row.outcome.layers = static_cast<int>(query.integer(8));
    row.outcome.answer = query.text(9);
    row.outcome.answer_final = query.integer(10) != 0;
  }
  return trials;
}

SearchState LabelStore::state(const task::ExampleId& example) const {
  Statement query(
      state_->database,
      "SELECT searches.rounds, searches.state = 'done' FROM searches JOIN examples ON examples.key = searches.example "
      "WHERE searches.settings = ? AND examples.id = ?",
      "reading a search's state");
  query.bind(1, state_->settings_key).bind(2, std::string_view(example));
  if (!query.next()) return {};
  return {static_cast<int>(query.integer(0)), query.integer(1) != 0};
}

std::vector<StoredExample> LabelStore::examples(std::optional<Split> split) const {
  Statement query(state_->database, "SELECT id, split, level FROM examples WHERE ?1 = '' OR split = ?1 ORDER BY id",
                  "reading its examples");
  query.bind(1, split ? to_string(*split) : std::string_view());
  return collect_examples(query);
}

std::vector<StoredExample> LabelStore::registered_examples() const {
  Statement query(state_->database, "SELECT id, split, level FROM examples ORDER BY key", "reading its examples");
  return collect_examples(query);
}

std::vector<StoredTrial> LabelStore::trials(const task::ExampleId& example) const {
  Statement query(
      state_->database,
      fmt::format("SELECT {} FROM examples JOIN searches ON searches.example = examples.key "
                  "JOIN trials ON trials.search = searches.key JOIN programs ON programs.key = trials.program "
                  "WHERE examples.id = ? AND searches.settings = ? ORDER BY trials.round, trials.position",
                  kTrialColumns),
      "reading an example's trials");
  query.bind(1, std::string_view(example)).bind(2, state_->settings_key);
  return collect_trials(state_->database, query, example);
}

std::vector<search::RecordedTrial> LabelStore::valid_programs(const task::ExampleId& example) const {
  std::vector<search::RecordedTrial> valid;
  for (StoredTrial& row : trials(example)) {
    if (!row.outcome.correct || row.trial.sample.temperature != 0) continue;
    valid.push_back({std::move(row.trial.program), std::move(row.outcome), row.round});
  }
  std::sort(valid.begin(), valid.end(), search::more_optimal);
  const auto same = [](const search::RecordedTrial& a, const search::RecordedTrial& b) {
    return a.program == b.program;
  };
  valid.erase(std::unique(valid.begin(), valid.end(), same), valid.end());
  return valid;
}

std::vector<StoredTrial> LabelStore::reusable_trials(const task::ExampleId& example) const {
  Statement query(
      state_->database,
      fmt::format("SELECT {} FROM settings AS current JOIN settings AS other "
                  "ON other.fingerprint = current.fingerprint AND other.stop_rule = current.stop_rule "
                  "JOIN examples ON examples.id = ?2 "
                  "JOIN searches ON searches.example = examples.key AND searches.settings = other.key "
                  "JOIN trials ON trials.search = searches.key JOIN programs ON programs.key = trials.program "
                  "WHERE current.key = ?1 AND (trials.temperature = 0 OR other.root_seed = current.root_seed) "
                  "ORDER BY searches.key, trials.round, trials.position",
                  kTrialColumns),
      "reading an example's recorded outcomes");
  query.bind(1, state_->settings_key).bind(2, std::string_view(example));
  return collect_trials(state_->database, query, example);
}

LabelDigests LabelStore::digests() const {
  core::Digest verdicts, exact;
  verdicts.update(digest_header(state_->identity, state_->settings, "verdicts"));
  exact.update(digest_header(state_->identity, state_->settings, "exact"));
  // Ids hold nothing below the tab that ends them in a line, so that ordering by id orders the lines of different
  // examples.
  Statement query(
      state_->database,
      "SELECT examples.id, programs.text, temperature, sample, correct, answer_log_prob, margin FROM examples "
      "JOIN searches ON searches.example = examples.key AND searches.settings = ? "
      "JOIN trials ON trials.search = searches.key JOIN programs ON programs.key = trials.program "
      "ORDER BY examples.id",
      "computing its digests");
  query.bind(1, state_->settings_key);
  LabelDigests result;
  std::vector<DigestLine> lines;
  std::string current;
  for (; query.next(); ++result.trials) {
    std::string id = query.text(0);
    if (id != current) add_lines(lines, verdicts, exact);
    DigestLine line;
    line.exact = fmt::format("{}\t{}\t{}#{}\t{}", id, query.text(1), query.real(2), query.integer(3), query.integer(4));
    line.verdict_size = line.exact.size();
    line.exact += fmt::format("\t{}\t{}", hexadecimal(query.real(5)), hexadecimal(query.real(6)));
    lines.push_back(std::move(line));
    current = std::move(id);
  }
  add_lines(lines, verdicts, exact);
  result.verdicts = verdicts.finish();
  result.exact = exact.finish();
  return result;
}

void LabelStore::require_trainable() const {
  const bool has_test = !examples(Split::kTest).empty();
  if (state_->kind == StoreKind::kLabels && !has_test) return;
  throw core::Error(
      fmt::format("{}: {}. Training and selection may read labels of train and validation examples only: name the "
                  "run's labels.sqlite",
                  path().string(), has_test ? "holds examples tagged test" : "is an oracle's store"));
}

}  // namespace polar::labels
