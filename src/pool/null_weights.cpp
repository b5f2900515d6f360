#include "pool/null_weights.h"

#include <ATen/Parallel.h>
#include <torch/script.h>

#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>

#include "core/seed.h"

namespace polar::pool {
namespace {

/// Standard normal values in pairs (G. E. P. Box and M. E. Muller, Ann. Math. Statist. 29 (1958), 610–611); the i-th
/// pair comes from draws 2i and 2i + 1, whatever the number of threads.
void draw_normal(std::span<float> values, double mean, double deviation, std::uint64_t key) {
  const core::CounterRandom random(key);
  constexpr std::int64_t kPairsATask = 1 << 15;
  const auto count = static_cast<std::int64_t>(values.size());
  at::parallel_for(0, (count + 1) / 2, kPairsATask, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t pair = begin; pair < end; ++pair) {
      const auto draw = static_cast<std::uint64_t>(2 * pair);
      const double radius = std::sqrt(-2 * std::log(random.uniform_at(draw)));
      const double angle = 2 * std::numbers::pi * random.uniform_at(draw + 1);
      values[static_cast<std::size_t>(2 * pair)] = static_cast<float>(mean + deviation * radius * std::cos(angle));
      if (2 * pair + 1 == count) continue;
      values[static_cast<std::size_t>(2 * pair + 1)] = static_cast<float>(mean + deviation * radius * std::sin(angle));
    }
  });
}

}  // namespace

void reinitialise_weights(torch::jit::Module& module, const std::string& layer, std::uint64_t seed) {
  for (const auto& parameter : module.named_parameters()) {
    if (parameter.name.find("norm") != std::string::npos) continue;
    const auto [deviation, mean] = at::std_mean(parameter.value.to(at::kFloat), /*unbiased=*/false);
    at::Tensor drawn = at::empty(parameter.value.sizes(), at::kFloat);
    draw_normal({drawn.data_ptr<float>(), static_cast<std::size_t>(drawn.numel())}, mean.item<double>(),
                deviation.item<double>(), core::derive_seed(seed, "null model", layer + "/" + parameter.name));
    at::Tensor weights = parameter.value;
    weights.copy_(drawn);
  }
}

}  // namespace polar::pool
