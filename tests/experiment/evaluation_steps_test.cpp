#include "experiment/evaluation_steps.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file.h"
#include "support/message_of.h"
#include "support/temporary_folder.h"

namespace polar::experiment {
namespace {

const std::vector<eval::EvaluationRow> kRows = {
    {"e1", "test", "sums", "base", false, {{core::Program::identity(6), "12", true, -0.25, 6, 6, 3}}, "5 + 7", "12"}};

TEST(EvaluationSteps, AreThereAgainUnderTheSameDigest) {
  const test::TemporaryFolder folder;
  {
    EvaluationSteps steps(folder / "steps", "a");
    EXPECT_EQ(steps.find(0), std::nullopt);
    steps.add(0, kRows);
    steps.add(1, {});
  }
  const EvaluationSteps steps(folder / "steps", "a");
  EXPECT_EQ(steps.find(0), kRows);
  EXPECT_EQ(steps.find(1), std::vector<eval::EvaluationRow>{});
  EXPECT_EQ(steps.find(2), std::nullopt);
}

TEST(EvaluationSteps, AreGoneUnderAnotherDigest) {
  const test::TemporaryFolder folder;
  EvaluationSteps(folder / "steps", "a").add(0, kRows);
  EXPECT_EQ(EvaluationSteps(folder / "steps", "b").find(0), std::nullopt);
  EXPECT_EQ(EvaluationSteps(folder / "steps", "a").find(0), std::nullopt);
}

TEST(EvaluationSteps, NameTheFileThatIsDamaged) {
  const test::TemporaryFolder folder;
  EvaluationSteps steps(folder / "steps", "a");
  steps.add(3, kRows);
  core::write_file(folder / "steps/step-000003.jsonl", "{");
  const auto message = test::message_of<core::Error>([&] { steps.find(3); });
  EXPECT_NE(message.find("step-000003.jsonl:1"), std::string::npos) << message;
}

TEST(EvaluationSteps, LeaveNothingWhenTheyAreRemoved) {
  const test::TemporaryFolder folder;
  EvaluationSteps steps(folder / "steps", "a");
  steps.add(0, kRows);
  steps.remove();
  EXPECT_FALSE(std::filesystem::exists(folder / "steps"));
}

}  // namespace
}  // namespace polar::experiment
