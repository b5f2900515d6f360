#include "task/task.h"

#include <functional>
#include <set>

#include "support/task_files.h"

namespace polar::task {
namespace {

using test::error_of;

TEST(TaskDigest, ChangesWithEveryField) {
  const std::vector<std::function<void(TaskSpec&)>> changes = {
      [](TaskSpec&) {},
      [](TaskSpec& task) { task.name = "other"; },
      [](TaskSpec& task) { task.prompt_template = "{question} ="; },
      [](TaskSpec& task) { task.chat = true; },
      [](TaskSpec& task) { task.system = "Be brief."; },
      [](TaskSpec& task) { task.grader = "numeric:last"; },
      [](TaskSpec& task) { task.separator = ""; },
      [](TaskSpec& task) { task.stop = {}; },
      [](TaskSpec& task) { task.stop = {"\n", "\n\n"}; },
      [](TaskSpec& task) { task.stop = {"\n\n\n"}; },
      [](TaskSpec& task) { task.max_new_tokens = 17; },
  };
  std::set<std::string> digests;
  for (const auto& change : changes) {
    TaskSpec task;
    change(task);
    digests.insert(task.digest());
  }
  EXPECT_EQ(digests.size(), changes.size());
}

TEST(TaskDigest, KeepsFieldsApart) {
  TaskSpec a, b;
  a.name = "x1";
  b.name = "x";
  b.prompt_template = "1" + b.prompt_template;
  EXPECT_NE(a.digest(), b.digest());
  EXPECT_EQ(a.digest(), TaskSpec(a).digest());
}

TEST(TaskCheck, RefusesEachBadField) {
  const auto refusal = [](const std::function<void(TaskSpec&)>& change) {
    TaskSpec task;
    task.name = "t";
    change(task);
    return error_of([&] { check(task); });
  };
  EXPECT_EQ(refusal([](TaskSpec&) {}), "");
  EXPECT_NE(refusal([](TaskSpec& task) { task.prompt_template = "no place"; }).find("{question}"), std::string::npos);
  EXPECT_NE(refusal([](TaskSpec& task) { task.grader = "none"; }).find("grader: expected exact"), std::string::npos);
  EXPECT_NE(refusal([](TaskSpec& task) { task.system = "s"; }).find("task t: system: expected no system text"),
            std::string::npos);
  EXPECT_NE(refusal([](TaskSpec& task) { task.stop = {"a", ""}; }).find("task t: stop:"), std::string::npos);
  EXPECT_EQ(refusal([](TaskSpec& task) { task.max_new_tokens = 0; }),
            "task t: max_new_tokens: expected an integer ≥ 1, found 0");
}

}  // namespace
}  // namespace polar::task
