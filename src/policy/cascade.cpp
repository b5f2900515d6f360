#include "policy/cascade.h"

#include <numeric>
#include <utility>

namespace polar::policy {
namespace {

std::vector<double> confidences_of(std::span<const ModelOutput> outputs) {
  std::vector<double> confidences;
  for (const ModelOutput& output : outputs) confidences.push_back(output.confidence);
  return confidences;
}

std::vector<ModelOutput> outputs_of(std::span<const exec::Answer> answers) {
  std::vector<ModelOutput> outputs;
  for (const exec::Answer& answer : answers) outputs.push_back({answer.text, answer.answer, answer.confidence});
  return outputs;
}

}  // namespace

std::optional<core::Program> RankedCascade::next(std::span<const ModelOutput> so_far) {
  if (so_far.size() >= programs_.size() || !predict::goes_on(confidences_of(so_far), rule_)) return std::nullopt;
  return programs_[so_far.size()];
}

std::size_t RankedCascade::answer(std::span<const ModelOutput> so_far) const {
  return predict::answer_of(confidences_of(so_far), rule_);
}

int CascadeRun::layers() const {
  int sum = 0;
  for (const core::Program& program : programs) sum += program.length();
  return sum;
}

std::size_t CascadeRun::tokens() const {
  std::size_t sum = 0;
  for (const exec::Answer& one : answers) sum += one.tokens.size();
  return sum;
}

std::vector<CascadeRun> run_cascades(
    std::span<const std::unique_ptr<Cascade>> cascades,
    const std::function<std::vector<exec::Answer>(std::span<const CascadeTrial>)>& run) {
  std::vector<CascadeRun> runs(cascades.size());
  std::vector<std::size_t> going(cascades.size());
  std::iota(going.begin(), going.end(), std::size_t{0});
  while (true) {
    std::vector<CascadeTrial> trials;
    for (const std::size_t input : going) {
      if (auto program = cascades[input]->next(outputs_of(runs[input].answers)))
        trials.push_back({input, std::move(*program)});
    }
    if (trials.empty()) break;
    std::vector<exec::Answer> answers = run(trials);
    going.clear();
    for (std::size_t i = 0; i < trials.size(); ++i) {
      CascadeRun& own = runs[trials[i].input];
      own.programs.push_back(std::move(trials[i].program));
      own.answers.push_back(std::move(answers[i]));
      going.push_back(trials[i].input);
    }
  }
  for (std::size_t i = 0; i < runs.size(); ++i) runs[i].answer = cascades[i]->answer(outputs_of(runs[i].answers));
  return runs;
}

}  // namespace polar::policy
