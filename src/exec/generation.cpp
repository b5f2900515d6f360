#include "exec/generation.h"

#include <algorithm>

#include "exec/stop_strings.h"

namespace polar::exec {

Generation::Generation(const Request& request, const text::Tokenizer& tokenizer, const std::vector<int>& eos_ids)
    : request_(request), eos_ids_(eos_ids), decoder_(tokenizer) {}

bool Generation::append_text(text::Token token) {
  // A stop string may have begun before this token, but not before what was held back.
  const std::size_t from = settled();
  text_ += decoder_.push(token);
  return cut_at_stop(text_, request_.rules->stop_strings, from);
}

std::size_t Generation::settled() const {
  if (finished_) return text_.size();
  const std::vector<std::size_t> cuts = possible_cuts(text_, request_.rules->stop_strings);
  return cuts.empty() ? text_.size() : cuts.back();
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
  const std::size_t end = settled();
  if (end > streamed_) request_.on_text(std::string_view(text_).substr(streamed_, end - streamed_));
  streamed_ = std::max(streamed_, end);
}

void Generation::judge() {
  const task::TextGrader* grader = request_.rules->grader;
  if (!answer_settled_) {
    answer_settled_ =
        finished_ || (grader != nullptr && extract_unfinished(*grader, text_, request_.rules->stop_strings).final);
    confidence_ = log_prob_ / static_cast<double>(tokens_.size());
  }
  if (stopped_ || grader == nullptr) return;
  if (request_.rules->stop == StopRule::kAnswer) stopped_ = answer_settled_;
  if (request_.rules->stop == StopRule::kVerdict) {
    stopped_ = verdict() != task::Verdict::kUndecided;
  }
}

task::Verdict Generation::verdict() const {
  const task::TextGrader& grader = *request_.rules->grader;
  const std::string& reference = request_.example->reference;
  return finished_ ? grader.judge(text_, reference, true)
                   : judge_unfinished(grader, text_, reference, request_.rules->stop_strings);
}

void Generation::finish(Answer& answer) const {
  answer.tokens = tokens_;
  answer.text = text_.substr(0, settled());
  answer.confidence = confidence_;
  const task::TextGrader* grader = request_.rules->grader;
  if (grader == nullptr) return;
  task::Extraction extraction =
      finished_ ? grader->extract(text_, true) : extract_unfinished(*grader, text_, request_.rules->stop_strings);
  if (!extraction.final) extraction.answer = grader->extract(answer.text, false).answer;
  answer.answer = extraction.answer;
  answer.answer_final = extraction.final;
  if (!request_.example->reference.empty()) answer.correct = verdict() == task::Verdict::kCorrect;
}

}  // namespace polar::exec
