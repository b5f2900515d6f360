#include "eval/label_analysis.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/error.h"
#include "eval/label_report.h"
#include "eval/metrics.h"
#include "eval/statistics.h"
#include "support/label_fixture.h"
#include "support/message_of.h"
#include "support/parts.h"

namespace polar::eval {
namespace {

/// Ten layers. By name: id; s3 and s34 skip layers 3 and 3 to 4; r5 runs layer 5 twice; r56 runs 5 to 6 three times; sr
/// skips 2 and runs 7 twice; ov loops 4 to 5 and then 5 to 6, which overlap: outside segment form.
const std::map<std::string, core::Program>& programs() {
  static const std::map<std::string, core::Program> all{
      {"id", core::Program::parse("0-9")},         {"s3", core::Program::parse("0-2,4-9")},
      {"s34", core::Program::parse("0-2,5-9")},    {"r5", core::Program::parse("0-5,5-9")},
      {"sr", core::Program::parse("0-1,3-7,7-9")}, {"r56", core::Program::parse("0-4,(5-6)*3,7-9")},
      {"ov", core::Program::parse("0-5,4-6,5-9")}};
  return all;
}

/// Trials as "id+ s3-": name and verdict, in recorded order.
struct Row {
  const char* id;
  const char* level;
  const char* trials;
  bool done = true;
};

LabelTable table_of(const std::vector<Row>& rows, int most_trials = 1000) {
  LabelTableBuilder builder;
  for (const Row& row : rows) {
    builder.add_example(row.id, row.level, labels::Split::kTrain, row.done);
    std::istringstream words(row.trials);
    int trials = 0;
    for (std::string word; words >> word && trials < most_trials; ++trials)
      builder.add_trial(programs().at(word.substr(0, word.size() - 1)), word.back() == '+');
  }
  return builder.finish();
}

const std::vector<Row> kRows = {
    {"A", "easy", "id+ s3+ r5- s34- sr+"},
    {"B", "easy", "id- s3- r5+ r56- s34+"},
    {"C", "hard", "id- r5- r56+ ov+"},
    {"D", "hard", "id- s3-", false},
    {"E", "hard", "id- r5+"},
    {"F", "easy", "id+ s3- sr+"},
    {"G", "hard", "id- s3+"},
};

class Figures {
 public:
  explicit Figures(std::vector<LabelFigure> figures) : figures_(std::move(figures)) {}
  const LabelFigure* find(const std::string& analysis, const std::string& key, const std::string& level = "all",
                          const std::string& set = "all") const {
    const auto found = std::ranges::find_if(figures_, [&](const LabelFigure& figure) {
      return figure.analysis == analysis && figure.key == key && figure.level == level && figure.set == set;
    });
    return found == figures_.end() ? nullptr : &*found;
  }
  /// NaN when there is none.
  double value(const std::string& analysis, const std::string& key, const std::string& level = "all",
               const std::string& set = "all") const {
    const LabelFigure* found = find(analysis, key, level, set);
    return found ? found->value : std::nan("");
  }
  const std::vector<LabelFigure>& all() const { return figures_; }

 private:
  std::vector<LabelFigure> figures_;
};

Figures analysed(const LabelTable& table, LabelAnalysisOptions options = {}) {
  options.resamples = 50;
  return Figures(analyse_labels(table, options));
}

class LabelAnalysis : public ::testing::Test {
 protected:
  /// Expects key → value, and no figure of another key.
  static void expect(const std::string& analysis, const std::map<std::string, double>& values) {
    for (const auto& [key, value] : values)
      EXPECT_NEAR(figures().value(analysis, key), value, 1e-12) << analysis << " " << key;
    const auto count = std::ranges::count_if(figures().all(), [&](const LabelFigure& figure) {
      return figure.analysis == analysis && figure.set == "all" && figure.level == kAllLevels;
    });
    EXPECT_EQ(static_cast<std::size_t>(count), values.size()) << analysis;
  }
  static const Figures& figures() {
    static const Figures made = [] {
      LabelAnalysisOptions options;
      options.predictor.emplace();
      options.predictor->depth = 10;
      options.predictor->first_layer = 4;
      return analysed(table_of(kRows), options);
    }();
    return made;
  }
};

TEST_F(LabelAnalysis, CountsWhatWasSearched) {
  expect("counts", {{"examples", 7},
                    {"unfinished", 1},
                    {"base_unknown", 0},
                    {"rollouts", 23},
                    {"rollouts_least", 2},
                    {"rollouts_most", 5},
                    {"programs", 7}});
}

TEST_F(LabelAnalysis, CountsRightSolvableAndRescuedExamplesByLevel) {
  expect("base", {{"right", 2.0 / 7}});
  expect("solved", {{"any", 6.0 / 7}});
  expect("rescued", {{"of_wrong", 4.0 / 5}});
  EXPECT_EQ(figures().value("solved", "any", "easy"), 1);
  EXPECT_EQ(figures().value("solved", "any", "hard"), 3.0 / 4);
  EXPECT_EQ(figures().find("solved", "any", "hard")->n, 4);
  EXPECT_EQ(figures().value("base", "right", "hard"), 0);
}

TEST_F(LabelAnalysis, CountsExamplesSolvableWithinADepth) {
  expect("solvable_within_depth",
         {{"90", 3.0 / 7}, {"95", 3.0 / 7}, {"100", 4.0 / 7}, {"105", 4.0 / 7}, {"110", 5.0 / 7}, {"115", 5.0 / 7}});
}

TEST_F(LabelAnalysis, CountsExamplesSolvableWithinExtraExecutions) {
  std::map<std::string, double> values{{"0", 4.0 / 7}, {"1", 5.0 / 7}, {"2", 5.0 / 7}, {"3", 5.0 / 7}};
  for (int extra = 4; extra <= 8; ++extra) values[std::to_string(extra)] = 6.0 / 7;
  expect("solvable_within_extra", values);
}

TEST_F(LabelAnalysis, MeasuresTheShortestValidProgram) {
  // A: s3 (9 executions, 9 layers), F: sr (10, 9: fewer layers than the identity); B: s34 (8, 8), C: ov (14, 10), E: r5
  // (11, 10), G: s3 (9, 9).
  expect("shortest_layers", {{"CC", 9.5}, {"WC", 42.0 / 4}, {"solvable", 61.0 / 6}});
  expect("shortest_unique", {{"CC", 9}, {"WC", 37.0 / 4}, {"solvable", 55.0 / 6}});
  expect("shortest_share",
         {{"CC/9", 0.5}, {"CC/10", 0.5}, {"WC/8", 0.25}, {"WC/9", 0.25}, {"WC/11", 0.25}, {"WC/14", 0.25}});
}

TEST_F(LabelAnalysis, CountsShorterProgramsOverWrongAndOverRescuedExamples) {
  expect("shorter_exists", {{"CC", 0.5}, {"WC_of_wrong", 2.0 / 5}, {"WC_of_rescued", 2.0 / 4}});
}

TEST_F(LabelAnalysis, TellsWhatSolvableExamplesNeed) {
  expect("needs", {{"recurrence_of_solvable", 2.0 / 6},
                   {"recurrence_of_rescued", 2.0 / 4},
                   {"skip_of_solvable", 1.0 / 6},
                   {"skip_of_rescued", 1.0 / 4},
                   {"both_of_solvable", 0},
                   {"both_of_rescued", 0}});
  expect("shortest_uses", {{"recurrence_of_solvable", 3.0 / 6},
                           {"recurrence_of_rescued", 2.0 / 4},
                           {"skip_of_solvable", 4.0 / 6},
                           {"skip_of_rescued", 2.0 / 4},
                           {"both_of_solvable", 1.0 / 6},
                           {"both_of_rescued", 0}});
}

TEST_F(LabelAnalysis, FollowsTheSearchByBudget) {
  expect("replay_solved", {{"1", 2.0 / 7}, {"2", 4.0 / 7}, {"4", 6.0 / 7}, {"5", 6.0 / 7}});
  expect("replay_shorter", {{"1", 0}, {"2", 0.5}, {"3", 0.5}});  // F ended after three without one
}

TEST_F(LabelAnalysis, GivesTheShareOfValidProgramsByExtraExecutionsAndDepth) {
  expect("valid_given_extra", {{"0", 5.0 / 14}, {"1", 4.0 / 6}, {"4", 2.0 / 3}});
  EXPECT_EQ(figures().find("valid_given_extra", "0")->n, 14);
  expect("valid_given_depth", {{"80", 0.5}, {"90", 2.0 / 5}, {"100", 4.0 / 9}, {"110", 0.5}, {">120", 2.0 / 3}});
}

TEST_F(LabelAnalysis, CountsProgramsWithoutAParseAndThoseAPredictorCanEmit) {
  expect("no_parse", {{"tried", 1.0 / 23}, {"valid", 1.0 / 11}});
  expect("emittable", {{"paper", 7.0 / 9},
                       {"repeat-3", 8.0 / 9},
                       {"repeat-4", 8.0 / 9},
                       {"repeat-5", 8.0 / 9},
                       {"any_runs", 8.0 / 9},
                       {"predictor", 2.0 / 9}});
  expect("emittable_examples", {{"paper", 5.0 / 6}, {"predictor", 4.0 / 6}});
}

TEST_F(LabelAnalysis, GivesSkipAndRepeatRatesOfEveryLayer) {
  EXPECT_NEAR(figures().value("layer_skip", "tried/3"), 7.0 / 16, 1e-12);
  EXPECT_NEAR(figures().value("layer_skip", "tried/2"), 2.0 / 16, 1e-12);
  EXPECT_NEAR(figures().value("layer_skip", "valid/3"), 3.0 / 9, 1e-12);
  EXPECT_NEAR(figures().value("layer_skip", "shortest/3"), 3.0 / 6, 1e-12);
  EXPECT_NEAR(figures().value("layer_repeat", "valid/5"), 4.0 / 9, 1e-12);
  EXPECT_NEAR(figures().value("layer_repeat", "tried/5"), 7.0 / 16, 1e-12);
  EXPECT_EQ(figures().value("layer_repeat", "valid/0"), 0);
  EXPECT_NEAR(figures().value("layer_skip_ratio", "tried/3"), 16.0 / 21, 1e-12);
  EXPECT_NEAR(figures().value("layer_repeat_ratio", "tried/5"), 64.0 / 63, 1e-12);
  EXPECT_EQ(figures().find("layer_skip_ratio", "tried/0"), nullptr);  // never tried
}

TEST_F(LabelAnalysis, ComparesLayerRatesWithWhatTheSpaceOffers) {
  search::SpaceOptions only_single_skips;
  only_single_skips.depth = 10;
  only_single_skips.first_layer = 0;
  only_single_skips.max_block = 1;
  only_single_skips.allow_repeat = false;
  const search::SearchSpace space(only_single_skips);  // the identity and ten programs of nine layers
  LabelAnalysisOptions options;
  options.space = &space;
  const Figures compared = analysed(table_of(kRows), options);
  EXPECT_EQ(compared.find("layer_skip", "offered/3")->n, 20'000);
  EXPECT_NEAR(compared.value("layer_skip", "offered/3"), 0.1, 0.01);
  EXPECT_EQ(compared.value("layer_repeat", "offered/3"), 0);
  EXPECT_NEAR(compared.value("layer_skip_ratio", "offered/3"), 3.0 / 9 / compared.value("layer_skip", "offered/3"),
              1e-12);
  EXPECT_EQ(compared.find("layer_repeat_ratio", "offered/5"), nullptr);  // never offered
}

TEST_F(LabelAnalysis, SaysNothingOfTheOfferOfASpaceThatIsNotCounted) {
  search::SpaceOptions any;
  any.depth = 10;
  const search::SearchSpace space(any);
  LabelAnalysisOptions options;
  options.space = &space;
  options.offered = false;
  const Figures analysis = analysed(table_of(kRows), options);
  for (const LabelFigure& figure : analysis.all()) EXPECT_FALSE(figure.key.starts_with("offered/")) << figure.analysis;
  EXPECT_NE(analysis.find("layer_skip", "valid/3"), nullptr);
}

TEST_F(LabelAnalysis, DescribesSegmentsByLengthRunsAndPlace) {
  EXPECT_NEAR(figures().value("segment_length", "repeat/tried/1"), 6.0 / 8, 1e-12);
  EXPECT_NEAR(figures().value("segment_length", "repeat/valid/2"), 1.0 / 5, 1e-12);
  EXPECT_EQ(figures().value("segment_length", "repeat/shortest/1"), 1);
  EXPECT_NEAR(figures().value("segment_length", "skip/tried/2"), 2.0 / 9, 1e-12);
  EXPECT_EQ(figures().find("segment_length", "skip/tried/2")->n, 9);
  expect("segment_runs",
         {{"shortest/1", 1}, {"valid/1", 4.0 / 5}, {"valid/2", 1.0 / 5}, {"tried/1", 6.0 / 8}, {"tried/2", 2.0 / 8}});
  EXPECT_NEAR(figures().value("segment_at", "repeat/valid/1/7"), 2.0 / 5, 1e-12);
  EXPECT_NEAR(figures().value("segment_at", "repeat/valid/2/5"), 1.0 / 5, 1e-12);
  EXPECT_NEAR(figures().value("segment_at", "repeat/valid/1/7", "easy"), 2.0 / 3, 1e-12);
  EXPECT_NEAR(figures().value("consecutive_layers", "repeat/valid/1/1"), 4.0 / 5, 1e-12);
  EXPECT_NEAR(figures().value("consecutive_layers", "skip/valid/2/2"), 1.0 / 5, 1e-12);
}

TEST_F(LabelAnalysis, MeasuresHowEvenlySegmentsAreUsed) {
  // Valid programs hold six distinct segments 2, 1, 2, 2, 2 and 1 times.
  EXPECT_NEAR(figures().value("edit_entropy", "valid"), 0.8 * std::log2(5) + 0.2 * std::log2(10), 1e-12);
  EXPECT_NEAR(figures().value("edit_entropy_share", "valid"), (0.8 * std::log2(5) + 0.2 * std::log2(10)) / std::log2(6),
              1e-12);
  EXPECT_NEAR(figures().value("edit_gini", "valid"), 2.0 * 39 / (6 * 10) - 7.0 / 6, 1e-12);
  // Shortest ones 2, 1, 1, 1, 1 and, for r56, 0 times.
  EXPECT_NEAR(figures().value("edit_gini", "shortest"), 2.0 * 26 / (6 * 6) - 7.0 / 6, 1e-12);
  EXPECT_EQ(figures().find("edit_gini", "shortest")->n, 6);
}

TEST_F(LabelAnalysis, CountsValidProgramsAnExample) {
  expect("valid_programs", {{"mean_all", 11.0 / 7}, {"mean_solvable", 11.0 / 6}});
  expect("valid_programs_share", {{"0", 1.0 / 7}, {"1", 2.0 / 7}, {"2-3", 4.0 / 7}});
}

TEST_F(LabelAnalysis, CoversExamplesGreedilyWithTiesToTheSmallerProgram) {
  expect("cover", {{"1", 2.0 / 7}, {"2", 4.0 / 7}, {"3", 5.0 / 7}, {"4", 6.0 / 7}});
  const char* chosen[] = {"s3", "r5", "id", "ov"};
  for (int k = 1; k <= 4; ++k)
    EXPECT_EQ(figures().find("cover", std::to_string(k))->note, programs().at(chosen[k - 1]).text());
}

TEST_F(LabelAnalysis, MeasuresTheOverlapOfValidSets) {
  // A {s3, sr}, B {r5, s34}, C {r56, ov}, E {r5}, F {sr}, G {s3}: A-F, A-G and B-E share half.
  expect("overlap", {{"valid_elsewhere", 6.0 / 18}, {"expected", 9.0 / 16}, {"jaccard", 0.6 / 6}});
}

TEST_F(LabelAnalysis, FiltersSkipOnlyAndLoopOnlyProgramsOfTheJointSearch) {
  EXPECT_EQ(figures().value("solved", "any", "all", "skip_only"), 4.0 / 7);
  EXPECT_EQ(figures().value("solved", "any", "all", "loop_only"), 5.0 / 7);
  EXPECT_EQ(figures().value("base", "right", "all", "loop_only"), 2.0 / 7);
  EXPECT_EQ(figures().value("counts", "programs", "all", "skip_only"), 3);
  EXPECT_EQ(figures().find("cover", "1", "all", "skip_only"), nullptr);
}

TEST_F(LabelAnalysis, GivesWilsonIntervalsForSharesAndBootstrapOnesForMeans) {
  const LabelFigure* solved = figures().find("solved", "any");
  EXPECT_EQ(solved->n, 7);
  EXPECT_EQ(solved->ci_low, wilson_interval(6, 7).low);
  EXPECT_EQ(solved->ci_high, wilson_interval(6, 7).high);
  for (const LabelFigure& figure : figures().all()) {
    EXPECT_EQ(figure.ci_low.has_value(), figure.ci_high.has_value());
    if (!figure.ci_low) continue;
    EXPECT_LE(*figure.ci_low, figure.value + 1e-9) << figure.analysis << " " << figure.key << " " << figure.level;
    EXPECT_GE(*figure.ci_high, figure.value - 1e-9) << figure.analysis << " " << figure.key << " " << figure.level;
  }
}

TEST(LabelIntervals, AreLeftOutWhereNoResampleDiffers) {
  // Every example says the same: s3 is valid, the identity and r5 are not.
  const Figures alike =
      analysed(table_of({{"a", "", "id- s3+ r5-"}, {"b", "", "id- s3+ r5-"}, {"c", "", "id- s3+ r5-"}}));
  const std::vector<std::pair<const char*, const char*>> constant = {
      {"shortest_layers", "WC"}, {"valid_programs", "mean_all"},  {"valid_given_extra", "1"},
      {"layer_skip", "valid/3"}, {"layer_skip_ratio", "tried/3"}, {"overlap", "valid_elsewhere"},
      {"edit_entropy", "tried"}};
  for (const auto& [analysis, key] : constant) {
    const LabelFigure* figure = alike.find(analysis, key);
    ASSERT_NE(figure, nullptr) << analysis << " " << key;
    EXPECT_FALSE(figure->ci_low || figure->ci_high) << analysis << " " << key;
  }
  EXPECT_TRUE(alike.find("solved", "any")->ci_low.has_value());  // Wilson's interval has a width at n of n
}

TEST(LabelReplay, EqualsTheAnalysisOfASearchThatEndedThere) {
  for (int budget : {1, 2, 3, 5}) {
    LabelAnalysisOptions options;
    options.budget = budget;
    EXPECT_EQ(labels_csv(analysed(table_of(kRows), options).all()), labels_csv(analysed(table_of(kRows, budget)).all()))
        << budget;
  }
}

TEST(LabelReplay, IsNotGivenWhereNoOrderOfTrialsIsKnown) {
  LabelTable table = table_of(kRows);
  const Figures ordered = analysed(table);
  table.ordered = table.ends_known = false;
  const Figures figures = analysed(table);
  for (const LabelFigure& figure : ordered.all()) {
    const bool by_order = figure.analysis.starts_with("replay_") || figure.key == "unfinished";
    EXPECT_EQ(figures.find(figure.analysis, figure.key, figure.level, figure.set) == nullptr, by_order)
        << figure.analysis << " " << figure.key;
  }
  LabelAnalysisOptions budget;
  budget.budget = 5;
  test::expect_parts(test::message_of<core::UsageError>([&] { analyse_labels(table, budget); }),
                     {"budget", "found 5", "a search of polar's own"});
}

TEST(LabelSegments, CountsConsecutiveLayersAcrossSegments) {
  LabelTableBuilder builder;
  builder.add_example("a", "");
  builder.add_trial(core::Program::identity(10), false);
  builder.add_trial(core::Program::parse("0-1,7-9"), true);      // skips 2 to 6: segments of 4 and 1
  builder.add_trial(core::Program::parse("0-3,3-4,4-9"), true);  // runs 3 twice, then 4 twice
  const Figures figures = analysed(builder.finish());
  EXPECT_EQ(figures.value("consecutive_layers", "skip/valid/4/5"), 0.5);
  EXPECT_EQ(figures.value("consecutive_layers", "skip/valid/1/5"), 0.5);
  EXPECT_EQ(figures.value("consecutive_layers", "repeat/valid/1/2"), 1);
}

TEST(LabelTable, CountsAProgramTriedTwiceOnceAndAnUntriedIdentityAsUnknown) {
  const Figures figures = analysed(table_of({{"a", "", "s3+ s3+ r5-"}, {"b", "", "id+ s3-"}}));
  EXPECT_EQ(figures.value("counts", "rollouts"), 5);
  EXPECT_EQ(figures.value("counts", "base_unknown"), 1);
  EXPECT_EQ(figures.value("valid_programs", "mean_all"), 1);
  EXPECT_EQ(figures.value("base", "right"), 1);
  EXPECT_EQ(figures.find("base", "right")->n, 1);
  EXPECT_EQ(figures.value("shortest_layers", "CC"), 10);  // a is neither C→C nor W→C
  EXPECT_EQ(figures.find("shortest_layers", "WC"), nullptr);
}

TEST(LabelTable, TakesReorderedProgramsForNeitherSkipNorLoop) {
  LabelTableBuilder builder;
  builder.add_example("a", "");
  builder.add_trial(core::Program::identity(4), false);
  builder.add_trial(core::Program{0, 2, 1, 3}, true);
  const Figures figures = analysed(builder.finish());
  EXPECT_EQ(figures.value("solved", "any"), 1);
  EXPECT_EQ(figures.value("solved", "any", "all", "skip_only"), 0);
  EXPECT_EQ(figures.value("solved", "any", "all", "loop_only"), 0);
  EXPECT_EQ(figures.value("no_parse", "valid"), 1);
}

TEST(LabelTable, ReadsGreedyTrialsOfAStoreInRecordedOrder) {
  const test::TemporaryFolder folder;
  const labels::RunLock lock(folder.path());
  {
    labels::LabelStore store =
        labels::LabelStore::open(lock, "labels.sqlite", test::some_identity(), test::some_settings());
    store.add_examples(test::some_examples());
    const search::Trial trials[] = {{"a", core::Program::identity(3), {}},
                                    {"a", core::Program::identity(3), {0.7, 1}},
                                    {"a", core::Program{0, 2}, {}}};
    std::vector<search::Outcome> outcomes(3);
    outcomes[2].correct = true;
    store.record("a", 0, trials, outcomes);
    store.mark_done("a");
  }
  const labels::LabelStore store = labels::LabelStore::read(folder.path() / "labels.sqlite");
  const LabelTable table = read_label_table(store, std::nullopt, 4);
  EXPECT_EQ(table.depth, 3);
  ASSERT_EQ(table.examples.size(), 3U);
  EXPECT_TRUE(table.examples[0].done);
  EXPECT_FALSE(table.examples[1].done);
  ASSERT_EQ(table.examples[0].trials.size(), 2U);
  EXPECT_TRUE(table.programs[table.examples[0].trials[0].program].identity);
  EXPECT_TRUE(table.examples[0].trials[1].correct);
  EXPECT_EQ(analysed(table).value("counts", "examples"), 1);  // those without a trial say nothing
  const auto message = test::message_of<core::Error>([&] { read_label_table(store, labels::Split::kValid, 4); });
  EXPECT_NE(message.find("expected recorded trials of the valid split"), std::string::npos) << message;
}

TEST(LabelTable, KnowsNoOrderOfTrialsThatWereJudgedFromImportedLabels) {
  for (const bool imported : {true, false}) {
    const test::TemporaryFolder folder;
    const labels::RunLock lock(folder.path());
    labels::SearchSettings settings = test::some_settings();
    settings.text = imported ? "rejudged: imported labels 1234; cache semantics per_step" : "of a search";
    labels::LabelStore store = labels::LabelStore::open(lock, "labels.sqlite", test::some_identity(), settings);
    store.add_examples(test::some_examples());
    const search::Trial trials[] = {{"a", core::Program::identity(3), {}}};
    store.record("a", 0, trials, std::vector<search::Outcome>(1));
    EXPECT_EQ(read_label_table(store, std::nullopt, 4).ordered, !imported);
    EXPECT_TRUE(read_label_table(store, std::nullopt, 4).ends_known) << "an interrupted judging is seen";
  }
}

TEST(LabelTable, RefusesTrialsWithoutExampleAndLayersBeyondTheDepth) {
  LabelTableBuilder builder;
  EXPECT_THROW(builder.add_trial(core::Program::identity(3), true), core::Error);
  builder.add_example("a", "");
  builder.add_trial(core::Program::identity(3), true);
  EXPECT_THROW(builder.finish(2), core::Error);
}

TEST(LabelAnalysisOptions, AreChecked) {
  const LabelTable table = table_of(kRows);
  LabelAnalysisOptions budget, resamples, space;
  budget.budget = -1;
  resamples.resamples = 1;
  search::SpaceOptions other;
  other.depth = 12;
  const search::SearchSpace twelve(other);
  space.space = &twelve;
  for (const LabelAnalysisOptions& bad : {budget, resamples, space})
    EXPECT_THROW(analyse_labels(table, bad), core::UsageError);
  EXPECT_THROW(analyse_labels(table_of({{"a", "all", "id+"}}), {}), core::Error);
}

TEST(LabelAnalysisOfSeparateSearches, StandsUnderItsName) {
  const Figures figures(
      analyse_separate_search(table_of({{"A", "easy", "id- s3+"}, {"B", "hard", "id- s3-"}}), "skip", {}));
  EXPECT_EQ(figures.value("solved", "any", "all", "search:skip"), 0.5);
  EXPECT_EQ(figures.value("solved", "any", "easy", "search:skip"), 1);
  EXPECT_EQ(figures.find("cover", "1", "all", "search:skip"), nullptr);
}

}  // namespace
}  // namespace polar::eval
