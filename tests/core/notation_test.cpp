#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/program.h"
#include "core/seed.h"
#include "support/message_of.h"

namespace polar::core {
namespace {

using Layers = std::vector<Program::Layer>;

// --- Reading ---------------------------------------------------------------------------------------------------------

TEST(ProgramNotation, ReadsLayersRunsAndLoops) {
  EXPECT_EQ(Program::parse("7"), Program({7}));
  EXPECT_EQ(Program::parse("0-3"), Program::identity(4));
  EXPECT_EQ(Program::parse("5-5"), Program({5}));
  EXPECT_EQ(Program::parse("2,0,1-2"), Program({2, 0, 1, 2}));
  EXPECT_EQ(Program::parse("0,(1-2,5)*2,3"), Program({0, 1, 2, 5, 1, 2, 5, 3}));
}

TEST(ProgramNotation, ReadsNestingSpacesAndASingleRepetition) {
  EXPECT_EQ(Program::parse("((0)*2,1)*2"), Program({0, 0, 1, 0, 0, 1}));
  EXPECT_EQ(Program::parse(" ( 0 - 1 , 3 ) * 2 ,\t4\n"), Program({0, 1, 3, 0, 1, 3, 4}));
  EXPECT_EQ(Program::parse("(0-1)*1"), Program({0, 1}));
}

TEST(ProgramNotation, ReadsDeepNestingWithoutRecursion) {
  std::string text(100000, '(');
  text += '3';
  for (int i = 0; i < 100000; ++i) text += ")*1";
  EXPECT_EQ(Program::parse(text), Program({3}));
}

struct Refusal {
  std::string text;
  int depth;
  int column;
  std::string says;
};

class ProgramNotationRefusals : public ::testing::TestWithParam<Refusal> {};

TEST_P(ProgramNotationRefusals, NameTheColumnAndTheReason) {
  const Refusal& refusal = GetParam();
  const std::string message = test::message_of<UsageError>([&] { Program::parse(refusal.text, refusal.depth); });
  EXPECT_NE(message.find(", column " + std::to_string(refusal.column) + ": "), std::string::npos) << message;
  EXPECT_NE(message.find(refusal.says), std::string::npos) << message;
}

INSTANTIATE_TEST_SUITE_P(
    EveryKind, ProgramNotationRefusals,
    ::testing::Values(
        Refusal{"", 0, 1, "expected a layer, found the end"}, Refusal{"   ", 0, 4, "expected a layer, found the end"},
        Refusal{"0-2,", 0, 5, "expected a layer, found the end"}, Refusal{"0,,2", 0, 3, "expected a layer, found ','"},
        Refusal{"0-", 0, 3, "expected a layer, found the end"}, Refusal{"-1", 0, 1, "expected a layer, found '-'"},
        Refusal{"0,x", 0, 3, "found 'x'"},
        Refusal{"0\xE2\x80\x93"
                "3",
                0, 2, "found byte 0xE2"},
        Refusal{"0 1", 0, 3, "expected ',' or the end, found '1'"}, Refusal{"0-2-4", 0, 4, "expected ',' or the end"},
        Refusal{"(0 1)*2", 0, 4, "expected ',' or ')', found '1'"}, Refusal{"0,7-3", 0, 3, "ascending run, found 7-3"},
        Refusal{"()*2", 0, 2, "expected a layer, found ')'"}, Refusal{"1,(0-2", 0, 3, "never closed"},
        Refusal{"((0)*2", 0, 1, "never closed"}, Refusal{"0-2)*2", 0, 4, "closes nothing"},
        Refusal{"(0),1", 0, 4, "expected '*n' after ')', found ','"},
        Refusal{"(0)", 0, 4, "'*n' after ')', found the end"},
        Refusal{"(0)*", 0, 5, "how often the loop runs, found the end"},
        Refusal{"(0)*-2", 0, 5, "how often the loop runs, found '-'"}, Refusal{"(0)*0", 0, 5, "at least once, found 0"},
        Refusal{"0-2,30", 30, 5, "a layer from 0 to 29 (the model has 30), found 30"},
        Refusal{"0-30", 30, 3, "a layer from 0 to 29"}, Refusal{"65536", 0, 1, "a layer from 0 to 65535, found 65536"},
        Refusal{"99999999999999999999999999", 0, 1, "found 99999999999999999999…"}));

INSTANTIATE_TEST_SUITE_P(TooManySteps, ProgramNotationRefusals,
                         ::testing::Values(Refusal{"0-4096", 0, 1, "at most 4096 steps"},
                                           Refusal{"0,0-4095", 0, 3, "at most 4096 steps"},
                                           Refusal{"(0)*4097", 0, 5, "at most 4096 steps"},
                                           Refusal{"(0)*1000000000", 0, 5, "at most 4096 steps"},
                                           Refusal{"(0)*18446744073709551617", 0, 5, "at most 4096 steps"},
                                           Refusal{"((((0)*65536)*65536)*65536)*65536", 0, 8, "at most 4096 steps"},
                                           Refusal{"(((0-15)*16)*16)*16", 0, 18, "at most 4096 steps"},
                                           Refusal{"0,(0-1)*2048", 0, 9, "at most 4096 steps"}));

TEST(ProgramNotation, ReadsExactlyTheMostStepsAllowed) {
  EXPECT_EQ(Program::parse("0-4095").length(), 4096);
  EXPECT_EQ(Program::parse("(0)*4096").length(), 4096);
  EXPECT_EQ(Program::parse("((0-15)*16)*16").length(), 4096);
}

TEST(ProgramNotation, CutsALongTextInItsMessage) {
  const std::string message = test::message_of<UsageError>([] { Program::parse(std::string(100000, '1')); });
  EXPECT_LT(message.size(), 300u);
}

// --- Printing --------------------------------------------------------------------------------------------------------

TEST(ProgramNotation, PrintsTheExamplesOfTheDesign) {
  EXPECT_EQ(Program::identity(30).text(), "0-29");
  EXPECT_EQ(Program::parse("0-13,15-29").text(), "0-13,15-29");
  EXPECT_EQ(Program::parse("0-11,(12-14)*2,15-29").text(), "0-14,12-29");
}

TEST(ProgramNotation, PrintsLoopsWhereTheySaveNumbers) {
  EXPECT_EQ(Program({4, 4, 4}).text(), "(4)*3");
  EXPECT_EQ(Program({4, 4}).text(), "(4)*2");
  EXPECT_EQ(Program({0, 1, 0, 1}).text(), "(0-1)*2");
  // Four numbers; so are those of (0)*2,(1)*2,(0)*2,(1)*2, but in four items.
  EXPECT_EQ(Program::parse("((0)*2,(1)*2)*2").text(), "(0,0-1,1)*2");
  EXPECT_EQ(Program::parse("0-11,(12-14)*3,15-29").text(), "0-11,(12-14)*3,15-29");
  EXPECT_EQ(Program::parse("(12-14)*4").text(), "(12-14)*4");
}

TEST(ProgramNotation, PrintsTheShortestPeriodOfARepetition) {
  EXPECT_EQ(Program::parse("(0,0)*3").text(), "(0)*6");
  EXPECT_EQ(Program::parse("((0-1)*2)*3").text(), "(0-1)*6");
}

/// One part of a text: its layers cut into runs, and how often they are executed.
struct Part {
  std::vector<Layers> runs;
  std::size_t times = 1;
  std::size_t length() const {
    std::size_t sum = 0;
    for (const Layers& run : runs) sum += run.size();
    return sum;
  }
};

using Cost = std::tuple<std::size_t, std::size_t, std::size_t, std::size_t>;

Cost cost_of(const std::vector<Part>& parts) {
  std::size_t numbers = 0, items = 0, step = 0, loop_start = Program::kMaxSteps, loop_body = 0;
  for (const Part& part : parts) {
    for (const Layers& run : part.runs) numbers += run.size() > 1 ? 2 : 1;
    items += part.runs.size();
    if (part.times > 1 && loop_start == Program::kMaxSteps) {
      loop_start = step;
      loop_body = part.length();
    }
    step += part.length() * part.times;
  }
  return {numbers, items, loop_start, loop_body};
}

std::string text_of(const std::vector<Part>& parts) {
  std::string text;
  for (const Part& part : parts) {
    if (!text.empty()) text += ',';
    std::string body;
    for (const Layers& run : part.runs) {
      if (!body.empty()) body += ',';
      body += std::to_string(run.front());
      if (run.size() > 1) body += '-' + std::to_string(run.back());
    }
    text += part.times > 1 ? '(' + body + ")*" + std::to_string(part.times) : body;
  }
  return text;
}

/// Every way to cut layers into ascending runs.
std::vector<std::vector<Layers>> cuts_of(const Layers& layers) {
  std::vector<std::vector<Layers>> cuts;
  for (unsigned mask = 0; mask < 1u << (layers.size() - 1); ++mask) {
    std::vector<Layers> runs{{layers[0]}};
    bool ascending = true;
    for (std::size_t i = 1; i < layers.size(); ++i) {
      if (mask >> (i - 1) & 1) {
        runs.push_back({layers[i]});
      } else {
        ascending = ascending && layers[i] == layers[i - 1] + 1;
        runs.back().push_back(layers[i]);
      }
    }
    if (ascending) cuts.push_back(runs);
  }
  return cuts;
}

/// Tries every text without nesting of the layers from `step` on.
void enumerate(const Layers& layers, std::size_t step, std::vector<Part>& parts, std::optional<Cost>& best,
               std::vector<std::string>& texts) {
  if (step == layers.size()) {
    const Cost cost = cost_of(parts);
    if (!best || cost < *best) {
      best = cost;
      texts.clear();
    }
    if (cost == *best) texts.push_back(text_of(parts));
    return;
  }
  for (std::size_t length = 1; step + length <= layers.size(); ++length) {
    const auto begin = layers.begin() + static_cast<std::ptrdiff_t>(step);
    const Layers body(begin, begin + static_cast<std::ptrdiff_t>(length));
    for (const auto& runs : cuts_of(body)) {
      for (std::size_t times = 1; step + times * length <= layers.size(); ++times) {
        if (!std::equal(body.begin(), body.end(), begin + static_cast<std::ptrdiff_t>((times - 1) * length))) break;
        if (times == 1 && runs.size() > 1) continue;  // the same text as several parts
        parts.push_back({runs, times});
        enumerate(layers, step + times * length, parts, best, texts);
        parts.pop_back();
      }
    }
  }
}

void expect_minimal(const Layers& layers) {
  std::optional<Cost> best;
  std::vector<std::string> texts;
  std::vector<Part> parts;
  enumerate(layers, 0, parts, best, texts);
  const std::string text = Program(layers).text();
  EXPECT_NE(std::find(texts.begin(), texts.end(), text), texts.end()) << text << " costs more than " << texts.front();
}

TEST(ProgramNotation, PrintsTheCheapestOfAllTextsOfEverySmallProgram) {
  for (int length = 1; length <= 7; ++length) {
    int programs = 1;
    for (int i = 0; i < length; ++i) programs *= 3;
    for (int code = 0; code < programs; ++code) {
      Layers layers;
      for (int i = 0, rest = code; i < length; ++i, rest /= 3) layers.push_back(static_cast<Program::Layer>(rest % 3));
      expect_minimal(layers);
      if (::testing::Test::HasFailure()) return;
    }
  }
}

TEST(ProgramNotation, PrintsTheCheapestOfAllTextsOfRandomRepetitions) {
  Random random(7);
  for (int round = 0; round < 300; ++round) {
    Layers layers;
    while (layers.size() < 9) {
      const std::size_t first = random.below(3), length = 1 + random.below(3), times = 1 + random.below(3);
      for (std::size_t i = 0; i < length * times; ++i)
        layers.push_back(static_cast<Program::Layer>(first + i % length));
    }
    layers.resize(9);
    expect_minimal(layers);
    if (::testing::Test::HasFailure()) return;
  }
}

/// Random programs of up to `limit` steps: jumps, runs that overlap, loops, loops of loops.
Layers random_layers(Random& random, std::size_t limit) {
  Layers layers;
  const std::size_t wanted = 1 + random.below(limit);
  while (layers.size() < wanted) {
    if (!layers.empty() && random.below(3) == 0) {  // repeat the tail, which may itself hold repetitions
      const std::size_t length = 1 + random.below(std::min<std::size_t>(layers.size(), 20)),
                        times = 1 + random.below(4);
      const std::size_t first = layers.size() - length;
      for (std::size_t i = 0; i < length * times; ++i) layers.push_back(Program::Layer{layers[first + i]});
    } else {
      const std::size_t first = random.below(40), length = 1 + random.below(12);
      for (std::size_t i = 0; i < length; ++i) layers.push_back(static_cast<Program::Layer>(first + i));
    }
  }
  layers.resize(wanted);
  return layers;
}

TEST(ProgramNotation, ParsingAPrintedProgramGivesItBack) {
  Random random(1);
  for (int round = 0; round < 2000; ++round) {
    const Program program(random_layers(random, 200));
    const std::string text = program.text();
    ASSERT_EQ(Program::parse(text), program) << text;
    ASSERT_EQ(Program::parse(text).text(), text);
    ASSERT_EQ(text.find(' '), std::string::npos);
    ASSERT_EQ(text.find("(("), std::string::npos);
    ASSERT_EQ(text.find(")*1,"), std::string::npos) << text;
  }
}

TEST(ProgramNotation, PrintsProgramsOfTheGreatestLength) {
  Random random(2);
  std::vector<Program> programs{Program::identity(4096), Program::parse("(0)*4096"), Program::parse("(0-1)*2048"),
                                Program::parse("((0)*63,1)*64"), Program::parse("(0-63)*64")};
  Layers noise;
  for (std::size_t i = 0; i < Program::kMaxSteps; ++i) noise.push_back(static_cast<Program::Layer>(random.below(2)));
  programs.emplace_back(noise);
  for (const Program& program : programs) EXPECT_EQ(Program::parse(program.text()), program);
}

}  // namespace
}  // namespace polar::core
