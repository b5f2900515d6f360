#pragma once
// What the searches recorded, in memory and without text: the input of every label analysis. Filled from a label store
// or imported labels, or by hand in tests.

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/program.h"
#include "core/segment.h"
#include "labels/imported_labels.h"
#include "labels/label_store.h"

namespace polar::eval {

/// Longest segment of the parses below: the paper's K_max (arXiv 2606.06574, section 3).
inline constexpr int kPaperSegment = 4;

/// One distinct program of a table and what follows from its layer sequence alone; parsed once.
struct LabelProgram {
  core::Program program;
  int layers = 0;         ///< K, layer executions
  int unique_layers = 0;  ///< distinct layers
  int most_runs = 0;      ///< executions of the layer that runs most often
  bool identity = false;
  bool skips = false;            ///< some layer below D never runs
  bool repeats = false;          ///< some layer runs more than once
  bool parsed = false;           ///< it has a canonical parse under the table's longest segment and any number of runs
  std::uint32_t first_edit = 0;  ///< in LabelTable::edits
  std::uint32_t edits = 0;       ///< segments that do not keep their layers; 0 without a parse
  /// K − distinct layers: executions beyond the first of each layer. Needs no parse.
  int extra_executions() const { return layers - unique_layers; }
};

struct LabelTrial {
  std::uint32_t program = 0;  ///< in LabelTable::programs
  bool correct = false;
};

struct LabelExample {
  std::string id;
  labels::Split split = labels::Split::kTrain;
  std::string level;
  bool done = false;               ///< its search has ended
  std::vector<LabelTrial> trials;  ///< greedy ones, in recorded order where the table has one
};

/// Eight bytes a trial, some 200 a distinct program: a million trials fit in a few hundred megabytes at worst.
struct LabelTable {
  int depth = 0;            ///< D
  int longest_segment = 0;  ///< of the parses
  bool ordered = true;      ///< false: the order of trials is no search's
  bool ends_known = true;   ///< false: whether searches have ended is not known
  std::vector<LabelProgram> programs;
  std::vector<core::Segment> edits;  ///< of all programs, by program
  std::vector<LabelExample> examples;
};

/// Makes a table from rows in recorded order. Not thread-safe.
class LabelTableBuilder {
 public:
  void add_example(std::string id, std::string level, labels::Split split = labels::Split::kTrain, bool done = true);
  /// A greedy trial of the example added last. Throws core::Error before the first example.
  void add_trial(const core::Program& program, bool correct);
  /// Parses every program once and gives the table; the builder is empty then. `depth` 0 takes 1 + the largest layer
  /// that any program runs (searches always try the identity). Throws core::Error for a program with a layer ≥ depth
  /// and for longest_segment < 1.
  LabelTable finish(int depth = 0, int longest_segment = kPaperSegment);

 private:
  LabelTable table_;
  std::unordered_map<core::Program, std::uint32_t> numbers_;
};

/// The greedy trials of the store's current search, of one split or all, examples by id; examples without a trial
/// included. Not ordered where the store was judged from imported labels. Throws as LabelStore does, and core::Error
/// when there is no trial at all.
LabelTable read_label_table(const labels::LabelStore& store, std::optional<labels::Split> split, int longest_segment);

/// Imported programs, and the identity with the verdict of the initial score, of one split, or of train and validation;
/// not ordered and without known ends. Examples by id. Throws as ImportedLabels does, and core::Error when there is no
/// program at all.
LabelTable read_label_table(const labels::ImportedLabels& labels, std::optional<labels::Split> split,
                            int longest_segment);

}  // namespace polar::eval
