#include "exec/prefix_tree.h"

#include <gtest/gtest.h>

namespace polar::exec {
namespace {

/// Holds a chain of nodes of 10 bytes each below the root, as a trial does; made where absent.
std::vector<Node*> hold_chain(PrefixCache& cache, PrefixTree& tree, const std::vector<int>& layers) {
  cache.hold(tree.root);
  std::vector<Node*> nodes;
  Node* node = &tree.root;
  for (int layer : layers) {
    Node* next = node->child(layer);
    if (next == nullptr) {
      next = &node->add_child(layer);
      cache.set_bytes(*next, 10);
    }
    cache.hold(*next);
    nodes.push_back(node = next);
  }
  return nodes;
}

void release_chain(PrefixCache& cache, PrefixTree& tree, std::vector<Node*> nodes) {
  for (; !nodes.empty(); nodes.pop_back()) cache.release(*nodes.back());
  cache.release(tree.root);
}

TEST(PrefixCache, FindsATreeByItsTokensAndMakesOwnTreesAnew) {
  PrefixCache cache(100);
  bool made = false;
  PrefixTree& tree = cache.tree({1}, {2, 3}, made);
  EXPECT_TRUE(made);
  EXPECT_EQ(tree.first_position(), 1);
  EXPECT_EQ(&cache.tree({1}, {2, 3}, made), &tree);
  EXPECT_FALSE(made);
  EXPECT_NE(&cache.tree({}, {1, 2, 3}, made), &tree);
  EXPECT_NE(&cache.own_tree({1}, {2, 3}), &tree);
}

TEST(PrefixCache, DropsTheDeepestNodesThatNobodyUsesAndKeepsThoseInUse) {
  PrefixCache cache(20);
  bool made = false;
  PrefixTree& tree = cache.tree({}, {7}, made);
  const auto longer = hold_chain(cache, tree, {0, 1, 2, 3});
  const auto shorter = hold_chain(cache, tree, {0, 1});
  release_chain(cache, tree, longer);
  EXPECT_EQ(cache.held_bytes(), 20U);
  EXPECT_EQ(cache.idle_bytes(), 20U);
  EXPECT_EQ(cache.evict().nodes, 0U);
  release_chain(cache, tree, shorter);
  const PrefixCache::Evicted evicted = cache.evict();  // layers 3 and 2
  EXPECT_EQ(evicted.nodes, 2U);
  EXPECT_EQ(evicted.bytes, 20U);
  EXPECT_EQ(cache.idle_bytes(), 20U);
  Node* first = tree.root.child(0);
  ASSERT_NE(first, nullptr);
  ASSERT_NE(first->child(1), nullptr);
  EXPECT_EQ(first->child(1)->child(2), nullptr);
}

TEST(PrefixCache, DropsATreeWithItsRoot) {
  PrefixCache cache(0);
  bool made = false;
  PrefixTree& tree = cache.tree({}, {7}, made);
  cache.set_bytes(tree.root, 5);
  release_chain(cache, tree, hold_chain(cache, tree, {4}));
  EXPECT_EQ(cache.evict().nodes, 2U);
  EXPECT_EQ(cache.idle_bytes(), 0U);
  cache.tree({}, {7}, made);
  EXPECT_TRUE(made);
}

TEST(PrefixCache, KeepsASharedPromptAsLongAsSomethingDependsOnIt) {
  PrefixCache cache(10);
  bool made = false;
  PrefixTree& base = cache.tree({}, {1}, made);
  PrefixTree& tree = cache.tree({1}, {2}, made);
  Node& below = base.root.add_child(0);
  cache.set_bytes(below, 10);
  cache.set_base(tree.root, &base.root);
  const auto nodes = hold_chain(cache, tree, {0});
  cache.set_base(*nodes[0], &below);
  release_chain(cache, tree, nodes);
  EXPECT_EQ(cache.held_bytes(), 0U);
  EXPECT_EQ(cache.idle_bytes(), 20U);
  EXPECT_EQ(cache.evict().nodes, 1U);  // the dependant, not its base
  EXPECT_EQ(base.root.child(0), &below);
  EXPECT_EQ(tree.root.child(0), nullptr);
  cache.clear();
  EXPECT_EQ(cache.held_bytes() + cache.idle_bytes(), 0U);

  PrefixCache none(0);
  PrefixTree& other_base = none.tree({}, {1}, made);
  PrefixTree& other = none.tree({1}, {2}, made);
  none.set_base(other.root, &other_base.root);
  none.set_bytes(other.root, 5);
  none.set_bytes(other_base.root, 5);
  release_chain(none, other, hold_chain(none, other, {}));
  EXPECT_EQ(none.evict().nodes, 2U);  // the tree, and then the shared prompt's
  EXPECT_EQ(none.held_bytes() + none.idle_bytes(), 0U);
}

}  // namespace
}  // namespace polar::exec
