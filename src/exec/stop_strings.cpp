#include "exec/stop_strings.h"

#include <algorithm>
#include <functional>

namespace polar::exec {

bool cut_at_stop(std::string& text, const std::vector<std::string>& stops, std::size_t from) {
  std::size_t at = std::string::npos;
  for (const std::string& stop : stops) at = std::min(at, text.find(stop, from));
  if (at == std::string::npos) return false;
  text.resize(at);
  return true;
}

std::vector<std::size_t> possible_cuts(std::string_view text, const std::vector<std::string>& stops) {
  std::vector<std::size_t> cuts;
  for (const std::string& stop : stops) {
    for (std::size_t begun = 1; begun < stop.size() && begun <= text.size(); ++begun) {
      if (text.ends_with(std::string_view(stop).substr(0, begun))) cuts.push_back(text.size() - begun);
    }
  }
  std::ranges::sort(cuts, std::greater<>());
  cuts.erase(std::ranges::unique(cuts).begin(), cuts.end());
  return cuts;
}

task::Verdict judge_unfinished(const task::TextGrader& grader, std::string_view text, std::string_view reference,
                               const std::vector<std::string>& stops) {
  const task::Verdict verdict = grader.judge(text, reference, false);
  if (verdict == task::Verdict::kUndecided) return verdict;
  for (const std::size_t cut : possible_cuts(text, stops)) {
    if (grader.judge(text.substr(0, cut), reference, true) != verdict) return task::Verdict::kUndecided;
  }
  return verdict;
}

task::Extraction extract_unfinished(const task::TextGrader& grader, std::string_view text,
                                    const std::vector<std::string>& stops) {
  task::Extraction extraction = grader.extract(text, false);
  if (!extraction.final) return extraction;
  for (const std::size_t cut : possible_cuts(text, stops)) {
    if (grader.extract(text.substr(0, cut), true).answer != extraction.answer) extraction.final = false;
  }
  return extraction;
}

}  // namespace polar::exec
