#include "labels/merge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/error.h"
#include "labels/label_store.h"
#include "support/faulty_vfs.h"
#include "support/killed.h"
#include "support/label_fixture.h"
#include "support/message_of.h"
#include "support/parts.h"

namespace polar::labels {
namespace {

using namespace polar::test;

constexpr const char* kMerged = "merged.sqlite";

class Merge : public ::testing::Test {
 protected:
  /// A shard that searched some of the examples, as far as its rounds go.
  std::filesystem::path shard(const std::string& name, const std::vector<std::string>& examples,
                              const std::vector<Round>& rounds = some_rounds(),
                              const StoreIdentity& identity = some_identity(),
                              const SearchSettings& settings = some_settings()) {
    LabelStore store = LabelStore::open(lock_, name, identity, settings, {.new_search = true});
    store.add_examples(some_examples());
    for (const Round& round : rounds) {
      if (std::find(examples.begin(), examples.end(), round.example) == examples.end()) continue;
      store.record(round.example, round.number, round.trials, round.outcomes);
    }
    for (const std::string& example : examples) store.mark_done(example);
    return folder_ / name;
  }
  std::vector<MergedShard> merge(const std::vector<std::filesystem::path>& shards, const MergeOptions& options = {}) {
    return merge_stores(lock_, kMerged, shards, options);
  }
  LabelStore merged() const { return LabelStore::read(folder_ / kMerged); }
  std::string refusal(const std::vector<std::filesystem::path>& shards) {
    return message_of<core::UsageError>([&] { merge(shards); });
  }

  TemporaryFolder folder_;
  RunLock lock_{folder_.path()};
};

TEST_F(Merge, GivesTheDigestsOfOneSearchOfEverythingWhateverTheOrder) {
  const LabelDigests expected = undisturbed_digests(some_rounds());
  const auto a = shard("a.sqlite", {"a", "c"}), b = shard("b.sqlite", {"a b"});
  const std::vector<MergedShard> report = merge({a, b});
  ASSERT_EQ(report.size(), 2u);
  EXPECT_EQ(std::pair(report[0].trials, report[0].added), (std::pair<std::int64_t, std::int64_t>(24, 24)));
  EXPECT_EQ(report[1].added, 12);
  EXPECT_EQ(merged().digests().exact, expected.exact);
  EXPECT_EQ(merged().registered_examples(), some_examples());
  for (const StoredExample& example : some_examples()) EXPECT_EQ(merged().state(example.id), (SearchState{3, true}));
  std::filesystem::remove(folder_ / kMerged);
  merge({b, a}, {.trials_per_transaction = 1});
  EXPECT_EQ(merged().digests().verdicts, expected.verdicts);
}

TEST_F(Merge, RepeatsWithoutAddingAndTakesTheLongerOfTwoSearches) {
  const auto shorter = shard("a.sqlite", {"a"}, some_rounds(1)), longer = shard("b.sqlite", {"a"}, some_rounds(3));
  merge({shorter});
  EXPECT_EQ(merge({shorter})[0].added, 0);
  const std::vector<MergedShard> report = merge({longer, shorter});
  EXPECT_EQ(report[0].added, 8);
  EXPECT_EQ(report[1].added, 0);
  EXPECT_EQ(merged().state("a").rounds, 3);
}

TEST_F(Merge, RefusesAnotherPoolTaskGraderOrKindAndNamesBothValues) {
  const auto first = shard("a.sqlite", {"a"});
  StoreIdentity other = some_identity();
  other.weights_digest = "w2";
  expect_parts(refusal({first, shard("weights.sqlite", {"a"}, some_rounds(), other)}),
               {"weights.sqlite", "pool weights", "a.sqlite has 'w1'", "'w2'"});
  other = some_identity();
  other.task_digest = "t2";
  expect_parts(refusal({first, shard("task.sqlite", {"a"}, some_rounds(), other)}), {"task", "'t1'", "'t2'"});
  other = some_identity();
  other.grader = "exact";
  expect_parts(refusal({first, shard("grader.sqlite", {"a"}, some_rounds(), other)}),
               {"grader", "'numeric:first'", "'exact'"});
  {
    LabelStore::open(lock_, "oracle.sqlite", some_identity(), some_settings(), {.kind = StoreKind::kOracle});
  }
  expect_parts(refusal({first, folder_ / "oracle.sqlite"}), {"kind of store", "'labels'", "'oracle'"});
  EXPECT_FALSE(std::filesystem::exists(folder_ / kMerged)) << "a refusal writes nothing";
  merge({first});
  expect_parts(refusal({folder_ / "weights.sqlite"}), {kMerged, "w1", "w2"});
}

TEST_F(Merge, KeepsOtherSearchesApartOnRequestOnly) {
  const auto first = shard("a.sqlite", {"a"});
  StoreIdentity identity = some_identity();
  identity.fingerprint = "cpu f32";
  const auto second = shard("b.sqlite", {"a"}, some_rounds(2), identity);
  expect_parts(refusal({first, second}), {"fingerprint", "'cpu bf16'", "'cpu f32'", "never mixed", "--new-search"});
  SearchSettings settings = some_settings();
  settings.text = "other";
  expect_parts(refusal({first, shard("c.sqlite", {"a"}, some_rounds(), some_identity(), settings)}),
               {"search settings"});
  settings = some_settings();
  settings.stop_rule = "answer";
  expect_parts(refusal({first, shard("d.sqlite", {"a"}, some_rounds(), some_identity(), settings)}), {"stop rule"});
  settings = some_settings();
  settings.root_seed = 9;
  expect_parts(refusal({first, shard("e.sqlite", {"a"}, some_rounds(), some_identity(), settings)}), {"root seed"});

  merge({first, second}, {.new_search = true});
  LabelStore store = merged();
  ASSERT_EQ(store.search_count(), 2);
  EXPECT_EQ(store.identity().fingerprint, "cpu f32");
  EXPECT_EQ(store.digests().exact, LabelStore::read(second).digests().exact);
  store.select_search(0);
  EXPECT_EQ(store.digests().exact, LabelStore::read(first).digests().exact);
}

TEST_F(Merge, RefusesAShardOfSeveralSearchesUnlessTheyAreKeptApart) {
  SearchSettings other = some_settings();
  other.root_seed = 9;
  shard("a.sqlite", {"a"});
  const auto both = shard("a.sqlite", {"a"}, some_rounds(1), some_identity(), other);
  expect_parts(refusal({both}), {"root seed", "'9'", "'7'", "--new-search"});
  merge({both}, {.new_search = true});
  EXPECT_EQ(merged().trial_count(), 16);
}

TEST_F(Merge, NamesATrialThatDiffersInABit) {
  std::vector<Round> rounds = some_rounds();
  const auto first = shard("a.sqlite", {"a"}, rounds);
  rounds[3].outcomes[1].margin = std::nextafter(rounds[3].outcomes[1].margin, 100.0);
  const auto second = shard("b.sqlite", {"a"}, rounds);
  expect_parts(message_of<core::Error>([&] { merge({first, second}); }),
               {"b.sqlite: while merging it", "round 1 of example 'a'", "trial 1", rounds[3].trials[1].program.text()});
  EXPECT_EQ(merged().digests().exact, LabelStore::read(first).digests().exact) << "what was merged before stays";
}

TEST_F(Merge, RefusesNothingAndItself) {
  EXPECT_THROW(merge({}), core::UsageError);
  const auto only = shard("a.sqlite", {"a"});
  merge({only});
  expect_parts(refusal({folder_ / kMerged}), {kMerged, "apart from its shards"});
  expect_parts(message_of<core::Error>([&] { merge({folder_ / "none.sqlite"}); }), {"none.sqlite", "no label store"});
}

TEST_F(Merge, KilledBeforeAnyStatementGoesOnToTheSameDigests) {
  const std::vector<std::filesystem::path> shards = {shard("x.sqlite", {"a", "c"}), shard("y.sqlite", {"a b", "a"})};
  const LabelDigests expected = undisturbed_digests(some_rounds());
  int killed = 0;
  for (long statements = 3; statements < 300; statements += 17) {
    const TemporaryFolder out;
    killed += is_killed([&] {
      KillBeforeStatement::arm(statements);
      const RunLock lock(out.path());
      merge_stores(lock, kMerged, shards, {.trials_per_transaction = 8});
    });
    const RunLock lock(out.path());
    merge_stores(lock, kMerged, shards, {.trials_per_transaction = 8});
    EXPECT_EQ(LabelStore::read(out / kMerged).digests().exact, expected.exact) << statements;
  }
  EXPECT_GE(killed, 10);
}

TEST_F(Merge, AFullDiskKeepsWhatWasCommittedAndGoesOn) {
  const std::vector<std::filesystem::path> shards = {shard("x.sqlite", {"a", "c"}), shard("y.sqlite", {"a b"})};
  FaultyVfs::install();
  for (long writes = 0; writes < 60; writes += 13) {
    const TemporaryFolder out;
    const RunLock lock(out.path());
    FaultyVfs::arm(FaultyVfs::Fault::kDiskFull, writes);
    const MergeOptions options{.trials_per_transaction = 4, .vfs = FaultyVfs::kName};
    expect_parts(message_of<core::Error>([&] { merge_stores(lock, kMerged, shards, options); }),
                 {kMerged, "disk is full"});
    FaultyVfs::disarm();
    merge_stores(lock, kMerged, shards, options);
    EXPECT_EQ(LabelStore::read(out / kMerged).digests().exact, undisturbed_digests(some_rounds()).exact);
  }
}

}  // namespace
}  // namespace polar::labels
