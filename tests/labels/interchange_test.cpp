#include "labels/interchange.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "labels/gzip.h"
#include "support/message_of.h"
#include "support/parts.h"
#include "support/temporary_folder.h"

namespace polar::labels {
namespace {

using core::Program;
using namespace polar::test;

constexpr int kDepth = 4;

class Interchange : public ::testing::Test {
 protected:
  std::vector<InterchangeSample> read(const std::string& text, const std::string& name = "merged_mcts_samples.json") {
    GzipWriter writer(folder_ / name);
    writer.write(text);
    writer.finish();
    std::vector<InterchangeSample> samples;
    summary_ = read_interchange(folder_ / name, kDepth,
                                [&](InterchangeSample&& sample) { samples.push_back(std::move(sample)); });
    EXPECT_EQ(summary_.samples, static_cast<std::int64_t>(samples.size()));
    return samples;
  }
  std::string refusal(const std::string& text) {
    return message_of<core::Error>([&] { read(text); });
  }

  TemporaryFolder folder_;
  InterchangeSummary summary_;
};

constexpr const char* kSample =
    R"({"question": "1+1?", "gt_ans": "2", "initial_score": 0, "final_valid_transitions": [[0, 1, 3], [0, 1, 1, 2, 3]],
        "final_invalid_transitions": [[0, 1, 2, 3]]})";

void expect_sample(const InterchangeSample& sample) {
  EXPECT_EQ(sample.question, "1+1?");
  EXPECT_EQ(sample.answer, "2");
  EXPECT_EQ(sample.initial_score, 0);
  EXPECT_EQ(sample.valid, (std::vector<Program>{Program{0, 1, 3}, Program{0, 1, 1, 2, 3}}));
  EXPECT_EQ(sample.invalid, std::vector<Program>{Program::identity(4)});
  EXPECT_TRUE(sample.problems.empty());
}

TEST_F(Interchange, ReadsEveryLayoutPlainAndCompressed) {
  const std::string sample = kSample;
  const std::vector<std::string> layouts = {
      "{\"model\": {\"name\": \"m\"}, \"samples\": [" + sample + "," + sample + "], \"count\": 2}",
      "{\"samples\": {\"0\": " + sample + ", \"1\": " + sample + "}, \"about\": {\"note\": []}}",
      "[" + sample + "," + sample + "]", "{\"0\": " + sample + ", \"1\": " + sample + "}"};
  for (const std::string& layout : layouts) {
    for (const char* name : {"samples.json", "samples.json.gz"}) {
      const std::vector<InterchangeSample> samples = read(layout, name);
      ASSERT_EQ(samples.size(), 2u) << layout;
      for (const InterchangeSample& read : samples) expect_sample(read);
      EXPECT_EQ(samples[1].index, 1);
      EXPECT_TRUE(summary_.problems.empty()) << layout;
    }
  }
}

TEST_F(Interchange, ReadsEveryAlias) {
  const std::string rest =
      R"("valid_transitions": [{"path": [0, 1, 3]}, [0, 1, 1, 2, 3]], "invalid_transitions": [[0, 1, 2, 3]])";
  const std::string heads[] = {
      R"("sample_info": {"question": "1+1?", "ground_truth": 2}, "initial_transition_metric": 0.0)",
      R"("sample_info": {"question": "1+1?", "answer": "2"}, "evaluation_result": {"initial_score": false})",
      R"("question": "1+1?", "ground_truth": "2", "initial_score": 0)",
      R"("question": "1+1?", "answer": "2", "initial_score": 0)"};
  for (const std::string& head : heads) {
    const std::vector<InterchangeSample> samples = read("[{" + head + ", " + rest + "}]");
    ASSERT_EQ(samples.size(), 1u);
    expect_sample(samples[0]);
  }
}

TEST_F(Interchange, ReadsIdsAsTextAndKeysOfObjects) {
  const auto ids = [&](const std::string& fields) {
    return read("{\"samples\": {\"key\": {" + fields + "\"final_valid_transitions\": []}}}").at(0);
  };
  EXPECT_EQ(ids(R"("query_id": 7, )").ids, (std::vector<std::string>{"7", "key"}));
  EXPECT_EQ(ids(R"("sample_id": "s", "global_idx": 3, "query_id": "q", "id": "i", )").ids,
            (std::vector<std::string>{"i", "q", "3", "s", "key"}));
  EXPECT_EQ(ids(R"("sample_id": 5, "query_id": "q", )").ids, (std::vector<std::string>{"q", "key"}));
  EXPECT_EQ(ids(R"("sample_id": "s", )").ids, (std::vector<std::string>{"s", "key"}));
  EXPECT_EQ(ids(R"("id": "i", )").id, "i");
  EXPECT_EQ(ids(R"("global_idx": 12, )").row, 12);
  EXPECT_EQ(ids("").question, std::nullopt);
  EXPECT_EQ(ids(R"("level": 3, )").level, "3");
}

TEST_F(Interchange, ReadsTheSplitAndRefusesAnotherWord) {
  const auto file = [](const std::string& split) {
    return R"([{"split": "test", "valid_transitions": []}, {"split": )" + split + R"(, "valid_transitions": []}])";
  };
  EXPECT_EQ(read(file(R"("valid")")).at(0).split, Split::kTest);
  EXPECT_EQ(read(file(R"("valid")")).at(1).split, Split::kValid);
  EXPECT_EQ(read(file("null")).at(1).split, std::nullopt);
  for (const char* split : {R"("dev")", R"("Test")", R"("")", "1", R"(["test"])"})
    expect_parts(refusal(file(split)), {"merged_mcts_samples.json: sample 1: split: expected train, valid or test",
                                        std::string("found ") + split, "--split"});
}

TEST_F(Interchange, TakesTheProgramsUnderBothNamesAndReportsWhereTheyDiffer) {
  const InterchangeSample sample = read(R"([{"final_valid_transitions": [[0, 1]], "valid_transitions": [[0, 1], [2]],
    "final_invalid_transitions": [[3]], "invalid_transitions": [[3]]}])")
                                       .at(0);
  EXPECT_EQ(sample.valid, (std::vector<Program>{Program{0, 1}, Program{0, 1}, Program{2}}));
  EXPECT_EQ(sample.invalid, std::vector<Program>{Program{3}});
  ASSERT_EQ(sample.problems.size(), 1u);
  expect_parts(to_string(sample.problems[0]), {"valid_transitions: expected the same programs", "those of both"});
}

TEST_F(Interchange, CutsTextBetweenCharacters) {
  EXPECT_EQ(shortened("äöü", 6), "äöü");
  EXPECT_EQ(shortened("äöü", 5), "äö...");
  EXPECT_EQ(shortened("abc", 2), "ab...");
}

TEST_F(Interchange, ReportsEveryProgramItCannotReadWithSampleAndIndex) {
  const InterchangeSample sample = read(R"([{"question": "x", "final_valid_transitions":
    [[0, 1], [], [0, 4], [0, -1], [0, 1.5], "0-3", {"route": [0]}, null, [0, "1"], {"path": []}],
    "final_invalid_transitions": {"a": 1}}])")
                                       .at(0);
  EXPECT_EQ(sample.valid, std::vector<Program>{(Program{0, 1})});
  ASSERT_EQ(sample.problems.size(), 10u);
  const std::string name = "final_valid_transitions";
  for (int i = 1; i < 10; ++i)
    EXPECT_EQ(sample.problems[static_cast<std::size_t>(i - 1)].place, name + "[" + std::to_string(i) + "]");
  expect_parts(to_string(sample.problems[0]), {"sample 0: final_valid_transitions[1]: ", "empty program"});
  expect_parts(to_string(sample.problems[1]), {"layers from 0 to 3, found 4 in [0,4]"});
  expect_parts(to_string(sample.problems[4]), {"expected a list of layers, found \"0-3\""});
  expect_parts(to_string(sample.problems[9]), {"final_invalid_transitions: expected a list of programs"});
}

TEST_F(Interchange, ReportsAProgramThatIsTooLong) {
  std::string layers = "0";
  for (std::size_t i = 0; i < Program::kMaxSteps; ++i) layers += ",0";
  const InterchangeSample sample = read("[{\"final_valid_transitions\": [[" + layers + "]]}]").at(0);
  EXPECT_TRUE(sample.valid.empty());
  expect_parts(to_string(sample.problems.at(0)), {"at most 4096 layers, found 4097 in [0,0,0"});
  EXPECT_GT(sample.problems[0].reason.size(), layers.size()) << "nothing else keeps it";
}

TEST_F(Interchange, ReportsSamplesThatAreNone) {
  const std::vector<InterchangeSample> samples =
      read(std::string("[3, null, [[0]], {\"question\": \"x\"}, ") + kSample + "]");
  ASSERT_EQ(samples.size(), 5u);
  for (std::size_t i = 0; i < 3; ++i) expect_parts(to_string(samples[i].problems.at(0)), {"expected an object, found"});
  expect_parts(to_string(samples[3].problems.at(0)), {"sample 3: programs", "found neither"});
  expect_sample(samples[4]);
}

TEST_F(Interchange, ReportsFieldsOfAnotherType) {
  const InterchangeSample sample =
      read(R"([{"question": [], "gt_ans": true, "initial_score": "0", "global_idx": "x", "valid_transitions": []}])")
          .at(0);
  EXPECT_EQ(sample.problems.size(), 4u);
  EXPECT_EQ(sample.initial_score, std::nullopt);
}

TEST_F(Interchange, ReportsWhatIsNoSampleInAnObjectOfSamples) {
  EXPECT_EQ(
      read(std::string("{\"0\": ") + kSample + ", \"note\": {\"a\": 1}, \"count\": 3, \"about\": {\"id\": \"run 7\"}}")
          .size(),
      1u);
  ASSERT_EQ(summary_.problems.size(), 3u);
  expect_parts(to_string(summary_.problems[0]), {"note: expected a sample, found {\"a\":1}"});
  expect_parts(to_string(summary_.problems[1]), {"count: expected a sample, found 3"});
}

TEST_F(Interchange, CountsTheSamplesOfAShardThatSaysHowMany) {
  const std::string two = std::string("[") + kSample + "," + kSample + "]";
  for (const char* name : {"100_102.json", "100_102.json.gz", "part.json", "a_b.json"}) {
    read(two, name);
    EXPECT_TRUE(summary_.problems.empty()) << name;
  }
  read(two, "100_110.json");
  expect_parts(to_string(summary_.problems.at(0)), {"100_110.json: expected 10 samples", "found 2"});
}

TEST_F(Interchange, TakesNoNumberForAnIdThatALaterShardMayCountAnew) {
  const std::string ids_only = R"([{"sample_id": 5, "valid_transitions": []}])";
  EXPECT_EQ(read(ids_only, "0_1.json").at(0).ids, std::vector<std::string>{"5"});
  const InterchangeSample sample = read(ids_only, "100_101.json").at(0);
  EXPECT_TRUE(sample.ids.empty());
  expect_parts(to_string(sample.problems.at(0)), {"sample_id: expected id, query_id or global_idx", "found only 5"});
  EXPECT_EQ(read(R"([{"sample_id": "q5", "valid_transitions": []}])", "100_101.json").at(0).ids,
            std::vector<std::string>{"q5"});
  EXPECT_TRUE(
      read(R"([{"sample_id": 5, "question": "x", "valid_transitions": []}])", "100_101.json").at(0).problems.empty());
}

TEST_F(Interchange, TakesAnEmptyList) {
  EXPECT_TRUE(read("[]").empty());
  EXPECT_TRUE(read("{\"samples\": []}").empty());
}

TEST_F(Interchange, RefusesOtherLayoutsAndBrokenJson) {
  expect_parts(refusal("3"), {"merged_mcts_samples.json", "an object with \"samples\"", "found none"});
  expect_parts(refusal("{\"model\": \"m\", \"scores\": [1, 2]}"), {"found none"});
  expect_parts(refusal("{\"samples\": 3}"), {"found none"});
  for (const std::string text : {"", "{\"samples\": [", "[1 2]", "{\"samples\": [{\"question\": \"\xff\"}]}"}) {
    expect_parts(refusal(text), {"merged_mcts_samples.json", "expected JSON"});
  }
  for (const std::string text : {"[{\"initial_score\": NaN}]", "[{\"question\": \"\\ud83d\"}]"}) {
    expect_parts(refusal(text), {"expected JSON", "NaN", "surrogate pairs", "replace them"});
  }
}

TEST_F(Interchange, HandsOverWhatCameBeforeTheBreak) {
  std::vector<InterchangeSample> samples;
  core::write_file(folder_ / "cut.json", std::string("[") + kSample + ", {\"quest");
  EXPECT_THROW(read_interchange(folder_ / "cut.json", kDepth,
                                [&](InterchangeSample&& sample) { samples.push_back(std::move(sample)); }),
               core::Error);
  ASSERT_EQ(samples.size(), 1u);
  expect_sample(samples[0]);
}

}  // namespace
}  // namespace polar::labels
