#pragma once
// Typed fields for schema_table.cpp: how each C++ type is read from and written to YAML, and the rules a value must
// obey.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/error.h"
#include "experiment/schema_table.h"

namespace polar::experiment {

/// What a value must obey. `expected` completes "expected …"; `check` may also throw UsageError with a better
/// explanation.
template <typename T>
struct Rule {
  std::string expected;
  std::function<bool(const T&)> check = [](const T&) { return true; };
};

/// Lists: every item obeys `item`, and there are at least `min_items`; no item twice.
template <typename E>
struct Rule<std::vector<E>> {
  std::string expected;
  Rule<E> item;
  std::size_t min_items = 0;
};

[[noreturn]] inline void refuse(const std::string& expected, const std::string& found) {
  throw core::UsageError(fmt::format("expected {}, found {}", expected, found));
}

// --- rules ----------------------------------------------------------------------------------------------------------

template <std::integral T = int>
Rule<T> integer_from(T low) {
  return {fmt::format("an integer >= {}", low), [low](T value) { return value >= low; }};
}

inline Rule<int> integer_in(int low, int high) {
  return {fmt::format("an integer from {} to {}", low, high), [=](int value) { return low <= value && value <= high; }};
}

inline Rule<int> none_or_multiple_of(int unit, int high) {
  return {fmt::format("0 or a multiple of {} from {} to {}", unit, unit, high),
          [=](int value) { return value >= 0 && value <= high && value % unit == 0; }};
}

inline Rule<double> number_from(double low) {
  return {fmt::format("a number >= {}", low), [low](double value) { return value >= low; }};
}

inline Rule<double> number_above(double low) {
  return {fmt::format("a number > {}", low), [low](double value) { return value > low; }};
}

/// Both ends included.
inline Rule<double> number_in(double low, double high) {
  return {fmt::format("a number from {} to {}", low, high),
          [=](double value) { return low <= value && value <= high; }};
}

/// Both ends excluded.
inline Rule<double> number_between(double low, double high) {
  return {fmt::format("a number between {} and {}, both excluded", low, high),
          [=](double value) { return low < value && value < high; }};
}

inline Rule<bool> yes_or_no() {
  return {"true or false"};
}
inline Rule<std::string> any_text() {
  return {"text"};
}
inline Rule<std::string> some_text(std::string what) {
  return {std::move(what), [](const std::string& value) { return !value.empty(); }};
}

inline Rule<std::string> one_of(std::vector<std::string> names) {
  std::string expected = fmt::format("one of {}", fmt::join(names, ", "));
  return {expected, [names = std::move(names)](const std::string& value) {
            return std::find(names.begin(), names.end(), value) != names.end();
          }};
}

/// `what`: "levels"; completes "a list of …".
template <typename E>
Rule<std::vector<E>> list_of(std::string_view what, Rule<E> item, std::size_t min_items = 0) {
  return {fmt::format("{}list of {}", min_items > 0 ? "a non-empty " : "a ", what), std::move(item), min_items};
}

// --- text to value and back -----------------------------------------------------------------------------------------

template <typename T>
bool parse_scalar(const std::string& text, T& out) {
  if constexpr (std::same_as<T, std::string>) {
    out = text;
    return true;
  } else if constexpr (std::same_as<T, bool>) {
    out = text == "true";
    return out || text == "false";
  } else {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc{} || end != text.data() + text.size()) return false;
    if constexpr (std::floating_point<T>) return std::isfinite(out);
    return true;
  }
}

template <typename T>
std::string write_scalar(const T& value) {
  if constexpr (std::same_as<T, std::string>) {
    return quoted(value);
  } else {
    return fmt::format("{}", value);  // doubles: shortest text that reads back to the same bits
  }
}

template <typename T>
T read_value(const Rule<T>& rule, const Value& value) {
  T result{};
  if (value.kind != Value::Kind::kScalar || !parse_scalar(value.text, result) || !rule.check(result))
    refuse(rule.expected, value.found());
  return result;
}

template <typename E>
std::vector<E> read_value(const Rule<std::vector<E>>& rule, const Value& value) {
  if (value.kind != Value::Kind::kList) refuse(rule.expected, value.found());
  if (value.items.size() < rule.min_items) refuse(rule.expected, "an empty list");
  std::vector<E> result;
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    try {
      result.push_back(read_value(rule.item, value.items[i]));
    } catch (const core::UsageError& error) {
      throw core::UsageError(fmt::format("item {}: {}", i + 1, error.what()));
    }
    if (std::find(result.begin(), result.end() - 1, result.back()) != result.end() - 1)
      throw core::UsageError(
          fmt::format("item {}: expected no item twice, found {} again", i + 1, value.items[i].found()));
  }
  return result;
}

template <typename T>
std::string write_value(const T& value) {
  return write_scalar(value);
}

template <typename E>
std::string write_value(const std::vector<E>& values) {
  std::vector<std::string> items;
  for (const E& value : values) items.push_back(write_scalar(value));
  return fmt::format("[{}]", fmt::join(items, ", "));
}

// --- fields ---------------------------------------------------------------------------------------------------------

/// `get` maps a Config, const or not, to the member.
template <typename Get, typename T = std::remove_cvref_t<std::invoke_result_t<Get, Config&>>>
Field field(std::string key, Get get, const std::type_identity_t<T>& default_value,
            const std::type_identity_t<Rule<T>>& rule, std::string help) {
  Field result;
  result.key = std::move(key);
  result.expected = rule.expected;
  result.help = std::move(help);
  result.is_text = std::same_as<T, std::string>;
  result.read = [get, rule](Config& config, const Value& value) { get(config) = read_value(rule, value); };
  result.write = [get](const Config& config) { return write_value(get(config)); };
  result.set_default = [get, default_value](Config& config) { get(config) = default_value; };
  return result;
}

/// No default: the user must give it.
inline Field required(Field field) {
  field.required = true;
  return field;
}

/// Changes speed or memory, never results.
inline Field speed_only(Field field) {
  field.speed_only = true;
  return field;
}

}  // namespace polar::experiment
