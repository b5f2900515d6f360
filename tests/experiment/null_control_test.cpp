#include "experiment/null_control.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "core/file.h"
#include "eval/statistics.h"
#include "experiment/experiment.h"
#include "labels/sqlite.h"
#include "support/message_of.h"
#include "support/parts.h"
#include "support/tiny_run.h"

namespace polar::experiment {
namespace {

const eval::LabelFigure& found_in(const std::vector<eval::LabelFigure>& figures, const std::string& analysis,
                                  const std::string& set, const std::string& level, const std::string& key) {
  const auto found = std::ranges::find_if(figures, [&](const eval::LabelFigure& one) {
    return one.analysis == analysis && one.set == set && one.level == level && one.key == key;
  });
  if (found == figures.end()) throw core::Error("no figure " + analysis + " " + set + " " + level + " " + key);
  return *found;
}

const std::vector<SearchedModel> kSearched = {
    {"model",
     {{"a", true, true, 10, 5}, {"a", false, true, 10, 1}, {"b", false, false, 20, 0}, {"b", false, true, 20, 4}}},
    {"shuffled",
     {{"a", false, false, 10, 0}, {"a", false, true, 10, 1}, {"b", false, false, 20, 0}, {"b", false, false, 20, 0}}},
};

TEST(NullFigures, AreThoseCountedByHand) {
  const std::vector<eval::LabelFigure> figures = null_figures(kSearched, 1, 200);
  const auto value = [&](const char* set, const char* level, const char* key) {
    return found_in(figures, "null", set, level, key).value;
  };
  EXPECT_DOUBLE_EQ(value("model", "all", "identity"), 0.25);
  EXPECT_DOUBLE_EQ(value("model", "all", "solved"), 0.75);
  EXPECT_DOUBLE_EQ(value("model", "all", "wrong_to_right"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(value("model", "all", "valid_programs"), 10.0 / 60);
  EXPECT_DOUBLE_EQ(value("model", "b", "wrong_to_right"), 0.5);
  EXPECT_DOUBLE_EQ(value("shuffled", "all", "solved"), 0.25);
  EXPECT_EQ(found_in(figures, "counts", "all", "a", "examples").value, 2);
  EXPECT_EQ(found_in(figures, "counts", "all", "all", "examples").value, 4);
  EXPECT_EQ(found_in(figures, "null", "model", "all", "wrong_to_right").n, 3);
  EXPECT_EQ(found_in(figures, "null", "model", "all", "valid_programs").n, 60);
  const eval::LabelFigure& solved = found_in(figures, "null", "model", "all", "solved");
  EXPECT_EQ((eval::Interval{*solved.ci_low, *solved.ci_high}), eval::wilson_interval(3, 4));
}

TEST(NullFigures, CompareTheModelWithEachNullModelOnTheSameExamples) {
  const std::vector<eval::LabelFigure> figures = null_figures(kSearched, 1, 200);
  const eval::LabelFigure& solved = found_in(figures, "null_excess", "shuffled", "all", "solved");
  EXPECT_DOUBLE_EQ(solved.value, 0.5);
  EXPECT_LE(*solved.ci_low, 0.5);
  EXPECT_GE(*solved.ci_high, 0.5);
  EXPECT_DOUBLE_EQ(found_in(figures, "null_excess", "shuffled", "all", "valid_programs").value, 9.0 / 60);
  // Alike on both examples of the level, resample by resample: nothing varies.
  std::vector<SearchedModel> same = kSearched;
  same[1].examples = same[0].examples;
  const auto none = null_figures(same, 1, 200);
  EXPECT_EQ(found_in(none, "null_excess", "shuffled", "all", "solved").value, 0);
  EXPECT_FALSE(found_in(none, "null_excess", "shuffled", "all", "solved").ci_low);
  same[1].examples.pop_back();
  EXPECT_THROW(null_figures(same, 1, 200), core::Error);
}

TEST(NullFigures, RefuseALevelNamedAsAllLevelsTogether) {
  std::vector<SearchedModel> models = kSearched;
  models[0].examples[1].level = "all";
  test::expect_parts(test::message_of<core::Error>([&] { null_figures(models, 1, 200); }), {"any name but 'all'"});
}

class NullControlTest : public test::TinyRunTest {
 protected:
  labels::LabelStore store(const std::string& name) const {
    return labels::LabelStore::read(run("run") / "controls" / name);
  }
  Config without_pilot() const {
    Config made = config("run");
    made.search.algorithm = "guided";
    return made;
  }
  /// As if the run had been searched otherwise.
  void change_store(const std::string& sql) const {
    labels::Database database(run("run") / "labels.sqlite", labels::OpenMode::kWrite);
    labels::Statement(database, sql, "testing").run();
  }
};

TEST_F(NullControlTest, SearchesBothNullModelsAsTheRunSearchedItsOwn) {
  Experiment(config("run")).search();
  const eval::ControlReport control = null_control(run("run"), {});
  const labels::LabelStore own = labels::LabelStore::read(run("run") / "labels.sqlite");
  for (const char* name : {"null-shuffled.sqlite", "null-reinitialised.sqlite"}) {
    const labels::LabelStore null = store(name);
    EXPECT_NE(null.identity().weights_digest, own.identity().weights_digest);
    EXPECT_EQ(null.identity().task_digest, own.identity().task_digest);
    EXPECT_EQ(null.settings(), own.settings());
    EXPECT_EQ(null.trial_count(), own.trial_count());
    const std::string example = own.examples().front().id;
    EXPECT_NE(null.trials(example).front().outcome, own.trials(example).front().outcome);
  }
  EXPECT_NE(store("null-shuffled.sqlite").digests().exact, store("null-reinitialised.sqlite").digests().exact);
  std::int64_t right = 0;
  for (const labels::StoredExample& example : own.examples())
    right += own.trials(example.id).front().outcome.correct ? 1 : 0;
  const eval::LabelFigure& identity = found_in(control.figures, "null", "model", "all", "identity");
  EXPECT_EQ(identity.n, 34);
  EXPECT_DOUBLE_EQ(identity.value, static_cast<double>(right) / 34);
  const std::string csv = core::read_file(run("run") / "controls" / "null.csv");
  test::expect_parts(csv, {"counts,all,even,examples,17,17,", "counts,all,all,examples,34,34,",
                           "null,shuffled,even,solved,", "null_excess,reinitialised,all,wrong_to_right,"});
  EXPECT_EQ(core::read_file(run("run") / "controls" / "null.md"), eval::control_markdown(control));
}

TEST_F(NullControlTest, SearchesAFewExamplesOfOneNullModelAndGoesOnWithMore) {
  Experiment(without_pilot()).search();
  null_control(run("run"), {{pool::NullLayers::kShuffled}, 2});
  EXPECT_EQ(store("null-shuffled.sqlite").trial_count(), 4 * 12);
  EXPECT_FALSE(std::filesystem::exists(run("run") / "controls" / "null-reinitialised.sqlite"));
  const eval::ControlReport more = null_control(run("run"), {{pool::NullLayers::kShuffled}, 3});
  EXPECT_EQ(store("null-shuffled.sqlite").trial_count(), 6 * 12);
  EXPECT_EQ(found_in(more.figures, "null", "shuffled", "all", "solved").n, 6);
}

TEST_F(NullControlTest, SearchesThePilotOfANullModelToo) {
  Config made = config("run");
  made.search.algorithm = "transfer";
  made.search.transfer_pilot = 3;
  Experiment(made).search();
  const eval::ControlReport few = null_control(run("run"), {{pool::NullLayers::kShuffled}, 1});
  EXPECT_EQ(found_in(few.figures, "null", "shuffled", "all", "solved").n, 2);
  const std::int64_t trials = store("null-shuffled.sqlite").trial_count();
  EXPECT_TRUE(trials >= 6 * 12 && trials <= 8 * 12)
      << trials << ": three of the pilot a level, and one that may be another";
  test::expect_parts(few.text, {"one shuffle, or one draw of weights"});
}

TEST_F(NullControlTest, LocksTheControlsAndLeavesTheRunToOthers) {
  Experiment(without_pilot()).search();
  const NullControlOptions few{{pool::NullLayers::kShuffled}, 1};
  const std::string log = core::read_file(run("run") / "log.jsonl");
  const labels::RunLock of_the_run(run("run"));
  EXPECT_NO_THROW(null_control(run("run"), few));
  EXPECT_EQ(core::read_file(run("run") / "log.jsonl"), log);
  const labels::RunLock of_another_control(run("run") / "controls");
  test::expect_parts(test::message_of<core::Error>([&] { null_control(run("run"), few); }), {"controls"});
}

TEST_F(NullControlTest, RefusesARunThatWasSearchedOtherwiseOrElsewhere) {
  Experiment(without_pilot()).search();
  const auto message = [&] {
    return test::message_of<core::UsageError>([&] { null_control(run("run"), {{pool::NullLayers::kShuffled}, 1}); });
  };
  const std::string here = labels::LabelStore::read(run("run") / "labels.sqlite").identity().fingerprint;
  change_store("UPDATE fingerprint SET text = 'another machine'");
  test::expect_parts(message(),
                     {"labels.sqlite", "fingerprint", "null-shuffled.sqlite", here, "found another machine"});
  change_store("UPDATE settings SET root_seed = '77'");
  test::expect_parts(message(), {"root seed", "found 77"});
  change_store("UPDATE settings SET text = 'another search'");
  test::expect_parts(message(), {"search settings", "guided", "found another search"});
  EXPECT_EQ(store("null-shuffled.sqlite").trial_count(), 0);
  EXPECT_FALSE(std::filesystem::exists(run("run") / "controls" / "null.csv"));
}

TEST_F(NullControlTest, RefusesARunWhoseSearchHasNotEndedAndRepeatedKinds) {
  Experiment(config("run")).search({1, 2});
  const auto shuffled = pool::NullLayers::kShuffled;
  EXPECT_NO_THROW(null_control(run("run"), {{shuffled}, 1})) << "the examples of the part are searched";
  {
    labels::RunLock lock(run("run"));
    labels::LabelStore whole = labels::LabelStore::read(run("run") / "labels.sqlite");
    labels::LabelStore store = labels::LabelStore::open(lock, "labels.sqlite", whole.identity(), whole.settings(), {});
    const std::vector<labels::StoredExample> examples = whole.examples();
    const auto left = std::ranges::find_if(examples, [&](const auto& one) { return store.state(one.id).rounds == 0; });
    ASSERT_NE(left, examples.end());
    const core::Program program = core::Program::identity(8);
    store.record(left->id, 0, std::vector<search::Trial>{{left->id, program, {}}},
                 std::vector<search::Outcome>{{.layers = 8}});
  }
  test::expect_parts(test::message_of<core::Error>([&] { null_control(run("run"), {{shuffled}, 0}); }),
                     {"labels.sqlite", "found 1 unfinished", "run polar search"});
  test::expect_parts(test::message_of<core::UsageError>([&] { null_control(run("run"), {{shuffled, shuffled}, 0}); }),
                     {"--layers", "found shuffled again"});
}

}  // namespace
}  // namespace polar::experiment
