#pragma once
// What a predictor reads about an input: the states of its prompt after the pool's first p layers, its embeddings, or
// an external encoder's states. policy/read_features.h reads them; nothing here runs a model.

#include <string>
#include <vector>

namespace polar::predict {

/// One row a token of the prompt, row-major [tokens, width], float32. A value.
struct TokenFeatures {
  int tokens = 0;
  int width = 0;
  std::vector<float> values;
};

/// Throws core::Error naming `what` unless tokens ≥ 1, width equals `width`, values has tokens · width entries and all
/// are finite.
void check_features(const TokenFeatures& features, int width, const std::string& what);

/// Last token's row followed by the mean over all rows: 2 · width values. Throws core::Error as check_features.
std::vector<float> pooled(const TokenFeatures& features);

/// Means over contiguous windows of the rows, as rows of their own. With W = min(windows, tokens), window w holds rows
/// floor(w·tokens/W) … floor((w+1)·tokens/W) − 1: sizes differ by at most one, and every row is in one. Throws
/// core::Error as check_features, core::UsageError unless windows ≥ 1.
TokenFeatures window_means(const TokenFeatures& features, int windows);

}  // namespace polar::predict
