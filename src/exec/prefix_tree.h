#pragma once
// The trie over layer sequences: states of one token sequence after every program prefix that was run on it.

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "exec/storage.h"
#include "text/tokenizer.h"

namespace polar::exec {

struct Path;
struct PrefixTree;

/// States after one program prefix: hidden rows, and the keys and values of the prefix's last step. Not thread-safe: a
/// tree belongs to one worker.
struct Node {
  enum class State { kNew, kQueued, kDone };

  int layer = -1;  ///< layer of the last step; −1 for the root, whose hidden rows are the embeddings
  State state = State::kNew;
  PrefixTree* tree = nullptr;
  Node* parent = nullptr;
  /// Same prefix in the shared prompt's tree: keys and values of the positions before this tree's first.
  Node* base = nullptr;
  std::vector<std::unique_ptr<Node>> children;
  /// [rows − kept_from, d]: all rows, or the last ones when nothing runs behind this node.
  std::unique_ptr<HiddenRows> hidden;
  std::unique_ptr<KeyValues> kv;
  std::size_t bytes = 0;  ///< of hidden rows, keys and values; an upper bound until the node is done
  int users = 0;          ///< trials in flight that pass through, and nodes with users whose base this is
  bool idle = false;      ///< had users, and has none now
  std::list<Node*>::iterator idle_place;  ///< of an idle node: where PrefixCache keeps it
  int kept_from = 0;                      ///< first row that `hidden` holds
  int needed_from;             ///< first row that a program ending here reads; the tree's rows when none does
  std::vector<Node*> waiters;  ///< nodes whose base is this one and that wait until it is queued
  std::vector<Path*> paths;    ///< trials whose program ends here, waiting for it

  explicit Node(int rows) : needed_from(rows) {}
  Node* child(int child_layer);  ///< nullptr when absent
  Node& add_child(int child_layer);
};

/// One token sequence and its trie. `first_position` tokens come before it (the shared prompt, held by `base`).
struct PrefixTree {
  std::vector<text::Token> shared, tokens;  ///< the prompt before it; its own
  PrefixTree* base = nullptr;
  Node root{0};       ///< state after no step; its hidden rows are filled by the worker
  bool named = true;  ///< found again by its tokens

  PrefixTree() { root.tree = this; }
  PrefixTree(const PrefixTree&) = delete;
  PrefixTree& operator=(const PrefixTree&) = delete;
  int rows() const { return static_cast<int>(tokens.size()); }
  int first_position() const { return static_cast<int>(shared.size()); }
};

/// The trees of one worker. Nodes without users stay within a byte bound; the one whose last user left first goes
/// first, which is never before its children and dependants. Not thread-safe.
class PrefixCache {
 public:
  explicit PrefixCache(std::size_t idle_capacity_bytes) : capacity_bytes_(idle_capacity_bytes) {}

  /// The tree of a token sequence behind a shared prompt (possibly empty), made when absent. `made` tells the caller to
  /// fill the root.
  PrefixTree& tree(const std::vector<text::Token>& shared, const std::vector<text::Token>& tokens, bool& made);
  /// A tree that nobody else will find.
  PrefixTree& own_tree(const std::vector<text::Token>& shared, const std::vector<text::Token>& tokens);

  /// Makes `base` the node's base: held while the node is, and dropped after it.
  void set_base(Node& node, Node* base);
  void hold(Node& node);
  void release(Node& node);
  void set_bytes(Node& node, std::size_t bytes);

  /// What evict() dropped.
  struct Evicted {
    std::uint64_t nodes = 0, bytes = 0;
  };
  /// Drops nodes without users, and trees without nodes, until the bound holds. No node may be waiting for a layer.
  Evicted evict();
  void clear();
  std::size_t held_bytes() const { return held_bytes_; }  ///< of nodes with users
  std::size_t idle_bytes() const { return idle_bytes_; }  ///< of the others

 private:
  using Key = std::pair<std::vector<text::Token>, std::vector<text::Token>>;
  PrefixTree& add(const std::vector<text::Token>& shared, const std::vector<text::Token>& tokens);
  void drop(Node& node);

  std::size_t capacity_bytes_, held_bytes_ = 0, idle_bytes_ = 0;
  std::map<PrefixTree*, std::unique_ptr<PrefixTree>> trees_;
  std::map<Key, PrefixTree*> named_;
  std::list<Node*> idle_;  ///< in the order in which they lost their last users
};

}  // namespace polar::exec
