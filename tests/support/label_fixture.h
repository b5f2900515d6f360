#pragma once
// A small label store's content: examples, identity and rounds of arbitrary outcomes.

#include <string>
#include <utility>
#include <vector>

#include "core/program.h"
#include "labels/label_store.h"
#include "support/fake_evaluator.h"
#include "support/temporary_folder.h"

namespace polar::test {

inline labels::StoreIdentity some_identity() {
  return {"w1", "pool A", "t1", "sums", "numeric:first", "cpu bf16"};
}
inline labels::SearchSettings some_settings() {
  return {"rollouts 24\nspace default", "verdict", 7};
}

inline std::vector<labels::StoredExample> some_examples() {
  return {{"a", labels::Split::kTrain, "sums"},
          {"a b", labels::Split::kTrain, "products"},
          {"c", labels::Split::kValid, "sums"}};
}

/// One round of an example's search, and the outcomes.
struct Round {
  std::string example;
  int number = 0;
  std::vector<search::Trial> trials;
  std::vector<search::Outcome> outcomes;
};

/// Rounds of `size` distinct programs of ten layers, for every example of some_examples(), round by round.
inline std::vector<Round> some_rounds(int rounds = 3, int size = 4) {
  std::vector<Round> all;
  for (int number = 0; number < rounds; ++number) {
    for (const labels::StoredExample& example : some_examples()) {
      Round round{example.id, number, {}, {}};
      for (int i = 0; i < size; ++i) {
        const auto layer = static_cast<core::Program::Layer>(number * size + i);
        round.trials.push_back({example.id, core::Program(std::vector<core::Program::Layer>{0, 1, layer, 9}), {}});
        round.outcomes.push_back(arbitrary_outcome(round.trials.back(), 0.4));
      }
      all.push_back(std::move(round));
    }
  }
  return all;
}

inline void record_all(labels::LabelStore& store, const std::vector<Round>& rounds) {
  store.add_examples(some_examples());
  for (const Round& round : rounds) store.record(round.example, round.number, round.trials, round.outcomes);
}

/// Digests of a store that recorded these rounds undisturbed.
inline labels::LabelDigests undisturbed_digests(const std::vector<Round>& rounds) {
  const TemporaryFolder folder;
  const labels::RunLock lock(folder.path());
  labels::LabelStore store = labels::LabelStore::open(lock, "labels.sqlite", some_identity(), some_settings());
  record_all(store, rounds);
  return store.digests();
}

}  // namespace polar::test
