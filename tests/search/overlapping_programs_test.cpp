#include "search/overlapping_programs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace polar::search {
namespace {

using core::Program;

SpaceOptions short_blocks(int depth, int max_edits) {
  return {.depth = depth,
          .first_layer = 1,
          .end_layer = depth,
          .max_block = 2,
          .max_extra_runs = 2,
          .min_depth_ratio = 0,
          .max_depth_ratio = 2,
          .max_edits = max_edits,
          .form = EditForm::kOverlapping};
}

/// Every program of a set of at most `most` of the candidates, by brute force.
std::set<Program> programs_of_sets(const SearchSpace& space, std::size_t most) {
  std::set<Program> programs;
  std::vector<core::Edit> edits;
  const auto add = [&](const auto& self, std::size_t from) -> void {
    programs.insert(core::apply_overlapping_edits(space.depth(), edits));  // layer 0 is always left
    if (edits.size() == most) return;
    for (std::size_t i = from; i < space.candidates().size(); ++i) {
      edits.push_back(space.candidates()[i]);
      self(self, i + 1);
      edits.pop_back();
    }
  };
  add(add, 0);
  std::erase_if(programs, [&](const Program& program) { return program.length() > space.max_layers(); });
  return programs;
}

std::set<Program> all_of(const OverlappingPrograms& programs, int max_layers) {
  std::set<Program> all;
  for (int layers = 1; layers <= max_layers; ++layers) {
    const std::size_t before = all.size();
    programs.each(layers, [&](Program&& program) {
      EXPECT_EQ(program.length(), layers);
      EXPECT_TRUE(all.insert(std::move(program)).second) << "once each";
      return true;
    });
    EXPECT_EQ(programs.count(layers), static_cast<double>(all.size() - before));
  }
  return all;
}

TEST(OverlappingProgramsTest, AreThoseOfEverySetOfEdits) {
  const SearchSpace limited(short_blocks(6, 3));
  EXPECT_EQ(all_of(OverlappingPrograms(limited.options(), 2, 12), 12), programs_of_sets(limited, 3));
  SpaceOptions options = short_blocks(4, 0);
  options.max_extra_runs = 1;
  const SearchSpace any_number(options);
  EXPECT_EQ(all_of(OverlappingPrograms(any_number.options(), 2, 8), 8), programs_of_sets(any_number, 100));
  options.allow_skip = false;
  options.max_extra_runs = 2;
  const SearchSpace repeats(options);
  EXPECT_EQ(all_of(OverlappingPrograms(repeats.options(), 2, 8), 8), programs_of_sets(repeats, 100));
}

TEST(OverlappingProgramsTest, AreDrawnEvenly) {
  const SearchSpace space(short_blocks(5, 2));
  std::map<Program, int> drawn;
  core::Random random(3);
  const auto number = static_cast<int>(space.count(6));
  ASSERT_GT(number, 20);
  for (int i = 0; i < 400 * number; ++i) ++drawn[space.random_program(6, random)];
  EXPECT_EQ(static_cast<int>(drawn.size()), number);
  for (const auto& [program, count] : drawn) EXPECT_NEAR(count, 400, 120) << program.text();  // six deviations
}

TEST(OverlappingProgramsTest, CountThePublishedSpaceAndDrawFromIt) {
  SpaceOptions options = {.depth = 30, .max_block = 4, .max_extra_runs = 4, .form = EditForm::kOverlapping};
  const SearchSpace space(options);
  EXPECT_TRUE(space.counted());
  EXPECT_GT(space.count(), 1e17);
  EXPECT_EQ(space.describe().find("about "), 0U) << space.describe();
  EXPECT_FALSE(space.enumerate());
  core::Random random(5);
  for (int layers = space.min_layers(); layers <= space.max_layers(); ++layers) {
    const Program program = space.random_program(layers, random);
    EXPECT_EQ(program.length(), layers);
    EXPECT_TRUE(space.find(program).has_value()) << program.text();
  }
}

TEST(OverlappingProgramsTest, SayWhenThereAreTooManyToCount) {
  SpaceOptions options = {
      .depth = 200, .first_layer = 0, .max_block = 12, .max_extra_runs = 12, .form = EditForm::kOverlapping};
  const SearchSpace space(options);
  EXPECT_FALSE(space.counted());
  EXPECT_EQ(space.count(), 0);
  EXPECT_EQ(space.describe().find("an unknown number of programs of 180 to 230 layers"), 0U) << space.describe();
  EXPECT_TRUE(space.find(space.single_edits().front().program).has_value());
}

}  // namespace
}  // namespace polar::search
