#include "task/choices.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/seed.h"

namespace polar::task {
namespace {

constexpr int kLetters = 26;

void require_choices(const Example& example) {
  const auto count = static_cast<int>(example.choices.size());
  if (count >= 2 && count <= kLetters && example.label >= 0) return;
  throw core::Error(
      fmt::format("example '{}': choices: expected 2 to {} choices and a label to ask for a letter, found {}: mend the "
                  "row, or leave task.choices out",
                  example.id, kLetters, count == 0 ? "none" : std::to_string(count)));
}

std::string letter(std::size_t place) {
  return {static_cast<char>('A' + static_cast<char>(place))};
}

}  // namespace

Example lettered(Example example) {
  require_choices(example);
  for (std::size_t i = 0; i < example.choices.size(); ++i)
    example.question += fmt::format("\n{}. {}", letter(i), example.choices[i]);
  example.answer = letter(static_cast<std::size_t>(example.label));
  return example;
}

Example reordered(Example example, std::uint64_t seed) {
  require_choices(example);
  std::vector<std::size_t> order(example.choices.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  core::Random random(core::derive_seed(seed, "reordered choices", example.id));
  random.shuffle(order);
  while (std::ranges::is_sorted(order)) random.shuffle(order);
  std::vector<std::string> choices;
  for (const std::size_t place : order) choices.push_back(std::move(example.choices[place]));
  example.label = static_cast<int>(std::ranges::find(order, static_cast<std::size_t>(example.label)) - order.begin());
  example.choices = std::move(choices);
  example.id += "/reordered";
  return example;
}

}  // namespace polar::task
