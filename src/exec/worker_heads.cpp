// Worker: what the rows say at the end of their programs, and what is decoded next.

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "core/error.h"
#include "core/seed.h"
#include "exec/worker.h"
#include "pool/device.h"
#include "pool/thread_team.h"

namespace polar::exec {
namespace {

/// Calls f(0) … f(rows − 1), shared out to the thread's team.
void for_each_row(int rows, const std::function<void(int)>& f) {
  pool::ThreadTeam* team = rows > 1 ? pool::thread_team() : nullptr;
  const int threads = team != nullptr ? team->size() : 1;
  const auto part = [&](int thread) {
    for (int row = thread; row < rows; row += threads) f(row);
  };
  if (team != nullptr) return team->run(part);
  part(0);
}

[[noreturn]] void refuse_logits(const Job& job) {
  throw core::Error(
      fmt::format("example {}, program {}: expected finite logits, found infinities or no numbers: a weight is not "
                  "finite, or states outgrow the dtype under this program (try exec.dtype float32, or another program)",
                  job.example->id, job.program->text()));
}

double milliseconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace

int Worker::reading_count(const Path& path) const {
  return path.decoding ? 1 : static_cast<int>(draft_tokens(path.job)) + 1;
}

Required Worker::required_at(const Path& path, int index) const {
  if (path.decoding || !is_scored(path.job)) return {};
  const Draft& draft = path.job.example->draft;
  if (index < static_cast<int>(draft.tokens.size())) return {draft.tokens[static_cast<std::size_t>(index)], nullptr};
  return {-1, draft.terminators.get()};
}

Draw Worker::draw_at(const Path& path, int index) const {
  const Request& request = *path.job.request;
  if (request.temperature <= 0) return {};
  const auto generated = static_cast<std::int64_t>(path.generation->length()) + index;
  const std::string stream =
      path.job.example->id + '\n' + request.program.text() + '\n' + std::to_string(request.sample_index);
  return {request.temperature, core::derive_seed(options_.seed, "sampling", stream),
          static_cast<std::int64_t>(path.job.example->prompt.size()) + generated};
}

void Worker::read_heads() {
  std::vector<Path*> paths = std::exchange(arrived_, {});
  for (Path* path : paths) {
    if (path->job.states == nullptr) continue;
    copy_states(*path);
    path->finished = true;
  }
  std::erase_if(paths, [](const Path* path) { return path->job.states != nullptr; });
  const std::vector<RowReading> readings = read_rows(paths);
  std::size_t at = 0;
  for (Path* path : paths) {
    const auto count = static_cast<std::size_t>(reading_count(*path));
    if (path->decoding) {
      take_decoded(*path, readings[at]);
    } else {
      take_prefill(*path, std::span(readings).subspan(at, count));
    }
    at += count;
  }
}

/// Runs the head on every row that is read, in calls of fixed row counts, and reads each row of logits as it comes.
std::vector<RowReading> Worker::read_rows(std::span<Path* const> paths) {
  struct Row {
    const Path* path;
    int index;
    HiddenSpan hidden;
  };
  std::vector<Row> rows;
  for (const Path* path : paths) {
    const HiddenRows* hidden = (path->decoding ? path->hidden : path->nodes.back()->hidden).get();
    const int first = path->decoding ? 0 : first_read_row(*path) - path->nodes.back()->kept_from;
    for (int i = 0; i < reading_count(*path); ++i) rows.push_back({path, i, {hidden, first + i, 1}});
  }
  std::vector<RowReading> readings(rows.size());
  const auto count = static_cast<int>(rows.size());
  stats_.head_rows += rows.size();
  std::vector<HiddenSpan> spans;
  int start = 0;
  for (int call : plan_.head.cut(count)) {
    const int used = std::min(call, count - start);
    spans.clear();
    for (int i = 0; i < used; ++i) spans.push_back(rows[static_cast<std::size_t>(start + i)].hidden);
    const at::Tensor chunk = storage_->gather(spans, plan_.invariant ? call : used);
    const at::Tensor logits = pool::on_host(pool_.head(chunk).narrow(0, 0, used));
    const auto vocabulary = static_cast<std::size_t>(logits.size(1));
    const auto read = [&, start](int i) {
      const Row& row = rows[static_cast<std::size_t>(start + i)];
      const std::span<const float> values(logits.data_ptr<float>() + static_cast<std::size_t>(i) * vocabulary,
                                          vocabulary);
      readings[static_cast<std::size_t>(start + i)] =
          read_row(values, required_at(*row.path, row.index), draw_at(*row.path, row.index));
    };
    for_each_row(used, read);
    for (int i = start; i < start + used; ++i) {
      if (readings[static_cast<std::size_t>(i)].next == kNoToken)
        refuse_logits(rows[static_cast<std::size_t>(i)].path->job);
    }
    start += used;
  }
  return readings;
}

/// Scores the draft, then follows it as long as the model would have written it; where the model's token differs,
/// decoding goes on from there.
void Worker::take_prefill(Path& path, std::span<const RowReading> readings) {
  Answer& answer = *path.job.answer;
  answer.prefill_ms = milliseconds(std::chrono::steady_clock::now() - started_);
  if (is_scored(path.job)) {
    const Draft& draft = path.job.example->draft;
    const std::size_t scored = draft.tokens.size() + (draft.terminators ? 1 : 0);
    answer.margin = readings[0].margin;
    for (const RowReading& reading : readings.first(scored)) {
      answer.answer_log_prob += reading.required_log_prob;
      answer.margin = std::min(answer.margin, reading.margin);
    }
    answer.scored_positions = static_cast<int>(scored);
  }
  std::size_t accepted = 0;
  while (true) {
    if (path.generation->append(readings[accepted])) return finish(path);
    const bool follows = follows_draft(path.job) && accepted + 1 < readings.size() &&
                         readings[accepted].next == path.job.example->draft.tokens[accepted];
    if (!follows) break;
    ++accepted;
  }
  path.kept_rows = static_cast<int>(path.job.example->prompt.size() + accepted) - path.tree->first_position();
  for (std::size_t i = 0; i < path.nodes.size(); ++i)
    path.tails.push_back(storage_->growing_key_values(tail_rows(path.job)));
  path.decoding = true;
  to_decode_.push_back(&path);
}

void Worker::take_decoded(Path& path, const RowReading& reading) {
  if (path.generation->append(reading)) return finish(path);
  to_decode_.push_back(&path);
}

/// The last token of every unfinished path becomes the hidden row of its first program step.
void Worker::start_decoding() {
  const std::vector<Path*> paths = std::exchange(to_decode_, {});
  if (paths.empty()) return;
  std::vector<std::int64_t> tokens;
  for (const Path* path : paths) tokens.push_back(path->generation->last());
  const at::Tensor rows = pool_.embed(at::tensor(tokens, at::kLong)).contiguous();
  std::vector<HiddenTarget> targets;
  for (Path* path : paths) {
    targets.push_back({1, &path->hidden});
    path->step = 0;
    waiting_[(*path->job.program)[0]].push_back({nullptr, path});
  }
  storage_->store(rows, 0, targets);
}

void Worker::finish(Path& path) {
  Answer& answer = *path.job.answer;
  path.generation->finish(answer);
  answer.decode_ms = milliseconds(std::chrono::steady_clock::now() - started_) - answer.prefill_ms;
  path.finished = true;
}

/// Of the shared prompt's positions, then of the sequence's own.
void Worker::copy_states(Path& path) {
  States& states = *path.job.states;
  const Node& last = path.nodes.empty() ? path.tree->root : *path.nodes.back();
  std::vector<HiddenSpan> spans;
  if (last.base != nullptr) spans.push_back({last.base->hidden.get(), 0, last.base->tree->rows()});
  spans.push_back({last.hidden.get(), 0, path.tree->rows()});
  states.width = pool_.manifest().hidden;
  states.tokens = path.tree->first_position() + path.tree->rows();
  const at::Tensor values = pool::on_host(storage_->gather(spans, states.tokens)).to(at::kFloat);
  states.values.assign(values.data_ptr<float>(), values.data_ptr<float>() + values.numel());
}

}  // namespace polar::exec
