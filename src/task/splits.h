#pragma once
// Data sets in splits, and proof that the splits share nothing.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "task/example.h"

namespace polar::task {

/// One split of one level: what there is and what was taken.
struct SplitCount {
  int available = 0;
  int taken = 0;
  bool exhausted = false;  ///< more were asked for than there are; never topped up
};

/// An out-of-distribution set. `prompt_template`, when there, stands in place of the task's own.
struct NamedSplit {
  std::string name;
  std::vector<Example> examples;
  std::optional<std::string> prompt_template;
  std::vector<std::pair<std::string, SplitCount>> levels = {};  ///< in their order
};

/// One level, to be printed.
struct LevelReport {
  std::string level;
  int population = 0;  ///< examples that exist, all splits
  int distinct = 0;    ///< problems among them that count as different (7 + 3 is 3 + 7); each lies in one split only
  SplitCount train, valid, test;
};

/// Examples by split, levels one after the other.
struct Dataset {
  std::vector<Example> train, valid, test;
  std::vector<NamedSplit> ood;
  std::vector<LevelReport> levels;
};

/// How many examples of a level each split takes; 0: all there are.
struct SplitLimits {
  int train = 0, valid = 0, test = 0;
};

/// Shares of the distinct problems; the rest is test.
struct SplitShares {
  double train = 0.6, valid = 0.15;
};

enum class Split { kTrain, kValid, kTest };

/// The split of a problem: a function of seed and key alone, so that it never moves when sizes change. Throws
/// core::UsageError when shares are negative or add up to more than 1.
Split split_of(std::uint64_t seed, std::string_view key, const SplitShares& shares);

/// Moves the examples behind those of `to`.
void append(std::vector<Example>& to, std::vector<Example> examples);

/// Chooses `limit` examples (0: all) by a hash of seed and id; they keep their order. A smaller limit takes a subset of
/// a larger one. Throws core::UsageError when limit < 0.
std::vector<Example> take(std::vector<Example> examples, int limit, std::uint64_t seed, SplitCount& count);

/// Lower case (ASCII), runs of white space as one space, none at the ends.
std::string normalised_question(std::string_view question);

/// What examples that ask the same have in common: the operands of an arithmetic problem (normalised_operands), else
/// the normalised question.
std::string problem_of(const Example& example);

/// One example of every problem, drawn by a hash of seed and id; they keep their order.
std::vector<Example> distinct_problems(std::vector<Example> examples, std::uint64_t seed);

/// Two examples that are the same one, and why.
struct Overlap {
  ExampleId a, b;
  enum class Kind { kId, kQuestion, kOperands } kind;
};
std::string_view to_string(Overlap::Kind kind);  ///< "id", "question", "operands"

/// Pairs of an example of `a` and one of `b` with the same id, or else the same normalised question, or else the same
/// operands of an arithmetic problem (normalised_operands). In order of `a`, then `b`.
std::vector<Overlap> find_overlap(std::span<const Example> a, std::span<const Example> b);

struct JsonlOptions {
  std::uint64_t seed = 1;
  std::filesystem::path train_file;  ///< training rows; or all rows, split by `shares`, when the next two are empty
  std::filesystem::path valid_file, test_file;  ///< both or neither
  SplitShares shares;                           ///< one file: by hash of the problem, so that repeats never part
  SplitLimits per_level;
  std::vector<std::string> levels;                                 ///< empty: all, in order of appearance
  std::vector<std::pair<std::string, std::filesystem::path>> ood;  ///< name and file
  int ood_per_level = 0;                                           ///< 0: all
  std::string ood_template;                                        ///< of these sets; empty: the task's
  std::string grader;    ///< by name: refuses an answer that it can never find right; empty: none
  bool letters = false;  ///< rows are multiple choice, asked by letters (task/choices.h), files out of distribution too
  bool reordered = false;  ///< with letters: an out-of-distribution set "reordered" of test, choices in another order
};

/// Reads JSONL files into splits. Test and the out-of-distribution sets ask each problem of a level once
/// (distinct_problems), since intervals count questions. Throws core::Error as read_jsonl does, when an asked-for level
/// does not occur, or when train, valid, test or an out-of-distribution set share an example with an earlier one (the
/// message names the first pair and the files); core::UsageError for options that contradict each other.
Dataset make_jsonl_dataset(const JsonlOptions& options);

/// A file as an out-of-distribution set, by the seed, grader and ood_ settings of the options: its levels in order of
/// appearance, each problem once. Throws core::Error as read_jsonl does.
NamedSplit read_ood_set(const JsonlOptions& options, const std::string& name, const std::filesystem::path& file);

}  // namespace polar::task
