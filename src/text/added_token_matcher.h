#pragma once
// Finds added tokens (`<|im_start|>`) in text: leftmost, and the longest of those that start there.

#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "text/tokenizer_json.h"

namespace polar::text {

/// A trie of contents. Immutable, thread-safe.
class AddedTokenMatcher {
 public:
  struct Match {
    std::size_t begin, end;
    Token id;
  };

  /// The added tokens whose `normalized` is as given.
  AddedTokenMatcher(const std::vector<AddedToken>& tokens, bool normalized);

  bool empty() const { return nodes_.size() == 1; }
  std::optional<Match> find(std::string_view text, std::size_t from) const;

 private:
  struct Node {
    std::vector<std::pair<char, int>> children;
    Token id = -1;
  };
  int child(int node, char byte) const;

  std::vector<Node> nodes_{1};
  std::array<bool, 256> starts_{};  ///< bytes that begin some content
};

}  // namespace polar::text
