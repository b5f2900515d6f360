#pragma once
// Importing files of merged_mcts_samples.json's kind: which example each sample is, and recording what it says.

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "labels/imported_labels.h"
#include "labels/interchange.h"
#include "task/example.h"

namespace polar::labels {

/// Finds the data set's row of a sample:
///   - by its question, as it stands, else normalised (task::normalised_question); of several such rows the one that
///     its ids name, else the first
///   - a sample without a question by the row that its ids name, else by global_idx as the row's position from 0
/// Ids that name different rows name none. The rows must outlive it.
class SampleJoin {
 public:
  explicit SampleJoin(std::span<const task::Example> rows);

  /// The sample's example; its answer and level are the row's. Its split is the sample's, else `split`, else train;
  /// sample and `split` saying different ones is a problem. Without any rows the sample must bring question and answer,
  /// and is named by its field `id`, or after its question's digest. nullopt, with a problem, when there is no such row
  /// or text, and when a row found without a question has another answer; with a question that is only a problem.
  std::optional<ImportedExample> find(InterchangeSample& sample, std::optional<Split> split = std::nullopt) const;

  /// SHA-256 over id, question, answer and level of the rows, in order.
  const std::string& digest() const { return digest_; }

 private:
  const task::Example* find_row(const InterchangeSample& sample, std::string& reason) const;
  const task::Example* by_question(const InterchangeSample& sample, std::string& reason) const;
  const task::Example* by_ids(const InterchangeSample& sample, std::string& reason) const;

  std::span<const task::Example> rows_;
  std::multimap<std::string, std::size_t, std::less<>> questions_;  ///< verbatim and normalised
  std::map<std::string, std::size_t, std::less<>> ids_;
  std::string digest_;
};

struct ImportOptions {
  std::optional<Split> split = std::nullopt;  ///< of the samples that name none; nullopt: train
  int programs_per_transaction = 20000;
  std::function<void(const ImportProblem&)> on_problem = {};  ///< as they are met; may be empty
  const std::atomic<bool>* stop = nullptr;                    ///< ends with core::Interrupted; may be null
};

/// Imports one file:
///   1. take its digest; a file imported to its end is left alone, one begun goes on after its last recorded sample;
///      with other rows or another split both throw core::UsageError
///   2. read sample after sample, join it and record it, many a transaction
///   3. mark it complete
/// Returns what the store says of it. Programs valid and invalid at once, unparsable ones and unknown samples are
/// recorded as problems. Killed at any moment, the same call ends with the same digest and counts.
ImportedSource import_file(ImportedLabels& labels, const std::filesystem::path& path, const SampleJoin& join,
                           const ImportOptions& options = {});

}  // namespace polar::labels
