// polar bench labels: label stores at scale, without a model.

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/bench.h"
#include "core/error.h"
#include "core/file.h"
#include "core/seed.h"
#include "labels/export.h"
#include "labels/import.h"
#include "labels/label_source.h"
#include "labels/label_store.h"
#include "labels/merge.h"
#include "search/space.h"

namespace polar::cli {
namespace {

struct LabelFlags {
  std::int64_t trials = 1000000;
  int examples = 5000, shards = 2, layers = 30;
  std::string folder;  ///< empty: a temporary one, removed at the end
};

constexpr int kTrialsPerRound = 8;
constexpr int kExamplesPerBatch = 100;
constexpr std::uint64_t kSeed = 1;
constexpr std::string_view kAsASearch = "round after round, as a search of 100 trees in step";

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

/// The trials a search might have made: the identity, then single edits and programs drawn from the whole space, in
/// equal parts, with outcomes drawn from their seed. A pure function of the example's index.
class TrialSource {
 public:
  explicit TrialSource(const LabelFlags& flags) : space_(space_options(flags)), singles_(space_.single_edits()) {}

  std::vector<search::Trial> trials(const task::ExampleId& example, std::int64_t count) const {
    core::Random random(core::derive_seed(kSeed, "bench labels", example));
    if (count == 0) return {};
    std::vector<search::Trial> trials = {{example, core::Program::identity(space_.depth()), {}}};
    while (static_cast<std::int64_t>(trials.size()) < count) {
      const auto spread = static_cast<std::uint64_t>(space_.max_layers() - space_.min_layers() + 1);
      const bool single = random.below(2) == 0;
      trials.push_back(
          {example,
           single ? singles_[random.below(singles_.size())].program
                  : space_.random_program(space_.min_layers() + static_cast<int>(random.below(spread)), random),
           {}});
    }
    return trials;
  }

  /// Depends on the trial alone, so that a program met twice has one outcome.
  static search::Outcome outcome(const search::Trial& trial) {
    const std::size_t key = std::hash<core::Program>()(trial.program) ^ std::hash<std::string>()(trial.example);
    const core::CounterRandom draw(key);
    const bool correct = draw.uniform_at(0) < 0.2;
    return {correct,
            -8 * draw.uniform_at(1),
            3,
            (draw.uniform_at(2) - (correct ? 0 : 1)) * 6,
            trial.program.length(),
            correct ? "42" : "17",
            true};
  }

 private:
  static search::SpaceOptions space_options(const LabelFlags& flags) {
    search::SpaceOptions options;
    options.depth = flags.layers;
    return options;
  }

  search::SearchSpace space_;
  std::vector<search::EditedProgram> singles_;
};

class LabelBench {
 public:
  explicit LabelBench(const LabelFlags& flags) : flags_(flags), source_(flags), folder_(folder_of(flags)) {
    for (int i = 0; i < flags.examples; ++i) {
      const std::string id = fmt::format("example-{:06}", i);
      examples_.push_back(
          {id, i % 5 == 0 ? labels::Split::kValid : labels::Split::kTrain, fmt::format("level {}", i % 6)});
      task::Example& row = rows_.emplace_back();
      row.id = id;
      row.question = fmt::format("Question {}", i);
      row.answer = "42";
    }
  }
  ~LabelBench() {
    std::error_code ignored;
    if (flags_.folder.empty()) std::filesystem::remove_all(folder_, ignored);
  }
  LabelBench(const LabelBench&) = delete;
  LabelBench& operator=(const LabelBench&) = delete;

  /// 1. record as a search does, 2. record in batches, by shards, 3. merge, 4. stats, 5. export, 6. import.
  void run() {
    record(kAsASearch, "searched.sqlite", 0, 1);
    for (int shard = 0; shard < flags_.shards; ++shard) {
      record("example after example", fmt::format("shard-{}.sqlite", shard), shard, flags_.shards);
    }
    merge();
    stats();
    exchange();
  }

 private:
  static std::filesystem::path folder_of(const LabelFlags& flags) {
    if (!flags.folder.empty()) {
      core::ensure_folder(flags.folder);
      if (!std::filesystem::is_empty(flags.folder)) {
        throw core::UsageError(fmt::format("--folder: expected an empty folder, found files in {}", flags.folder));
      }
      return flags.folder;
    }
    std::string name = (std::filesystem::temp_directory_path() / "polar_bench_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw core::Error(fmt::format("{}: cannot make a temporary folder", name));
    return name;
  }

  static void print(const nlohmann::ordered_json& row) { std::cout << row.dump() << std::endl; }

  /// Records every `shards`-th example; only the recording is timed.
  void record(std::string_view how, const std::string& name, int shard, int shards) {
    const labels::RunLock lock(folder_);
    labels::LabelStore store = labels::LabelStore::open(
        lock, name, {"weights", "bench", "task", "bench", "exact", "none"}, {"bench", "verdict", kSeed});
    store.add_examples(examples_);
    std::int64_t trials = 0;
    double seconds = 0;
    for (int begin = shard; begin < flags_.examples; begin += kExamplesPerBatch * shards) {
      std::vector<std::vector<search::Trial>> made;
      std::vector<std::vector<search::Outcome>> outcomes;
      for (int i = begin; i < std::min(begin + kExamplesPerBatch * shards, flags_.examples); i += shards) {
        made.push_back(source_.trials(examples_[static_cast<std::size_t>(i)].id, trials_of(i)));
        std::vector<search::Outcome>& of_example = outcomes.emplace_back();
        for (const search::Trial& trial : made.back()) of_example.push_back(TrialSource::outcome(trial));
        trials += static_cast<std::int64_t>(made.back().size());
      }
      const Stopwatch watch;
      if (how == kAsASearch) {
        record_steps(store, made, outcomes);
      } else {
        labels::LabelStore::Batch batch(store);
        for (std::size_t i = 0; i < made.size(); ++i) record_example(store, made[i], outcomes[i]);
        batch.commit();
      }
      seconds += watch.seconds();
    }
    print({{"step", "record"},
           {"how", how},
           {"file", name},
           {"trials", trials},
           {"seconds", seconds},
           {"trials_per_second", static_cast<double>(trials) / seconds}});
  }

  std::int64_t trials_of(int example) const {
    return flags_.trials / flags_.examples + (example < flags_.trials % flags_.examples ? 1 : 0);
  }

  /// Round `number` of an example, none after the last.
  static std::optional<search::FinishedRound> round_of(std::span<const search::Trial> trials,
                                                       std::span<const search::Outcome> outcomes, int number) {
    const std::size_t begin = static_cast<std::size_t>(number) * kTrialsPerRound;
    if (begin >= trials.size()) return std::nullopt;
    const std::size_t count = std::min<std::size_t>(kTrialsPerRound, trials.size() - begin);
    return search::FinishedRound{trials[0].example, number, trials.subspan(begin, count),
                                 outcomes.subspan(begin, count)};
  }

  static void record_steps(labels::LabelStore& store, const std::vector<std::vector<search::Trial>>& made,
                           const std::vector<std::vector<search::Outcome>>& outcomes) {
    std::vector<search::FinishedRound> step;
    for (int number = 0; number == 0 || !step.empty(); ++number) {
      step.clear();
      for (std::size_t i = 0; i < made.size(); ++i) {
        if (const auto round = round_of(made[i], outcomes[i], number)) step.push_back(*round);
      }
      store.record_step(step);
    }
    for (const std::vector<search::Trial>& trials : made) {
      if (!trials.empty()) store.mark_done(trials[0].example);
    }
  }

  static void record_example(labels::LabelStore& store, std::span<const search::Trial> trials,
                             std::span<const search::Outcome> outcomes) {
    for (int number = 0; const auto round = round_of(trials, outcomes, number); ++number)
      store.record(round->example, round->round, round->trials, round->outcomes);
    if (!trials.empty()) store.mark_done(trials[0].example);
  }

  void merge() {
    std::vector<std::filesystem::path> shards;
    for (int i = 0; i < flags_.shards; ++i) shards.push_back(folder_ / fmt::format("shard-{}.sqlite", i));
    const labels::RunLock lock(folder_);
    const Stopwatch watch;
    std::int64_t added = 0;
    for (const labels::MergedShard& shard : labels::merge_stores(lock, "merged.sqlite", shards)) added += shard.added;
    const double seconds = watch.seconds();
    print({{"step", "merge"},
           {"shards", flags_.shards},
           {"trials", added},
           {"seconds", seconds},
           {"trials_per_second", static_cast<double>(added) / seconds}});
  }

  /// What `polar labels stats` reads.
  void stats() {
    const std::filesystem::path file = folder_ / "merged.sqlite";
    const Stopwatch watch;
    const auto source = labels::LabelSource::open(file);
    const std::size_t levels = source->level_counts().size();
    const std::int64_t trials = source->trial_count();
    const double counted = watch.seconds();
    const labels::LabelDigests digests = source->digests();
    const double seconds = watch.seconds();
    const std::uintmax_t bytes = labels::bytes_on_disk(file);
    print({{"step", "stats"},
           {"levels", levels},
           {"count_seconds", counted},
           {"digest_seconds", seconds - counted},
           {"seconds", seconds},
           {"bytes", bytes},
           {"bytes_per_trial", static_cast<double>(bytes) / static_cast<double>(trials)},
           {"equal_to_searched",
            digests.exact == labels::LabelStore::read(folder_ / "searched.sqlite").digests().exact}});
  }

  void exchange() {
    const std::filesystem::path file = folder_ / "merged_mcts_samples.json.gz";
    const Stopwatch exporting;
    const labels::ExportReport written =
        labels::export_labels(labels::LabelStore::read(folder_ / "merged.sqlite"), rows_, file);
    const double export_seconds = exporting.seconds();
    print({{"step", "export"},
           {"programs", written.programs},
           {"seconds", export_seconds},
           {"bytes", std::filesystem::file_size(file)}});
    const labels::RunLock lock(folder_);
    const Stopwatch importing;
    labels::ImportedLabels imported = labels::ImportedLabels::open(lock, "imported.sqlite", {flags_.layers, {}, {}});
    const labels::ImportedSource read = labels::import_file(imported, file, labels::SampleJoin(rows_));
    const double import_seconds = importing.seconds();
    print({{"step", "import"},
           {"programs", read.programs},
           {"problems", read.problems},
           {"seconds", import_seconds},
           {"programs_per_second", static_cast<double>(read.programs) / import_seconds},
           {"bytes", labels::bytes_on_disk(imported.path())}});
  }

  const LabelFlags& flags_;
  TrialSource source_;
  std::filesystem::path folder_;
  std::vector<labels::StoredExample> examples_;
  std::vector<task::Example> rows_;
};

}  // namespace

void add_bench_labels(CLI::App& bench) {
  auto flags = std::make_shared<LabelFlags>();
  CLI::App* command = bench.add_subcommand(
      "labels", "Record, merge, count, export and import trials of no model: one JSON line a step");
  command->add_option("--trials", flags->trials, "Trials in all")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1000000000}));
  command->add_option("--examples", flags->examples, "Examples they are spread over")
      ->capture_default_str()
      ->check(CLI::Range(1, 10000000));
  command->add_option("--shards", flags->shards, "Stores that are merged")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  command->add_option("--layers", flags->layers, "Layers of the model there is not")
      ->capture_default_str()
      ->check(CLI::Range(8, 1000));
  command->add_option("--folder", flags->folder, "Empty folder that keeps the files; default: a temporary one");
  command->footer("Example: polar bench labels --trials 1000000");
  command->callback([flags] { LabelBench(*flags).run(); });
}

}  // namespace polar::cli
