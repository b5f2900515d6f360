#include "search/overlapping_edits.h"

#include <algorithm>
#include <map>

namespace polar::search {
namespace {

/// All layers below `layer` are decided and the first `step` steps of the program explained.
struct Place {
  int layer = 0;
  int step = 0;
  int block = 0;  ///< length of the skip that ends before `layer`; 0: the layer before runs
  /// The last repeat that ends before `layer`. Repeats of one end run in the order of edits, so that later ones begin
  /// later, or there and have more extra runs.
  int first = -1;
  int extra = 0;
  friend auto operator<=>(const Place&, const Place&) = default;
};

/// Dynamic programming over places.
class EditReader {
 public:
  EditReader(const core::Program& program, const SpaceOptions& options, int repeated_block)
      : steps_(program.layers()), options_(options), repeated_block_(repeated_block) {}

  std::optional<std::vector<core::Edit>> read() {
    Place place;
    if (best(place).edits == kImpossible) return std::nullopt;
    std::vector<core::Edit> skips, repeats;
    while (!ends(place)) {
      const Place next = best(place).next;
      if (next.layer == place.layer) {
        repeats.push_back({next.first, place.layer - next.first, next.extra});
      } else if (next.block == 1) {
        skips.push_back({place.layer, 1, -1});
      } else if (next.block > 1) {
        ++skips.back().length;
      }
      place = next;
    }
    skips.insert(skips.end(), repeats.begin(), repeats.end());
    std::ranges::sort(skips);
    return skips;
  }

 private:
  static constexpr int kImpossible = static_cast<int>(core::Program::kMaxSteps) + 1;
  struct Best {
    int edits = kImpossible;  ///< fewest from here to the end
    Place next;
  };

  bool ends(const Place& place) const {
    return place.layer == options_.depth && place.step == static_cast<int>(steps_.size());
  }
  bool editable(int layer) const { return layer >= options_.first_layer && layer < options_.end_layer; }
  /// Whether the program goes on with `count` layers from `first` on, over and over.
  bool goes_on(int step, int first, int length, int count) const {
    if (step + count > static_cast<int>(steps_.size())) return false;
    for (int i = 0; i < count; ++i) {
      if (steps_[static_cast<std::size_t>(step + i)] != first + i % length) return false;
    }
    return true;
  }

  Best best(const Place& place) {
    if (ends(place)) return {0, place};
    if (const auto known = known_.find(place); known != known_.end()) return known->second;
    Best found;
    const auto offer = [&](int edits, const Place& next) {
      edits += best(next).edits;
      if (edits < found.edits) found = {edits, next};
    };
    if (place.layer < options_.depth) {
      if (goes_on(place.step, place.layer, 1, 1)) offer(0, {place.layer + 1, place.step + 1});
      if (options_.allow_skip && editable(place.layer)) {
        const bool same_block = place.block > 0 && place.block < options_.max_block;
        offer(same_block ? 0 : 1, {place.layer + 1, place.step, same_block ? place.block + 1 : 1});
      }
    }
    offer_repeats(place, offer);
    known_.emplace(place, found);
    return found;
  }

  template <typename Offer>
  void offer_repeats(const Place& place, const Offer& offer) {
    if (!options_.allow_repeat || !editable(place.layer - 1)) return;
    for (int first = std::max({options_.first_layer, place.layer - repeated_block_, place.first}); first < place.layer;
         ++first) {
      const int length = place.layer - first;
      for (int extra = first == place.first ? place.extra + 1 : 1; extra <= options_.max_extra_runs; ++extra) {
        if (!goes_on(place.step, first, length, length * extra)) break;
        offer(1, {place.layer, place.step + length * extra, place.block, first, extra});
      }
    }
  }

  std::span<const core::Program::Layer> steps_;
  const SpaceOptions& options_;
  int repeated_block_;
  std::map<Place, Best> known_;
};

}  // namespace

std::optional<std::vector<core::Edit>> overlapping_edits_of(const core::Program& program, const SpaceOptions& options,
                                                            int repeated_block) {
  return EditReader(program, options, repeated_block).read();
}

}  // namespace polar::search
