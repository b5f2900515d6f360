#include "exec/prefix_tree.h"

#include <algorithm>

namespace polar::exec {
namespace {

std::size_t node_bytes(const Node& node) {
  return node.hidden.bytes() + node.kv.bytes() + sizeof(Node);
}

void collect(Node& node, std::vector<Node*>& nodes) {
  for (auto& child : node.children) {
    nodes.push_back(child.get());
    collect(*child, nodes);
  }
}

/// Drops the tree's deepest nodes until `excess` bytes are freed; returns how many nodes went.
std::uint64_t drop_deepest(PrefixTree& tree, std::size_t excess) {
  std::vector<Node*> nodes;
  collect(tree.root, nodes);
  std::stable_sort(nodes.begin(), nodes.end(), [](const Node* a, const Node* b) { return a->depth > b->depth; });
  std::size_t freed = 0;
  std::uint64_t dropped = 0;
  for (Node* node : nodes) {
    if (freed >= excess) break;
    freed += node_bytes(*node);
    std::erase_if(node->parent->children, [node](const auto& child) { return child.get() == node; });
    ++dropped;
  }
  tree.bytes -= std::min(tree.bytes, freed);
  return dropped;
}

}  // namespace

Node* Node::child(int child_layer) {
  for (auto& candidate : children) {
    if (candidate->layer == child_layer) return candidate.get();
  }
  return nullptr;
}

Node& Node::add_child(int child_layer) {
  auto& added = children.emplace_back(std::make_unique<Node>(tree->rows()));
  added->layer = child_layer;
  added->depth = depth + 1;
  added->parent = this;
  added->tree = tree;
  return *added;
}

PrefixTree& PrefixCache::shared_tree(const std::vector<text::Token>& shared, bool& made) {
  auto& tree = shared_trees_[shared];
  made = tree == nullptr;
  if (made) {
    tree = std::make_unique<PrefixTree>();
    tree->tokens = shared;
  }
  return *tree;
}

PrefixTree& PrefixCache::tree(const std::vector<text::Token>& shared, const std::vector<text::Token>& tokens,
                              bool& made) {
  auto& tree = trees_[{shared, tokens}];
  made = tree == nullptr;
  if (made) {
    tree = std::make_unique<PrefixTree>();
    tree->tokens = tokens;
    tree->first_position = static_cast<int>(shared.size());
  }
  tree->last_used = ++clock_;
  return *tree;
}

std::size_t PrefixCache::bytes() const {
  std::size_t total = 0;
  for (const auto& [key, tree] : trees_) total += tree->bytes;
  for (const auto& [key, tree] : shared_trees_) total += tree->bytes;
  return total;
}

std::uint64_t PrefixCache::evict() {
  std::size_t total = bytes();
  std::uint64_t evicted = 0;
  if (total <= capacity_bytes_) return evicted;
  std::vector<std::map<Key, std::unique_ptr<PrefixTree>>::iterator> oldest;
  for (auto it = trees_.begin(); it != trees_.end(); ++it) oldest.push_back(it);
  std::sort(oldest.begin(), oldest.end(), [](auto a, auto b) { return a->second->last_used < b->second->last_used; });
  for (auto it : oldest) {
    if (total <= capacity_bytes_) return evicted;
    PrefixTree& tree = *it->second;
    const std::size_t before = tree.bytes;
    evicted += drop_deepest(tree, total - capacity_bytes_);
    total -= before - tree.bytes;
    if (total <= capacity_bytes_) return evicted;
    total -= tree.bytes;
    trees_.erase(it);
  }
  shared_trees_.clear();
  return evicted;
}

void PrefixCache::clear() {
  trees_.clear();
  shared_trees_.clear();
}

}  // namespace polar::exec
