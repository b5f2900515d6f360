#include "experiment/transfer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "core/file.h"
#include "support/label_fixture.h"
#include "support/message_of.h"
#include "support/temporary_folder.h"

namespace polar::experiment {
namespace {

using core::Program;

TEST(ReadPrograms, ReadsOneALineAndSkipsRemarks) {
  const test::TemporaryFolder folder;
  core::write_file(folder / "programs.txt", "# found on other levels\n0-3,3-5\n\n0-1,3-5\n");
  EXPECT_EQ(read_programs(folder / "programs.txt", 6), (std::vector<Program>{{0, 1, 2, 3, 3, 4, 5}, {0, 1, 3, 4, 5}}));
}

TEST(ReadPrograms, NamesTheLineThatIsNoProgramOfTheModel) {
  const test::TemporaryFolder folder;
  core::write_file(folder / "programs.txt", "0-5\n0-9\n");
  const auto message = test::message_of<core::UsageError>([&] { read_programs(folder / "programs.txt", 6); });
  EXPECT_NE(message.find("programs.txt:2: "), std::string::npos) << message;
  core::write_file(folder / "empty.txt", "# nothing\n");
  EXPECT_THROW(read_programs(folder / "empty.txt", 6), core::UsageError);
  EXPECT_THROW(read_programs(folder / "missing.txt", 6), core::Error);
}

class ProgramsThatServed : public ::testing::Test {
 protected:
  ProgramsThatServed()
      : lock_(folder_.path()),
        store_(labels::LabelStore::open(lock_, "labels.sqlite", test::some_identity(), test::some_settings())) {}

  void add(const std::string& id, const std::vector<std::pair<Program, bool>>& tried) {
    store_.add_examples(std::vector<labels::StoredExample>{{id, labels::Split::kTrain, "sums"}});
    std::vector<search::Trial> trials;
    std::vector<search::Outcome> outcomes;
    for (const auto& [program, correct] : tried) {
      trials.push_back({id, program, {}});
      outcomes.push_back({.correct = correct, .answer_log_prob = -1});
    }
    store_.record(id, 0, trials, outcomes);
    examples_.push_back({id, "q", "1", {}, -1, "sums", ""});
  }

  test::TemporaryFolder folder_;
  labels::RunLock lock_;
  labels::LabelStore store_;
  std::vector<task::Example> examples_;
  const Program identity_{0, 1, 2}, first_{0, 1, 1, 2}, second_{0, 2}, third_{0, 1, 2, 2};
};

TEST_F(ProgramsThatServed, AreAGreedyCoverOfWhatTheIdentityFails) {
  add("a", {{identity_, false}, {first_, true}, {second_, false}});
  add("b", {{identity_, false}, {first_, true}});
  add("c", {{identity_, false}, {second_, true}});
  add("d", {{identity_, true}, {third_, true}});
  EXPECT_EQ(programs_that_served(store_, examples_, {3, 5, search::Objective::kFirstValid}),
            (std::vector<Program>{first_, second_}));
  EXPECT_EQ(programs_that_served(store_, examples_, {3, 1, search::Objective::kFirstValid}),
            (std::vector<Program>{first_}));
}

TEST_F(ProgramsThatServed, ComeFromAllExamplesWhenTheIdentitySolvesThem) {
  add("a", {{identity_, true}, {third_, true}});
  EXPECT_EQ(programs_that_served(store_, examples_, {3, 5, search::Objective::kFirstValid}),
            (std::vector<Program>{third_}));
}

TEST_F(ProgramsThatServed, ComeFromTheFirstTrialsWhereOnlyThoseCount) {
  add("a", {{identity_, false}, {first_, true}, {third_, true}});
  add("b", {{identity_, false}, {second_, false}, {third_, true}});
  EXPECT_EQ(programs_that_served(store_, examples_, {3, 5, search::Objective::kFirstValid, 2}),
            (std::vector<Program>{first_}));
  EXPECT_EQ(programs_that_served(store_, examples_, {3, 5, search::Objective::kFirstValid, 3}),
            (std::vector<Program>{third_, first_}));
}

TEST_F(ProgramsThatServed, AreNoneWhereOnlyTheIdentityIsValid) {
  add("a", {{identity_, true}, {first_, false}});
  EXPECT_TRUE(programs_that_served(store_, examples_, {3, 5, search::Objective::kFirstValid}).empty());
}

TEST_F(ProgramsThatServed, AreShorterOnesInTurnWhereAskedFor) {
  add("a", {{identity_, false}, {first_, true}, {third_, true}});
  add("b", {{identity_, true}, {second_, true}, {first_, true}});
  EXPECT_EQ(programs_that_served(store_, examples_, {3, 5, search::Objective::kBest}),
            (std::vector<Program>{first_, second_, third_}));
  EXPECT_EQ(programs_that_served(store_, examples_, {3, 2, search::Objective::kBest}),
            (std::vector<Program>{first_, second_}));
}

TEST(OfPilot, TriesSingleEditsFirstInOneOrderAndUsesEveryRollout) {
  const search::SearchSpace space({.depth = 8});
  const search::SearchOptions options{.algorithm = search::Algorithm::kTransfer,
                                      .objective = search::Objective::kFirstValid,
                                      .stop_when_rescued = true};
  const search::SearchOptions pilot = of_pilot(options, space, 1, 0);
  EXPECT_EQ(pilot.algorithm, search::Algorithm::kGuided);
  EXPECT_EQ(pilot.objective, search::Objective::kBest);
  EXPECT_FALSE(pilot.stop_when_rescued);
  EXPECT_EQ(pilot.first_programs, of_pilot(options, space, 1, 0).first_programs);
  EXPECT_NE(pilot.first_programs, of_pilot(options, space, 2, 0).first_programs);
  std::vector<Program> singles;
  for (const search::EditedProgram& single : space.single_edits()) singles.push_back(single.program);
  EXPECT_TRUE(std::ranges::is_permutation(pilot.first_programs, singles));
  EXPECT_EQ(pilot.rollouts, options.rollouts);
  EXPECT_EQ(of_pilot(options, space, 1, 7).rollouts, 7);
}

}  // namespace
}  // namespace polar::experiment
