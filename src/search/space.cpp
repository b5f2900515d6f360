#include "search/space.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "core/error.h"
#include "search/overlapping_edits.h"
#include "search/require.h"

namespace polar::search {

namespace {

// A ratio times a depth may miss the whole number it stands for by rounding (1.15 · 20 = 22.999…): bounds are
// inclusive.
constexpr double kRatioSlack = 1e-9;
constexpr int kMaxSteps = static_cast<int>(core::Program::kMaxSteps);

int at_least_layers(double ratio, int depth) {
  return std::max(1, static_cast<int>(std::ceil(ratio * depth - kRatioSlack)));
}

int at_most_layers(double ratio, int depth) {
  return static_cast<int>(std::floor(ratio * depth + kRatioSlack));
}

/// Steps that an edit adds to the identity.
int extra_steps(const core::Edit& edit) {
  return edit.length * edit.extra_runs;
}

bool overlaps(const core::Edit& a, const core::Edit& b) {
  return a.first <= b.last() && b.first <= a.last();
}

}  // namespace

const std::vector<std::string>& edit_form_names() {
  static const std::vector<std::string> names{"disjoint", "overlapping", "nested"};
  return names;
}

std::string_view to_string(EditForm form) {
  return edit_form_names()[static_cast<std::size_t>(form)];
}

EditForm edit_form_of(std::string_view name) {
  const std::vector<std::string>& names = edit_form_names();
  const auto found = std::ranges::find(names, name);
  if (found == names.end())
    throw core::UsageError(
        fmt::format("search space: form: expected one of {}, found '{}'", fmt::join(names, ", "), name));
  return static_cast<EditForm>(found - names.begin());
}

std::string SpaceOptions::text() const {
  return fmt::format(
      "space depth={} first_layer={} end_layer={} max_block={} max_extra_runs={} skip={} repeat={} min_depth_ratio={} "
      "max_depth_ratio={} max_edits={} form={} max_repeated_block={} later_max_block={} max_layer_runs={}",
      depth, first_layer, end_layer < 0 ? depth : end_layer, max_block, max_extra_runs, allow_skip, allow_repeat,
      min_depth_ratio, max_depth_ratio, max_edits, to_string(form), max_repeated_block, later_max_block,
      max_layer_runs);
}

SearchSpace::SearchSpace(const SpaceOptions& options) : options_(options) {
  if (options_.end_layer < 0) options_.end_layer = options_.depth;
  check_options();
  const bool disjoint = options_.form == EditForm::kDisjoint;
  if (disjoint && options_.max_edits >= options_.end_layer - options_.first_layer) options_.max_edits = 0;
  if (disjoint && options_.max_layer_runs > 0)
    options_.max_extra_runs = std::min(options_.max_extra_runs, options_.max_layer_runs - 1);
  min_layers_ = at_least_layers(options_.min_depth_ratio, options_.depth);
  max_layers_ = at_most_layers(options_.max_depth_ratio, options_.depth);
  list_candidates();
  if (disjoint) count_completions();
}

void SearchSpace::check_options() const {
  const Require require{"search space"};
  const SpaceOptions& o = options_;
  require(o.depth >= 1 && o.depth <= kMaxSteps, "depth", fmt::format("1 … {} layers", kMaxSteps), o.depth);
  require(o.first_layer >= 0 && o.first_layer < o.depth, "first_layer", fmt::format("0 … {}", o.depth - 1),
          o.first_layer);
  require(o.end_layer > o.first_layer && o.end_layer <= o.depth, "end_layer",
          fmt::format("{} … {} (after first_layer)", o.first_layer + 1, o.depth), o.end_layer);
  const std::string steps = fmt::format("1 … {}", kMaxSteps);
  require(o.max_block >= 1 && o.max_block <= kMaxSteps, "max_block", steps, o.max_block);
  require(o.max_extra_runs >= 1 && o.max_extra_runs <= kMaxSteps, "max_extra_runs", steps, o.max_extra_runs);
  require(o.allow_skip || o.allow_repeat, "allow_skip and allow_repeat", "at least one of them true", "both false");
  require(o.min_depth_ratio >= 0 && o.min_depth_ratio <= 1, "min_depth_ratio", "0 … 1 (the identity is always tried)",
          o.min_depth_ratio);
  require(o.max_depth_ratio >= 1, "max_depth_ratio", "at least 1 (the identity is always tried)", o.max_depth_ratio);
  require(o.max_depth_ratio * o.depth <= kMaxSteps, "max_depth_ratio",
          fmt::format("at most {} steps in all, with {} layers", kMaxSteps, o.depth), o.max_depth_ratio);
  require(o.max_edits >= 0, "max_edits", "at least 0 (0 = no limit)", o.max_edits);
  const std::string blocks = fmt::format("0 … {}, max_block (0 = that)", o.max_block);
  require(o.max_repeated_block >= 0 && o.max_repeated_block <= o.max_block, "max_repeated_block", blocks,
          o.max_repeated_block);
  require(o.later_max_block >= 0 && o.later_max_block <= o.max_block, "later_max_block", blocks, o.later_max_block);
  require(o.later_max_block == 0 || o.form == EditForm::kNested, "later_max_block", "0 unless edits are nested",
          o.later_max_block);
  require(o.max_layer_runs == 0 || o.max_layer_runs >= 2, "max_layer_runs", "0 (no limit) or at least 2",
          o.max_layer_runs);
}

// Steps before first_layer are those layers in every program, so no nested edit begins there either.
void SearchSpace::list_candidates() {
  const int end = options_.form == EditForm::kNested ? max_layers_ : options_.end_layer;
  for (int first = options_.first_layer; first < end; ++first) {
    for (int length = 1; length <= options_.max_block && first + length <= end; ++length) {
      if (options_.allow_skip) candidates_.push_back({first, length, -1});
      if (!options_.allow_repeat || length > repeated_block()) continue;
      for (int extra = 1; extra <= options_.max_extra_runs; ++extra) candidates_.push_back({first, length, extra});
    }
  }
}

EditedProgram SearchSpace::identity() const {
  return {{}, core::Program::identity(options_.depth)};
}

bool SearchSpace::runs_allowed(const core::Program& program) const {
  if (options_.max_layer_runs == 0) return true;
  std::vector<int> runs(static_cast<std::size_t>(options_.depth), 0);
  return std::ranges::all_of(program.layers(),
                             [&](core::Program::Layer layer) { return ++runs[layer] <= options_.max_layer_runs; });
}

bool SearchSpace::in_bounds(const EditedProgram& edited) const {
  const int layers = edited.program.length();
  const bool few_edits = options_.max_edits == 0 || static_cast<int>(edited.edits.size()) <= options_.max_edits;
  return layers >= min_layers_ && layers <= max_layers_ && few_edits && runs_allowed(edited.program);
}

std::optional<EditedProgram> SearchSpace::made_of(std::vector<core::Edit> edits) const {
  EditedProgram made;
  if (options_.form == EditForm::kDisjoint) {
    int layers = options_.depth;
    for (const core::Edit& edit : edits) layers += extra_steps(edit);
    if (layers < min_layers_ || layers > max_layers_) return std::nullopt;
    made.edits = canonical(std::move(edits));
    if (options_.max_edits > 0 && static_cast<int>(made.edits.size()) > options_.max_edits) return std::nullopt;
    made.program = core::apply_edits(options_.depth, made.edits);
  } else {
    made.edits = std::move(edits);
    std::sort(made.edits.begin(), made.edits.end());
    try {
      made.program = core::apply_overlapping_edits(options_.depth, made.edits);
    } catch (const core::UsageError&) {
      return std::nullopt;  // no layer left, or more than a program can hold
    }
  }
  if (!in_bounds(made)) return std::nullopt;
  return made;
}

std::optional<EditedProgram> SearchSpace::extend(const EditedProgram& parent, const core::Edit& edit) const {
  if (options_.form == EditForm::kNested) return extend_steps(parent, edit);
  for (const core::Edit& old : parent.edits) {
    if (options_.form == EditForm::kDisjoint ? overlaps(old, edit) : old == edit) return std::nullopt;
  }
  std::vector<core::Edit> edits = parent.edits;
  edits.push_back(edit);
  return made_of(std::move(edits));
}

std::optional<EditedProgram> SearchSpace::extend_steps(const EditedProgram& parent, const core::Edit& edit) const {
  const int layers = parent.program.length() + extra_steps(edit);
  if (edit.last() >= parent.program.length() || layers < min_layers_ || layers > max_layers_) return std::nullopt;
  if (options_.later_max_block > 0 && !parent.edits.empty() && edit.length > options_.later_max_block)
    return std::nullopt;
  for (const int layer :
       parent.program.layers().subspan(static_cast<std::size_t>(edit.first), static_cast<std::size_t>(edit.length))) {
    if (layer < options_.first_layer || layer >= options_.end_layer) return std::nullopt;
  }
  EditedProgram child{parent.edits, core::apply_edit_to_steps(parent.program, edit)};
  child.edits.push_back(edit);
  if (!in_bounds(child)) return std::nullopt;
  return child;
}

std::optional<EditedProgram> SearchSpace::without(const EditedProgram& program, std::size_t index) const {
  if (options_.form == EditForm::kNested) {
    const auto rest = steps_without(program.edits, index);
    return rest ? nested_any_order(*rest) : std::nullopt;
  }
  std::vector<core::Edit> edits = program.edits;
  edits.erase(edits.begin() + static_cast<std::ptrdiff_t>(index));
  return made_of(std::move(edits));
}

/// Edits are at steps of what those before them made: each later one moves by what the removed one added, or took out,
/// before it. [begin, end) are the steps that it added; nothing where it took some out, at `begin`.
std::optional<std::vector<core::Edit>> SearchSpace::steps_without(std::span<const core::Edit> edits,
                                                                  std::size_t index) {
  const core::Edit& removed = edits[index];
  const int added = extra_steps(removed);
  int begin = removed.is_skip() ? removed.first : removed.last() + 1;
  std::vector<core::Edit> rest(edits.begin(), edits.begin() + static_cast<std::ptrdiff_t>(index));
  for (core::Edit edit : edits.subspan(index + 1)) {
    const int end = begin + std::max(added, 0);
    if (edit.last() < begin) {
      begin += extra_steps(edit);
    } else if (edit.first >= end) {
      edit.first -= added;
    } else {
      return std::nullopt;
    }
    rest.push_back(edit);
  }
  return rest;
}

std::optional<EditedProgram> SearchSpace::nested(std::span<const core::Edit> edits) const {
  std::optional<EditedProgram> made = identity();
  for (const core::Edit& edit : edits) {
    made = extend_steps(*made, edit);
    if (!made) return std::nullopt;
  }
  return made;
}

/// The edits in their order, or other ones, no more of them, where that order leaves the bounds on the way.
std::optional<EditedProgram> SearchSpace::nested_any_order(std::span<const core::Edit> edits) const {
  if (auto made = nested(edits)) return made;
  core::Program program = core::Program::identity(options_.depth);
  try {
    for (const core::Edit& edit : edits) program = core::apply_edit_to_steps(program, edit);
  } catch (const core::UsageError&) {
    return std::nullopt;  // no layer left, or more than a program can hold
  }
  std::optional<EditedProgram> found = find(program);
  return found && found->edits.size() <= edits.size() ? found : std::nullopt;
}

std::optional<EditedProgram> SearchSpace::find(const core::Program& program) const {
  if (options_.form == EditForm::kDisjoint) return find_disjoint(program);
  if (options_.form == EditForm::kOverlapping) {
    auto edits = overlapping_edits_of(program, options_, repeated_block());
    return edits ? made_of(*std::move(edits)) : std::nullopt;
  }
  const std::vector<EditedProgram>& programs = enumeration().programs;
  const auto place = std::ranges::lower_bound(programs, program, {}, &EditedProgram::program);
  if (place != programs.end() && place->program == program) return *place;
  if (enumeration().complete) return std::nullopt;
  std::optional<EditedProgram> simple = find_disjoint(program);
  if (!simple) return std::nullopt;
  std::ranges::reverse(simple->edits);  // made from the last block on, each still stands where the identity has it
  return nested(simple->edits);
}

std::optional<EditedProgram> SearchSpace::find_disjoint(const core::Program& program) const {
  const auto segments = core::parse_segments(program, options_.depth, segment_limits());
  if (!segments) return std::nullopt;
  std::vector<core::Edit> edits;
  for (const core::Segment& segment : *segments) {
    if (segment.runs == 1) continue;
    const core::Edit edit{segment.first, segment.length, segment.runs - 1};
    if (edit.first < options_.first_layer || edit.last() >= options_.end_layer) return std::nullopt;
    if (edit.is_skip() ? !options_.allow_skip : !options_.allow_repeat || edit.length > repeated_block())
      return std::nullopt;
    edits.push_back(edit);
  }
  EditedProgram found{canonical(std::move(edits)), program};
  if (!in_bounds(found)) return std::nullopt;
  return found;
}

std::vector<core::Edit> SearchSpace::canonical(std::vector<core::Edit> edits) const {
  std::sort(edits.begin(), edits.end());
  std::vector<core::Edit> result;
  for (core::Edit edit : edits) {
    while (edit.is_skip() && !result.empty() && result.back().is_skip() && result.back().last() + 1 == edit.first) {
      const int taken = std::min(options_.max_block - result.back().length, edit.length);
      if (taken == 0) break;
      result.back().length += taken;
      edit.first += taken;
      edit.length -= taken;
      if (edit.length == 0) break;
    }
    if (edit.length > 0) result.push_back(edit);
  }
  return result;
}

std::vector<EditedProgram> SearchSpace::single_edits() const {
  std::vector<EditedProgram> result;
  const EditedProgram root = identity();
  for (const core::Edit& edit : candidates_) {
    if (auto child = extend(root, edit)) result.push_back(*std::move(child));
  }
  return result;
}

}  // namespace polar::search
