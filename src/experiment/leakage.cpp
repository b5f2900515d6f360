#include "experiment/leakage.h"

#include <fmt/format.h>

#include <span>
#include <string>
#include <vector>

#include "core/error.h"

namespace polar::experiment {
namespace {

/// Examples, and what messages call them.
struct NamedExamples {
  std::string name;
  std::span<const task::Example> examples;
};

void refuse_shared(const NamedExamples& known, const NamedExamples& evaluated) {
  const std::vector<task::Overlap> overlaps = task::find_overlap(known.examples, evaluated.examples);
  if (overlaps.empty()) return;
  const task::Overlap& first = overlaps.front();
  throw core::Error(
      fmt::format("leakage: expected no example of {} among those of {}, found {}, first '{}', which is '{}' there "
                  "(same {}); remove them from one of the two",
                  evaluated.name, known.name, overlaps.size(), first.b, first.a, to_string(first.kind)));
}

void refuse_evaluated(const NamedExamples& known, const task::Dataset& dataset) {
  refuse_shared(known, {"test", dataset.test});
  for (const task::NamedSplit& split : dataset.ood) refuse_shared(known, {split.name, split.examples});
}

/// The store's examples of a split, by id alone: it holds no questions.
std::vector<task::Example> stored_examples(const labels::LabelStore& store, labels::Split split) {
  std::vector<task::Example> examples;
  for (const labels::StoredExample& stored : store.examples(split)) examples.emplace_back().id = stored.id;
  return examples;
}

}  // namespace

void refuse_leakage(const task::Dataset& dataset) {
  refuse_evaluated({"train", dataset.train}, dataset);
  refuse_evaluated({"validation", dataset.valid}, dataset);
}

void refuse_leakage(const task::Dataset& dataset, const labels::LabelStore& store) {
  store.require_trainable();
  for (const labels::Split split : {labels::Split::kTrain, labels::Split::kValid}) {
    const std::vector<task::Example> examples = stored_examples(store, split);
    refuse_evaluated({fmt::format("{}, tagged {}", store.path().string(), to_string(split)), examples}, dataset);
  }
}

}  // namespace polar::experiment
