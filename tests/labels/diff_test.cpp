#include "labels/diff.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "core/error.h"
#include "labels/export.h"
#include "labels/import.h"
#include "labels/label_store.h"
#include "support/label_fixture.h"
#include "support/message_of.h"
#include "support/parts.h"

namespace polar::labels {
namespace {

using namespace polar::test;
using Kind = TrialDifference::Kind;

class Diff : public ::testing::Test {
 protected:
  std::unique_ptr<LabelSource> source(const std::string& name, const std::vector<Round>& rounds) {
    LabelStore store = LabelStore::open(lock_, name, some_identity(), some_settings());
    record_all(store, rounds);
    return LabelSource::open(folder_ / name);
  }

  TemporaryFolder folder_;
  RunLock lock_{folder_.path()};
};

TEST_F(Diff, FindsNothingBetweenEqualStores) {
  const auto a = source("a.sqlite", some_rounds()), b = source("b.sqlite", some_rounds());
  EXPECT_EQ(diff_labels(*a, *b, [](const TrialDifference&) { FAIL(); }),
            (std::vector<DiffCount>{{"products", 12, 0, 0, 0, 0, 0}, {"sums", 24, 0, 0, 0, 0, 0}}));
}

TEST_F(Diff, CountsFlipsMissingTrialsAndOtherBitsByLevel) {
  const std::vector<Round> rounds = some_rounds();
  std::vector<Round> others = rounds;
  std::erase_if(others, [](const Round& round) { return round.example == "c" && round.number == 2; });
  search::Outcome& flipped = others[0].outcomes[1];  // of "a"
  const bool was = flipped.correct;
  flipped.correct = !was;
  others[1].outcomes[0].margin = std::nextafter(others[1].outcomes[0].margin, 100.0);  // of "a b"
  const auto a = source("a.sqlite", rounds), b = source("b.sqlite", others);
  std::vector<TrialDifference> met;
  const auto counts = diff_labels(*a, *b, [&](const TrialDifference& difference) { met.push_back(difference); });
  EXPECT_EQ(counts, (std::vector<DiffCount>{{"products", 12, 0, 0, 0, 0, 1}, {"sums", 20, 4, 0, was, !was, 0}}));
  ASSERT_EQ(met.size(), 5u);
  EXPECT_EQ(met[0].kind, Kind::kFlip);
  EXPECT_EQ(met[0].trial, others[0].trials[1]);
  EXPECT_EQ(met[0].correct_b, !was);
  EXPECT_EQ(met[1].kind, Kind::kOnlyA);
  EXPECT_EQ(met[1].trial.example, "c");
  EXPECT_EQ(diff_labels(*b, *a).at(1).only_b, 4);
}

TEST_F(Diff, ComparesImportedLabelsWithASearchByVerdictAlone) {
  const auto searched = source("a.sqlite", some_rounds());
  std::vector<task::Example> rows;
  for (const StoredExample& example : some_examples()) {
    task::Example& row = rows.emplace_back();
    row.id = example.id;
    row.question = "question " + example.id;
    row.answer = "1";
    row.level = example.level;
  }
  export_labels(LabelStore::read(folder_ / "a.sqlite"), rows, folder_ / "out.json");
  {
    ImportedLabels imported = ImportedLabels::open(lock_, "imported.sqlite", {20, "", ""});
    import_file(imported, folder_ / "out.json", SampleJoin(rows));
  }
  const auto imported = LabelSource::open(folder_ / "imported.sqlite");
  EXPECT_EQ(imported->kind(), "imported");
  EXPECT_EQ(imported->searches(), 1);
  EXPECT_EQ(imported->trial_count(), 36);
  EXPECT_EQ(imported->identity().at(0).second, "not said");
  EXPECT_EQ(diff_labels(*searched, *imported),
            (std::vector<DiffCount>{{"products", 12, 0, 0, 0, 0, 0}, {"sums", 24, 0, 0, 0, 0, 0}}));
  EXPECT_THROW(imported->select(1), core::Error);
}

TEST_F(Diff, OpensARunsFolderAndNamesWhatIsNoStore) {
  source("labels.sqlite", some_rounds());
  EXPECT_EQ(LabelSource::open(folder_.path())->trial_count(), 36);
  EXPECT_GT(bytes_on_disk(folder_ / "labels.sqlite"), 4096u);
  EXPECT_EQ(kind_of_file(folder_ / "labels.sqlite"), "labels");
  EXPECT_EQ(kind_of_file(folder_ / "run.lock"), "");
  expect_parts(message_of<core::Error>([&] { LabelSource::open(folder_ / "none.sqlite"); }),
               {"none.sqlite", "no label store there"});
  expect_parts(message_of<core::Error>([&] { LabelSource::open(folder_ / "run.lock"); }), {"run.lock"});
}

}  // namespace
}  // namespace polar::labels
