#pragma once
// Writing labels as merged_mcts_samples.json (method.md, 7), for others to read.

#include <cstdint>
#include <filesystem>
#include <span>

#include "labels/imported_labels.h"
#include "labels/label_store.h"
#include "task/example.h"

namespace polar::labels {

struct ExportReport {
  std::int64_t samples = 0, programs = 0;
  std::int64_t examples_left_out = 0;  ///< without any greedy trial
  std::int64_t sampled_left_out = 0;   ///< trials at a temperature, which the form has no place for
};

/// Writes {"samples": […]}, compressed when the name ends in ".gz", replacing the file atomically; one sample an
/// example of the current search, in order of registration: question, gt_ans, initial_score (of the identity; null when
/// it was not run), final_valid_transitions (most optimal first), final_invalid_transitions (in recorded order), and
/// id, split and level. A program run twice stands once. `data` holds question and answer of every exported example.
/// Throws Error naming an example it lacks, or whose text is not UTF-8, and as GzipWriter does.
ExportReport export_labels(const LabelStore& store, std::span<const task::Example> data,
                           const std::filesystem::path& path);

/// The same of imported labels, which hold the text themselves; programs from the smaller to the larger.
ExportReport export_labels(const ImportedLabels& labels, const std::filesystem::path& path);

}  // namespace polar::labels
