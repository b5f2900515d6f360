#include "task/example.h"

#include "support/task_files.h"

namespace polar::task {
namespace {

using test::error_of;

class Jsonl : public test::FolderTest {
 protected:
  std::string refusal(std::string_view rows) const {
    const auto path = file("rows.jsonl", rows);
    return error_of([&] { read_jsonl(path); }, folder_.path());
  }
};

TEST_F(Jsonl, ReadsEveryField) {
  const auto rows = read_jsonl(file(
      "rows.jsonl",
      R"({"id": "a", "question": "Sky?", "answer": "blue", "choices": ["red", "blue"], "label": 1, "level": 3, "source": "s"})"
      "\n\n"
      R"({"id": "b", "question": "1 + 1", "answer": "2", "level": "easy", "more": 1, "label": null})"
      "\r\n"));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].id, "a");
  EXPECT_EQ(rows[0].question, "Sky?");
  EXPECT_EQ(rows[0].answer, "blue");
  EXPECT_EQ(rows[0].choices, (std::vector<std::string>{"red", "blue"}));
  EXPECT_EQ(rows[0].label, 1);
  EXPECT_EQ(rows[0].level, "3");
  EXPECT_EQ(rows[0].source, "s");
  EXPECT_EQ(rows[1].level, "easy");
  EXPECT_EQ(rows[1].label, -1);
  EXPECT_TRUE(rows[1].choices.empty());
}

TEST_F(Jsonl, ReadsNothingFromAnEmptyFile) {
  EXPECT_TRUE(read_jsonl(file("rows.jsonl", "")).empty());
}

TEST_F(Jsonl, WritesWhatItReads) {
  std::vector<Example> rows(2);
  rows[0] = {"a", "line\nbreak \"quoted\" é", "1/2", {"1/2", "2"}, 0, "hard", "made"};
  rows[1] = {"b", "q", "a", {}, -1, "", ""};
  const auto path = folder_ / "out.jsonl";
  write_jsonl(path, rows);
  const auto back = read_jsonl(path);
  ASSERT_EQ(back.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(back[i].id, rows[i].id);
    EXPECT_EQ(back[i].question, rows[i].question);
    EXPECT_EQ(back[i].answer, rows[i].answer);
    EXPECT_EQ(back[i].choices, rows[i].choices);
    EXPECT_EQ(back[i].label, rows[i].label);
    EXPECT_EQ(back[i].level, rows[i].level);
    EXPECT_EQ(back[i].source, rows[i].source);
  }
  EXPECT_EQ(core::read_file(path).substr(core::read_file(path).find('\n') + 1),
            "{\"id\":\"b\",\"question\":\"q\",\"answer\":\"a\"}\n");
}

TEST_F(Jsonl, RefusesToWriteInvalidUtf8) {
  std::vector<Example> rows(1);
  rows[0].id = "a";
  rows[0].question = "\xFF";
  EXPECT_NE(error_of([&] { write_jsonl(folder_ / "out.jsonl", rows); }).find("example 'a': expected valid UTF-8"),
            std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out.jsonl"));
}

TEST_F(Jsonl, NamesTheLineAndFieldOfABadRow) {
  const std::string good = R"({"id": "a", "question": "q", "answer": "1"})"
                           "\n";
  EXPECT_EQ(refusal(good + R"({"id": "b", "question": "q"})"),
            "rows.jsonl:2: answer: expected a text that is not empty, found nothing: mend the row");
  EXPECT_EQ(refusal(good + "\n" + R"({"id": "b", "question": "", "answer": "1"})"),
            "rows.jsonl:3: question: expected a text that is not empty, found \"\": mend the row");
  EXPECT_EQ(refusal(R"({"id": 7, "question": "q", "answer": "1"})"),
            "rows.jsonl:1: id: expected a text that is not empty, found 7: mend the row");
  EXPECT_EQ(refusal(R"({"id": "a", "question": "q", "answer": 1})"),
            "rows.jsonl:1: answer: expected a text that is not empty, found 1: mend the row");
  EXPECT_EQ(refusal(R"({"id": "a", "question": "q", "answer": "1", "level": 1.5})"),
            "rows.jsonl:1: level: expected a text or an integer, found 1.5: mend the row");
  EXPECT_EQ(refusal(R"({"id": "a", "question": "q", "answer": "1", "source": 3})"),
            "rows.jsonl:1: source: expected a text that is not empty, found 3: mend the row");
  EXPECT_EQ(refusal("[1]"), "rows.jsonl:1: row: expected an object {id, question, answer, …}, found [1]: mend the row");
}

TEST_F(Jsonl, RefusesAnIdThatTheLabelStoreCouldNotKeep) {
  EXPECT_EQ(refusal(R"({"id": "a\tb", "question": "q", "answer": "1"})"),
            "rows.jsonl:1: id: expected a text without control characters (tab, newline, …), found \"a\\tb\": mend the "
            "row");
}

TEST_F(Jsonl, RefusesAnAnswerThatItsGraderCanNeverFindRight) {
  const auto path = file("rows.jsonl", R"({"id": "a", "question": "q", "answer": "6 * 7 = 42\n#### 42"})");
  EXPECT_EQ(read_jsonl(path).size(), 1U);
  const auto refused = [&](const char* grader) {
    return error_of([&] { read_jsonl(path, make_grader(grader).get()); }, folder_.path());
  };
  EXPECT_EQ(refused("numeric:last"),
            "rows.jsonl:1: answer: expected one that some text can match by the grader numeric:last, found \"6 * 7 = "
            "42\\n#### 42\": mend the row");
  EXPECT_NE(refused("exact"), "");
  EXPECT_EQ(refused("numeric:boxed-last"), "");
}

TEST_F(Jsonl, NamesTheLineOfInvalidJson) {
  const std::string message = refusal("{\"id\": \"a\"");
  EXPECT_TRUE(message.starts_with("rows.jsonl:1: row: expected one JSON object in a line, found invalid JSON ("))
      << message;
  EXPECT_FALSE(refusal("{\"id\": \"\xFF\"}").empty());
}

TEST_F(Jsonl, RefusesARepeatedIdAndNamesBothLines) {
  const std::string row = R"({"id": "a", "question": "q", "answer": "1"})"
                          "\n";
  EXPECT_EQ(refusal(row + row),
            "rows.jsonl:2: id: expected an id that no other row has (line 1 has it), found \"a\": mend the row");
}

TEST_F(Jsonl, ChecksChoicesAgainstLabelAndAnswer) {
  const auto with = [&](std::string_view rest) {
    return refusal(R"({"id": "a", "question": "q", "answer": "x", )" + std::string(rest) + "}");
  };
  EXPECT_EQ(with(R"("choices": ["x", "y"], "label": 0)"), "");
  EXPECT_EQ(with(R"("choices": ["x", "y"])"),
            "rows.jsonl:1: label: expected an integer, because the row has choices, found nothing: mend the row");
  EXPECT_EQ(
      with(R"("label": 0)"),
      "rows.jsonl:1: choices: expected a list of texts, because the row has a label, found nothing: mend the row");
  for (std::string_view label : {"2", "-1", "18446744073709551615", "0.5", "\"0\""}) {
    EXPECT_EQ(with(R"("choices": ["x", "y"], "label": )" + std::string(label)),
              "rows.jsonl:1: label: expected an integer from 0 to 1, found " + std::string(label) + ": mend the row");
  }
  EXPECT_EQ(with(R"("choices": ["x", "y"], "label": 1)"),
            "rows.jsonl:1: answer: expected choices[label] = \"y\", found \"x\": mend the row");
  EXPECT_EQ(with(R"("choices": ["x"], "label": 0)"),
            "rows.jsonl:1: choices: expected a list of at least two texts, found [\"x\"]: mend the row");
  EXPECT_EQ(with(R"("choices": ["x", 1], "label": 0)"),
            "rows.jsonl:1: choices: expected a list of at least two texts, found [\"x\",1]: mend the row");
}

TEST_F(Jsonl, NamesAMissingFile) {
  EXPECT_NE(error_of([&] { read_jsonl(folder_ / "none.jsonl"); }, folder_.path()).find("none.jsonl"),
            std::string::npos);
}

}  // namespace
}  // namespace polar::task
