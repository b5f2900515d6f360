#include "search/space.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

#include "core/error.h"
#include "core/seed.h"

namespace polar::search {
namespace {

using core::Program;

SpaceOptions small_space(int depth) {
  return {.depth = depth, .first_layer = 0, .max_block = 3, .min_depth_ratio = 0, .max_depth_ratio = 3};
}

// Every set of disjoint candidate edits, by recursion, without SearchSpace's own arithmetic: program → fewest edits
// seen.
void collect(const SpaceOptions& options, const std::vector<core::Edit>& candidates, std::size_t next,
             std::vector<core::Edit>& chosen, std::map<Program, int>& fewest) {
  int length = options.depth;
  for (const core::Edit& edit : chosen) length += edit.length * edit.extra_runs;
  if (length >= 1) {
    const int edits = static_cast<int>(chosen.size());
    auto [place, fresh] = fewest.emplace(core::apply_edits(options.depth, chosen), edits);
    if (!fresh) place->second = std::min(place->second, edits);
  }
  for (std::size_t i = next; i < candidates.size(); ++i) {
    const bool free = std::all_of(chosen.begin(), chosen.end(), [&](const core::Edit& old) {
      return old.last() < candidates[i].first || candidates[i].last() < old.first;
    });
    if (!free) continue;
    chosen.push_back(candidates[i]);
    collect(options, candidates, i + 1, chosen, fewest);
    chosen.pop_back();
  }
}

std::map<Program, int> brute_force(const SpaceOptions& options) {
  std::vector<core::Edit> candidates;
  const int end = options.end_layer < 0 ? options.depth : options.end_layer;
  for (int first = options.first_layer; first < end; ++first) {
    for (int length = 1; length <= options.max_block && first + length <= end; ++length) {
      for (int extra = -1; extra <= options.max_extra_runs; ++extra) {
        if (extra == 0 || (extra < 0 && !options.allow_skip) || (extra > 0 && !options.allow_repeat)) continue;
        candidates.push_back({first, length, extra});
      }
    }
  }
  std::map<Program, int> fewest;
  std::vector<core::Edit> chosen;
  collect(options, candidates, 0, chosen, fewest);
  const SearchSpace space(options);
  std::erase_if(fewest, [&](const auto& entry) {
    return entry.first.length() < space.min_layers() || entry.first.length() > space.max_layers() ||
           (options.max_edits > 0 && entry.second > options.max_edits);
  });
  return fewest;
}

// Everything reachable from the identity by one edit after another.
std::map<Program, int> reach(const SearchSpace& space) {
  std::map<Program, int> found{{space.identity().program, 0}};
  std::vector<EditedProgram> open{space.identity()};
  while (!open.empty()) {
    const EditedProgram parent = open.back();
    open.pop_back();
    for (const core::Edit& edit : space.candidates()) {
      auto child = space.extend(parent, edit);
      if (!child || !found.emplace(child->program, static_cast<int>(child->edits.size())).second) continue;
      open.push_back(*child);
    }
  }
  return found;
}

std::vector<SpaceOptions> varied_spaces() {
  std::vector<SpaceOptions> spaces;
  spaces.push_back(small_space(5));
  spaces.push_back(small_space(6));
  spaces.back().max_extra_runs = 2;
  spaces.back().max_block = 2;
  spaces.push_back(small_space(7));
  spaces.back().first_layer = 2;
  spaces.back().end_layer = 6;
  spaces.push_back(small_space(7));
  spaces.back().allow_repeat = false;
  spaces.push_back(small_space(6));
  spaces.back().allow_skip = false;
  for (int edits = 1; edits <= 4; ++edits) {
    spaces.push_back(small_space(7));
    spaces.back().max_block = 2;
    spaces.back().max_edits = edits;
  }
  spaces.push_back(small_space(8));
  spaces.back().max_block = 2;
  spaces.back().min_depth_ratio = 0.75;
  spaces.back().max_depth_ratio = 1.25;
  return spaces;
}

TEST(SearchSpaceTest, CountsWhatBruteForceEnumeratesByLength) {
  for (const SpaceOptions& options : varied_spaces()) {
    SCOPED_TRACE(options.text());
    const SearchSpace space(options);
    const auto programs = brute_force(options);
    EXPECT_EQ(space.count(), static_cast<double>(programs.size()));
    std::map<int, int> by_length;
    for (const auto& [program, edits] : programs) ++by_length[program.length()];
    for (int layers = 0; layers <= 3 * options.depth + 1; ++layers) {
      EXPECT_EQ(space.count(layers), by_length.contains(layers) ? by_length[layers] : 0) << layers << " layers";
    }
  }
}

TEST(SearchSpaceTest, ReachesEveryProgramByOneEditAfterAnotherWithTheFewestEdits) {
  for (const SpaceOptions& options : varied_spaces()) {
    SCOPED_TRACE(options.text());
    EXPECT_EQ(reach(SearchSpace(options)), brute_force(options));
  }
}

TEST(SearchSpaceTest, HoldsOnlyProgramsInSegmentFormThatParseBack) {
  for (const SpaceOptions& options : varied_spaces()) {
    SCOPED_TRACE(options.text());
    const SearchSpace space(options);
    for (const auto& [program, edits] : brute_force(options)) {
      const auto segments = core::parse_segments(program, options.depth, space.segment_limits());
      ASSERT_TRUE(segments.has_value()) << program.text();
      EXPECT_EQ(core::expand(*segments, options.depth), program);
    }
  }
}

TEST(SearchSpaceTest, DefaultIsThePredictorsVocabularyWithinTheDepthBudget) {
  const SearchSpace space({.depth = 30});
  EXPECT_EQ(space.min_layers(), 27);
  EXPECT_EQ(space.max_layers(), 34);
  EXPECT_EQ(space.segment_limits().max_length, 4);
  EXPECT_EQ(space.segment_limits().max_runs, 2);
  EXPECT_EQ(space.candidates().size(), 2u * (26 + 25 + 24 + 23));
  EXPECT_EQ(space.single_edits().size(), 26u + 25 + 24 + (26 + 25 + 24 + 23)) << "skipping 4 of 30 leaves the budget";
  core::Random random(3);
  for (int layers = 27; layers <= 34; ++layers) {
    for (int i = 0; i < 50; ++i) {
      const Program program = space.random_program(layers, random);
      EXPECT_EQ(program.length(), layers);
      for (int layer = 0; layer < 4; ++layer) EXPECT_EQ(program[layer], layer);
      EXPECT_TRUE(core::parse_segments(program, 30).has_value()) << program.text();
    }
  }
}

TEST(SearchSpaceTest, BoundsAreInclusiveThoughTheRatioIsRounded) {
  SpaceOptions options{.depth = 20};
  const SearchSpace space(options);
  EXPECT_EQ(space.min_layers(), 18);
  EXPECT_EQ(space.max_layers(), 23) << "1.15 · 20 is 22.999… in binary";
  options.min_depth_ratio = 0.91;
  options.max_depth_ratio = 1.09;
  EXPECT_EQ(SearchSpace(options).min_layers(), 19);
  EXPECT_EQ(SearchSpace(options).max_layers(), 21);
}

TEST(SearchSpaceTest, MergesAdjacentSkipsIntoOneEdit) {
  const SearchSpace space(small_space(8));
  const auto first = space.extend(space.identity(), {2, 1, -1});
  const auto both = space.extend(*first, {3, 2, -1});
  ASSERT_TRUE(both.has_value());
  EXPECT_EQ(both->edits, (std::vector<core::Edit>{{2, 3, -1}}));
  const auto longer = space.extend(*both, {1, 1, -1});
  EXPECT_EQ(longer->edits, (std::vector<core::Edit>{{1, 3, -1}, {4, 1, -1}})) << "blocks of at most 3 layers";
  EXPECT_EQ(longer->program, (Program{0, 5, 6, 7}));
}

TEST(SearchSpaceTest, RefusesOverlapsAndProgramsOutOfBounds) {
  SpaceOptions options = small_space(8);
  options.max_edits = 2;
  options.min_depth_ratio = 0.75;
  options.max_depth_ratio = 1.25;
  const SearchSpace space(options);
  const auto repeated = space.extend(space.identity(), {2, 2, 1});
  ASSERT_TRUE(repeated.has_value());
  EXPECT_EQ(repeated->program, (Program{0, 1, 2, 3, 2, 3, 4, 5, 6, 7}));
  EXPECT_FALSE(space.extend(*repeated, {3, 1, -1})) << "overlap";
  EXPECT_FALSE(space.extend(*repeated, {5, 1, 1})) << "11 of at most 10 steps";
  EXPECT_FALSE(space.extend(space.identity(), {0, 3, -1})) << "5 of at least 6 steps";
  const auto two = space.extend(*repeated, {6, 1, -1});
  ASSERT_TRUE(two.has_value());
  EXPECT_FALSE(space.extend(*two, {0, 1, -1})) << "a third edit";
  EXPECT_TRUE(space.extend(*two, {7, 1, -1})) << "lengthens the second edit";
}

TEST(SearchSpaceTest, DrawsProgramsOfOneLengthUniformly) {
  SpaceOptions options = small_space(6);
  options.max_block = 2;
  options.max_edits = 3;
  const SearchSpace space(options);
  const int layers = 5;
  std::map<Program, int> drawn;
  core::Random random(11);
  const int expected = 200;
  const int draws = expected * static_cast<int>(space.count(layers));
  for (int i = 0; i < draws; ++i) ++drawn[space.random_program(layers, random)];
  EXPECT_EQ(static_cast<double>(drawn.size()), space.count(layers));
  for (const auto& [program, times] : drawn) {
    EXPECT_NEAR(times, expected, 5 * std::sqrt(expected)) << program.text();
  }
}

TEST(SearchSpaceTest, RefusesARandomProgramOfALengthWithoutPrograms) {
  const SearchSpace space({.depth = 30});
  core::Random random(1);
  try {
    space.random_program(26, random);
    FAIL();
  } catch (const core::UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("26"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("27 to 34"), std::string::npos) << error.what();
  }
}

TEST(SearchSpaceTest, EnumeratesExactlyWhatItCounts) {
  for (const SpaceOptions& options : varied_spaces()) {
    SCOPED_TRACE(options.text());
    const SearchSpace space(options);
    const auto all = space.enumerate();
    ASSERT_TRUE(all.has_value());
    EXPECT_EQ(static_cast<double>(all->size()), space.count());
    const auto fewest = brute_force(options);
    std::size_t edits_before = 0;
    for (const EditedProgram& edited : *all) {
      ASSERT_TRUE(fewest.contains(edited.program)) << edited.program.text();
      EXPECT_EQ(static_cast<int>(edited.edits.size()), fewest.at(edited.program));
      EXPECT_EQ(core::apply_edits(options.depth, edited.edits), edited.program);
      EXPECT_GE(edited.edits.size(), edits_before) << "by number of edits";
      edits_before = edited.edits.size();
    }
    EXPECT_FALSE(space.enumerate(all->size() - 1)) << "one more than allowed";
  }
}

TEST(SearchSpaceTest, NamesTheOptionThatIsOutOfRange) {
  const auto expect_refused = [](const SpaceOptions& options, const std::string& option) {
    try {
      SearchSpace space(options);
      ADD_FAILURE() << option << " was accepted";
    } catch (const core::UsageError& error) {
      EXPECT_NE(std::string(error.what()).find(option + ": expected"), std::string::npos) << error.what();
    }
  };
  expect_refused({}, "depth");
  expect_refused({.depth = 5000}, "depth");
  expect_refused({.depth = 4}, "first_layer");
  expect_refused({.depth = 8, .first_layer = -1}, "first_layer");
  expect_refused({.depth = 8, .end_layer = 9}, "end_layer");
  expect_refused({.depth = 8, .end_layer = 4}, "end_layer");
  expect_refused({.depth = 8, .max_block = 0}, "max_block");
  expect_refused({.depth = 8, .max_extra_runs = 0}, "max_extra_runs");
  expect_refused({.depth = 8, .allow_skip = false, .allow_repeat = false}, "allow_repeat");
  expect_refused({.depth = 8, .min_depth_ratio = 1.1}, "min_depth_ratio");
  expect_refused({.depth = 8, .max_depth_ratio = 0.9}, "max_depth_ratio");
  expect_refused({.depth = 8, .max_depth_ratio = 1000}, "max_depth_ratio");
  expect_refused({.depth = 8, .max_edits = -1}, "max_edits");
  expect_refused({.depth = 8, .max_repeated_block = 5}, "max_repeated_block");
  expect_refused({.depth = 8, .later_max_block = 1}, "later_max_block");
  expect_refused({.depth = 8, .form = EditForm::kNested, .later_max_block = 5}, "later_max_block");
  expect_refused({.depth = 8, .max_layer_runs = 1}, "max_layer_runs");
}

TEST(SearchSpaceTest, TextTellsEverySettingApart) {
  std::set<std::string> texts;
  texts.insert(SpaceOptions{.depth = 30}.text());
  for (const SpaceOptions& options : varied_spaces()) texts.insert(options.text());
  texts.insert(SpaceOptions{.depth = 30, .form = EditForm::kNested}.text());
  texts.insert(SpaceOptions{.depth = 30, .max_repeated_block = 2}.text());
  texts.insert(SpaceOptions{.depth = 30, .later_max_block = 2}.text());
  texts.insert(SpaceOptions{.depth = 30, .max_layer_runs = 2}.text());
  EXPECT_EQ(texts.size(), 5 + varied_spaces().size());
  EXPECT_EQ((SpaceOptions{.depth = 30, .end_layer = 30}.text()), SpaceOptions{.depth = 30}.text());
}

}  // namespace
}  // namespace polar::search
