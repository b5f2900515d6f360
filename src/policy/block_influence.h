#pragma once
// ShortGPT's measure of how much a layer does (Men et al., "ShortGPT: Layers in Large Language Models are More
// Redundant Than You Expect", arXiv 2403.03853, section 3.1), and the programs that it gives.

#include <span>
#include <vector>

#include "core/program.h"
#include "exec/executor.h"

namespace polar::policy {

/// Sum of 1 − cosine(before[t], after[t]) over the tokens t of one prompt, in double precision; a row of zeros counts
/// as unchanged where both are zero, and as 1 where one is. Throws core::Error when the shapes differ.
double turned_tokens(const exec::States& before, const exec::States& after);

/// Block influence of every layer: BI_i = 1 − E[cosine(x_i, x_{i+1})], where x_i enters layer i and the mean is over
/// all tokens of all prompts. One value a layer, from 0 (the layer only scales) to 2. A layer's states are computed
/// from those of the layer before as far as the executor's cache holds them. Throws core::Error without prompts, and as
/// the executor does.
std::vector<double> block_influence(exec::Executor& executor, std::span<const exec::EncodedExample> prompts);

/// The identity without the `count` layers of least influence among [first_layer, end_layer); equal ones: the later
/// goes. Throws core::UsageError unless 1 ≤ count ≤ end_layer − first_layer and a layer is left.
core::Program without_least_influential(std::span<const double> influence, int first_layer, int end_layer, int count);

}  // namespace polar::policy
