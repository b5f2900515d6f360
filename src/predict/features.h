#pragma once
// What a predictor reads about an input: the states of its prompt after the pool's first p layers, its embeddings, or
// an external encoder's states. policy/read_features.h reads them; nothing here runs a model.

#include <string>
#include <string_view>
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

/// What a menu's scorer reads of a prompt: its last token's row, the mean over all rows, or one after the other.
enum class Pooling { kBoth, kLast, kMean };

std::string_view to_string(Pooling pooling);  ///< "both", "last", "mean"
/// Throws core::UsageError for another name.
Pooling pooling(std::string_view name);

/// 2 · width values with kBoth, else width. Throws core::Error as check_features.
std::vector<float> pooled(const TokenFeatures& features, Pooling pooling);

/// Means over contiguous windows of the rows, as rows of their own. With W = min(windows, tokens), window w holds rows
/// floor(w·tokens/W) … floor((w+1)·tokens/W) − 1: sizes differ by at most one, and every row is in one. Throws
/// core::Error as check_features, core::UsageError unless windows ≥ 1.
TokenFeatures window_means(const TokenFeatures& features, int windows);

}  // namespace polar::predict
