#pragma once
// Rules between keys: what no single key can check by itself.

#include <map>
#include <string>

#include "experiment/config.h"

namespace polar::experiment {

/// key → where it was set ("configs/x.yaml:12", "--set"); keys at their default are absent.
using Origins = std::map<std::string, std::string>;

/// Throws UsageError "place: key: expected …, found …" for the first contradiction; `source` is the place of a key that
/// was not set.
void check_rules(const Config& config, const Origins& origins, const std::string& source);

}  // namespace polar::experiment
