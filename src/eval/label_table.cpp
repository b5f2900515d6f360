#include "eval/label_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "labels/rejudge.h"

namespace polar::eval {
namespace {

/// Everything but the parse.
LabelProgram described(core::Program program, int depth) {
  LabelProgram label;
  std::vector<int> runs(static_cast<std::size_t>(depth), 0);
  for (core::Program::Layer layer : program.layers()) ++runs[layer];
  label.layers = program.length();
  label.unique_layers = depth - static_cast<int>(std::ranges::count(runs, 0));
  label.most_runs = *std::ranges::max_element(runs);
  label.skips = label.unique_layers < depth;
  label.repeats = label.most_runs > 1;
  label.identity = program == core::Program::identity(depth);
  label.program = std::move(program);
  return label;
}

int largest_layer(const std::vector<LabelProgram>& programs) {
  int largest = -1;
  for (const LabelProgram& label : programs)
    for (core::Program::Layer layer : label.program.layers()) largest = std::max<int>(largest, layer);
  return largest;
}

}  // namespace

void LabelTableBuilder::add_example(std::string id, std::string level, labels::Split split, bool done) {
  table_.examples.push_back({std::move(id), split, std::move(level), done, {}});
}

void LabelTableBuilder::add_trial(const core::Program& program, bool correct) {
  if (table_.examples.empty()) throw core::Error("label table: expected an example before its trials, found none");
  const auto [found, is_new] = numbers_.try_emplace(program, static_cast<std::uint32_t>(table_.programs.size()));
  if (is_new) table_.programs.emplace_back().program = program;
  table_.examples.back().trials.push_back({found->second, correct});
}

LabelTable LabelTableBuilder::finish(int depth, int longest_segment) {
  numbers_.clear();
  LabelTable table = std::exchange(table_, {});
  const int largest = largest_layer(table.programs);
  table.depth = depth > 0 ? depth : largest + 1;
  table.longest_segment = longest_segment;
  if (largest >= table.depth)
    throw core::Error(
        fmt::format("label table: expected layers below {}, found a program that runs layer {}", table.depth, largest));
  for (LabelProgram& label : table.programs) {
    label = described(std::move(label.program), table.depth);
    const auto parse = core::parse_segments(label.program, table.depth, {longest_segment, label.most_runs});
    label.first_edit = static_cast<std::uint32_t>(table.edits.size());
    label.parsed = parse.has_value();
    if (parse)
      std::ranges::copy_if(*parse, std::back_inserter(table.edits),
                           [](const core::Segment& segment) { return segment.runs != 1; });
    label.edits = static_cast<std::uint32_t>(table.edits.size()) - label.first_edit;
  }
  return table;
}

LabelTable read_label_table(const labels::LabelStore& store, std::optional<labels::Split> split, int longest_segment) {
  LabelTableBuilder builder;
  bool any = false;
  for (const labels::StoredExample& example : store.examples(split)) {
    builder.add_example(example.id, example.level, example.split, store.state(example.id).done);
    for (const labels::StoredTrial& row : store.trials(example.id)) {
      if (row.trial.sample.temperature != 0) continue;
      builder.add_trial(row.trial.program, row.outcome.correct);
      any = true;
    }
  }
  if (!any)
    throw core::Error(fmt::format("{}: expected recorded trials{}, found none; polar search makes them",
                                  store.path().string(),
                                  split ? fmt::format(" of the {} split", labels::to_string(*split)) : ""));
  LabelTable table = builder.finish(0, longest_segment);
  table.ordered = !store.settings().text.starts_with(labels::kRejudgedImport);
  return table;
}

LabelTable read_label_table(const labels::ImportedLabels& labels, std::optional<labels::Split> split,
                            int longest_segment) {
  labels::JudgedLabels judged = labels::to_judge(labels);
  std::unordered_map<std::string, labels::Split> splits;
  for (labels::ImportedExample& row : labels.examples()) splits.emplace(std::move(row.example.id), row.example.split);
  std::erase_if(judged.examples, [&](const labels::JudgedExample& example) {
    const labels::Split own = splits.at(example.id);
    return split ? own != *split : own == labels::Split::kTest;
  });
  std::ranges::sort(judged.examples, {}, &labels::JudgedExample::id);
  LabelTableBuilder builder;
  bool any = false;
  for (const labels::JudgedExample& example : judged.examples) {
    builder.add_example(example.id, example.level, splits.at(example.id));
    for (const labels::JudgedTrial& trial : judged.trials(example.id)) {
      if (!trial.correct) continue;
      builder.add_trial(trial.program, *trial.correct);
      any = true;
    }
  }
  if (!any)
    throw core::Error(fmt::format("{}: expected imported programs of {} examples, found none; name another --split",
                                  labels.path().string(),
                                  split ? std::string(labels::to_string(*split)) : "train or valid"));
  LabelTable table = builder.finish(labels.identity().depth, longest_segment);
  table.ordered = table.ends_known = false;
  return table;
}

}  // namespace polar::eval
