#include "exec/generation.h"

#include <algorithm>

namespace polar::exec {
namespace {

/// Bytes at the end of `text` that may be the beginning of a stop string.
std::size_t held_back(std::string_view text, const std::vector<std::string>& stop_strings) {
  std::size_t held = 0;
  for (const std::string& stop : stop_strings) {
    for (std::size_t size = std::min(std::max<std::size_t>(stop.size(), 1) - 1, text.size()); size > held; --size) {
      if (text.ends_with(std::string_view(stop).substr(0, size))) held = size;
    }
  }
  return held;
}

}  // namespace

Generation::Generation(const Request& request, const text::Tokenizer& tokenizer, const std::vector<int>& eos_ids)
    : request_(request), eos_ids_(eos_ids), decoder_(tokenizer) {}

bool Generation::append_text(text::Token token) {
  const std::size_t before = text_.size();
  text_ += decoder_.push(token);
  std::size_t cut = std::string::npos;
  for (const std::string& stop : request_.rules->stop_strings) {
    const std::size_t from = before < stop.size() ? 0 : before - stop.size();
    cut = std::min(cut, text_.find(stop, from));
  }
  if (cut == std::string::npos) return false;
  text_.resize(cut);
  return true;
}

bool Generation::append(const RowReading& reading) {
  tokens_.push_back(reading.next);
  log_prob_ += reading.next_log_prob;
  const bool eos = std::find(eos_ids_.begin(), eos_ids_.end(), reading.next) != eos_ids_.end();
  const bool cut = !eos && append_text(reading.next);
  finished_ = eos || cut || static_cast<int>(tokens_.size()) >= request_.rules->max_new_tokens;
  if (finished_ && !cut) text_ += decoder_.flush();
  stopped_ = finished_;
  judge();
  if (request_.on_text) stream();
  return stopped_;
}

void Generation::stream() {
  const std::size_t settled = stopped_ ? text_.size() : text_.size() - held_back(text_, request_.rules->stop_strings);
  if (settled > streamed_) request_.on_text(std::string_view(text_).substr(streamed_, settled - streamed_));
  streamed_ = std::max(streamed_, settled);
}

void Generation::judge() {
  const task::TextGrader* grader = request_.rules->grader;
  if (!answer_settled_) {
    answer_settled_ = finished_ || (grader != nullptr && grader->extract(text_, finished_).final);
    confidence_ = log_prob_ / static_cast<double>(tokens_.size());
  }
  if (stopped_ || grader == nullptr) return;
  if (request_.rules->stop == StopRule::kAnswer) stopped_ = answer_settled_;
  if (request_.rules->stop == StopRule::kVerdict) {
    stopped_ = grader->judge(text_, request_.example->reference, false) != task::Verdict::kUndecided;
  }
}

void Generation::finish(Answer& answer) const {
  answer.tokens = tokens_;
  answer.text = text_;
  answer.confidence = confidence_;
  const task::TextGrader* grader = request_.rules->grader;
  if (grader == nullptr) return;
  const task::Extraction extraction = grader->extract(text_, finished_);
  answer.answer = extraction.answer;
  answer.answer_final = extraction.final;
  if (!request_.example->reference.empty()) {
    answer.correct = grader->judge(text_, request_.example->reference, finished_) == task::Verdict::kCorrect;
  }
}

}  // namespace polar::exec
