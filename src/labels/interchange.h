#pragma once
// The authors' `merged_mcts_samples.json`, in every layout met in the wild (method.md, 7).

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/program.h"
#include "labels/label_types.h"

namespace polar::labels {

/// Something in a file that could not be taken as it stands. Nothing is dropped without one.
struct ImportProblem {
  std::int64_t sample = 0;  ///< position in the file, from 0; −1: the file as a whole
  std::string place;        ///< "final_valid_transitions[3]"
  std::string reason;       ///< "expected …, found …"
  friend bool operator==(const ImportProblem&, const ImportProblem&) = default;
};

/// "sample 7: final_valid_transitions[3]: expected …, found …"
std::string to_string(const ImportProblem& problem);

/// One sample, its aliases resolved.
struct InterchangeSample {
  std::int64_t index = 0;  ///< in the file, from 0
  std::optional<std::string> question, answer, level;
  std::optional<double> initial_score;  ///< of the identity
  std::optional<Split> split;           ///< nullopt: the file does not say
  std::string id;                       ///< the field `id`, which this project writes; empty: none
  /// id, query_id and global_idx, then sample_id and the key in an object of samples; as text. Numbers among the latter
  /// two are left out where one of the former is there, and in a shard that begins behind 0: shards may count anew.
  std::vector<std::string> ids;
  std::optional<std::int64_t> row;  ///< global_idx
  std::vector<core::Program> valid, invalid;
  std::vector<ImportProblem> problems;
};

/// Whether a sample's initial score says that the identity was right. A majority counts, as scores may be means of
/// runs.
inline bool is_correct(double initial_score) {
  return initial_score > 0.5;
}

/// The text, or its first `bytes` bytes, less a character that they would cut, and "...".
std::string shortened(const std::string& text, std::size_t bytes);

struct InterchangeSummary {
  std::int64_t samples = 0;
  std::vector<ImportProblem> problems;  ///< of the file as a whole
};

/// Reads a file in constant memory and hands over sample after sample. Read are:
/// - an object with "samples" (a list, or an object of samples), a list of samples, an object of samples; also gzip
/// - question | sample_info.question; gt_ans | ground_truth | answer | sample_info.ground_truth | sample_info.answer;
///   initial_score | initial_transition_metric | evaluation_result.initial_score (a number or truth value)
/// - split ("train", "valid" or "test": another one throws Error), level, id, query_id, global_idx, sample_id
/// - final_valid_transitions | valid_transitions and final_invalid_transitions | invalid_transitions: lists of
///   programs, each a list of layers or {"path": list of layers}. Where both names are there with other
///   content, the programs of both are taken, with a problem
/// In an object without "samples" whatever has no program list is no sample, but a problem of the file.
/// A program that is empty, too long, no list of integers or outside 0 … depth − 1, a field of another type, and a
/// sample that is no object or holds no program list become problems of their sample. A file named `{start}_{end}.json`
/// (or .json.gz) is expected to hold end − start samples; another number is a problem of the file. Throws Error naming
/// the file for what is unreadable, no JSON, cut short or of none of the layouts, and sample and word for a split that
/// is none; samples before that were handed over.
InterchangeSummary read_interchange(const std::filesystem::path& path, int depth,
                                    const std::function<void(InterchangeSample&&)>& take);

}  // namespace polar::labels
