#include "eval/sampling_control.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "eval/statistics.h"
#include "support/message_of.h"

namespace polar::eval {
namespace {

/// Two temperatures; n is 3 for the first three examples, 1 for the last.
const std::vector<SampledExample> kSampled = {
    {"a", true, true, {{false, false, false}, {false, true, false}}},
    {"a", false, true, {{false, false, true}, {false, false, false}}},
    {"a", false, true, {{false, false, false}, {false, false, true}}},
    {"b", false, false, {{true}, {false}}},
};
const SamplingFigureOptions kOptions{.temperatures = {0.3, 1}, .root_seed = 1, .resamples = 200};

const LabelFigure& figure_of(const std::vector<LabelFigure>& figures, const std::string& level,
                             const std::string& analysis, const std::string& key) {
  return *std::ranges::find_if(figures, [&](const LabelFigure& figure) {
    return figure.level == level && figure.analysis == analysis && figure.key == key;
  });
}

TEST(SamplingControl, CountsAnyOfNByEachWayToSpendThem) {
  const std::vector<LabelFigure> figures = sampling_figures(kSampled, kOptions);
  const auto solved = [&](const char* level, const char* key) {
    return figure_of(figures, level, "solved", key).value;
  };
  EXPECT_DOUBLE_EQ(solved("a", "identity"), 1.0 / 3);
  EXPECT_DOUBLE_EQ(solved("a", "search"), 1);
  EXPECT_DOUBLE_EQ(solved("a", "T=0.3"), 1.0 / 3);
  EXPECT_DOUBLE_EQ(solved("a", "T=1"), 2.0 / 3);
  // The greedy answer takes the place of the last sample: the right ones of the second and third example are gone.
  EXPECT_DOUBLE_EQ(solved("a", "greedy+T=0.3"), 1.0 / 3);
  EXPECT_DOUBLE_EQ(solved("a", "greedy+T=1"), 1.0 / 3);
  EXPECT_DOUBLE_EQ(solved("b", "T=0.3"), 1);
  EXPECT_DOUBLE_EQ(solved("b", "greedy+T=0.3"), 0);
  EXPECT_DOUBLE_EQ(solved("all", "T=0.3"), 0.5);
  EXPECT_EQ(figure_of(figures, "all", "solved", "search").n, 4);
  EXPECT_DOUBLE_EQ(figure_of(figures, "all", "counts", "tries each").value, 10.0 / 4);
}

TEST(SamplingControl, ComparesTheSearchWithTheBestSamplingInPairs) {
  const std::vector<LabelFigure> figures = sampling_figures(kSampled, kOptions);
  const LabelFigure& a = figure_of(figures, "a", "difference", "search - sampling");
  EXPECT_DOUBLE_EQ(a.value, 1.0 / 3);
  EXPECT_EQ(a.note, "best sampling: T=1");
  EXPECT_EQ(a.ci_low, 0);
  EXPECT_GT(*a.ci_high, 0.5);
  EXPECT_EQ(figure_of(figures, "a", "p_value", "search - sampling").value, mcnemar_exact_p(1, 0));
  const LabelFigure& b = figure_of(figures, "b", "difference", "search - sampling");
  EXPECT_DOUBLE_EQ(b.value, -1);
  EXPECT_FALSE(b.ci_low);  // one example varies in nothing
  const LabelFigure& all = figure_of(figures, "all", "difference", "search - sampling");
  EXPECT_DOUBLE_EQ(all.value, 0.25);
  EXPECT_EQ(all.note, "best sampling: T=0.3");  // as many as T=1, and named first
  EXPECT_EQ(figure_of(figures, "all", "p_value", "search - sampling").value, mcnemar_exact_p(2, 1));
}

TEST(SamplingControl, RefusesExamplesWithoutAsManySamplesAtEachTemperature) {
  std::vector<SampledExample> examples = kSampled;
  examples[1].samples[1].pop_back();
  const auto figures = [&] { sampling_figures(examples, kOptions); };
  EXPECT_NE(test::message_of<core::Error>(figures).find("as many samples"), std::string::npos);
}

}  // namespace
}  // namespace polar::eval
