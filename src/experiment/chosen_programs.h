#pragma once
// What training learns from.

#include <vector>

#include "core/program.h"
#include "labels/label_store.h"
#include "search/options.h"
#include "search/result.h"
#include "search/space.h"

namespace polar::experiment {

/// Of the example's greedy trials (temperature 0) in the store, the valid programs that the objective asks for, without
/// those of an idle edit, in its order: what the search's own result chose (search::SearchResult::chosen), with the
/// `keep` of these options. Empty for an example without a valid program.
std::vector<search::RecordedTrial> chosen_trials(const labels::LabelStore& store, const task::ExampleId& example,
                                                 const search::SearchSpace& space,
                                                 const search::SearchOptions& options);

/// Their programs.
std::vector<core::Program> chosen_programs(const labels::LabelStore& store, const task::ExampleId& example,
                                           const search::SearchSpace& space, const search::SearchOptions& options);

}  // namespace polar::experiment
