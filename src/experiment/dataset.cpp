#include "experiment/dataset.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <utility>

#include "core/digest.h"
#include "core/error.h"
#include "experiment/leakage.h"
#include "task/arithmetic.h"
#include "task/splits.h"

namespace polar::experiment {
namespace {

task::SplitShares shares_of(const TaskConfig& task, const task::SplitShares& usual) {
  return {task.train_share > 0 ? task.train_share : usual.train, task.valid_share};
}

/// The entries of task.ood: names of generated sets, and files with the names of theirs.
struct OodSets {
  explicit OodSets(const TaskConfig& task) {
    for (const std::string& entry : task.ood) {
      const std::size_t equals = entry.find('=');
      if (equals == std::string::npos) {
        generated.push_back(entry);
      } else {
        files.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
      }
    }
  }
  std::vector<std::string> generated;
  std::vector<std::pair<std::string, std::filesystem::path>> files;
};

/// What sets from files are read by.
task::JsonlOptions file_options(const Config& config) {
  task::JsonlOptions options;
  options.seed = config.seed;
  options.grader = config.task.grader;
  options.ood_per_level = config.task.ood_per_level;
  options.ood_template = config.task.ood_template;
  options.letters = config.task.choices == "letters";
  return options;
}

task::Dataset arithmetic(const Config& config) {
  task::ArithmeticOptions options;
  options.seed = config.seed;
  options.shares = shares_of(config.task, options.shares);
  options.levels = config.task.levels;
  options.per_level = {config.task.train_per_level, config.task.valid_per_level, config.task.test_per_level};
  options.ood_per_level = config.task.ood_per_level;
  const OodSets sets(config.task);
  options.ood = sets.generated;
  task::Dataset data = task::make_arithmetic_dataset(options);
  for (const auto& [name, file] : sets.files) data.ood.push_back(task::read_ood_set(file_options(config), name, file));
  return data;
}

task::Dataset jsonl(const Config& config) {
  task::JsonlOptions options = file_options(config);
  options.train_file = config.task.train_file;
  options.valid_file = config.task.valid_file;
  options.test_file = config.task.test_file;
  options.shares = shares_of(config.task, options.shares);
  options.per_level = {config.task.train_per_level, config.task.valid_per_level, config.task.test_per_level};
  options.levels = config.task.levels;
  const OodSets sets(config.task);
  options.ood = sets.files;
  options.reordered = !sets.generated.empty();  // the only one of such a task
  return task::make_jsonl_dataset(options);
}

void refuse_empty(const Config& config, const std::string& split, std::span<const task::Example> examples) {
  if (!examples.empty()) return;
  throw core::Error(fmt::format("data: expected at least one example for {}, found none; {}", split,
                                config.task.kind == "jsonl"
                                    ? "check the files and task.levels, task.train_share, task.valid_share"
                                    : "check task.levels"));
}

std::string count_text(const task::SplitCount& count) {
  return fmt::format("{:>6}{}", count.taken, count.exhausted ? fmt::format(" (all of {})", count.available) : "");
}

using Drawn = std::pair<std::uint64_t, std::size_t>;  ///< hash of purpose and id, place

/// Places, ascending, that `part` takes of every level's examples in their drawn order.
template <typename Part>
std::vector<std::size_t> part_of_levels(std::span<const LevelledId> examples, std::string_view purpose, Part part) {
  std::map<std::string, std::vector<Drawn>> drawn;
  for (std::size_t i = 0; i < examples.size(); ++i)
    drawn[examples[i].level].emplace_back(core::derive_seed(0, purpose, examples[i].id), i);
  std::vector<std::size_t> places;
  for (auto& [level, order] : drawn) {
    std::ranges::sort(order);
    for (const auto& [hash, place] : part(std::span<const Drawn>(order))) places.push_back(place);
  }
  std::ranges::sort(places);
  return places;
}

std::vector<LevelledId> levelled_ids(std::span<const task::Example> examples) {
  std::vector<LevelledId> ids;
  for (const task::Example& example : examples) ids.push_back({example.id, example.level});
  return ids;
}

std::vector<task::Example> at_places(std::span<const task::Example> examples, std::span<const std::size_t> places) {
  std::vector<task::Example> taken;
  for (const std::size_t place : places) taken.push_back(examples[place]);
  return taken;
}

}  // namespace

RunData make_data(const Config& config) {
  RunData data;
  const TaskConfig& task = config.task;
  data.task = {task.kind,   task.prompt_template, task.chat, task.system,
               task.grader, task.separator,       task.stop, task.max_new_tokens};
  task::check(data.task);
  data.dataset = task.kind == "arithmetic" ? arithmetic(config) : jsonl(config);
  refuse_empty(config, "train", data.dataset.train);
  refuse_empty(config, "validation", data.dataset.valid);
  refuse_empty(config, "test", data.dataset.test);
  for (const task::NamedSplit& split : data.dataset.ood) refuse_empty(config, split.name, split.examples);
  refuse_leakage(data.dataset);
  return data;
}

std::vector<task::Example> labelled_examples(const task::Dataset& dataset) {
  std::vector<task::Example> all = dataset.train;
  all.insert(all.end(), dataset.valid.begin(), dataset.valid.end());
  return all;
}

task::TaskSpec task_of(const task::TaskSpec& task, const task::NamedSplit& split) {
  task::TaskSpec own = task;
  if (split.prompt_template) own.prompt_template = *split.prompt_template;
  return own;
}

std::vector<std::size_t> slice_of_levels(std::span<const LevelledId> examples, int first, int count,
                                         std::string_view purpose) {
  return part_of_levels(examples, purpose, [&](std::span<const Drawn> order) {
    const auto begin = std::min(static_cast<std::size_t>(first), order.size());
    const std::size_t rest = order.size() - begin;
    return order.subspan(begin, count == 0 ? rest : std::min(static_cast<std::size_t>(count), rest));
  });
}

std::vector<task::Example> slice_levels(std::span<const task::Example> examples, int first, int count,
                                        std::string_view purpose) {
  return at_places(examples, slice_of_levels(levelled_ids(examples), first, count, purpose));
}

bool has_pilot(const SearchConfig& search) {
  return search.algorithm == "transfer" && search.transfer_programs.empty();
}

std::vector<task::Example> pilot_examples(const Config& config, const task::Dataset& dataset) {
  if (!has_pilot(config.search)) return {};
  return slice_levels(dataset.train, 0, config.search.transfer_pilot);
}

std::vector<task::Example> share_of_levels(std::span<const task::Example> examples, double share) {
  return at_places(examples, part_of_levels(levelled_ids(examples), "share", [&](std::span<const Drawn> order) {
                     constexpr double kRounding = 1e-9;  // 0.07 of 100 are 7, though their product is a little more
                     const double wanted = share * static_cast<double>(order.size());
                     return order.first(static_cast<std::size_t>(std::ceil(wanted - kRounding)));
                   }));
}

std::string data_digest(const task::TaskSpec& task, std::span<const task::Example> examples) {
  core::Digest digest;
  digest.update(task.digest());
  for (const task::Example& example : examples) {
    for (const std::string* field : {&example.id, &example.question, &example.answer}) {
      digest.update(fmt::format("{}:", field->size())).update(*field);
    }
  }
  return digest.finish();
}

std::string describe(const task::Dataset& dataset) {
  std::string text = fmt::format("{:<32} {:>10} {:>9}  train / valid / test\n", "level", "population", "distinct");
  for (const task::LevelReport& level : dataset.levels) {
    text += fmt::format("{:<32} {:>10} {:>9} {} / {} / {}\n", level.level, level.population, level.distinct,
                        count_text(level.train), count_text(level.valid), count_text(level.test));
  }
  for (const task::NamedSplit& split : dataset.ood) {
    text += fmt::format("out of distribution: {}, {} examples\n", split.name, split.examples.size());
    for (const auto& [level, count] : split.levels) text += fmt::format("  {:<30} {}\n", level, count_text(count));
  }
  return text;
}

}  // namespace polar::experiment
