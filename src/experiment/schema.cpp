#include "experiment/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/error.h"
#include "experiment/schema_table.h"

namespace polar::experiment {

Config::Config() {
  for (const Field& field : schema_fields()) field.set_default(*this);
}

std::string quoted(const std::string& text) {
  constexpr std::string_view kPlainFirst = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789./-";
  static const std::set<std::string> reserved{"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
  std::string lower = text;
  std::ranges::transform(lower, lower.begin(), [](char c) { return 'A' <= c && c <= 'Z' ? char(c + 32) : c; });
  if (!text.empty() && kPlainFirst.find(text[0]) != std::string_view::npos &&
      text.find_first_not_of(kPlain) == std::string::npos && !reserved.contains(lower))
    return text;
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string to_yaml(const Config& config) {
  std::string out;
  for (const Group& group : schema_groups()) {
    if (!group.name.empty()) out += fmt::format("{}:\n", group.name);
    for (const Field& field : schema_fields())
      if (field.group() == group.name)
        out += fmt::format("{}{}: {}\n", group.name.empty() ? "" : "  ", field.name(), field.write(config));
  }
  return out;
}

std::string config_help() {
  const Config defaults;
  std::string out =
      "Keys of a configuration file (YAML). Any of them can be set on the command line: --set search.rollouts=200\n"
      "Paths are relative to the working directory. Keys marked (speed) never change results.\n";
  for (const Group& group : schema_groups()) {
    out += fmt::format("\n{}{}{}\n", group.name, group.name.empty() ? "" : ": ", group.help);
    for (const Field& field : schema_fields()) {
      if (field.group() != group.name) continue;
      std::string value = field.required ? "required" : "default " + field.write(defaults);
      out += fmt::format("  {:<20} {}{}\n  {:<20} {}; {}\n", field.name(), field.help,
                         field.speed_only ? " (speed)" : "", "", field.expected, value);
    }
  }
  return out;
}

Settings settings_of(const Config& config, std::span<const std::string_view> patterns) {
  Settings selected;
  for (std::string_view pattern : patterns) {
    const bool remove = pattern.starts_with('-');
    std::string_view prefix = remove ? pattern.substr(1) : pattern;
    bool matched = false;
    for (const Field& field : schema_fields()) {
      const bool is_prefix = remove || prefix.ends_with('.');
      if (is_prefix ? !field.key.starts_with(prefix) : field.key != prefix) continue;
      matched = true;
      if (remove)
        selected.erase(field.key);
      else if (!field.speed_only)
        selected[field.key] = field.write(config);
    }
    if (!matched) throw core::Error(fmt::format("settings_of: no configuration key matches '{}'", pattern));
  }
  return selected;
}

std::string default_of(std::string_view key) {
  static const Config defaults;
  for (const Field& field : schema_fields())
    if (field.key == key && !field.required) return field.write(defaults);
  return {};
}

std::vector<std::string> known_keys() {
  std::vector<std::string> keys;
  for (const Field& field : schema_fields()) keys.push_back(field.key);
  return keys;
}

}  // namespace polar::experiment
