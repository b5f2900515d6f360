#pragma once
// Inside of the configuration: the field type behind the table, and the table itself. Include schema.h instead.

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "experiment/config.h"

namespace polar::experiment {

/// A configuration value as written, before its type is known.
struct Value {
  enum class Kind { kNothing, kScalar, kList, kMap };
  Kind kind = Kind::kNothing;
  std::string text;          ///< kScalar
  std::vector<Value> items;  ///< kList

  /// "'many'", "a list", "a map", "nothing": for messages.
  std::string found() const;
};

/// One key. read() throws UsageError "expected …, found …" (no location, no key) and then leaves the configuration as
/// it was.
struct Field {
  std::string key;
  std::string expected;  ///< "an integer >= 1"
  std::string help;
  bool is_text = false;  ///< --set takes the value verbatim
  bool required = false;
  bool speed_only = false;  ///< changes speed or memory, never results
  std::function<void(Config&, const Value&)> read;
  std::function<std::string(const Config&)> write;  ///< as a YAML flow value
  std::function<void(Config&)> set_default;

  /// "search" of "search.rollouts"; empty for a key outside any group.
  std::string group() const;
  std::string name() const;
};

struct Group {
  std::string name;
  std::string help;
};

const std::vector<Field>& schema_fields();
const std::vector<Group>& schema_groups();

/// A double-quoted YAML scalar that reads back as the same bytes (valid UTF-8 given).
std::string quoted(const std::string& text);

}  // namespace polar::experiment
