#pragma once
// Reading, checking, printing and saving the configuration. Everything here is driven by the one table in
// schema_table.cpp.

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "experiment/config.h"

namespace polar::experiment {

/// Reads a YAML file and then applies overrides "key=value" in order (the last one of a key wins). Values of text keys
/// are taken verbatim after the first '='; others are read as YAML, so lists are written `menu.ridge=[1, 10]`. Throws
/// UsageError "file:line: key: expected …, found …" (or "--set: key: …") for the first fault: unreadable file, broken
/// YAML, unknown key (with the nearest known one), repeated key, wrong type, value out of range, missing required key,
/// keys that contradict each other.
Config load_config(const std::filesystem::path& path, std::span<const std::string> overrides = {});

/// The same for YAML text; `origin` stands for the file name in messages.
Config parse_config(std::string_view yaml, std::string_view origin, std::span<const std::string> overrides = {});

/// Resolved copy: every key, defaults spelled out, grouped. parse_config(to_yaml(c)) == c.
std::string to_yaml(const Config& config);

/// What `polar help config` prints: every key with its range, default and help, by group.
std::string config_help();

/// key → value as written by to_yaml.
using Settings = std::map<std::string, std::string>;

/// The settings selected by `patterns`: a whole key ("seed") or a group ("search."). A pattern that begins with '-'
/// takes matching keys out again ("-search.oracle_"), and may be any prefix. Keys that change speed or memory only,
/// never results, are left out. Throws Error when a pattern matches no key.
Settings settings_of(const Config& config, std::span<const std::string_view> patterns);

/// A key's default as written by to_yaml; empty for an unknown or required key.
std::string default_of(std::string_view key);

/// Keys in table order.
std::vector<std::string> known_keys();

}  // namespace polar::experiment
