#include "experiment/transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <sstream>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/seed.h"
#include "predict/menu.h"

namespace polar::experiment {
namespace {

struct TriedOn {
  std::vector<std::vector<labels::StoredTrial>> trials;  ///< by example
  std::vector<core::Program> programs;                   ///< valid on any of them, sorted
};

/// The first greedy trials (0: all) of the examples that the identity fails, or of all examples.
TriedOn tried_on(const labels::LabelStore& store, std::span<const task::Example> examples, int most,
                 const core::Program& identity, bool failed_only) {
  TriedOn tried;
  for (const task::Example& example : examples) {
    std::vector<labels::StoredTrial> trials = store.trials(example.id);
    std::erase_if(trials, [](const labels::StoredTrial& one) { return one.trial.sample.temperature != 0; });
    if (most > 0 && trials.size() > static_cast<std::size_t>(most)) trials.erase(trials.begin() + most, trials.end());
    const bool solved = std::ranges::any_of(
        trials, [&](const labels::StoredTrial& one) { return one.outcome.correct && one.trial.program == identity; });
    if (failed_only && solved) continue;
    for (const labels::StoredTrial& one : trials) {
      if (one.outcome.correct && one.trial.program != identity) tried.programs.push_back(one.trial.program);
    }
    tried.trials.push_back(std::move(trials));
  }
  std::ranges::sort(tried.programs);
  const auto repeated = std::ranges::unique(tried.programs);
  tried.programs.erase(repeated.begin(), repeated.end());
  return tried;
}

std::vector<core::Program> cover_of(const TriedOn& tried, int size) {
  const int rows = static_cast<int>(tried.trials.size()), columns = static_cast<int>(tried.programs.size());
  if (columns == 0) return {};
  predict::Matrix correct(rows, columns), log_prob(rows, columns);
  std::ranges::fill(log_prob.values, -std::numeric_limits<double>::infinity());
  for (int row = 0; row < rows; ++row) {
    for (const labels::StoredTrial& one : tried.trials[static_cast<std::size_t>(row)]) {
      const auto place = std::ranges::lower_bound(tried.programs, one.trial.program);
      if (place == tried.programs.end() || *place != one.trial.program) continue;
      const int column = static_cast<int>(place - tried.programs.begin());
      correct.at(row, column) = one.outcome.correct ? 1 : 0;
      log_prob.at(row, column) = one.outcome.answer_log_prob;
    }
  }
  std::vector<core::Program> chosen;
  for (const int index : predict::greedy_cover(correct, log_prob, tried.programs, std::min(size, columns)))
    chosen.push_back(tried.programs[static_cast<std::size_t>(index)]);
  return chosen;
}

/// The first of `a`, the first of `b`, the second of `a`, …: `size` of them at most, each once.
std::vector<core::Program> in_turn(const std::vector<core::Program>& a, const std::vector<core::Program>& b, int size) {
  std::vector<core::Program> merged;
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    for (const auto* programs : {&a, &b}) {
      if (i >= programs->size() || static_cast<int>(merged.size()) == size) continue;
      if (std::ranges::find(merged, (*programs)[i]) == merged.end()) merged.push_back((*programs)[i]);
    }
  }
  return merged;
}

}  // namespace

std::vector<core::Program> read_programs(const std::filesystem::path& path, int depth) {
  std::istringstream lines(core::read_file(path));
  std::vector<core::Program> programs;
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    try {
      programs.push_back(core::Program::parse(line, depth));
    } catch (const core::Error& error) {
      throw core::UsageError(fmt::format("{}:{}: {}", path.string(), number, error.what()));
    }
  }
  if (programs.empty())
    throw core::UsageError(fmt::format("{}: expected programs, one a line, found none", path.string()));
  return programs;
}

std::vector<core::Program> programs_that_served(const labels::LabelStore& store,
                                                std::span<const task::Example> examples,
                                                const ServingOptions& options) {
  const core::Program identity = core::Program::identity(options.depth);
  TriedOn rescuing = tried_on(store, examples, options.trials, identity, true);
  if (rescuing.programs.empty()) rescuing = tried_on(store, examples, options.trials, identity, false);
  std::vector<core::Program> chosen = cover_of(rescuing, options.size);
  if (options.objective == search::Objective::kFirstValid) return chosen;
  TriedOn shortening = tried_on(store, examples, options.trials, identity, false);
  std::erase_if(shortening.programs, [&](const core::Program& program) { return program.length() >= options.depth; });
  return in_turn(chosen, cover_of(shortening, options.size), options.size);
}

search::SearchOptions of_pilot(search::SearchOptions options, const search::SearchSpace& space, std::uint64_t seed,
                               int rollouts) {
  options.algorithm = search::Algorithm::kGuided;
  options.objective = search::Objective::kBest;
  options.stop_after_valid = 0;
  options.stop_when_rescued = false;
  if (rollouts > 0) options.rollouts = rollouts;
  options.first_programs.clear();
  for (search::EditedProgram& single : space.single_edits())
    options.first_programs.push_back(std::move(single.program));
  core::Random(core::derive_seed(seed, "pilot", "")).shuffle(options.first_programs);
  return options;
}

}  // namespace polar::experiment
