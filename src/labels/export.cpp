#include "labels/export.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/error.h"
#include "labels/gzip.h"

namespace polar::labels {
namespace {

using nlohmann::ordered_json;

struct ExportedSample {
  const StoredExample& example;
  const std::string &question, &answer;
  std::optional<double> initial_score;
  std::vector<core::Program> valid, invalid;
};

class SampleWriter {
 public:
  explicit SampleWriter(const std::filesystem::path& path) : path_(path), file_(path) {
    file_.write("{\"samples\": [");
  }

  void write(const ExportedSample& sample) {
    ordered_json row = {{"id", sample.example.id},
                        {"split", to_string(sample.example.split)},
                        {"level", sample.example.level},
                        {"question", sample.question},
                        {"gt_ans", sample.answer}};
    row["initial_score"] = sample.initial_score ? ordered_json(*sample.initial_score) : ordered_json();
    row["final_valid_transitions"] = lists(sample.valid);
    row["final_invalid_transitions"] = lists(sample.invalid);
    file_.write(report_.samples == 0 ? "\n" : ",\n");
    try {
      file_.write(row.dump());
    } catch (const ordered_json::exception& error) {
      throw core::Error(fmt::format("{}: example '{}': expected valid UTF-8, found other bytes ({}): mend the text",
                                    path_.string(), sample.example.id, error.what()));
    }
    ++report_.samples;
    report_.programs += static_cast<std::int64_t>(sample.valid.size() + sample.invalid.size());
  }

  ExportReport finish() {
    file_.write("\n]}\n");
    file_.finish();
    return report_;
  }
  ExportReport& report() { return report_; }

 private:
  static ordered_json lists(const std::vector<core::Program>& programs) {
    ordered_json all = ordered_json::array();
    for (const core::Program& program : programs) {
      all.push_back(std::vector<core::Program::Layer>(program.layers().begin(), program.layers().end()));
    }
    return all;
  }

  const std::filesystem::path& path_;
  GzipWriter file_;
  ExportReport report_;
};

/// Splits the greedy trials of an example by verdict, each program once.
void sort_trials(const LabelStore& store, const core::Program& identity, ExportedSample& sample, ExportReport& report) {
  for (search::RecordedTrial& trial : store.valid_programs(sample.example.id)) {
    sample.valid.push_back(std::move(trial.program));
  }
  std::unordered_set<core::Program> seen(sample.valid.begin(), sample.valid.end());
  for (StoredTrial& row : store.trials(sample.example.id)) {
    if (row.trial.sample.temperature != 0) {
      ++report.sampled_left_out;
      continue;
    }
    if (row.trial.program == identity) sample.initial_score = row.outcome.correct ? 1 : 0;
    if (seen.insert(row.trial.program).second) sample.invalid.push_back(std::move(row.trial.program));
  }
}

}  // namespace

ExportReport export_labels(const LabelStore& store, std::span<const task::Example> data,
                           const std::filesystem::path& path) {
  std::unordered_map<std::string_view, const task::Example*> rows;
  for (const task::Example& row : data) rows.emplace(row.id, &row);
  const core::Program identity = store.depth() > 0 ? core::Program::identity(store.depth()) : core::Program();
  SampleWriter writer(path);
  for (const StoredExample& example : store.registered_examples()) {
    const auto row = rows.find(example.id);
    if (row == rows.end()) {
      throw core::Error(
          fmt::format("{}: example '{}': expected its question in the data, found none: name the "
                      "configuration that the labels were made with",
                      store.path().string(), example.id));
    }
    ExportedSample sample{example, row->second->question, row->second->answer, std::nullopt, {}, {}};
    sort_trials(store, identity, sample, writer.report());
    if (sample.valid.empty() && sample.invalid.empty()) {
      ++writer.report().examples_left_out;
    } else {
      writer.write(sample);
    }
  }
  return writer.finish();
}

ExportReport export_labels(const ImportedLabels& labels, const std::filesystem::path& path) {
  SampleWriter writer(path);
  for (const ImportedExample& example : labels.examples()) {
    ExportedSample sample{example.example, example.question, example.answer, example.initial_score, {}, {}};
    for (ImportedTrial& trial : labels.trials(example.example.id)) {
      (trial.correct ? sample.valid : sample.invalid).push_back(std::move(trial.program));
    }
    writer.write(sample);
  }
  return writer.finish();
}

}  // namespace polar::labels
