#include "text/byte_pair.h"

#include <algorithm>
#include <bit>

#include "text/byte_alphabet.h"

namespace polar::text {

namespace {

constexpr std::uint64_t kEmpty = ~std::uint64_t{0};

std::uint64_t pair_of(Token left, Token right) {
  return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32) | static_cast<std::uint32_t>(right);
}

/// Heap order of std::push_heap: the lowest rank, then the leftmost position on top.
bool later(const BytePairModel::Scratch::Candidate& a, const BytePairModel::Scratch::Candidate& b) {
  return a.rank != b.rank ? a.rank > b.rank : a.position > b.position;
}

}  // namespace

MergeTable::MergeTable(const std::vector<Merge>& merges)
    : slots_(std::bit_ceil(2 * merges.size() + 2), Slot{kEmpty, {0, 0}}) {
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const std::uint64_t pair = pair_of(merges[rank].left, merges[rank].right);
    slots_[slot_of(pair)] = {pair, {static_cast<std::uint32_t>(rank), merges[rank].merged}};
  }
}

std::size_t MergeTable::slot_of(std::uint64_t pair) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = ((pair * 0x9E3779B97F4A7C15ULL) >> 32) & mask;
  while (slots_[slot].pair != pair && slots_[slot].pair != kEmpty) slot = (slot + 1) & mask;
  return slot;
}

const MergeTable::Rule* MergeTable::find(Token left, Token right) const {
  const Slot& slot = slots_[slot_of(pair_of(left, right))];
  return slot.pair == kEmpty ? nullptr : &slot.rule;
}

BytePairModel::BytePairModel(const TokenizerSpec& spec) : merges_(spec.merges) {
  for (std::size_t byte = 0; byte < byte_ids_.size(); ++byte) {
    const auto it = spec.vocabulary.find(alphabet_character(static_cast<unsigned char>(byte)));
    byte_ids_[byte] = it == spec.vocabulary.end() ? spec.unknown : it->second;
  }
  if (!spec.ignore_merges) return;
  whole_words_.reserve(spec.vocabulary.size());
  for (const auto& [content, id] : spec.vocabulary) {
    if (auto bytes = alphabet_bytes(content)) whole_words_.emplace(std::move(*bytes), id);
  }
}

void BytePairModel::encode(std::string_view word, Scratch& scratch, std::vector<Token>& out) const {
  if (word.size() > WordCache::kMaxBytes) return merge(word, scratch, out);
  WordCache::Entry& entry = scratch.cache.slot(word);
  if (entry.word != word) {
    entry.word.clear();  // should merging run out of memory, the slot must not claim the old word
    entry.ids.clear();
    merge(word, scratch, entry.ids);
    entry.word = word;
  }
  out.insert(out.end(), entry.ids.begin(), entry.ids.end());
}

void BytePairModel::push_candidate(Scratch& scratch, std::int32_t left) const {
  const auto& symbol = scratch.symbols[left];
  if (symbol.next < 0) return;
  if (const auto* rule = merges_.find(symbol.id, scratch.symbols[symbol.next].id)) {
    scratch.heap.push_back({rule->rank, left, rule->merged});
    std::push_heap(scratch.heap.begin(), scratch.heap.end(), later);
  }
}

void BytePairModel::merge(std::string_view word, Scratch& scratch, std::vector<Token>& out) const {
  if (!whole_words_.empty()) {
    if (const auto it = whole_words_.find(std::string(word)); it != whole_words_.end())
      return out.push_back(it->second);
  }
  auto& symbols = scratch.symbols;
  auto& heap = scratch.heap;
  symbols.clear();
  heap.clear();
  // 1. One symbol a byte.
  for (const char byte : word) {
    const Token id = byte_ids_[static_cast<unsigned char>(byte)];
    if (id < 0) continue;
    const auto index = static_cast<std::int32_t>(symbols.size());
    symbols.push_back({id, index - 1, index + 1, false});
  }
  if (symbols.empty()) return;
  symbols.back().next = -1;
  // 2. Every pair that merges.
  for (std::size_t i = 0; i + 1 < symbols.size(); ++i) push_candidate(scratch, static_cast<std::int32_t>(i));
  // 3. Merge in order of rank; a candidate whose pair has changed since is stale unless the pair there still gives the
  // same token.
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), later);
    const auto top = heap.back();
    heap.pop_back();
    auto& left = symbols[top.position];
    if (left.gone || left.next < 0) continue;
    auto& right = symbols[left.next];
    const auto* rule = merges_.find(left.id, right.id);
    if (rule == nullptr || rule->merged != top.merged) continue;
    left.id = top.merged;
    right.gone = true;
    left.next = right.next;
    if (left.next >= 0) symbols[left.next].previous = top.position;
    if (left.previous >= 0) push_candidate(scratch, left.previous);
    push_candidate(scratch, top.position);
  }
  for (std::int32_t i = 0; i >= 0; i = symbols[i].next) out.push_back(symbols[i].id);
}

}  // namespace polar::text
