#include "labels/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/digest.h"
#include "core/error.h"
#include "task/splits.h"

namespace polar::labels {
namespace {

constexpr std::size_t kSamplesPerTransaction = 2000;

/// What an example's id may be in the store; control characters would break lines of digests.
bool is_id(const std::string& text) {
  return !text.empty() && std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace

SampleJoin::SampleJoin(std::span<const task::Example> rows) : rows_(rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    questions_.emplace(rows[i].question, i);
    questions_.emplace(task::normalised_question(rows[i].question), i);
    ids_.emplace(rows[i].id, i);
  }
}

const task::Example* SampleJoin::by_question(const InterchangeSample& sample) const {
  for (const std::string& question : {*sample.question, task::normalised_question(*sample.question)}) {
    const auto [first, last] = questions_.equal_range(question);
    if (first == last) continue;
    for (auto row = first; row != last; ++row) {
      const task::Example& example = rows_[row->second];
      if (std::find(sample.ids.begin(), sample.ids.end(), example.id) != sample.ids.end()) return &example;
    }
    return &rows_[first->second];
  }
  return nullptr;
}

const task::Example* SampleJoin::find_row(const InterchangeSample& sample, std::string& reason) const {
  if (sample.question) {
    const task::Example* row = by_question(sample);
    if (row == nullptr)
      reason = fmt::format("expected a question of the data, found '{}'", sample.question->substr(0, 80));
    return row;
  }
  std::vector<std::string> ids = sample.ids;
  if (sample.row) ids.push_back(std::to_string(*sample.row));
  for (const std::string& id : ids) {
    if (const auto found = ids_.find(id); found != ids_.end()) return &rows_[found->second];
  }
  if (sample.row && *sample.row >= 0 && *sample.row < static_cast<std::int64_t>(rows_.size())) {
    return &rows_[static_cast<std::size_t>(*sample.row)];
  }
  reason = ids.empty() ? "expected a question or an id, found neither"
                       : fmt::format("expected an id of the data, found '{}'", ids.front());
  return nullptr;
}

std::optional<ImportedExample> SampleJoin::find(InterchangeSample& sample, Split split) const {
  const auto complain = [&](const char* place, std::string reason) {
    sample.problems.push_back({sample.index, place, std::move(reason)});
  };
  if (rows_.empty()) {
    if (!sample.question || !sample.answer) {
      complain("sample", "expected question and answer, since no data were given (--data), found no such texts");
      return std::nullopt;
    }
    // Other ids count from 0 in every shard.
    std::string id = is_id(sample.id) ? sample.id : "question-" + core::sha256(*sample.question).substr(0, 16);
    return ImportedExample{
        {id, split, sample.level.value_or("")}, *sample.question, *sample.answer, sample.initial_score};
  }
  std::string reason;
  const task::Example* row = find_row(sample, reason);
  if (row == nullptr) {
    complain("sample", reason);
    return std::nullopt;
  }
  if (sample.answer && *sample.answer != row->answer) {
    complain("answer", fmt::format("expected '{}' as in row '{}' of the data, found '{}'; the data's is kept",
                                   row->answer, row->id, *sample.answer));
  }
  return ImportedExample{{row->id, split, row->level}, row->question, row->answer, sample.initial_score};
}

namespace {

/// Steps 2 and 3 of import_file().
class FileImport {
 public:
  FileImport(ImportedLabels& labels, const SampleJoin& join, const ImportOptions& options, const ImportedSource& source)
      : labels_(labels), join_(join), options_(options), source_(source) {}

  void run(const std::filesystem::path& path) {
    const InterchangeSummary summary = read_interchange(
        path, labels_.identity().depth, [this](InterchangeSample&& sample) { take(std::move(sample)); });
    flush();
    labels_.complete(source_, summary.problems);
    for (const ImportProblem& problem : summary.problems) report(problem);
  }

 private:
  void take(InterchangeSample&& read) {
    if (read.index < source_.samples) return;  // recorded before the import was interrupted
    ImportedSample& sample = batch_.emplace_back();
    sample.index = read.index;
    sample.example = join_.find(read, options_.split);
    for (auto* programs : {&read.valid, &read.invalid}) {
      for (core::Program& program : *programs) sample.trials.push_back({std::move(program), programs == &read.valid});
    }
    if (!sample.example && !sample.trials.empty()) {
      read.problems.push_back(
          {read.index, "programs",
           fmt::format("{} programs were left out, because the sample is of no known example", sample.trials.size())});
      sample.trials.clear();
    }
    for (const ImportProblem& problem : read.problems) report(problem);
    sample.problems = std::move(read.problems);
    programs_ += static_cast<std::int64_t>(sample.trials.size());
    if (programs_ >= options_.programs_per_transaction || batch_.size() >= kSamplesPerTransaction) flush();
  }

  void flush() {
    labels_.add(source_, batch_);
    batch_.clear();
    programs_ = 0;
    if (options_.stop == nullptr || !options_.stop->load()) return;
    throw core::Interrupted("import interrupted: what was read is recorded, and the same command goes on from there");
  }

  void report(const ImportProblem& problem) const {
    if (options_.on_problem) options_.on_problem(problem);
  }

  ImportedLabels& labels_;
  const SampleJoin& join_;
  const ImportOptions& options_;
  const ImportedSource& source_;
  std::vector<ImportedSample> batch_;
  std::int64_t programs_ = 0;
};

}  // namespace

ImportedSource import_file(ImportedLabels& labels, const std::filesystem::path& path, const SampleJoin& join,
                           const ImportOptions& options) {
  const std::string digest = core::sha256_file(path);  // 1
  ImportedSource source = labels.source(path.filename().string(), digest);
  if (source.complete) return source;
  FileImport(labels, join, options, source).run(path);  // 2, 3
  return labels.source(path.filename().string(), digest);
}

}  // namespace polar::labels
