// Program::parse and Program::text: the text form of a program (architecture.md, "Program notation").
//
// "Printed layers" are the layer numbers written out: `i` prints one, `i-j` two, a loop those of its body. So
// `0-14,12-29` prints four and beats `0-11,(12-14)*2,15-29`, which prints six (and would win if a run counted every
// layer it stands for). "Items" are the layers and runs between the commas, those inside a loop included.

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/program.h"

namespace polar::core {

namespace {

using Layer = Program::Layer;

constexpr std::size_t kLayerLimit = 65536;

/// Reads left to right with a stack of open loops instead of recursion, so that no text can exhaust the call stack. The
/// steps read so far never exceed kMaxSteps: every run and repetition is checked before it is written out.
class Parser {
 public:
  Parser(std::string_view text, int depth) : text_(text), depth_(depth) {}

  std::vector<Layer> parse() {
    while (true) {
      open_loops();
      read_run();
      close_loops();
      if (at_end()) break;
      if (!take(',')) refuse(position_, (open_.empty() ? "expected ',' or the end" : "expected ',' or ')'") + found());
    }
    if (!open_.empty()) refuse(open_.back().position, "this '(' is never closed; expected ')*n'");
    return std::move(steps_);
  }

 private:
  struct OpenLoop {
    std::size_t position;    // of its '(' in the text
    std::size_t first_step;  // where its body begins in steps_
  };

  void open_loops() {
    while (take('(')) open_.push_back({position_ - 1, steps_.size()});
  }

  void read_run() {
    skip_spaces();
    const std::size_t start = position_;
    const std::size_t first = read_layer();
    const std::size_t last = take('-') ? read_layer() : first;
    if (last < first) {
      refuse(start, fmt::format("expected an ascending run, found {}-{}; write the layers one by one", first, last));
    }
    check_steps(start, last - first + 1, 1);
    for (std::size_t layer = first; layer <= last; ++layer) steps_.push_back(static_cast<Layer>(layer));
  }

  void close_loops() {
    while (take(')')) {
      if (open_.empty()) refuse(position_ - 1, "this ')' closes nothing; remove it or write '(' before the loop");
      if (!take('*')) refuse(position_, "expected '*n' after ')'" + found());
      skip_spaces();
      const std::size_t start = position_;
      const std::size_t runs = read_number("how often the loop runs", Program::kMaxSteps + 1);
      if (runs == 0) refuse(start, "expected a loop to run at least once, found 0; leave its layers out instead");
      const std::size_t body = open_.back().first_step;
      const std::size_t size = steps_.size() - body;
      open_.pop_back();
      check_steps(start, size, runs - 1);
      for (std::size_t copy = 0; copy < size * (runs - 1); ++copy) steps_.push_back(steps_[body + copy]);
    }
  }

  std::size_t read_layer() {
    skip_spaces();
    const std::size_t start = position_;
    const std::size_t layer = read_number("a layer", kLayerLimit);
    if (depth_ > 0 && layer >= static_cast<std::size_t>(depth_)) {
      refuse(start, fmt::format("expected a layer from 0 to {} (the model has {}), found {}", depth_ - 1, depth_,
                                digits(start)));
    }
    if (layer == kLayerLimit) {
      refuse(start, fmt::format("expected a layer from 0 to {}, found {}", kLayerLimit - 1, digits(start)));
    }
    return layer;
  }

  /// A decimal number, `limit` standing for every number from there on.
  std::size_t read_number(const char* what, std::size_t limit) {
    skip_spaces();
    if (at_end() || !is_digit(text_[position_])) refuse(position_, fmt::format("expected {}{}", what, found()));
    std::size_t value = 0;
    for (; position_ < text_.size() && is_digit(text_[position_]); ++position_) {
      value = std::min(limit, 10 * value + static_cast<std::size_t>(text_[position_] - '0'));
    }
    return value;
  }

  /// Refuses copies × size further steps when they are too many; size and what has been read are at most kMaxSteps.
  void check_steps(std::size_t position, std::size_t size, std::size_t copies) const {
    const std::size_t room = Program::kMaxSteps - steps_.size();
    if (copies > 0 && size > room / copies) {
      refuse(position, fmt::format("expected at most {} steps in all, found more", Program::kMaxSteps));
    }
  }

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  bool at_end() const { return position_ == text_.size(); }

  void skip_spaces() {
    while (!at_end() && std::isspace(static_cast<unsigned char>(text_[position_]))) ++position_;
  }

  bool take(char wanted) {
    skip_spaces();
    if (at_end() || text_[position_] != wanted) return false;
    ++position_;
    return true;
  }

  std::string found() const {
    if (at_end()) return ", found the end";
    const char c = text_[position_];
    if (std::isprint(static_cast<unsigned char>(c))) return fmt::format(", found '{}'", c);
    return fmt::format(", found byte 0x{:02X}", static_cast<unsigned char>(c));
  }

  /// The digits at a position, cut where nobody reads on.
  std::string digits(std::size_t start) const {
    constexpr std::size_t kShown = 20;
    const std::size_t size = position_ - start;
    return std::string(text_.substr(start, std::min(size, kShown))) + (size > kShown ? "…" : "");
  }

  [[noreturn]] void refuse(std::size_t position, const std::string& what) const {
    constexpr std::size_t kShown = 80;
    const std::string shown = text_.size() <= kShown ? std::string(text_) : std::string(text_.substr(0, kShown)) + "…";
    throw UsageError(fmt::format("program '{}', column {}: {}", shown, position + 1, what));
  }

  std::string_view text_;
  int depth_;
  std::size_t position_ = 0;
  std::vector<Layer> steps_;
  std::vector<OpenLoop> open_;
};

/// What a text costs, least first. Every field is either a sum over the parts of the text or belongs to its first loop,
/// so the best text of steps i … end begins with one part and goes on with a best text of the rest. `runs` (negative:
/// more first) makes the choice unique where the four criteria leave it open: `(12-14)*3` rather than
/// `(12-14)*2,12-14`.
struct Cost {
  std::size_t numbers = 0;
  std::size_t items = 0;
  std::size_t loop_start = Program::kMaxSteps;  // "no loop" comes last
  std::size_t loop_body = 0;
  std::ptrdiff_t minus_runs = 0;

  friend auto operator<=>(const Cost&, const Cost&) = default;
};

/// The text of steps i … end: `length` steps run `runs` times, then the best text of what follows. A part with one run
/// is a single ascending run of layers.
struct Choice {
  Cost cost;
  std::size_t length = 0;
  std::size_t runs = 1;
};

/// Chooses the canonical text from the last step to the first, in O(K²) comparisons plus the repetitions that are
/// really there.
class Printer {
 public:
  explicit Printer(std::span<const Layer> steps) : steps_(steps), best_(steps.size() + 1), same_(steps.size() + 1) {}

  std::string print() {
    for (std::size_t start = steps_.size(); start-- > 0;) choose(start);
    std::string text;
    for (std::size_t start = 0; start < steps_.size();) {
      const Choice& choice = best_[start];
      if (start > 0) text += ',';
      if (choice.runs > 1) text += '(';
      append_runs(text, start, choice.length);
      if (choice.runs > 1) text += fmt::format(")*{}", choice.runs);
      start += choice.length * choice.runs;
    }
    return text;
  }

 private:
  bool ascends(std::size_t step) const { return steps_[step] + 1 == steps_[step + 1]; }

  void choose(std::size_t start) {
    const std::size_t left = steps_.size() - start;
    for (std::size_t distance = 1; distance < left; ++distance) {
      std::size_t& same = same_[distance];
      same = steps_[start] == steps_[start + distance] ? same + 1 : 0;
    }
    Choice best;
    best.cost.numbers = 3 * Program::kMaxSteps;  // more than any text
    Choice part;                                 // steps start … start + length - 1, written without a loop
    std::size_t run_length = 0;
    for (part.length = 1; part.length <= left; ++part.length) {
      run_length = part.length > 1 && ascends(start + part.length - 2) ? run_length + 1 : 1;
      if (run_length <= 2) ++part.cost.numbers;
      if (run_length == 1) ++part.cost.items;
      if (part.cost.numbers > best.cost.numbers) break;  // and so are all longer parts
      if (part.cost.items == 1) consider(best, start, part);
      consider_loops(best, start, part);
    }
    best_[start] = best;
  }

  /// Considers the body `part` run twice, three times … as often as it stands there.
  void consider_loops(Choice& best, std::size_t start, Choice part) const {
    part.cost.loop_start = start;
    part.cost.loop_body = part.length;
    for (part.runs = 2; same_[part.length] >= (part.runs - 1) * part.length; ++part.runs) {
      part.cost.minus_runs = -static_cast<std::ptrdiff_t>(part.runs);
      consider(best, start, part);
    }
  }

  void consider(Choice& best, std::size_t start, Choice part) const {
    const Cost& rest = best_[start + part.length * part.runs].cost;
    part.cost.numbers += rest.numbers;
    part.cost.items += rest.items;
    if (part.runs == 1) {
      part.cost.loop_start = rest.loop_start;
      part.cost.loop_body = rest.loop_body;
      part.cost.minus_runs = rest.minus_runs;
    }
    if (part.cost < best.cost) best = part;
  }

  void append_runs(std::string& text, std::size_t start, std::size_t length) const {
    for (std::size_t step = start; step < start + length; ++step) {
      const std::size_t first = step;
      while (step + 1 < start + length && ascends(step)) ++step;
      if (first > start) text += ',';
      text += std::to_string(steps_[first]);
      if (step > first) text += '-' + std::to_string(steps_[step]);
    }
  }

  std::span<const Layer> steps_;
  std::vector<Choice> best_;  // by start
  // By distance: how many steps from the present start on equal the step that far ahead. One comparison for each start
  // keeps it current.
  std::vector<std::size_t> same_;
};

}  // namespace

Program Program::parse(std::string_view text, int depth) {
  return Program(Parser(text, depth).parse());
}

std::string Program::text() const {
  return Printer(layers_).print();
}

}  // namespace polar::core
