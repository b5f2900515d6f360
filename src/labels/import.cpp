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
  core::Digest digest;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    questions_.emplace(rows[i].question, i);
    questions_.emplace(task::normalised_question(rows[i].question), i);
    ids_.emplace(rows[i].id, i);
    for (const std::string* text : {&rows[i].id, &rows[i].question, &rows[i].answer, &rows[i].level}) {
      digest.update(fmt::format("{} ", text->size())).update(*text);  // the size, so that texts cannot run together
    }
  }
  digest_ = digest.finish();
}

const task::Example* SampleJoin::by_question(const InterchangeSample& sample, std::string& reason) const {
  for (const std::string& question : {*sample.question, task::normalised_question(*sample.question)}) {
    const auto [first, last] = questions_.equal_range(question);
    if (first == last) continue;
    const task::Example* named = nullptr;
    for (const std::string& id : sample.ids) {
      const auto row = std::find_if(first, last, [&](const auto& entry) { return rows_[entry.second].id == id; });
      if (row == last) continue;
      if (named != nullptr && named->id != id) {
        reason = fmt::format("expected one row of this question, found the ids of '{}' and '{}'", named->id, id);
        return nullptr;
      }
      named = &rows_[row->second];
    }
    return named != nullptr ? named : &rows_[first->second];
  }
  reason = fmt::format("expected a question of the data, found '{}'", shortened(*sample.question, 80));
  return nullptr;
}

const task::Example* SampleJoin::by_ids(const InterchangeSample& sample, std::string& reason) const {
  const task::Example* named = nullptr;
  for (const std::string& id : sample.ids) {
    const auto found = ids_.find(id);
    if (found == ids_.end()) continue;
    if (named != nullptr && named->id != id) {
      reason = fmt::format("expected ids of one row of the data, found those of '{}' and '{}'", named->id, id);
      return nullptr;
    }
    named = &rows_[found->second];
  }
  if (named != nullptr) return named;
  if (sample.row && *sample.row >= 0 && *sample.row < static_cast<std::int64_t>(rows_.size())) {
    return &rows_[static_cast<std::size_t>(*sample.row)];
  }
  reason = sample.ids.empty()
               ? "expected a question or an id, found neither"
               : fmt::format("expected an id of the data, found '{}'", shortened(sample.ids.front(), 80));
  return nullptr;
}

const task::Example* SampleJoin::find_row(const InterchangeSample& sample, std::string& reason) const {
  return sample.question ? by_question(sample, reason) : by_ids(sample, reason);
}

std::optional<ImportedExample> SampleJoin::find(InterchangeSample& sample, std::optional<Split> asked) const {
  const auto complain = [&](const char* place, std::string reason) {
    sample.problems.push_back({sample.index, place, std::move(reason)});
  };
  const Split split = sample.split.value_or(asked.value_or(Split::kTrain));
  if (asked && split != *asked) {
    complain("split", fmt::format("expected '{}' as asked for (--split), found '{}'; the file's is kept",
                                  to_string(*asked), to_string(split)));
  }
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
    const char* what = sample.question ? "the data's is kept" : "so that the ids may be of other data";
    complain("answer", fmt::format("expected '{}' as in row '{}' of the data, found '{}'; {}", row->answer, row->id,
                                   *sample.answer, what));
    if (!sample.question) return std::nullopt;
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
  const std::string joined =
      core::sha256(fmt::format("{}\n{}", join.digest(), to_string(options.split.value_or(Split::kTrain))));
  ImportedSource source = labels.source(path.filename().string(), digest, joined);
  if (source.complete) return source;
  FileImport(labels, join, options, source).run(path);  // 2, 3
  return labels.source(path.filename().string(), digest, joined);
}

}  // namespace polar::labels
