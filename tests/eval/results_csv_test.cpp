#include "eval/results_csv.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file.h"
#include "support/message_of.h"
#include "support/temporary_folder.h"

namespace polar::eval {
namespace {

Figure figure(const std::string& policy, const std::string& level, const std::string& metric, double value,
              std::optional<double> low = {}, std::optional<double> high = {}, int k = 1) {
  return {policy, "test", level, 90, metric, k, value, low, high, policy == "oracle" || k > 1};
}

std::vector<Figure> some_figures() {
  return {figure("oracle", "easy", "pass@k", 0.9, 0.85, 0.95),
          figure("oracle", "all", "pass@k", 0.9, 0.85, 0.95),
          figure("base", "easy", "pass@k", 0.5, 0.4, 0.6),
          figure("base", "all", "pass@k", 0.5, 0.4, 0.6),
          figure("base", "all", "layers", 30, 30, 30),
          figure("static_best", "all", "pass@k", 0.625, 0.5, 0.75),
          figure("static_best", "all", "pass@k", 0.75, 0.7, 0.8, 2),
          figure("static_best", "all", "mcnemar_p", 0.0000123),
          figure("static_best", "all", "mcnemar_p_holm", 0.0625)};
}

TEST(ResultsCsv, HasOneLineAFigureAndEmptyFieldsWithoutAnInterval) {
  EXPECT_EQ(
      results_csv({figure("base", "easy", "pass@k", 0.1, 0.05, 1.0 / 3), figure("a,\"b\"", "all", "mcnemar_p", 1)}),
      "policy,split,level,n,metric,k,value,ci_low,ci_high\n"
      "base,test,easy,90,pass@k,1,0.1,0.05,0.3333333333333333\n"
      "\"a,\"\"b\"\"\",test,all,90,mcnemar_p,1,1,,\n");
}

TEST(ResultsConsole, ShowsPoliciesInTheKnownOrderByLevel) {
  EXPECT_EQ(results_console(some_figures()),
            "test: accuracy in percent\n"
            "level          |      base | static best |    oracle\n"
            "easy           |      50.0 |           - |      90.0\n"
            "all            |      50.0 |        62.5 |      90.0\n"
            "95 % interval  | 40.0-60.0 |   50.0-75.0 | 85.0-95.0\n"
            "layers a token |      30.0 |           - |         -\n"
            "examples       |        90 |          90 |        90\n"
            "\n"
            "all: every example of the split pooled. oracle: chosen with the right answer known; not deployable.\n");
}

TEST(ResultsMarkdown, MarksOraclesAndShowsIntervalsAndTests) {
  const std::string text = results_markdown(some_figures());
  for (const char* expected :
       {"## test\n",
        "| policy | easy | all levels | examples |\n| --- | ---: | ---: | ---: |\n| *examples* | 90 | 90 |  |\n",
        "| base | 50.0 [40.0, 60.0] | 50.0 [40.0, 60.0] | 90 |\n", "| oracle (oracle) | 90.0 [85.0, 95.0] |",
        "| static best | – | – | 1.2e-05 | 0.062 | – | – | – | – |\n", "pass@k (oracle)",
        "| static best | 2 | 75.0 [70.0, 80.0] | – | – | – |\n"})
    EXPECT_NE(text.find(expected), std::string::npos) << expected << "\nnot in\n" << text;
  EXPECT_EQ(text.find("Latency"), std::string::npos);
}

TEST(ResultsMarkdown, ShowsLatencyWhereItWasMeasured) {
  auto figures = some_figures();
  figures.push_back(figure("base", "all", "answer_ms", 12.34, 11, 13));
  figures.push_back(figure("base", "all", "latency_ratio", 1));
  EXPECT_NE(results_markdown(figures).find("| base | – | – | – | 12.3 [11.0, 13.0] | 1.000 | 90 |\n"),
            std::string::npos);
}

TEST(ResultsMarkdown, ShowsDepthByLevelAndTheLayersOfWholeAnswers) {
  auto figures = some_figures();
  figures.push_back(figure("base", "easy", "layers", 30, 30, 30));
  figures.push_back(figure("base", "all", "executions", 129, 120, 140));
  figures.push_back(figure("base", "all", "executions_ratio", 1));
  const std::string text = results_markdown(figures);
  for (const char* expected :
       {"### Layers a token, by level\n\n| policy | easy | all levels | examples |",
        "| base | 30.00 [30.00, 30.00] | 30.00 [30.00, 30.00] | 90 |\n", "| – | 129.0 [120.0, 140.0] | 1.000 | – |\n"})
    EXPECT_NE(text.find(expected), std::string::npos) << expected << "\nnot in\n" << text;
  EXPECT_EQ(text.find("Latency, ratio to base, by level"), std::string::npos) << "none was measured";
}

TEST(ResultsMarkdown, KeepsABarInANameInsideItsCell) {
  EXPECT_NE(results_markdown({figure("a|b", "all", "pass@k", 1)}).find("| a\\|b | 100.0 | 90 |"), std::string::npos);
}

TEST(Results, AreWrittenToANewFolder) {
  const test::TemporaryFolder folder;
  write_results(folder / "report", some_figures());
  EXPECT_EQ(core::read_file(folder.path() / "report" / "results.csv"), results_csv(some_figures()));
  EXPECT_EQ(core::read_file(folder.path() / "report" / "results.md"), results_markdown(some_figures()));
}

TEST(Results, NameTheFolderThatCannotBeMade) {
  const test::TemporaryFolder folder;
  core::write_file(folder / "report", "a file");
  const auto message = test::message_of<core::Error>([&] { write_results(folder / "report", some_figures()); });
  EXPECT_NE(message.find("report"), std::string::npos) << message;
}

}  // namespace
}  // namespace polar::eval
