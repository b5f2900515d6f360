#include "experiment/experiment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "core/file.h"
#include "eval/label_report.h"
#include "eval/rows.h"
#include "experiment/analyse_run.h"
#include "experiment/dataset.h"
#include "experiment/schema.h"
#include "experiment/transfer.h"
#include "labels/label_store.h"
#include "labels/merge.h"
#include "predict/menu_file.h"
#include "support/message_of.h"
#include "support/tiny_encoder.h"
#include "support/tiny_run.h"

namespace polar::experiment {
namespace {

class ExperimentTest : public test::TinyRunTest {
 protected:
  static void run_all(const Config& config) {
    Experiment experiment(config);
    experiment.search();
    experiment.train();
    experiment.evaluate();
  }

  labels::LabelDigests digests(const std::string& name) const {
    return labels::LabelStore::read(run(name) / "labels.sqlite").digests();
  }
};

TEST_F(ExperimentTest, LeavesEverythingAReportNeeds) {
  run_all(config("whole"));
  for (const char* file : {"config.yaml", "environment.json", "labels.sqlite", "oracle.sqlite", "selection.json",
                           "predictor/manifest.json", "menu/manifest.json", "evaluation.jsonl", "log.jsonl",
                           "report/results.csv", "report/results.md", "report/labels.csv", "report/labels.md"}) {
    EXPECT_TRUE(std::filesystem::exists(run("whole") / file)) << file;
  }
  const std::vector<eval::EvaluationRow> rows = eval::read_rows(run("whole") / "evaluation.jsonl");
  EXPECT_EQ(rows.size(), 16U * 6U);
  for (const eval::EvaluationRow& row : rows) EXPECT_EQ(row.oracle, row.policy == "oracle");
}

TEST_F(ExperimentTest, LeavesEveryExampleByEveryProgramAfterAnExhaustiveSearch) {
  Config all = config("all");
  all.search.algorithm = "exhaustive";
  all.search.max_edits = 1;
  all.search.rollouts = 1000;
  all.eval.policies = {"base"};
  Experiment(all).search();
  const std::string text = core::read_file(run("all") / "report/outcomes.csv");
  const auto lines = static_cast<std::int64_t>(std::ranges::count(text, '\n'));
  EXPECT_EQ(lines - 1, digests("all").trials);
  EXPECT_EQ((lines - 1) % 34, 0);  // 24 training and 10 validation questions
  EXPECT_GT(lines, 34);
  std::filesystem::remove(run("all") / "report/outcomes.csv");
  Experiment(all).search();
  EXPECT_EQ(core::read_file(run("all") / "report/outcomes.csv"), text);
  Config first = all;
  first.name = "first";
  first.search.objective = "first";  // ends where something is valid: no matrix
  Experiment(first).search();
  EXPECT_FALSE(std::filesystem::exists(run("first") / "report/outcomes.csv"));
}

TEST_F(ExperimentTest, SkipsStagesThatAreUpToDate) {
  run_all(config("again"));
  const auto before = std::filesystem::last_write_time(run("again") / "evaluation.jsonl");
  const auto predictor = std::filesystem::last_write_time(run("again") / "predictor/manifest.json");
  run_all(config("again"));
  EXPECT_EQ(std::filesystem::last_write_time(run("again") / "evaluation.jsonl"), before);
  Config other = config("again");
  other.eval.max_k = 2;
  run_all(other);
  EXPECT_NE(std::filesystem::last_write_time(run("again") / "evaluation.jsonl"), before);
  EXPECT_EQ(std::filesystem::last_write_time(run("again") / "predictor/manifest.json"), predictor);
}

TEST_F(ExperimentTest, RecordsTheMenusOutcomesAndKeepsFeaturesForAnotherTraining) {
  run_all(config("kept"));
  const auto recorded = [&] { return labels::LabelStore::read(run("kept") / "menu.sqlite").digests().trials; };
  const auto kept = [&] {
    std::map<std::filesystem::path, std::filesystem::file_time_type> files;
    for (const auto& file : std::filesystem::directory_iterator(run("kept") / "features"))
      files.emplace(file.path(), file.last_write_time());
    return files;
  };
  const auto trials = recorded();
  const auto features = kept();
  EXPECT_EQ(trials % 34, 0) << "24 training and 10 validation questions";
  EXPECT_GT(trials, 34);
  EXPECT_EQ(features.size(), 3U) << "training, validation and test";
  Config other = config("kept");
  other.menu.ridge = {5};
  run_all(other);
  EXPECT_EQ(recorded(), trials);
  EXPECT_EQ(kept(), features);
}

TEST_F(ExperimentTest, GoesOnWithAnEvaluationAfterTheStepsThatWereFinished) {
  const Config cut = config("cut");
  run_all(cut);
  const auto rows = run("cut") / "evaluation.jsonl", steps = run("cut") / "evaluation.steps";
  EXPECT_FALSE(std::filesystem::exists(steps));
  // A folder in the place of the file stops the evaluation when its steps are done.
  std::filesystem::remove(rows);
  std::filesystem::create_directory(rows);
  std::filesystem::remove(run("cut") / "report/results.csv");
  EXPECT_THROW(Experiment(cut).evaluate(), core::Error);
  std::filesystem::remove(rows);
  std::vector<eval::EvaluationRow> known = eval::read_rows(steps / "step-000000.jsonl");
  known.front().ranked.front().answer = "from the step";
  eval::write_rows(steps / "step-000000.jsonl", known);
  Experiment(cut).evaluate();
  EXPECT_EQ(eval::read_rows(rows).front(), known.front());
  EXPECT_FALSE(std::filesystem::exists(steps));
}

TEST_F(ExperimentTest, TrainsAPredictorByEveryOptionAndSaysWhatItChose) {
  Config all = config("options");
  all.search.edits = "overlapping";  // programs that no predictor can emit
  all.search.rollouts = 40;
  all.search.minimise = "off";
  all.predict.loss = "set";
  all.predict.positions = "after_first";
  all.predict.targets = "cover";
  all.predict.unemittable = "crop";
  all.predict.identity_weight = 0;
  all.predict.length_weight = 0.05;
  all.predict.margin_weight = 1;
  all.predict.identity_penalty = 0.5;
  all.predict.class_balance = 4;
  all.predict.clip = 1;
  all.predict.select = "membership";
  all.predict.patience = 1;
  all.predict.threshold = 0;
  all.predict.rerank = 0.5;
  all.predict.beam = 3;
  run_all(all);
  EXPECT_FALSE(std::filesystem::exists(run("options") / "predictor.checkpoint"));
  const auto chosen = nlohmann::json::parse(core::read_file(run("options") / "selection.json")).at("predictor");
  const auto& train = chosen.at("train_programs");
  EXPECT_GT(train.at("cropped").get<int>(), 0);
  EXPECT_GE(train.at("cropped").get<int>(), train.at("crops_valid").get<int>());
  EXPECT_EQ(train.at("unparsable").get<int>() + train.at("prefix_edits").get<int>(),
            train.at("cropped").get<int>() - train.at("crops_valid").get<int>());
  EXPECT_EQ(train.at("used").get<int>(),
            train.at("examples").get<int>() - train.at("examples_without_targets").get<int>());
  const double share = chosen.at("unemittable_shares").at("train").at("cropped").get<double>();
  EXPECT_DOUBLE_EQ(share, train.at("cropped").get<double>() / train.at("programs").get<double>());
  ASSERT_EQ(chosen.at("thresholds").size(), 9U);
  const auto manifest = nlohmann::json::parse(core::read_file(run("options") / "predictor/manifest.json")).at("body");
  EXPECT_EQ(manifest.at("decoding").at("boundary_threshold"), chosen.at("boundary_threshold"));
  EXPECT_EQ(manifest.at("decoding").at("length_penalty"), 0.5);
  EXPECT_EQ(manifest.at("decoding").at("beam"), 3);
  EXPECT_EQ(manifest.at("targets").at("choice"), "cover");
}

TEST_F(ExperimentTest, TrainsOtherWeightsWhereLevelsOrQuestionsWeighOtherwiseOrInputsAreAsTheyAre) {
  std::string rows = core::read_file(folder_ / "train.jsonl");
  for (int i = 0; i < 8; ++i) {  // levels of 4 and 20
    const std::size_t even = rows.find("\"even\"");
    rows.replace(even, 6, "\"odd\"");
  }
  core::write_file(folder_ / "train.jsonl", rows);
  const auto loss_of = [&](const std::string& name, auto&& set) {
    Config made = config(name);
    made.search.rollouts = 300;  // until both levels have a valid program
    set(made.predict);
    run_all(made);
    const auto predictor = nlohmann::json::parse(core::read_file(run(name) / "selection.json")).at("predictor");
    return predictor.at("curve").at(0).at("train_loss").template get<double>();
  };
  const double usual = loss_of("usual", [](PredictConfig&) {});
  EXPECT_NE(loss_of("equal", [](PredictConfig& predict) { predict.level_weights = "equal"; }), usual);
  EXPECT_NE(loss_of("targets", [](PredictConfig& predict) { predict.question_weights = "targets"; }), usual);
  EXPECT_NE(loss_of("raw", [](PredictConfig& predict) { predict.standardise = false; }), usual);
}

TEST_F(ExperimentTest, EvaluatesAndRanksBlocksAgainWhereAnEarlierVersionDidItOtherwise) {
  Config made = config("earlier");
  made.eval.policies = {"base", "rys"};
  run_all(made);
  const auto stages = run("earlier") / "stages.json";
  auto record = nlohmann::json::parse(core::read_file(stages));
  const auto times = [&] {
    return std::pair(std::filesystem::last_write_time(run("earlier") / "evaluation.jsonl"),
                     std::filesystem::last_write_time(run("earlier") / "baselines/manifest.json"));
  };
  const auto before = times();
  run_all(made);
  EXPECT_EQ(times(), before);
  ASSERT_EQ(record.at("stages").at("evaluate").at("settings").erase("rows"), 1U);
  ASSERT_EQ(record.at("stages").at("baselines").at("settings").erase("ranking of blocks"), 1U);
  core::write_file(stages, record.dump());
  run_all(made);
  EXPECT_GT(times().first, before.first);
  EXPECT_GT(times().second, before.second);
}

TEST_F(ExperimentTest, TrainsAPredictorForEachLevelThatIsToldThatOfATestQuestion) {
  Config levels = config("levels");
  levels.predict.per_level = true;
  levels.search.rollouts = 300;  // until both levels have a valid program
  run_all(levels);
  const auto selection = [&] { return nlohmann::json::parse(core::read_file(run("levels") / "selection.json")); };
  const auto entries = selection().at("level_predictors");
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries.at(0).at("level"), "even");
  EXPECT_EQ(entries.at(1).at("level"), "odd");
  for (const auto& entry : entries) {
    EXPECT_EQ(entry.at("train_programs").at("examples"), 12);
    EXPECT_TRUE(std::filesystem::exists(run("levels") / entry.at("folder").get<std::string>() / "manifest.json"));
  }
  for (const auto& file : std::filesystem::directory_iterator(run("levels")))
    EXPECT_NE(file.path().extension(), ".checkpoint") << file.path();
  const auto told = [&] {
    return std::ranges::count(eval::read_rows(run("levels") / "evaluation.jsonl"), "predictor_told_level",
                              &eval::EvaluationRow::policy);
  };
  EXPECT_EQ(told(), 16);

  core::write_file(run("levels") / "selection.json", "damaged");
  run_all(levels);
  EXPECT_EQ(selection().at("level_predictors").size(), 2U);

  std::filesystem::remove_all(run("levels") / "predictor-level-2");
  run_all(levels);
  EXPECT_TRUE(std::filesystem::exists(run("levels") / "predictor-level-2/manifest.json"));
  EXPECT_EQ(told(), 16);

  levels.predict.per_level = false;
  run_all(levels);
  EXPECT_FALSE(selection().contains("level_predictors"));
  EXPECT_FALSE(std::filesystem::exists(run("levels") / "predictor-level-1"));
  EXPECT_EQ(told(), 0);
}

TEST_F(ExperimentTest, KeepsTheIdentityForALevelWithoutAProgramToLearnAndTellsNoLevelOutOfDistribution) {
  std::vector<task::Example> rows = task::read_jsonl(folder_ / "train.jsonl");
  for (task::Example& row : rows) {
    if (row.level == "odd") row.answer = "9876543210987654321";  // longer than an output
  }
  task::write_jsonl(folder_ / "train.jsonl", rows);
  write_rows("other", 6, "");
  Config one = config("one");
  one.predict.per_level = true;
  one.search.rollouts = 300;
  one.task.ood = {"other=" + (folder_ / "other.jsonl").string()};
  run_all(one);
  const auto selection = nlohmann::json::parse(core::read_file(run("one") / "selection.json"));
  ASSERT_EQ(selection.at("level_predictors").size(), 1U);
  EXPECT_EQ(selection.at("level_predictors").at(0).at("level"), "even");
  int odd = 0;
  for (const eval::EvaluationRow& row : eval::read_rows(run("one") / "evaluation.jsonl")) {
    if (row.policy != "predictor_told_level") continue;
    EXPECT_EQ(row.split, "test");
    if (row.level != "odd") continue;
    ++odd;
    EXPECT_EQ(row.ranked.front().program, core::Program::identity(8));
  }
  EXPECT_EQ(odd, 8);
}

TEST_F(ExperimentTest, LearnsFromAPartOfEachLevelsExamples) {
  Config part = config("part");
  part.predict.labelled_share = 0.5;
  part.menu.select = "leave-group-out";
  part.menu.cascade_tries = 2;
  part.eval.policies = {"base", "predictor", "menu", "cascade"};
  run_all(part);
  const auto selection = nlohmann::json::parse(core::read_file(run("part") / "selection.json"));
  EXPECT_EQ(selection.at("predictor").at("train_programs").at("examples"), 12);
  EXPECT_EQ(selection.at("predictor").at("valid_programs").at("examples"), 6) << "3 of 5, rounded up";
  EXPECT_EQ(labels::LabelStore::read(run("part") / "menu.sqlite").digests().trials % 18, 0);
}

TEST_F(ExperimentTest, EmitsNoMoreRunsThanAPredictorIsToLearn) {
  Config most = config("runs");
  most.search.max_extra_repeats = 2;
  most.search.max_depth = 1.5;
  most.search.rollouts = 40;
  most.search.minimise = "off";
  const auto operations = [&] {
    run_all(most);
    return nlohmann::json::parse(core::read_file(run("runs") / "predictor/manifest.json"))
        .at("body")
        .at("shape")
        .at("operations")
        .get<int>();
  };
  EXPECT_EQ(operations(), 4) << "skip, keep, twice, three times";
  most.predict.max_runs = 2;
  EXPECT_EQ(operations(), 3);
}

TEST_F(ExperimentTest, LearnsFromAnExternalEncodersStatesAndTrainsAnewForAnother) {
  test::write_tiny_encoder(folder_ / "encoder", 1);
  Config other = config("encoder");
  other.predict.features = "encoder";
  other.predict.encoder = (folder_ / "encoder").string();
  run_all(other);
  const auto manifest = [&] { return nlohmann::json::parse(core::read_file(run("encoder") / "menu/manifest.json")); };
  EXPECT_EQ(manifest().at("features"), "encoder");
  EXPECT_EQ(manifest().at("encoder_digest"), "tiny-1");
  EXPECT_EQ(manifest().at("prefix_layers"), 0);
  const std::string selection = core::read_file(run("encoder") / "selection.json");
  const labels::LabelDigests labelled = digests("encoder");
  run_all(other);
  EXPECT_EQ(core::read_file(run("encoder") / "selection.json"), selection) << "up to date";
  test::write_tiny_encoder(folder_ / "encoder", 2);
  run_all(other);
  EXPECT_EQ(manifest().at("encoder_digest"), "tiny-2");
  EXPECT_EQ(digests("encoder").exact, labelled.exact);
  other.predict.encoder = (folder_ / "nothing").string();
  EXPECT_NE(test::message_of<core::Error>([&] { Experiment(other, {.fresh = true}); }).find("export_encoder.py"),
            std::string::npos);
  EXPECT_EQ(digests("encoder").exact, labelled.exact) << "nothing is removed for a run that cannot begin";
}

TEST_F(ExperimentTest, AnalysesTheLabelsAfterTheSearchAndAgainOnlyWhenMissing) {
  Experiment(config("analysed")).search();
  const auto file = run("analysed") / "report/labels.csv";
  const std::string figures = core::read_file(file);
  EXPECT_EQ(figures, eval::labels_csv(analyse_run(run("analysed"), {}).figures));
  EXPECT_NE(figures.find("\nlayer_skip,all,all,offered/7,20000,"), std::string::npos);
  EXPECT_NE(figures.find("\nemittable,all,all,predictor,"), std::string::npos);
  const auto before = std::filesystem::last_write_time(file);
  Experiment(config("analysed")).search();
  EXPECT_EQ(std::filesystem::last_write_time(file), before);
  std::filesystem::remove(file);
  Experiment(config("analysed")).search();
  EXPECT_EQ(core::read_file(file), figures);
  Config fewer = config("analysed");
  fewer.predict.max_runs = 1;  // a predictor that cannot repeat emits fewer of them
  Experiment(fewer).search();
  EXPECT_NE(core::read_file(file), figures);
}

TEST_F(ExperimentTest, ReplaysASmallerBudgetAndReadsTheOraclesSearchesForTest) {
  run_all(config("replayed"));
  const RunAnalysis replay = analyse_run(run("replayed"), {.budget = 5, .resamples = 100});
  EXPECT_EQ(replay.stem, "labels-budget-5");
  EXPECT_EQ(replay.title, "Labels of replayed: first 5 trials of each example");
  for (const eval::LabelFigure& figure : replay.figures) {
    if (figure.analysis == "counts" && figure.key == "rollouts" && figure.level == "all") {
      EXPECT_EQ(figure.value, 34 * 5) << figure.set;
    }
  }
  const RunAnalysis test = analyse_run(run("replayed") / "", {.split = labels::Split::kTest, .resamples = 100});
  EXPECT_EQ(test.stem, "labels-test");
  EXPECT_EQ(test.title, "Labels of replayed, test examples");
  const auto examples = std::ranges::find_if(test.figures, [](const eval::LabelFigure& figure) {
    return figure.analysis == "counts" && figure.key == "examples" && figure.level == "all";
  });
  ASSERT_NE(examples, test.figures.end());
  EXPECT_EQ(examples->value, 16);
}

TEST_F(ExperimentTest, ComparesSeparateSearchesOfTheSameExamplesOnly) {
  Experiment(config("joint")).search();
  Config skip = config("skip");
  skip.search.loop = false;
  std::erase(skip.eval.policies, "random");  // it needs both
  Experiment(skip).search();
  const RunAnalysis compared = analyse_run(run("joint"), {.compare = {{"skip", run("skip")}}, .resamples = 100});
  EXPECT_EQ(compared.stem, "labels-vs-skip") << "labels.csv stays the stage's";
  EXPECT_TRUE(std::ranges::any_of(compared.figures, [](const eval::LabelFigure& figure) {
    return figure.set == "search:skip" && figure.analysis == "solved" && figure.level == "odd";
  }));
  const auto twice = test::message_of<core::UsageError>(
      [&] { analyse_run(run("joint"), {.compare = {{"skip", run("skip")}, {"skip", run("skip")}}}); });
  EXPECT_NE(twice.find("found 'skip' twice"), std::string::npos) << twice;
  write_rows("train", 20, "");
  Experiment(config("other")).search();
  const auto other =
      test::message_of<core::UsageError>([&] { analyse_run(run("joint"), {.compare = {{"other", run("other")}}}); });
  EXPECT_NE(other.find("compare searches of the same examples"), std::string::npos) << other;
  const auto none = test::message_of<core::UsageError>([&] { analyse_run(run("none"), {}); });
  EXPECT_NE(none.find("labels.sqlite: expected a run's label store, found none"), std::string::npos) << none;
}

TEST_F(ExperimentTest, FindsTheSameLabelsWhateverWorkersTreesInStepAndCache) {
  Experiment(config("one")).search();
  Config other = config("two");
  other.exec.workers = 2;
  other.exec.cache_mb = 0;
  other.exec.wave_mb = 1;
  other.exec.draft_verification = false;
  other.search.trees_in_step = 3;
  Experiment(other).search();
  EXPECT_EQ(digests("one").verdicts, digests("two").verdicts);
  EXPECT_EQ(digests("one").exact, digests("two").exact);
}

TEST_F(ExperimentTest, StartsFromTheSameProgramsOfThePilotWhateverTreesInStep) {
  Config one = config("one");
  one.search.algorithm = "transfer";
  one.search.transfer_pilot = 8;
  run_all(one);
  Config two = one;
  two.name = "two";
  two.search.trees_in_step = 2;
  Experiment(two).search();
  EXPECT_EQ(digests("one").exact, digests("two").exact);
  const labels::LabelStore store = labels::LabelStore::read(run("one") / "labels.sqlite");
  const std::vector<task::Example> pilot = slice_levels(task::read_jsonl(folder_ / "train.jsonl"), 0, 8);
  const std::vector<core::Program> served =
      programs_that_served(store, pilot, {8, one.search.transfer_size, search::Objective::kBest});
  ASSERT_FALSE(served.empty());
  for (const char* other : {"train16", "train23", "valid3"})
    EXPECT_EQ(store.trials(other).at(1).trial.program, served.front()) << other;
}

TEST_F(ExperimentTest, SearchesTheOracleAnewWhenOtherProgramsServedThePilot) {
  Config transfer = config("oracle");
  transfer.search.algorithm = "transfer";
  transfer.search.transfer_pilot = 8;
  const auto served = [&] {
    const std::vector<task::Example> pilot = slice_levels(task::read_jsonl(folder_ / "train.jsonl"), 0, 8);
    return programs_that_served(labels::LabelStore::read(run("oracle") / "labels.sqlite"), pilot,
                                {8, transfer.search.transfer_size, search::Objective::kBest});
  };
  const auto oracle = [&] { return labels::LabelStore::read(run("oracle") / "oracle.sqlite"); };
  run_all(transfer);
  const std::vector<core::Program> before = served();
  const std::string settings = oracle().settings().text;
  write_rows("train", 24, "7");
  std::filesystem::remove(run("oracle") / "labels.sqlite");
  run_all(transfer);
  ASSERT_NE(before, served());
  EXPECT_NE(oracle().settings().text, settings);
  EXPECT_EQ(oracle().trials("test3").size(), 6U) << "of the new search";
}

TEST_F(ExperimentTest, TrainsAnewAndSearchesNothingWhenFewerProgramsAreToBeKept) {
  run_all(config("keep"));
  const labels::LabelDigests before = digests("keep");
  const auto predictor = std::filesystem::last_write_time(run("keep") / "predictor/manifest.json");
  Config other = config("keep");
  other.search.keep = 1;
  run_all(other);
  EXPECT_EQ(digests("keep").exact, before.exact);
  EXPECT_NE(std::filesystem::last_write_time(run("keep") / "predictor/manifest.json"), predictor);
  const auto selection = nlohmann::json::parse(core::read_file(run("keep") / "selection.json"));
  EXPECT_LE(selection.at("predictor").at("programs").get<int>(), 24) << "one of each training example";
}

TEST_F(ExperimentTest, StartsFromTheProgramsOfAFileAndSearchesAnewWhenTheyChange) {
  Config from_file = config("file");
  from_file.search.algorithm = "transfer";
  from_file.search.transfer_programs = (folder_ / "programs.txt").string();
  core::write_file(folder_ / "programs.txt", "0-3,3-7\n0-5,7\n");
  Experiment(from_file).search();
  const auto trials = labels::LabelStore::read(run("file") / "labels.sqlite").trials("train4");
  ASSERT_GE(trials.size(), 3U);
  EXPECT_EQ(trials[1].trial.program, core::Program::parse("0-3,3-7"));
  EXPECT_EQ(trials[2].trial.program, core::Program::parse("0-5,7"));
  core::write_file(folder_ / "programs.txt", "0-5,7\n");
  EXPECT_THROW(Experiment(from_file).search(), core::UsageError) << "the store holds a search of other settings";
  core::write_file(folder_ / "programs.txt", "7,6,5,4,3,2,1,0\n");
  const auto message = test::message_of<core::UsageError>([&] { Experiment(from_file).search(); });
  EXPECT_NE(message.find("programs.txt: expected a program of the search space"), std::string::npos) << message;
}

TEST_F(ExperimentTest, LabelsWithAPublishedSearchToo) {
  Config published = config("published");
  published.search.algorithm = "authors";
  Experiment(published).search();
  EXPECT_GT(digests("published").trials, 34 * 6);
}

TEST_F(ExperimentTest, SearchesInPartsThatMergeToTheWholeAndTrainFromThere) {
  const auto with_pilot = [&](const std::string& name) {
    Config made = config(name);
    made.search.transfer_pilot = 2;  // examples a level that every part searches
    return made;
  };
  Experiment(with_pilot("whole")).search();
  std::vector<std::filesystem::path> parts;
  for (int number = 1; number <= 3; ++number) {
    const std::string name = "part-" + std::to_string(number);
    Experiment part(with_pilot(name));
    part.search({number, 3});
    EXPECT_THROW(part.train(), core::Error) << "a part is no finished search";
    parts.push_back(run(name) / "labels.sqlite");
  }
  EXPECT_LT(digests("part-2").trials, digests("whole").trials / 2);
  std::filesystem::create_directories(run("merged"));
  {
    const labels::RunLock lock(run("merged"));
    labels::merge_stores(lock, "labels.sqlite", parts);
  }
  EXPECT_EQ(digests("merged").exact, digests("whole").exact);
  Experiment merged(with_pilot("merged"));
  merged.search();
  EXPECT_EQ(digests("merged").exact, digests("whole").exact);
  EXPECT_NO_THROW(merged.train());
}

TEST_F(ExperimentTest, RefusesAPartThatThereIsNot) {
  Experiment experiment(config("a"));
  for (const SearchPart part : {SearchPart{0, 2}, SearchPart{3, 2}}) {
    const std::string message = test::message_of<core::UsageError>([&] { experiment.search(part); });
    EXPECT_NE(message.find("as in 2/3"), std::string::npos) << message;
  }
}

/// Latency is measured, not computed, so that it cannot be compared to the bit: no clock is read by what a policy sees.
TEST_F(ExperimentTest, NeverLetsAPolicySeeAReference) {
  const auto with_every_policy = [&](const std::string& name) {
    Config made = config(name);
    made.eval.policies = {"base",        "static_best", "random",      "base_sampling", "shortgpt",
                          "static_skip", "rys",         "random_menu", "menu_first_k",  "label_prior",
                          "label_draw",  "predictor",   "menu",        "menu_oracle",   "oracle",
                          "drllm",       "mindskip",    "flexidepth",  "cascade"};
    made.menu.cascade_tries = 3;
    made.menu.operating_points = {0.9};
    made.predict.per_level = true;
    made.menu.pooling = "mean";
    made.eval.max_k = 3;
    made.eval.temperatures = {0.5, 1};
    return made;
  };
  run_all(with_every_policy("true"));
  const auto expected = eval::read_rows(run("true") / "evaluation.jsonl");
  write_rows("test", 16, "424242");
  run_all(with_every_policy("random"));
  const auto found = eval::read_rows(run("random") / "evaluation.jsonl");
  ASSERT_EQ(found.size(), 16U * 22U) << "two of them are samplings, two menus, and one is told the level";
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].oracle, found[i].policy.find("oracle") != std::string::npos) << found[i].policy;
    if (found[i].oracle) continue;
    ASSERT_EQ(found[i].ranked.size(), expected[i].ranked.size());
    for (std::size_t k = 0; k < found[i].ranked.size(); ++k) {
      EXPECT_EQ(found[i].ranked[k].program, expected[i].ranked[k].program) << found[i].policy;
      EXPECT_EQ(found[i].ranked[k].answer, expected[i].ranked[k].answer) << found[i].policy;
      EXPECT_EQ(found[i].ranked[k].confidence, expected[i].ranked[k].confidence) << found[i].policy;
    }
  }
}

TEST_F(ExperimentTest, SamplesTheBaseAtEachTemperatureAndReportsTheBestOfThem) {
  Config sampled = config("sampled");
  sampled.eval.policies = {"base", "base_sampling"};
  sampled.eval.max_k = 3;
  sampled.eval.temperatures = {0.5, 2};
  run_all(sampled);
  std::set<std::string> answers;
  for (const eval::EvaluationRow& row : eval::read_rows(run("sampled") / "evaluation.jsonl")) {
    if (row.policy != "base_sampling_2") continue;
    ASSERT_EQ(row.ranked.size(), 3U);
    for (const eval::Candidate& candidate : row.ranked) {
      EXPECT_EQ(candidate.program, core::Program::identity(8));
      answers.insert(row.example + std::to_string(candidate.confidence));
    }
  }
  EXPECT_GT(answers.size(), 16U) << "the samples of an example differ";
  const std::string results = core::read_file(run("sampled") / "report/results.csv");
  EXPECT_NE(results.find("\nbase_sampling_best,test,all,16,pass@k,3,"), std::string::npos);
  EXPECT_NE(core::read_file(run("sampled") / "report/results.md").find("an optimistic choice"), std::string::npos);
}

TEST_F(ExperimentTest, TriesTheMenuForItsOracleOnTheOraclesExamplesOnly) {
  Config known = config("known");
  known.eval.policies = {"base", "menu", "menu_oracle"};
  known.search.oracle_examples = 3;  // of each of two levels
  run_all(known);
  const auto rows = [&] { return eval::read_rows(run("known") / "evaluation.jsonl"); };
  std::string answer;  // that some program of the menu gives, so that it is right somewhere
  for (const eval::EvaluationRow& row : rows()) {
    if (row.policy == "menu_oracle" && answer.empty()) answer = row.ranked.front().answer;
  }
  ASSERT_FALSE(answer.empty());
  write_rows("test", 16, answer);
  run_all(known);
  std::map<std::string, std::map<std::string, bool>> right;
  for (const eval::EvaluationRow& row : rows()) {
    for (const eval::Candidate& candidate : row.ranked) right[row.policy][row.example] |= candidate.correct;
  }
  EXPECT_EQ(right["menu_oracle"].size(), 6U);
  for (const auto& [example, correct] : right["menu_oracle"])
    EXPECT_EQ(correct, right["menu"][example]) << "the menu of four programs is ranked whole: " << example;
  EXPECT_TRUE(std::ranges::any_of(right["menu_oracle"], [](const auto& one) { return one.second; }));
  EXPECT_EQ(labels::LabelStore::read(run("known") / "menu_oracle.sqlite").trial_count(), 6 * 4);
}

TEST_F(ExperimentTest, ACascadePaysForEveryProgramItRunsAndAnswersByItsRule) {
  Config made = config("cascade");
  made.eval.policies = {"base", "menu", "cascade"};
  made.menu.cascade_tries = made.eval.max_k = 3;
  made.menu.cascade_limit = 0;
  write_rows("valid", 10, "424242");  // every rule is right equally often: the shallowest is taken
  run_all(made);
  const auto manifest = nlohmann::json::parse(core::read_file(run("cascade") / "cascade/manifest.json"));
  EXPECT_EQ(manifest.at("body").at("tries"), 1);
  predict::TrainedMenu cascade =
      predict::load_menu(run("cascade") / "cascade", manifest.at("pool_weights_digest").get<std::string>());
  EXPECT_EQ(cascade.cascade.value().grader, made.task.grader);
  const auto rows = [&] { return eval::read_rows(run("cascade") / "evaluation.jsonl"); };
  std::vector<double> first;
  for (const eval::EvaluationRow& row : rows()) {
    if (row.policy == "menu") first.push_back(row.ranked.front().confidence);
  }
  std::ranges::sort(first);
  cascade.cascade = predict::CascadeRule{3, first[8], predict::FinalAnswer::kMostConfident, made.task.grader};
  predict::save_menu(run("cascade") / "cascade", cascade);
  Experiment(made).evaluate();

  std::map<std::string, std::map<std::string, std::vector<eval::Candidate>>> ranked;  // by policy and example
  for (const eval::EvaluationRow& row : rows()) ranked[row.policy][row.example] = row.ranked;
  std::set<std::size_t> tries;
  for (const auto& [example, answered] : ranked["cascade"]) {
    ASSERT_EQ(answered.size(), 1U);
    const std::vector<eval::Candidate>& menu = ranked["menu"][example];
    std::vector<double> confidences;
    int layers = 0, tokens = 0;
    while (predict::goes_on(confidences, *cascade.cascade)) {
      const eval::Candidate& next = menu.at(confidences.size());
      confidences.push_back(next.confidence);
      layers += next.layers;
      tokens += next.new_tokens;
    }
    tries.insert(confidences.size());
    const eval::Candidate& given = menu.at(predict::answer_of(confidences, *cascade.cascade));
    EXPECT_EQ(answered[0].program, given.program) << example;
    EXPECT_EQ(answered[0].answer, given.answer) << example;
    EXPECT_EQ(answered[0].layers, layers) << example;
    EXPECT_EQ(answered[0].new_tokens, tokens) << example;
  }
  EXPECT_GT(tries.size(), 1U) << "the threshold divides the examples";
}

TEST_F(ExperimentTest, ACascadeOfOneTryIsTheMenuThatOrdersItsTries) {
  Config made = config("ordered");
  made.menu.operating_points = {0.9};
  made.menu.cascade_tries = 3;
  const auto selection = [&] { return nlohmann::json::parse(core::read_file(run("ordered") / "selection.json")); };
  for (const double from : {0.0, 0.9}) {
    made.menu.cascade_from = from;
    made.menu.cascade_limit = from > 0 ? 0.01 : 0;
    Experiment experiment(made);
    experiment.search();
    experiment.train();
    const std::string menu = from > 0 ? "menu_0.9" : "menu";
    const nlohmann::json chosen = selection().at(menu).at("chosen"), cascade = selection().at("cascade");
    EXPECT_EQ(cascade.at("menu"), menu);
    EXPECT_EQ(cascade.at("within_limit"), from == 0);
    int single = 0;
    for (const nlohmann::json& point : cascade.at("points")) {
      if (point.at("tries") != 1) continue;
      ++single;
      EXPECT_NEAR(point.at("accuracy").get<double>(), chosen.at("accuracy").get<double>(), 1e-12);
      EXPECT_NEAR(point.at("depth_ratio").get<double>(), chosen.at("depth_ratio").get<double>(), 1e-12);
    }
    EXPECT_GT(single, 0);
  }
}

TEST_F(ExperimentTest, RefusesToEvaluateAnExampleThatTheLabelsHold) {
  run_all(config("leaking"));
  {
    const labels::RunLock lock(run("leaking"));
    const labels::LabelStore before = labels::LabelStore::read(run("leaking") / "labels.sqlite");
    labels::LabelStore store = labels::LabelStore::open(lock, "labels.sqlite", before.identity(), before.settings());
    store.add_examples(std::vector<labels::StoredExample>{{"test3", labels::Split::kValid, "odd"}});
  }
  const auto message = test::message_of<core::Error>([&] { Experiment(config("leaking")).evaluate(); });
  EXPECT_NE(message.find("labels.sqlite, tagged valid, found 1, first 'test3'"), std::string::npos) << message;
}

TEST_F(ExperimentTest, RefusesToTrainWithoutLabelsAndToEvaluateWithoutTraining) {
  const auto training = test::message_of<core::Error>([&] { Experiment(config("early")).train(); });
  EXPECT_NE(training.find("run polar search with this configuration first"), std::string::npos) << training;
  const auto evaluating = test::message_of<core::Error>([&] { Experiment(config("early")).evaluate(); });
  EXPECT_NE(evaluating.find("run polar train with this configuration first"), std::string::npos) << evaluating;
}

TEST_F(ExperimentTest, RefusesToTrainOnAnUnfinishedSearchAndToEvaluateATrainingOfOtherSettings) {
  run_all(config("changed"));
  Config other = config("changed");
  other.menu.size = 3;
  const auto evaluating = test::message_of<core::Error>([&] { Experiment(other).evaluate(); });
  EXPECT_NE(evaluating.find("menu.size changed from 4 to 3"), std::string::npos) << evaluating;
  EXPECT_EQ(core::read_file(run("changed") / "config.yaml").find("size: 3"), std::string::npos);
}

TEST_F(ExperimentTest, SearchesTheOracleAnewWhenItsBudgetOrTheTestSetChanges) {
  run_all(config("oracle"));
  const std::string labels = digests("oracle").exact;
  Config other = config("oracle");
  other.search.oracle_rollouts = 8;
  run_all(other);
  write_rows("test", 14, "");
  run_all(other);
  EXPECT_EQ(digests("oracle").exact, labels);
  EXPECT_EQ(labels::LabelStore::read(run("oracle") / "oracle.sqlite").examples().size(), 14U);
}

TEST_F(ExperimentTest, RefusesLayersBeyondThePoolBeforeAnythingIsWritten) {
  Config deep = config("deep");
  deep.predict.prefix_layers = 9;
  const auto message = test::message_of<core::UsageError>([&] { Experiment{deep}; });
  EXPECT_NE(message.find("predict.prefix_layers: expected at most 8"), std::string::npos) << message;
}

TEST_F(ExperimentTest, RefusesBudgetsBelowAnExhaustiveSearchBeforeAnythingIsWritten) {
  Config exhaustive = config("exhaustive");
  exhaustive.search.algorithm = "exhaustive";
  exhaustive.search.max_edits = 1;
  const auto labels = test::message_of<core::UsageError>([&] { Experiment{exhaustive}; });
  EXPECT_NE(labels.find("search.rollouts: expected at least the whole space"), std::string::npos) << labels;
  exhaustive.search.rollouts = 500;
  const auto oracle = test::message_of<core::UsageError>([&] { Experiment{exhaustive}; });
  EXPECT_NE(oracle.find("search.oracle_rollouts: expected at least the whole space"), std::string::npos) << oracle;
  EXPECT_FALSE(std::filesystem::exists(run("exhaustive")));
  exhaustive.eval.policies = {"base"};
  EXPECT_NO_THROW(Experiment{exhaustive}) << "without an oracle its budget is of no use";
}

TEST_F(ExperimentTest, RefusesAnEmptySplit) {
  write_rows("valid", 0, "");
  const auto message = test::message_of<core::Error>([&] { Experiment(config("empty")); });
  EXPECT_NE(message.find("expected at least one example for validation"), std::string::npos) << message;
}

TEST_F(ExperimentTest, RefusesATestExampleThatStandsInTraining) {
  std::filesystem::copy_file(folder_ / "train.jsonl", folder_ / "test.jsonl",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_THROW(Experiment(config("leak")), core::Error);
  EXPECT_FALSE(std::filesystem::exists(run("leak")));
}

}  // namespace
}  // namespace polar::experiment
