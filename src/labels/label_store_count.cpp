// Counting what a store holds.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <tuple>

#include "core/error.h"
#include "labels/label_store.h"
#include "labels/label_store_state.h"

namespace polar::labels {
namespace {

struct Identity {
  std::int64_t program = 0;  ///< key; 0: not run
  int depth = 0;
};

/// No program is a longer ascending run from 0 than the identity, which every search and every re-judging runs.
Identity find_identity(Database& database) {
  Statement query(database, "SELECT key, text FROM programs WHERE text GLOB '0-[0-9]*' AND NOT text GLOB '*[,(]*'",
                  "looking for the identity");
  Identity identity;
  while (query.next()) {
    const std::string text = query.text(1);
    int last = 0;
    std::from_chars(text.data() + 2, text.data() + text.size(), last);
    if (last + 1 > identity.depth) identity = {query.integer(0), last + 1};
  }
  return identity;
}

/// One row an example: the sums below take NULL, where the identity was not run or nothing was solved, for neither.
constexpr const char* kCounts =
    "SELECT split, level, COUNT(*), SUM(done), SUM(shortest IS NOT NULL), SUM(trials), SUM(correct), SUM(base), "
    "SUM(base AND shortest < ?2), SUM(NOT base AND shortest IS NOT NULL), SUM(NOT base AND shortest < ?2), "
    "SUM(shortest) FROM examples LEFT JOIN "
    "(SELECT searches.example, searches.state = 'done' AS done, COUNT(trials.search) AS trials, "
    " SUM(trials.correct) AS correct, "
    " MAX(CASE WHEN trials.program = ?3 AND trials.temperature = 0 THEN trials.correct END) AS base, "
    " MIN(CASE WHEN trials.correct AND trials.temperature = 0 THEN trials.layers END) AS shortest "
    " FROM searches LEFT JOIN trials ON trials.search = searches.key WHERE searches.settings = ?1 "
    " GROUP BY searches.key) AS counted ON counted.example = examples.key GROUP BY split, level";

}  // namespace

std::vector<LevelCount> collect_counts(Statement& query) {
  std::vector<LevelCount> counts;
  while (query.next()) {
    counts.push_back({split_of(query.text(0)), query.text(1), query.integer(2), query.integer(3), query.integer(4),
                      query.integer(5), query.integer(6), query.integer(7), query.integer(8), query.integer(9),
                      query.integer(10), query.integer(11)});
  }
  std::sort(counts.begin(), counts.end(), [](const LevelCount& a, const LevelCount& b) {
    return std::tie(a.split, a.level) < std::tie(b.split, b.level);
  });
  return counts;
}

std::vector<LevelCount> LabelStore::level_counts() const {
  const Identity identity = find_identity(state_->database);
  Statement query(state_->database, kCounts, "counting its trials");
  query.bind(1, state_->settings_key).bind(2, identity.depth).bind(3, identity.program);
  return collect_counts(query);
}

int LabelStore::depth() const {
  return find_identity(state_->database).depth;
}

std::int64_t LabelStore::trial_count() const {
  Statement query(state_->database, "SELECT COUNT(*) FROM trials", "counting its trials");
  return query.next() ? query.integer(0) : 0;
}

int LabelStore::search_count() const {
  Statement query(state_->database, "SELECT COUNT(*) FROM settings", "counting its searches");
  return query.next() ? static_cast<int>(query.integer(0)) : 0;
}

void LabelStore::select_search(int index) {
  Statement query(state_->database, "SELECT key FROM settings ORDER BY key LIMIT 1 OFFSET ?",
                  "looking for its searches");
  query.bind(1, std::max(index, 0));
  if (index < 0 || !query.next()) {
    throw core::Error(
        fmt::format("{}: expected a search from 0 to {}, found {}", path().string(), search_count() - 1, index));
  }
  const std::int64_t key = query.integer(0);
  query.reset();
  state_->load_settings(key);
}

}  // namespace polar::labels
