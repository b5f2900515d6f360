#include "pool/large_pages.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <vector>

namespace polar::pool {
namespace {

TEST(LargePages, GiveAlignedPiecesThatDoNotOverlapAndOutliveTheirMaker) {
  struct Piece {
    std::shared_ptr<std::byte> memory;
    std::size_t bytes;
  };
  std::vector<Piece> pieces;
  {
    LargePages pages;
    for (std::size_t bytes : {1UL, 100UL, 64UL, 15UL << 20, 3UL << 20, 40UL << 20, 7UL}) {
      pieces.push_back({pages.allocate(bytes), bytes});
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(pieces.back().memory.get()) % 64, 0U);
      std::memset(pieces.back().memory.get(), static_cast<int>(pieces.size()), bytes);
    }
  }
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    for (std::size_t at : {std::size_t{0}, pieces[i].bytes / 2, pieces[i].bytes - 1})
      EXPECT_EQ(pieces[i].memory.get()[at], static_cast<std::byte>(i + 1));
  }
}

}  // namespace
}  // namespace polar::pool
