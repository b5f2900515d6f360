#include "eval/rows.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "core/file.h"
#include "support/message_of.h"
#include "support/temporary_folder.h"

namespace polar::eval {
namespace {

EvaluationRow a_row() {
  return {"e1",
          "test",
          "two \"digits\"",
          "menu",
          false,
          {{core::Program::parse("0-2,4,3-5"), "12", true, -0.25, 6, 6, 3, 18},
           {core::Program::identity(6), "", false, -1e-300, 6, 6, 6, 36}},
          "5 + 7\n=",
          "12"};
}

TEST(EvaluationRows, ComeBackAsTheyWereWritten) {
  const test::TemporaryFolder folder;
  EvaluationRow oracle = a_row();
  oracle.policy = "oracle";
  oracle.oracle = true;
  oracle.level = "";
  const std::vector<EvaluationRow> rows{a_row(), oracle};
  write_rows(folder / "evaluation.jsonl", rows);
  EXPECT_EQ(read_rows(folder / "evaluation.jsonl"), rows);
}

TEST(EvaluationRows, StandOneALineInOrderWithReadablePrograms) {
  const test::TemporaryFolder folder;
  write_rows(folder / "rows", {a_row()});
  EXPECT_EQ(
      core::read_file(folder / "rows"),
      R"({"example":"e1","split":"test","level":"two \"digits\"","policy":"menu","oracle":false,)"
      R"("question":"5 + 7\n=","reference":"12","ranked":[{"program":"0-2,4,3-5","answer":"12","correct":true,)"
      R"("confidence":-0.25,"layers":6,"unique_layers":6,"new_tokens":3,"executions":18},{"program":"0-5","answer":"",)"
      R"("correct":false,"confidence":-1e-300,"layers":6,"unique_layers":6,"new_tokens":6,"executions":36}]})"
      "\n");
}

TEST(EvaluationRows, ReplaceInvalidUtf8) {
  const test::TemporaryFolder folder;
  EvaluationRow row = a_row();
  row.ranked[0].answer = "\xff";
  write_rows(folder / "rows", {row});
  EXPECT_EQ(read_rows(folder / "rows")[0].ranked[0].answer, "\xef\xbf\xbd");
}

TEST(EvaluationRows, RefuseToBeWrittenWithoutAProgramOrAFiniteConfidence) {
  const test::TemporaryFolder folder;
  EvaluationRow none = a_row(), empty = a_row(), infinite = a_row();
  none.ranked.clear();
  empty.ranked[1].program = {};
  infinite.ranked[1].confidence = -INFINITY;
  for (const auto& row : {none, empty, infinite}) {
    const auto message = test::message_of<core::Error>([&] { write_rows(folder / "rows", {a_row(), row}); });
    EXPECT_NE(message.find("policy menu, split test, example e1"), std::string::npos) << message;
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "rows"));
}

TEST(EvaluationRows, NameFileAndLineOfABadRow) {
  const test::TemporaryFolder folder;
  const auto path = folder / "rows";
  write_rows(path, {a_row()});
  const std::string good = core::read_file(path);
  auto replaced = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  for (const std::string& bad :
       {std::string("{\n"), std::string("[]\n"), replaced("\"example\":\"e1\",", ""), replaced("\"12\"", "12"),
        replaced("0-2,4,3-5", "5-2"), replaced("\"oracle\":false", "\"oracle\":0"),
        good.substr(0, good.find("\"ranked\"")) + "\"ranked\":[]}\n"}) {
    core::write_file(path, good + "\n" + bad);
    const auto message = test::message_of<core::Error>([&] { read_rows(path); });
    EXPECT_NE(message.find("rows:3: "), std::string::npos) << bad << message;
  }
}

}  // namespace
}  // namespace polar::eval
