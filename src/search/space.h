#pragma once
// Search spaces: which programs a search may try (method.md 1 and 2).

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/edit.h"
#include "core/program.h"
#include "core/seed.h"
#include "core/segment.h"

namespace polar::search {

/// What an edit acts on, and so which programs arise: each form allows more than the one before it.
enum class EditForm {
  kDisjoint,     ///< blocks of the identity that never meet: segment form, what a predictor can emit
  kOverlapping,  ///< blocks of the identity that may meet (core::apply_overlapping_edits)
  kNested,       ///< blocks of the current layer sequence (core::apply_edit_to_steps): loops inside loops
};
const std::vector<std::string>& edit_form_names();  ///< "disjoint", "overlapping", "nested"
std::string_view to_string(EditForm form);
EditForm edit_form_of(std::string_view name);  ///< throws UsageError listing the names

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
  EditForm form = EditForm::kDisjoint;
  int max_repeated_block = 0;  ///< longest repeated block where it is shorter than max_block; 0 = max_block
  int later_max_block = 0;     ///< nested: longest block of every edit but a program's first; 0 = max_block
  int max_layer_runs = 0;      ///< no layer runs more often than this; 0 = no limit

  /// Every setting, for digests: equal text, equal space.
  std::string text() const;
};

class OverlappingPrograms;

/// A program and its edit form. Disjoint edits are canonical: sorted, a run of skipped layers cut from its left into
/// blocks of max_block; so equal programs have equal edits, and edits.size() is the fewest edits that make the program.
/// Overlapping edits are sorted and nested ones stand in the order they were made; equal programs may have other edits.
struct EditedProgram {
  std::vector<core::Edit> edits;
  core::Program program;
  friend bool operator==(const EditedProgram&, const EditedProgram&) = default;
};

/// All programs made from the identity by edits within the options' bounds, the identity included. Those of disjoint
/// edits are in segment form under segment_limits(); others may have no parse. With nested edits, every program on the
/// way is within the bounds too. Immutable and thread-safe.
///
/// Disjoint spaces are counted by dynamic programming, overlapping ones by an automaton (OverlappingPrograms) when
/// first asked. Nested ones, and overlapping ones with max_layer_runs, are enumerated when first asked, up to
/// kMostEnumerated programs; a larger one is known by that bound only (counted() is false). A search that adds edit to
/// edit may miss some programs of both, where it meets another first by more edits than needed.
///
/// Not every program need be reachable by adding one edit at a time without leaving the depth bounds; all are when
/// max_layers() − D ≥ k·r and D − min_layers() ≥ k − 1, as in the default space of 30 layers.
class SearchSpace {
 public:
  static constexpr std::size_t kMostEnumerated = 100'000;

  /// Throws UsageError naming the option, what was expected and found.
  explicit SearchSpace(const SpaceOptions& options);

  const SpaceOptions& options() const { return options_; }
  int depth() const { return options_.depth; }
  int min_layers() const { return min_layers_; }  ///< ceil(min · D), at least 1
  int max_layers() const { return max_layers_; }  ///< floor(max · D)
  core::SegmentLimits segment_limits() const { return {options_.max_block, options_.max_extra_runs + 1}; }

  EditedProgram identity() const;

  /// Every single edit, by first layer (nested: step), then length, then extra runs. Some may leave the depth bounds
  /// when used alone, or begin beyond the program.
  const std::vector<core::Edit>& candidates() const { return candidates_; }

  /// The parent with one more edit; nullopt when disjoint blocks would meet or the result is not in the space.
  std::optional<EditedProgram> extend(const EditedProgram& parent, const core::Edit& edit) const;

  /// The program without the index-th of its edits, all others on the layers where they were; nullopt when the rest
  /// makes no program of the space, or (nested) a later edit acts on steps that this one added, or across those it took
  /// out.
  std::optional<EditedProgram> without(const EditedProgram& program, std::size_t index) const;

  /// The edit form of a layer sequence; nullopt when it is not in the space (nested spaces too large to enumerate: when
  /// disjoint edits do not make it either).
  std::optional<EditedProgram> find(const core::Program& program) const;

  /// Every program, by number of edits and then smaller first; nullopt when there are more than `most`.
  std::optional<std::vector<EditedProgram>> enumerate(std::size_t most = kMostEnumerated) const;

  /// The programs of exactly one candidate edit, in candidate order.
  std::vector<EditedProgram> single_edits() const;

  /// Number of programs with exactly `layers` executions, and of all; exact below 2^53, 0 outside the bounds. Lower
  /// bounds when counted() is false.
  double count(int layers) const;
  double count() const;
  bool counted() const;

  /// "12345 programs of 27 to 34 layers", "more than 100000 programs …" or "an unknown number of programs …".
  std::string describe() const;

  /// A program of exactly `layers` executions, uniform over the space, or over what was enumerated of it when counted()
  /// is false. Throws UsageError when there is none.
  core::Program random_program(int layers, core::Random& random) const;

 private:
  struct Choice;
  struct State;
  /// What there is of a space that is not counted by dynamic programming, sorted by program.
  struct Enumeration {
    std::once_flag once;
    std::vector<EditedProgram> programs;
    bool complete = true;
  };
  struct Automaton;
  void check_options() const;
  void list_candidates();
  void count_completions();
  void list_overlapping(Enumeration& found) const;
  void enumerate_steps(Enumeration& found) const;
  const Enumeration& enumeration() const;
  static std::shared_ptr<Automaton> no_automaton_yet();
  const OverlappingPrograms& automaton() const;  ///< of overlapping edits
  /// Null where it does not count the space: other forms, and max_layer_runs.
  const OverlappingPrograms* counting_automaton() const;
  bool runs_allowed(const core::Program& program) const;
  bool in_bounds(const EditedProgram& edited) const;
  std::optional<EditedProgram> made_of(std::vector<core::Edit> edits) const;
  std::optional<EditedProgram> nested(std::span<const core::Edit> edits) const;
  std::optional<EditedProgram> nested_any_order(std::span<const core::Edit> edits) const;
  static std::optional<std::vector<core::Edit>> steps_without(std::span<const core::Edit> edits, std::size_t index);
  std::optional<EditedProgram> extend_steps(const EditedProgram& parent, const core::Edit& edit) const;
  void complete(const State& state, std::vector<core::Program::Layer>& steps, std::vector<EditedProgram>& found) const;
  std::optional<EditedProgram> find_disjoint(const core::Program& program) const;
  int repeated_block() const {
    return options_.max_repeated_block > 0 ? options_.max_repeated_block : options_.max_block;
  }
  static void append(std::vector<core::Program::Layer>& steps, const State& state, const Choice& choice);
  std::span<const EditedProgram> enumerated(int layers) const;
  std::vector<Choice> choices(const State& state) const;
  std::size_t cell(const State& state) const;
  std::vector<core::Edit> canonical(std::vector<core::Edit> edits) const;

  SpaceOptions options_;
  int min_layers_ = 0;
  int max_layers_ = 0;
  std::vector<core::Edit> candidates_;
  std::vector<double> completions_;  ///< disjoint, by cell(state): ways to finish a program from that state
  std::shared_ptr<Enumeration> enumeration_ = std::make_shared<Enumeration>();  ///< other forms, made when asked for
  std::shared_ptr<Automaton> automaton_ = no_automaton_yet();                   ///< overlapping, made when asked for
};

}  // namespace polar::search
