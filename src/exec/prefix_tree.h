#pragma once
// The trie over layer sequences: states of one token sequence after every program prefix that was run on it.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "exec/attention.h"
#include "text/tokenizer.h"

namespace polar::exec {

struct Path;
struct PrefixTree;

/// States after one program prefix: hidden rows, and the keys and values of the prefix's last step. Not thread-safe: a
/// tree belongs to one worker.
struct Node {
  enum class State { kNew, kQueued, kDone };

  int layer = -1;  ///< layer of the last step; −1 for the root, whose hidden rows are the embeddings
  int depth = 0;   ///< steps of the prefix
  State state = State::kNew;
  PrefixTree* tree = nullptr;
  Node* parent = nullptr;
  Node* base =
      nullptr;  ///< same prefix in the shared prompt's tree: keys and values of the positions before this tree's first
  std::vector<std::unique_ptr<Node>> children;
  Buffer hidden;  ///< [rows − kept_from, d]: all rows, or the last ones when nothing runs behind this node
  KvRows kv;
  int kept_from = 0;           ///< first row that `hidden` holds
  int needed_from;             ///< first row that a program ending here reads; the tree's rows when none does
  std::vector<Node*> waiters;  ///< nodes whose base is this one and that wait until it is queued
  std::vector<Path*> paths;    ///< trials whose program ends here, waiting for it

  explicit Node(int rows) : needed_from(rows) {}
  Node* child(int child_layer);  ///< nullptr when absent
  Node& add_child(int child_layer);
};

/// One token sequence and its trie. `first_position` tokens come before it (the shared prompt, held by `base`).
struct PrefixTree {
  std::vector<text::Token> tokens;
  int first_position = 0;
  PrefixTree* base = nullptr;
  Node root{0};  ///< state after no step; its hidden rows are filled by the worker
  std::size_t bytes = 0;
  std::uint64_t last_used = 0;

  PrefixTree() { root.tree = this; }
  PrefixTree(const PrefixTree&) = delete;
  PrefixTree& operator=(const PrefixTree&) = delete;
  int rows() const { return static_cast<int>(tokens.size()); }
};

/// The trees of one worker, within a byte bound between waves. Eviction takes the least recently used tree and drops
/// its deepest nodes first; shared-prompt trees go last and whole, so a node never outlives its base.
class PrefixCache {
 public:
  explicit PrefixCache(std::size_t capacity_bytes) : capacity_bytes_(capacity_bytes) {}

  /// The tree of a token sequence behind a shared prompt (possibly empty), made when absent. `made` tells the caller to
  /// fill the root.
  PrefixTree& tree(const std::vector<text::Token>& shared, const std::vector<text::Token>& tokens, bool& made);
  PrefixTree& shared_tree(const std::vector<text::Token>& shared, bool& made);

  /// Drops nodes until the bound holds. Only between waves: every node is done or new, none is referenced.
  /// Returns how many nodes went.
  std::uint64_t evict();
  void clear();
  std::size_t bytes() const;

 private:
  using Key = std::pair<std::vector<text::Token>, std::vector<text::Token>>;
  std::size_t capacity_bytes_;
  std::map<Key, std::unique_ptr<PrefixTree>> trees_;
  std::map<std::vector<text::Token>, std::unique_ptr<PrefixTree>> shared_trees_;
  std::uint64_t clock_ = 0;
};

}  // namespace polar::exec
