#include "core/edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "core/error.h"

namespace polar::core {

namespace {

/// The edit for messages, whatever its values.
std::string describe(const Edit& edit) {
  return fmt::format("edit (first {}, length {}, extra runs {})", edit.first, edit.length, edit.extra_runs);
}

void check_edit(const Edit& edit, std::size_t size, const char* what) {
  if (edit.length < 1 || edit.first < 0 || std::int64_t{edit.first} + edit.length > static_cast<std::int64_t>(size)) {
    throw UsageError(fmt::format("{}: expected a block of at least one inside the {} {}", describe(edit), size, what));
  }
  if (edit.extra_runs < -1 || edit.extra_runs == 0) {
    throw UsageError(fmt::format("{}: expected extra runs of -1 (skip) or at least 1 (repeat)", describe(edit)));
  }
}

void check_edits(int depth, std::span<const Edit> edits) {
  if (depth < 1 || static_cast<std::size_t>(depth) > Program::kMaxSteps) {
    throw UsageError(fmt::format("edits: expected a depth from 1 to {}, found {}", Program::kMaxSteps, depth));
  }
  for (const Edit& edit : edits) check_edit(edit, static_cast<std::size_t>(depth), "layers");
}

void check_steps(std::int64_t steps) {
  if (steps < 1) throw UsageError("edits: no layer is left; keep at least one");
  if (steps > static_cast<std::int64_t>(Program::kMaxSteps)) {
    throw UsageError(fmt::format("edits: expected at most {} steps, found {}", Program::kMaxSteps, steps));
  }
}

/// Applies checked, sorted, disjoint edits to a layer sequence.
Program splice(std::span<const Program::Layer> steps, std::span<const Edit> edits) {
  std::int64_t size = static_cast<std::int64_t>(steps.size());
  for (const Edit& edit : edits) size += std::int64_t{edit.length} * edit.extra_runs;
  check_steps(size);
  std::vector<Program::Layer> layers;
  layers.reserve(static_cast<std::size_t>(size));
  auto append = [&](std::size_t first, std::size_t end) {
    layers.insert(layers.end(), steps.begin() + static_cast<std::ptrdiff_t>(first),
                  steps.begin() + static_cast<std::ptrdiff_t>(end));
  };
  std::size_t next = 0;
  for (const Edit& edit : edits) {
    const auto first = static_cast<std::size_t>(edit.first);
    const std::size_t end = first + static_cast<std::size_t>(edit.length);
    append(next, first);
    for (int run = 0; run <= edit.extra_runs; ++run) append(first, end);
    next = end;
  }
  append(next, steps.size());
  return Program(std::move(layers));
}

}  // namespace

std::string to_string(const Edit& edit) {
  std::string text = fmt::format("{} {}", edit.is_skip() ? "skip" : "repeat", edit.first);
  if (edit.length > 1) text += fmt::format("-{}", edit.last());
  if (!edit.is_skip()) text += fmt::format(" x{}", edit.extra_runs + 1);
  return text;
}

Program apply_edits(int depth, std::vector<Edit> edits) {
  check_edits(depth, edits);
  std::sort(edits.begin(), edits.end());
  for (std::size_t i = 1; i < edits.size(); ++i) {
    if (edits[i].first <= edits[i - 1].last()) {
      throw UsageError(fmt::format("edits: expected disjoint blocks, found '{}' and '{}'", to_string(edits[i - 1]),
                                   to_string(edits[i])));
    }
  }
  return splice(Program::identity(depth).layers(), edits);
}

Program apply_overlapping_edits(int depth, std::vector<Edit> edits) {
  check_edits(depth, edits);
  std::sort(edits.begin(), edits.end());
  std::vector<bool> skipped(static_cast<std::size_t>(depth), false);
  std::vector<std::vector<Edit>> repeats(static_cast<std::size_t>(depth));  // by last layer
  std::int64_t added = 0;
  for (const Edit& edit : edits) {
    if (edit.is_skip()) {
      std::fill_n(skipped.begin() + edit.first, edit.length, true);
    } else {
      repeats[static_cast<std::size_t>(edit.last())].push_back(edit);
      added += std::int64_t{edit.length} * edit.extra_runs;
    }
  }
  check_steps(std::count(skipped.begin(), skipped.end(), false) + added);
  std::vector<Program::Layer> layers;
  for (std::size_t layer = 0; layer < repeats.size(); ++layer) {
    if (!skipped[layer]) layers.push_back(static_cast<Program::Layer>(layer));
    for (const Edit& edit : repeats[layer]) {
      for (int step = 0; step < edit.length * edit.extra_runs; ++step)
        layers.push_back(static_cast<Program::Layer>(edit.first + step % edit.length));
    }
  }
  return Program(std::move(layers));
}

Program apply_edit_to_steps(const Program& program, const Edit& edit) {
  check_edit(edit, program.layers().size(), "steps");
  return splice(program.layers(), std::span(&edit, 1));
}

}  // namespace polar::core
