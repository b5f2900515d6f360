#include "exec/stop_strings.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/seed.h"

namespace polar::exec {
namespace {

using Stops = std::vector<std::string>;
using Cuts = std::vector<std::size_t>;

TEST(StopStrings, CutAtTheFirstFromAByteOn) {
  std::string text = "one. two. three";
  EXPECT_FALSE(cut_at_stop(text, {"four", "!"}));
  EXPECT_TRUE(cut_at_stop(text, {"three", ". "}, 4));
  EXPECT_EQ(text, "one. two");
}

TEST(StopStrings, MayBeginWhereverTheEndOfATextMatches) {
  EXPECT_EQ(possible_cuts("19", {"\n"}), Cuts{}) << "a stop of one character has not begun";
  EXPECT_EQ(possible_cuts("19</", {"</a>"}), Cuts{2});
  EXPECT_EQ(possible_cuts("x\n\n", {"\n\n\n"}), (Cuts{2, 1})) << "longest first";
  EXPECT_EQ(possible_cuts("xaa", {"aab", "ac"}), (Cuts{2, 1}));
  EXPECT_EQ(possible_cuts("a", {"ab"}), Cuts{0});
  EXPECT_EQ(possible_cuts("", {"ab"}), Cuts{});
}

/// A text of up to `most` characters of a small alphabet, in which stops and answers are likely.
std::string random_text(core::Random& random, std::uint64_t most) {
  constexpr std::string_view kAlphabet = "19./ a<";
  std::string text;
  for (std::uint64_t length = random.below(most + 1); length > 0; --length) text += kAlphabet[random.below(7)];
  return text;
}

TEST(StopStrings, WhatIsCertainOfATextHoldsForEveryContinuation) {
  core::Random random(11);
  int decided = 0, open = 0;
  const Stops stops = {"</a", "aa ", "11."};
  for (const char* name : {"exact", "numeric:first", "numeric:last"}) {
    const auto grader = task::make_grader(name);
    for (int i = 0; i < 20000; ++i) {
      const std::string text = random_text(random, 5), reference = random.below(2) == 0 ? "19" : "1";
      std::string whole = text;
      if (cut_at_stop(whole, stops)) continue;
      whole += random_text(random, 5);
      cut_at_stop(whole, stops);
      const task::Verdict verdict = judge_unfinished(*grader, text, reference, stops);
      const task::Extraction extraction = extract_unfinished(*grader, text, stops);
      if (verdict != task::Verdict::kUndecided) {
        EXPECT_EQ(verdict, grader->judge(whole, reference, true)) << name << ": '" << text << "' to '" << whole << "'";
        ++decided;
      } else if (grader->judge(text, reference, false) != task::Verdict::kUndecided) {
        ++open;
      }
      if (extraction.final) {
        EXPECT_EQ(extraction.answer, grader->extract(whole, true).answer) << name << ": '" << text << "'";
      }
    }
  }
  EXPECT_GT(decided, 1000);
  EXPECT_GT(open, 100) << "stop strings that have begun must matter";
}

}  // namespace
}  // namespace polar::exec
