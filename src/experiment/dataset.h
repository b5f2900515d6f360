#pragma once
// The data of a run as its configuration describes it.

#include <span>
#include <string>
#include <vector>

#include "experiment/config.h"
#include "task/splits.h"
#include "task/task.h"

namespace polar::experiment {

struct RunData {
  task::TaskSpec task;
  task::Dataset dataset;
};

/// Generates or reads the splits. Throws as make_arithmetic_dataset, make_jsonl_dataset and refuse_leakage do, and
/// core::Error for a split without examples.
RunData make_data(const Config& config);

/// What is searched for labels: train, then validation.
std::vector<task::Example> labelled_examples(const task::Dataset& dataset);

/// The task as an out-of-distribution set sees it: with the set's own template, if it has one.
task::TaskSpec task_of(const task::TaskSpec& task, const task::NamedSplit& split);

struct LevelledId {
  task::ExampleId id;
  std::string level;
};

/// Of every level `count` examples (0: all) after the `first` ones, as a hash of purpose and id draws them, so that a
/// few stand for all: their places, ascending. Slices of one purpose that do not overlap share no example.
std::vector<std::size_t> slice_of_levels(std::span<const LevelledId> examples, int first, int count,
                                         std::string_view purpose);
/// The examples at those places.
std::vector<task::Example> slice_levels(std::span<const task::Example> examples, int first, int count,
                                        std::string_view purpose = "slice");

/// Whether the search is transfer, which finds the programs that it starts from on a pilot: no file names them.
bool has_pilot(const SearchConfig& search);

/// The examples of train that the pilot searches; none without one.
std::vector<task::Example> pilot_examples(const Config& config, const task::Dataset& dataset);

/// Of every level the first part of such a slice, `share` of its examples, rounded up: those of a smaller share are
/// among those of a larger one.
std::vector<task::Example> share_of_levels(std::span<const task::Example> examples, double share);

/// SHA-256 over the task and the id, question and answer of every example, in order: what outcomes on them depend on.
std::string data_digest(const task::TaskSpec& task, std::span<const task::Example> examples);

/// One line a level: population, distinct problems, what each split took, and which ran out; then the same of every
/// out-of-distribution set.
std::string describe(const task::Dataset& dataset);

}  // namespace polar::experiment
