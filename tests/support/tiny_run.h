#pragma once
// A tiny model, a data set and a configuration for whole runs.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "experiment/config.h"
#include "support/temporary_folder.h"
#include "support/tiny_pool.h"
#include "task/example.h"

namespace polar::test {

/// A pool, a data set in three files and a configuration, all tiny.
class TinyRunTest : public testing::Test {
 protected:
  TinyRunTest() {
    write_tiny_pool(folder_ / "pool", {.depth = 8});
    write_rows("train", 24, "");
    write_rows("valid", 10, "");
    write_rows("test", 16, "");
  }

  /// Questions are a function of split and index; `answers` replaces every reference.
  void write_rows(const std::string& split, int count, const std::string& answers) const {
    std::vector<task::Example> rows;
    for (int i = 0; i < count; ++i) {
      const std::string answer = answers.empty() ? std::to_string(i % 10) : answers;
      rows.push_back({split + std::to_string(i),
                      split + " " + std::to_string(i * 37 % 101) + " plus",
                      answer,
                      {},
                      -1,
                      i % 2 == 0 ? "even" : "odd",
                      ""});
    }
    task::write_jsonl(folder_ / (split + ".jsonl"), rows);
  }

  experiment::Config config(const std::string& name) const {
    experiment::Config made;
    made.name = name;
    made.runs_folder = (folder_ / "runs").string();
    made.pool = (folder_ / "pool").string();
    made.task.kind = "jsonl";
    made.task.prompt_template = "{question}";
    made.task.train_file = (folder_ / "train.jsonl").string();
    made.task.valid_file = (folder_ / "valid.jsonl").string();
    made.task.test_file = (folder_ / "test.jsonl").string();
    made.task.max_new_tokens = 4;
    made.exec.dtype = "float32";
    made.exec.workers = 1;
    made.exec.chunk_rows = 32;
    made.search.rollouts = 12;
    made.search.transfer_pilot_rollouts = 0;  // as many
    made.search.oracle_rollouts = 6;
    made.search.first_layer = 2;
    made.search.min_depth = 0.7;
    made.search.max_depth = 1.3;
    made.predict.prefix_layers = 2;
    made.predict.width = 16;
    made.predict.heads = 2;
    made.predict.feed_forward = 16;
    made.predict.epochs = 2;
    made.menu.size = 4;
    made.menu.candidates = 6;
    made.eval.latency_examples = 1;
    made.eval.bootstrap = 100;
    return made;
  }

  std::filesystem::path run(const std::string& name) const { return folder_ / "runs" / name; }

  TemporaryFolder folder_;
};

}  // namespace polar::test
