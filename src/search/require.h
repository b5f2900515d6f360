#pragma once
// For the folder's own sources: checks of options.

#include <fmt/format.h>

#include <string_view>

#include "core/error.h"

namespace polar::search {

/// Throws core::UsageError "<what>: <option>: expected …, found …" unless a check holds.
struct Require {
  std::string_view what;

  template <typename Value>
  void operator()(bool holds, std::string_view option, std::string_view expected, const Value& found) const {
    if (!holds) throw core::UsageError(fmt::format("{}: {}: expected {}, found {}", what, option, expected, found));
  }
};

}  // namespace polar::search
