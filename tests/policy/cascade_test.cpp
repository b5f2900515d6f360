#include "policy/cascade.h"

#include <gtest/gtest.h>

namespace polar::policy {
namespace {

using core::Program;

const std::vector<Program> kPrograms{Program{0, 1, 2}, Program{0, 1}, Program{0, 1, 2, 2}};
const predict::CascadeRule kRule{3, -0.5, predict::FinalAnswer::kMostConfident};

exec::Answer answer_of(double confidence) {
  exec::Answer answer;
  answer.confidence = confidence;
  return answer;
}

TEST(RankedCascade, RunsItsProgramsInOrderUntilOneIsConfident) {
  RankedCascade cascade(kPrograms, kRule);
  std::vector<ModelOutput> outputs;
  EXPECT_EQ(cascade.next(outputs), kPrograms[0]);
  outputs.push_back({"7", "7", -1});
  EXPECT_EQ(cascade.next(outputs), kPrograms[1]);
  outputs.push_back({"8", "8", -0.5});
  EXPECT_FALSE(cascade.next(outputs));
  EXPECT_EQ(cascade.answer(outputs), 1U);
}

TEST(RankedCascade, EndsWhereItsProgramsDo) {
  RankedCascade cascade({kPrograms[0]}, kRule);
  const std::vector<ModelOutput> outputs{{"7", "7", -3}};
  EXPECT_FALSE(cascade.next(outputs));
  EXPECT_EQ(cascade.answer(outputs), 0U);
}

TEST(RunCascades, AnswersInputsThatGoOnTogetherAndLeavesTheOthersAlone) {
  std::vector<std::unique_ptr<Cascade>> cascades;
  for (int i = 0; i < 3; ++i) cascades.push_back(std::make_unique<RankedCascade>(kPrograms, kRule));
  // confidences by input and try
  const std::vector<std::vector<double>> said{{-0.1}, {-0.9, -0.2}, {-0.7, -0.9, -0.8}};
  std::vector<std::vector<std::size_t>> rounds;
  std::vector<std::size_t> tried(3, 0);
  const std::vector<CascadeRun> runs = run_cascades(cascades, [&](std::span<const CascadeTrial> trials) {
    std::vector<exec::Answer> answers;
    rounds.emplace_back();
    for (const CascadeTrial& trial : trials) {
      rounds.back().push_back(trial.input);
      EXPECT_EQ(trial.program, kPrograms[tried[trial.input]]);
      answers.push_back(answer_of(said[trial.input].at(tried[trial.input]++)));
    }
    return answers;
  });
  EXPECT_EQ(rounds, (std::vector<std::vector<std::size_t>>{{0, 1, 2}, {1, 2}, {2}}));
  EXPECT_EQ(runs[0].answer, 0U);
  EXPECT_EQ(runs[1].answer, 1U);
  EXPECT_EQ(runs[2].answer, 0U);
  EXPECT_EQ(runs[2].programs, kPrograms);
  EXPECT_EQ(runs[1].answers.size(), 2U);
}

}  // namespace
}  // namespace polar::policy
