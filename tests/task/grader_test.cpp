#include "task/grader.h"

#include <gtest/gtest.h>

#include <array>
#include <optional>

#include "core/error.h"
#include "core/seed.h"

namespace polar::task {
namespace {

constexpr auto kCorrect = Verdict::kCorrect;
constexpr auto kWrong = Verdict::kWrong;
constexpr auto kUndecided = Verdict::kUndecided;

struct Case {
  std::string_view text, reference;
  Verdict open, finished;
};

void expect_verdicts(const TextGrader& grader, std::initializer_list<Case> cases) {
  for (const Case& c : cases) {
    EXPECT_EQ(grader.judge(c.text, c.reference, false), c.open) << c.text << " | " << c.reference;
    EXPECT_EQ(grader.judge(c.text, c.reference, true), c.finished) << c.text << " | " << c.reference;
  }
}

TEST(ExactGrader, ComparesTheTrimmedTextBeforeTheStop) {
  expect_verdicts(*make_exact_grader(), {{" Paris\n", "Paris", kCorrect, kCorrect},
                                         {" Paris", "Paris ", kUndecided, kCorrect},
                                         {" Paris  ", "Paris", kUndecided, kCorrect},
                                         {"Par", "Paris", kUndecided, kWrong},
                                         {"Pax", "Paris", kWrong, kWrong},
                                         {"Paris x", "Paris", kWrong, kWrong},
                                         {"paris", "Paris", kWrong, kWrong},
                                         {"\nParis", "Paris", kWrong, kWrong},
                                         {"", "Paris", kUndecided, kWrong},
                                         {"\n", "Paris", kWrong, kWrong}});
}

TEST(ExactGrader, WaitsWhereAStopStringMayHaveBegun) {
  expect_verdicts(*make_exact_grader("###"), {{"yes##", "yes", kUndecided, kWrong},
                                              {"yes##x", "yes", kWrong, kWrong},
                                              {"yes ### no", "yes", kCorrect, kCorrect},
                                              {"no##", "yes", kWrong, kWrong}});
}

TEST(ExactGrader, ReadsToTheEndWithoutAStop) {
  expect_verdicts(*make_exact_grader(""), {{"a\nb", "a\nb", kUndecided, kCorrect}, {"a\nc", "a\nb", kWrong, kWrong}});
}

TEST(FirstNumberGrader, CreditsOnlyASettledNumber) {
  expect_verdicts(*make_grader("numeric:first"), {{" 19", "19", kUndecided, kCorrect},
                                                  {" 19\n", "19", kCorrect, kCorrect},
                                                  {" 19 apples", "19", kCorrect, kCorrect},
                                                  {" 19.", "19", kUndecided, kCorrect},
                                                  {" 19.\n", "19", kCorrect, kCorrect},
                                                  {" 19,", "19", kUndecided, kCorrect},
                                                  {" 19.0", "19", kUndecided, kCorrect},
                                                  {" 19%", "19", kCorrect, kCorrect},
                                                  {"1,234 ", "1234", kCorrect, kCorrect},
                                                  {"-5 ", "-5", kCorrect, kCorrect},
                                                  {"\xE2\x88\x92"
                                                   "5 ",
                                                   "-5", kCorrect, kCorrect},
                                                  {"1/2 ", "0.5", kCorrect, kCorrect},
                                                  {"It is 19; 20", "19", kCorrect, kCorrect},
                                                  {"20; 19", "19", kWrong, kWrong}});
}

TEST(FirstNumberGrader, RulesOutAnIntegerAtTheFirstWrongCharacter) {
  expect_verdicts(*make_grader("numeric:first"), {{" 2", "19", kWrong, kWrong},
                                                  {" 1", "19", kUndecided, kWrong},
                                                  {" 191", "19", kWrong, kWrong},
                                                  {" 1.", "19", kWrong, kWrong},
                                                  {" 1,2", "19", kWrong, kWrong},
                                                  {" 19.5", "19", kWrong, kWrong},
                                                  {" 19/2", "19", kWrong, kWrong},
                                                  {" -", "19", kUndecided, kWrong},
                                                  {" -1", "19", kWrong, kWrong},
                                                  {" 5", "-5", kWrong, kWrong},
                                                  {" 0", "19", kUndecided, kWrong},
                                                  {"2", "2.5", kUndecided, kWrong},
                                                  {"3", "2.5", kUndecided, kWrong}});
}

TEST(FirstNumberGrader, NeverMatchesAReferenceThatIsNoNumber) {
  expect_verdicts(*make_grader("numeric:first"), {{"", "nineteen", kWrong, kWrong}, {"19 ", "1,23", kWrong, kWrong}});
}

TEST(FirstNumberGrader, ExtractsPlainText) {
  const auto grader = make_grader("numeric:first");
  const Extraction settled = grader->extract("about -$1,234.50 or", false);
  EXPECT_EQ(settled.answer, "-1234.50");
  EXPECT_TRUE(settled.final);
  const Extraction open = grader->extract("about 12", false);
  EXPECT_EQ(open.answer, "12");
  EXPECT_FALSE(open.final);
  EXPECT_TRUE(grader->extract("about 12", true).final);
  EXPECT_EQ(grader->extract("nothing", true).answer, "");
}

TEST(LastNumberGrader, DecidesAtTheEndOnly) {
  expect_verdicts(*make_grader("numeric:last"), {{"12 + 7 = 19.", "19", kUndecided, kCorrect},
                                                 {"19 or 20\n\n", "19", kUndecided, kWrong},
                                                 {"no number", "19", kUndecided, kWrong}});
  EXPECT_EQ(make_grader("numeric:last")->extract("1, 2, 3", false).answer, "3");
  EXPECT_FALSE(make_grader("numeric:last")->extract("1, 2, 3 ", false).final);
}

TEST(BoxGrader, DecidesWhenTheFirstBoxCloses) {
  expect_verdicts(*make_grader("numeric:boxed-first"), {{R"(\boxed{19)", "19", kUndecided, kWrong},
                                                        {R"(\boxed{19})", "19", kCorrect, kCorrect},
                                                        {R"(\boxed{19} \boxed{20})", "20", kWrong, kWrong},
                                                        {R"(\boxed{\frac{38}{2}})", "19", kCorrect, kCorrect},
                                                        {R"(\boxed{x+1})", "x+1", kCorrect, kCorrect},
                                                        {R"(\boxed{})", "19", kWrong, kWrong},
                                                        {R"(\boxed{ a \boxed{19})", "19", kUndecided, kCorrect},
                                                        {"19", "19", kUndecided, kWrong}});
}

TEST(BoxGrader, ReadsTheLastBoxAtTheEnd) {
  expect_verdicts(*make_grader("numeric:boxed-last"), {{R"(\boxed{19} \boxed{20})", "20", kUndecided, kCorrect},
                                                       {R"(\boxed{19} \boxed{20)", "19", kUndecided, kCorrect},
                                                       {R"(\boxed{1{,}234\text{ m}})", "1234", kUndecided, kCorrect},
                                                       {"20", "20", kUndecided, kWrong}});
}

TEST(LetterGrader, ReadsTheFirstLetterThatStandsAlone) {
  expect_verdicts(*make_letter_grader(), {{" B", "B", kUndecided, kCorrect},
                                          {" B.", "B", kCorrect, kCorrect},
                                          {"(B) a marsh", "B", kCorrect, kCorrect},
                                          {" B\n", "C", kWrong, kWrong},
                                          {" Bo", "B", kUndecided, kWrong},
                                          {"Both are C.", "C", kCorrect, kCorrect},
                                          {" I'm for C ", "C", kCorrect, kCorrect},
                                          {"B2 b C\xC3\xA9", "B", kUndecided, kWrong},
                                          {"", "B", kUndecided, kWrong}});
  EXPECT_FALSE(make_letter_grader()->attainable("b"));
  EXPECT_FALSE(make_letter_grader()->attainable("AB"));
}

TEST(Graders, AreFoundByTheirOwnNames) {
  for (std::string_view name :
       {"exact", "letter", "numeric:first", "numeric:last", "numeric:boxed-first", "numeric:boxed-last"}) {
    EXPECT_EQ(make_grader(name)->name(), name);
  }
  EXPECT_NE(make_exact_grader("###")->name(), make_exact_grader("")->name());
}

TEST(Graders, RefuseAnUnknownNameAndListTheKnownOnes) {
  try {
    make_grader("numeric");
    FAIL();
  } catch (const core::UsageError& error) {
    EXPECT_STREQ(
        error.what(),
        "grader: expected exact, letter, numeric:first, numeric:last, numeric:boxed-first or numeric:boxed-last, found "
        "'numeric'");
  }
}

// Properties, over strings made of the pieces that are hard to read.

std::string fuzzed(core::Random& random) {
  static const std::array<std::string_view, 48> kPieces = {"A",
                                                           "B",
                                                           "0",
                                                           "1",
                                                           "2",
                                                           "9",
                                                           "19",
                                                           "234",
                                                           "500",
                                                           "00",
                                                           ",",
                                                           ",",
                                                           ".",
                                                           ".",
                                                           "/",
                                                           "/",
                                                           "-",
                                                           "-",
                                                           "+",
                                                           " ",
                                                           " ",
                                                           "\n",
                                                           "$",
                                                           "\\$",
                                                           "%",
                                                           "x",
                                                           "e",
                                                           " apples",
                                                           "is",
                                                           "=",
                                                           "(",
                                                           ")",
                                                           "\xE2\x88\x92",
                                                           "\xC3\xA9",
                                                           "\xE2",
                                                           "\x92",
                                                           "\xEF\xBF\xBD",
                                                           "\\boxed{",
                                                           "\\boxed",
                                                           "{",
                                                           "}",
                                                           "}",
                                                           "\\frac{1}{2}",
                                                           "\\",
                                                           "\\text{m}",
                                                           "#",
                                                           "##",
                                                           "{,}"};
  std::string text;
  for (std::uint64_t left = random.below(14); left > 0; --left) text += kPieces[random.below(kPieces.size())];
  return text;
}

std::string reference_for(core::Random& random) {
  static const std::array<std::string_view, 21> kReferences = {"B",    "19",  "0",       "-19", "1234", "1,234", "2.5",
                                                               "2.50", "1/2", "38/2",    "0.5", "-.5",  "190",   "1",
                                                               "9",    "00",  "1234567", "x",   "is",   "19.0",  "-0"};
  return random.below(3) == 0 ? std::to_string(random.below(100000))
                              : std::string(kReferences[random.below(kReferences.size())]);
}

std::vector<std::unique_ptr<TextGrader>> all_graders() {
  std::vector<std::unique_ptr<TextGrader>> graders;
  for (std::string_view name :
       {"exact", "letter", "numeric:first", "numeric:last", "numeric:boxed-first", "numeric:boxed-last"}) {
    graders.push_back(make_grader(name));
  }
  graders.push_back(make_exact_grader("##"));
  graders.push_back(make_exact_grader(""));
  return graders;
}

TEST(GraderContract, ADecidedVerdictHoldsForEveryContinuation) {
  const auto graders = all_graders();
  core::Random random(1);
  for (int round = 0; round < 20000; ++round) {
    const std::string text = fuzzed(random), reference = reference_for(random);
    for (const auto& grader : graders) {
      Verdict decided = kUndecided;
      for (std::size_t size = 0; size <= text.size(); ++size) {
        const std::string_view prefix = std::string_view(text).substr(0, size);
        const Verdict open = grader->judge(prefix, reference, false);
        const Verdict finished = grader->judge(prefix, reference, true);
        ASSERT_NE(finished, kUndecided);
        if (decided == kUndecided) decided = open;
        if (decided == kUndecided) continue;
        ASSERT_EQ(open, decided) << grader->name() << ": '" << prefix << "' | " << reference;
        ASSERT_EQ(finished, decided) << grader->name() << ": '" << prefix << "' | " << reference;
      }
    }
  }
}

TEST(GraderContract, NoTextIsRightAgainstAReferenceThatIsNotAttainable) {
  const auto graders = all_graders();
  core::Random random(3);
  for (int round = 0; round < 20000; ++round) {
    const std::string text = fuzzed(random), reference = random.below(2) == 0 ? fuzzed(random) : reference_for(random);
    for (const auto& grader : graders) {
      const bool right =
          grader->judge(text, reference, true) == kCorrect || grader->judge(reference, reference, true) == kCorrect;
      ASSERT_TRUE(!right || grader->attainable(reference)) << grader->name() << ": '" << text << "' | " << reference;
    }
  }
  for (const auto& grader : graders) {
    EXPECT_TRUE(grader->attainable(grader->name() == "letter" ? "B" : "19")) << grader->name();
    EXPECT_FALSE(grader->attainable(" ")) << grader->name();
  }
  EXPECT_FALSE(make_exact_grader()->attainable("a\nb"));
  EXPECT_TRUE(make_exact_grader("")->attainable("a\nb"));
  EXPECT_FALSE(make_grader("numeric:first")->attainable("19 apples"));
  for (const char* boxed : {"numeric:boxed-first", "numeric:boxed-last"}) {
    EXPECT_TRUE(make_grader(boxed)->attainable("\\frac{1}{2}")) << boxed;
    for (const char* open : {"\\frac{1}{2", "}", "{"})
      EXPECT_FALSE(make_grader(boxed)->attainable(open)) << boxed << open;
  }
}

TEST(GraderContract, AFinalExtractionHoldsForEveryContinuation) {
  const auto graders = all_graders();
  core::Random random(2);
  for (int round = 0; round < 20000; ++round) {
    const std::string text = fuzzed(random);
    for (const auto& grader : graders) {
      std::optional<std::string> final_answer;
      for (std::size_t size = 0; size <= text.size(); ++size) {
        const std::string_view prefix = std::string_view(text).substr(0, size);
        const Extraction open = grader->extract(prefix, false), finished = grader->extract(prefix, true);
        ASSERT_TRUE(finished.final);
        if (!final_answer && open.final) final_answer = open.answer;
        if (!final_answer) continue;
        ASSERT_TRUE(open.final) << grader->name() << ": '" << prefix << "'";
        ASSERT_EQ(open.answer, *final_answer) << grader->name() << ": '" << prefix << "'";
        ASSERT_EQ(finished.answer, *final_answer) << grader->name() << ": '" << prefix << "'";
      }
    }
  }
}

TEST(GraderContract, AFinalExtractionFixesTheVerdict) {
  const auto graders = all_graders();
  core::Random random(3);
  for (int round = 0; round < 20000; ++round) {
    const std::string text = fuzzed(random), reference = reference_for(random);
    for (const auto& grader : graders) {
      if (!grader->extract(text, false).final) continue;
      ASSERT_NE(grader->judge(text, reference, false), kUndecided) << grader->name() << ": '" << text << "'";
    }
  }
}

TEST(GraderContract, AFinishedVerdictIsThatOfTheExtractedAnswer) {
  const auto graders = all_graders();
  core::Random random(4);
  for (int round = 0; round < 40000; ++round) {
    const std::string text = fuzzed(random), reference = reference_for(random);
    for (const auto& grader : graders) {
      const std::string answer = grader->extract(text, true).answer;
      ASSERT_EQ(grader->judge(text, reference, true) == kCorrect, !answer.empty() && grader->same(answer, reference))
          << grader->name() << ": '" << text << "' | " << reference;
    }
  }
}

TEST(GraderContract, SamenessIsAnEquivalence) {
  const auto grader = make_grader("numeric:first"), box = make_grader("numeric:boxed-first");
  core::Random random(5);
  for (int round = 0; round < 20000; ++round) {
    const std::string a = reference_for(random), b = reference_for(random), c = reference_for(random);
    for (const auto* each : {grader.get(), box.get()}) {
      ASSERT_TRUE(each->same(a, a));
      ASSERT_EQ(each->same(a, b), each->same(b, a)) << a << " " << b;
      if (!each->same(a, b) || !each->same(b, c)) continue;
      ASSERT_TRUE(each->same(a, c)) << a << " " << b << " " << c;
    }
  }
}

/// Continuations one of which must lead to the integer, if any does.
bool some_continuation_is_correct(const TextGrader& grader, const std::string& text, const std::string& reference) {
  const std::string digits = reference.substr(reference.starts_with('-') ? 1 : 0);
  std::string grouped = digits;
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) grouped.insert(static_cast<std::size_t>(at), ",");
  for (const std::string& written : {digits, grouped, " " + reference, "0 " + reference}) {
    for (std::size_t from = 0; from <= written.size(); ++from) {
      for (std::string_view end : {" ", "x ", ",0 ", "0", "0000 "}) {
        if (grader.judge(text + written.substr(from) + std::string(end), reference, true) == kCorrect) return true;
      }
    }
  }
  return false;
}

TEST(FirstNumberGrader, StaysUndecidedOnAnIntegerOnlyWhileItIsPossible) {
  const auto grader = make_grader("numeric:first");
  core::Random random(6);
  int undecided = 0;
  for (int round = 0; round < 40000; ++round) {
    const std::string text = fuzzed(random);
    std::string reference = std::to_string(random.below(random.below(2) == 0 ? 30 : 2000000));
    if (random.below(4) == 0 && reference != "0") reference = "-" + reference;
    if (grader->judge(text, reference, false) != kUndecided) continue;
    ++undecided;
    ASSERT_TRUE(some_continuation_is_correct(*grader, text, reference)) << "'" << text << "' | " << reference;
  }
  EXPECT_GT(undecided, 5000);
}

}  // namespace
}  // namespace polar::task
