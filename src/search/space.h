#pragma once
// Search spaces: which programs a search may try (method.md 1 and 2).

#include <optional>
#include <string>
#include <vector>

#include "core/edit.h"
#include "core/program.h"
#include "core/seed.h"
#include "core/segment.h"

namespace polar::search {

/// The default is the predictor's own vocabulary (skip, keep, repeat-2 of blocks of at most 4 layers) within the
/// paper's depth budget of 90 … 115 %, on the layers after the predictor's features.
struct SpaceOptions {
  int depth = 0;                  ///< D, layers of the model; must be set
  int first_layer = 4;            ///< p: layers below it are never edited, so that features read there cost nothing
  int end_layer = -1;             ///< layers from here on are never edited; −1 = D
  int max_block = 4;              ///< longest block of one edit, k ≥ 1
  int max_extra_runs = 1;         ///< most extra runs of a repeated block, r ≥ 1; 1 = the predictor's repeat-2
  bool allow_skip = true;         ///< false: loop only
  bool allow_repeat = true;       ///< false: skip only
  double min_depth_ratio = 0.90;  ///< programs have at least ceil(min · D) layer executions; ≤ 1
  double max_depth_ratio = 1.15;  ///< … and at most floor(max · D); ≥ 1
  int max_edits = 0;              ///< most edits of one program (see EditedProgram); 0 = no limit

  /// Every setting, for digests: equal text, equal space.
  std::string text() const;
};

/// A program and its edit form. `edits` is canonical: sorted, disjoint, a run of skipped layers cut from its left into
/// blocks of max_block. So equal programs have equal edits, and edits.size() is the fewest edits that make the program.
struct EditedProgram {
  std::vector<core::Edit> edits;
  core::Program program;
  friend bool operator==(const EditedProgram&, const EditedProgram&) = default;
};

/// All programs made from the identity by disjoint edits within the options' bounds, the identity included. Every one
/// is in segment form under segment_limits(). Immutable and thread-safe.
///
/// Not every program need be reachable by adding one edit at a time without leaving the depth bounds; all are when
/// max_layers() − D ≥ k·r and D − min_layers() ≥ k − 1, as in the default space of 30 layers.
class SearchSpace {
 public:
  /// Throws UsageError naming the option, what was expected and found.
  explicit SearchSpace(const SpaceOptions& options);

  const SpaceOptions& options() const { return options_; }
  int depth() const { return options_.depth; }
  int min_layers() const { return min_layers_; }  ///< ceil(min · D), at least 1
  int max_layers() const { return max_layers_; }  ///< floor(max · D)
  core::SegmentLimits segment_limits() const { return {options_.max_block, options_.max_extra_runs + 1}; }

  EditedProgram identity() const;

  /// Every single edit, by first layer, then length, then extra runs. Some may leave the depth bounds when used alone.
  const std::vector<core::Edit>& candidates() const { return candidates_; }

  /// The parent with one more edit; nullopt when the block meets an edited layer or the result is not in the space.
  std::optional<EditedProgram> extend(const EditedProgram& parent, const core::Edit& edit) const;

  /// The programs of exactly one candidate edit, in candidate order.
  std::vector<EditedProgram> single_edits() const;

  /// Number of programs with exactly `layers` executions, and of all; exact below 2^53. 0 outside the bounds.
  double count(int layers) const;
  double count() const;

  /// A program of exactly `layers` executions, uniform over the space. Throws UsageError when there is none.
  core::Program random_program(int layers, core::Random& random) const;

 private:
  struct Choice;
  struct State;
  void check_options() const;
  void list_candidates();
  void count_completions();
  std::vector<Choice> choices(const State& state) const;
  std::size_t cell(const State& state) const;
  std::vector<core::Edit> canonical(std::vector<core::Edit> edits) const;

  SpaceOptions options_;
  int min_layers_ = 0;
  int max_layers_ = 0;
  std::vector<core::Edit> candidates_;
  std::vector<double> completions_;  ///< by cell(state): ways to finish a program from that state
};

}  // namespace polar::search
