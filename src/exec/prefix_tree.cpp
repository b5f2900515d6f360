#include "exec/prefix_tree.h"

#include <algorithm>
#include <utility>

namespace polar::exec {
Node* Node::child(int child_layer) {
  for (auto& candidate : children) {
    if (candidate->layer == child_layer) return candidate.get();
  }
  return nullptr;
}

Node& Node::add_child(int child_layer) {
  auto& added = children.emplace_back(std::make_unique<Node>(tree->rows()));
  added->layer = child_layer;
  added->parent = this;
  added->tree = tree;
  return *added;
}

PrefixTree& PrefixCache::tree(const std::vector<text::Token>& shared, const std::vector<text::Token>& tokens,
                              bool& made) {
  PrefixTree*& tree = named_[{shared, tokens}];
  made = tree == nullptr;
  if (made) tree = &add(shared, tokens);
  return *tree;
}

PrefixTree& PrefixCache::own_tree(const std::vector<text::Token>& shared, const std::vector<text::Token>& tokens) {
  PrefixTree& tree = add(shared, tokens);
  tree.named = false;
  return tree;
}

PrefixTree& PrefixCache::add(const std::vector<text::Token>& shared, const std::vector<text::Token>& tokens) {
  auto tree = std::make_unique<PrefixTree>();
  tree->shared = shared;
  tree->tokens = tokens;
  PrefixTree& added = *tree;
  trees_.emplace(&added, std::move(tree));
  return added;
}

void PrefixCache::set_base(Node& node, Node* base) {
  node.base = base;
  if (base != nullptr && node.users > 0) hold(*base);
}

void PrefixCache::hold(Node& node) {
  if (node.users++ > 0) return;
  held_bytes_ += node.bytes;
  if (node.base != nullptr) hold(*node.base);
  if (!std::exchange(node.idle, false)) return;
  idle_bytes_ -= node.bytes;
  idle_.erase(node.idle_place);
}

void PrefixCache::release(Node& node) {
  if (--node.users > 0) return;
  held_bytes_ -= node.bytes;
  idle_bytes_ += node.bytes;
  node.idle = true;
  node.idle_place = idle_.insert(idle_.end(), &node);
  if (node.base != nullptr) release(*node.base);  // behind the node: it is dropped later
}

void PrefixCache::set_bytes(Node& node, std::size_t bytes) {
  if (node.users > 0) held_bytes_ = held_bytes_ - node.bytes + bytes;
  if (node.idle) idle_bytes_ = idle_bytes_ - node.bytes + bytes;
  node.bytes = bytes;
}

PrefixCache::Evicted PrefixCache::evict() {
  Evicted evicted;
  while (idle_bytes_ > capacity_bytes_ && !idle_.empty()) {
    Node& oldest = *idle_.front();
    idle_.pop_front();
    idle_bytes_ -= oldest.bytes;
    ++evicted.nodes;
    evicted.bytes += oldest.bytes;
    drop(oldest);
  }
  return evicted;
}

void PrefixCache::drop(Node& node) {
  if (node.parent != nullptr) {
    std::erase_if(node.parent->children, [&](const auto& child) { return child.get() == &node; });
    return;
  }
  PrefixTree& tree = *node.tree;
  if (tree.named) named_.erase({tree.shared, tree.tokens});
  trees_.erase(&tree);
}

void PrefixCache::clear() {
  trees_.clear();
  named_.clear();
  idle_.clear();
  held_bytes_ = idle_bytes_ = 0;
}

}  // namespace polar::exec
