// polar labels stats and diff.

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "cli/labels.h"
#include "core/error.h"
#include "labels/diff.h"
#include "labels/imported_labels.h"
#include "labels/label_source.h"

namespace polar::cli {
namespace {

using labels::LevelCount;
using nlohmann::ordered_json;

double mean_shortest(const LevelCount& count) {
  return count.solved == 0 ? 0 : static_cast<double>(count.shortest_layers) / static_cast<double>(count.solved);
}

ordered_json json_of(const LevelCount& count) {
  ordered_json row = {{"split", labels::to_string(count.split)},
                      {"level", count.level},
                      {"examples", count.examples},
                      {"done", count.done},
                      {"solved", count.solved},
                      {"trials", count.trials},
                      {"correct_trials", count.correct_trials},
                      {"c_to_c", count.c_to_c},
                      {"c_to_c_shorter", count.c_to_c_shorter},
                      {"w_to_c", count.w_to_c},
                      {"w_to_c_shorter", count.w_to_c_shorter}};
  row["mean_shortest_layers"] = count.solved == 0 ? ordered_json() : ordered_json(mean_shortest(count));
  return row;
}

std::string text_of(const LevelCount& count, const std::string& split, const std::string& level) {
  return fmt::format("  {:<6} {:<30} {:>9} {:>9} {:>9} {:>10} {:>10} {:>8} {:>8} {:>8} {:>8} {:>9}\n", split, level,
                     count.examples, count.done, count.solved, count.trials, count.correct_trials, count.c_to_c,
                     count.c_to_c_shorter, count.w_to_c, count.w_to_c_shorter,
                     count.solved == 0 ? "-" : fmt::format("{:.2f}", mean_shortest(count)));
}

LevelCount sum_of(const std::vector<LevelCount>& counts) {
  LevelCount sum;
  for (const LevelCount& count : counts) {
    for (auto member : {&LevelCount::examples, &LevelCount::done, &LevelCount::solved, &LevelCount::trials,
                        &LevelCount::correct_trials, &LevelCount::c_to_c, &LevelCount::c_to_c_shorter,
                        &LevelCount::w_to_c, &LevelCount::w_to_c_shorter, &LevelCount::shortest_layers}) {
      sum.*member += count.*member;
    }
  }
  return sum;
}

/// What stats prints, read once.
struct SearchStats {
  std::vector<std::pair<std::string, std::string>> identity;
  std::vector<LevelCount> levels;
  labels::LabelDigests digests;
};

std::vector<SearchStats> search_stats(labels::LabelSource& source) {
  std::vector<SearchStats> stats;
  for (int search = 0; search < source.searches(); ++search) {
    source.select(search);
    stats.push_back({source.identity(), source.level_counts(), source.digests()});
  }
  return stats;
}

void print_text(const labels::LabelSource& source, const std::vector<SearchStats>& searches, std::uintmax_t bytes,
                std::int64_t trials, const std::vector<std::string>& problems) {
  std::cout << fmt::format("{} ({})\n", source.path().string(), source.kind());
  for (const SearchStats& search : searches) {
    if (searches.size() > 1) std::cout << fmt::format("search {}\n", &search - searches.data());
    for (const auto& [name, value] : search.identity) std::cout << fmt::format("  {:<12} {}\n", name, value);
    std::cout << fmt::format("  {:<6} {:<30} {:>9} {:>9} {:>9} {:>10} {:>10} {:>8} {:>8} {:>8} {:>8} {:>9}\n", "split",
                             "level", "examples", "done", "solved", "trials", "correct", "C->C", "shorter", "W->C",
                             "shorter", "shortest");
    for (const LevelCount& count : search.levels) {
      std::cout << text_of(count, std::string(labels::to_string(count.split)), count.level);
    }
    std::cout << text_of(sum_of(search.levels), "all", "");
    std::cout << fmt::format("  verdicts {}\n", search.digests.verdicts);
    if (!search.digests.exact.empty()) std::cout << fmt::format("  exact    {}\n", search.digests.exact);
    std::cout << "\n";
  }
  std::cout << fmt::format("  {} trials, {} bytes, {:.1f} bytes a trial\n", trials, bytes,
                           trials == 0 ? 0.0 : static_cast<double>(bytes) / static_cast<double>(trials));
  if (source.kind() != "imported") return;
  const labels::ImportedLabels imported = labels::ImportedLabels::read(source.path());
  for (const labels::ImportedSource& file : imported.sources()) {
    std::cout << fmt::format("  {}: {} samples, {} programs, {} duplicates, {} problems{}\n", file.name, file.samples,
                             file.programs, file.duplicates, file.problems,
                             file.complete ? "" : "; not read to its end yet");
  }
  for (const std::string& problem : problems) std::cout << problem << "\n";
}

void print_json(const labels::LabelSource& source, const std::vector<SearchStats>& searches, std::uintmax_t bytes,
                std::int64_t trials, const std::vector<std::string>& problems) {
  ordered_json all = {{"path", source.path().string()}, {"kind", source.kind()}, {"bytes", bytes}, {"trials", trials}};
  all["bytes_per_trial"] =
      trials == 0 ? ordered_json() : ordered_json(static_cast<double>(bytes) / static_cast<double>(trials));
  all["searches"] = ordered_json::array();
  for (const SearchStats& search : searches) {
    ordered_json& row = all["searches"].emplace_back();
    for (const auto& [name, value] : search.identity) row["identity"][name] = value;
    row["levels"] = ordered_json::array();
    for (const LevelCount& count : search.levels) row["levels"].push_back(json_of(count));
    row["trials"] = search.digests.trials;
    row["verdicts"] = search.digests.verdicts;
    row["exact"] = search.digests.exact.empty() ? ordered_json() : ordered_json(search.digests.exact);
  }
  if (source.kind() == "imported") {
    all["sources"] = ordered_json::array();
    for (const labels::ImportedSource& file : labels::ImportedLabels::read(source.path()).sources()) {
      all["sources"].push_back({{"name", file.name},
                                {"samples", file.samples},
                                {"programs", file.programs},
                                {"duplicates", file.duplicates},
                                {"problems", file.problems},
                                {"complete", file.complete}});
    }
  }
  if (!problems.empty()) all["problems"] = problems;
  std::cout << all.dump(2, ' ', false, ordered_json::error_handler_t::replace) << "\n";
}

struct DiffFlags {
  std::string a, b;
  std::optional<int> search_a, search_b;
  bool quiet = false;
};

std::string text_of(const labels::TrialDifference& difference) {
  using Kind = labels::TrialDifference::Kind;
  const auto verdict = [](bool correct) { return correct ? "right" : "wrong"; };
  const search::Trial& trial = difference.trial;
  const std::string what =
      difference.kind == Kind::kOnlyA ? fmt::format("only in A: {}", verdict(difference.correct_a))
      : difference.kind == Kind::kOnlyB
          ? fmt::format("only in B: {}", verdict(difference.correct_b))
          : fmt::format("{} in A, {} in B", verdict(difference.correct_a), verdict(difference.correct_b));
  return fmt::format("{}\t{}\t{}#{}\t{}\n", trial.example, trial.program.text(), trial.sample.temperature,
                     trial.sample.index, what);
}

void print_identities(const labels::LabelSource& a, const labels::LabelSource& b) {
  const auto of_b = b.identity();
  for (const auto& [name, value] : a.identity()) {
    const auto other = std::ranges::find(of_b, name, &std::pair<std::string, std::string>::first);
    if (other == of_b.end() || other->second == value) continue;
    std::cout << fmt::format("{}: A has '{}', B has '{}'\n", name, value, other->second);
  }
  const labels::LabelDigests digests_a = a.digests(), digests_b = b.digests();
  const auto same = [](const std::string& x, const std::string& y) { return x == y ? "equal" : "different"; };
  std::cout << fmt::format("verdicts: {}\n  A {}\n  B {}\n", same(digests_a.verdicts, digests_b.verdicts),
                           digests_a.verdicts, digests_b.verdicts);
  if (digests_a.exact.empty() || digests_b.exact.empty()) return;
  std::cout << fmt::format("exact: {}\n  A {}\n  B {}\n", same(digests_a.exact, digests_b.exact), digests_a.exact,
                           digests_b.exact);
}

void diff(const DiffFlags& flags) {
  const auto a = labels::LabelSource::open(flags.a), b = labels::LabelSource::open(flags.b);
  a->select(chosen_search("--search-a", flags.search_a, a->searches(), a->path()));
  b->select(chosen_search("--search-b", flags.search_b, b->searches(), b->path()));
  print_identities(*a, *b);
  const auto counts = labels::diff_labels(*a, *b, [&](const labels::TrialDifference& difference) {
    if (!flags.quiet) std::cout << text_of(difference);
  });
  std::cout << fmt::format("{:<30} {:>10} {:>10} {:>10} {:>12} {:>12} {:>12}\n", "level", "both", "only A", "only B",
                           "right->wrong", "wrong->right", "other scores");
  std::int64_t differences = 0;
  for (const labels::DiffCount& count : counts) {
    std::cout << fmt::format("{:<30} {:>10} {:>10} {:>10} {:>12} {:>12} {:>12}\n", count.level, count.both,
                             count.only_a, count.only_b, count.right_to_wrong, count.wrong_to_right,
                             count.other_scores);
    differences += count.only_a + count.only_b + count.right_to_wrong + count.wrong_to_right + count.other_scores;
  }
  if (differences == 0) return;
  throw core::Error(fmt::format("{} and {} differ in {} trials", a->path().string(), b->path().string(), differences));
}

}  // namespace

int chosen_search(const std::string& flag, std::optional<int> search, int searches,
                  const std::filesystem::path& store) {
  if (!search) return searches - 1;
  if (*search >= 0 && *search < searches) return *search;
  throw core::UsageError(
      fmt::format("{}: expected a search of {}, from 0 to {} as polar labels stats numbers them, "
                  "found {}",
                  flag, store.string(), searches - 1, *search));
}

void add_labels_stats(CLI::App& labels) {
  auto path = std::make_shared<std::string>();
  auto as_json = std::make_shared<bool>(false), list_problems = std::make_shared<bool>(false);
  CLI::App* command = labels.add_subcommand("stats", "Count examples, trials and valid programs by split and level");
  command->add_option("store", *path, "Run folder or SQLite file")->required();
  command->add_flag("--json", *as_json, "Print one JSON object");
  command->add_flag("--problems", *list_problems, "Also list what an import could not take as it stood");
  command->footer(
      "C->C: the identity is right, W->C: it is wrong and another program is right; shorter: in fewer layers than the\n"
      "identity; shortest: mean layers of the shortest valid program of the solved examples.\n"
      "Example: polar labels stats runs/quickstart");
  command->callback([path, as_json, list_problems] {
    const auto source = labels::LabelSource::open(*path);
    const std::vector<SearchStats> searches = search_stats(*source);
    std::vector<std::string> problems;
    if (*list_problems && source->kind() == "imported")
      problems = labels::ImportedLabels::read(source->path()).problems();
    (*as_json ? print_json : print_text)(*source, searches, labels::bytes_on_disk(source->path()),
                                         source->trial_count(), problems);
  });
}

void add_labels_diff(CLI::App& labels) {
  auto flags = std::make_shared<DiffFlags>();
  CLI::App* command = labels.add_subcommand(
      "diff", "Compare the labels of two files, trial by trial: exit code 0 when equal, 1 when different");
  command->add_option("a", flags->a, "Run folder or SQLite file")->required();
  command->add_option("b", flags->b, "Run folder or SQLite file")->required();
  command->add_flag("--quiet", flags->quiet, "Counts only, no line a trial");
  command->add_option("--search-a", flags->search_a,
                      "Of several searches of A, that of this number in polar labels stats; default: the newest");
  command->add_option("--search-b", flags->search_b, "The same of B");
  command->footer("Example: polar labels diff runs/a runs/b");
  command->callback([flags] { diff(*flags); });
}

}  // namespace polar::cli
