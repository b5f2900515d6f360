#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <set>

#include "core/error.h"
#include "core/file.h"
#include "core/text_distance.h"
#include "experiment/schema.h"
#include "experiment/schema_rules.h"
#include "experiment/schema_table.h"

namespace polar::experiment {
namespace {

[[noreturn]] void fail(const std::string& place, const std::string& key, const std::string& message) {
  throw core::UsageError(fmt::format("{}: {}: {}", place, key, message));
}

std::string place_of(std::string_view origin, const YAML::Mark& mark) {
  return mark.is_null() ? std::string(origin) : fmt::format("{}:{}", origin, mark.line + 1);
}

const Field* find_field(const std::string& key) {
  for (const Field& field : schema_fields())
    if (field.key == key) return &field;
  return nullptr;
}

bool is_group(const std::string& name) {
  for (const Group& group : schema_groups())
    if (!name.empty() && group.name == name) return true;
  return false;
}

[[noreturn]] void fail_unknown(const std::string& place, const std::string& key) {
  std::vector<std::string> known = known_keys();
  for (const Group& group : schema_groups())
    if (!group.name.empty()) known.push_back(group.name);
  const std::string near = core::nearest(key, known);
  fail(place, key,
       fmt::format("unknown key; {} (all keys: polar help config)",
                   near.empty() ? "no known key is near" : "the nearest known key is " + near));
}

Value to_value(const YAML::Node& node) {
  Value value;
  if (node.IsScalar()) {
    value.kind = Value::Kind::kScalar;
    value.text = node.Scalar();
  } else if (node.IsSequence()) {
    value.kind = Value::Kind::kList;
    for (const YAML::Node& item : node) {
      Value part;  // nested containers are refused by the item's rule, so their content is not read
      if (item.IsScalar() || item.IsNull())
        part = to_value(item);
      else
        part.kind = item.IsSequence() ? Value::Kind::kList : Value::Kind::kMap;
      value.items.push_back(std::move(part));
    }
  } else if (node.IsMap()) {
    value.kind = Value::Kind::kMap;
  }
  return value;
}

/// Whether it is one YAML text in double quotes, rather than text that begins and ends with quotes of its own.
bool in_double_quotes(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
  bool escaped = false;
  for (const char each : text.substr(1, text.size() - 2)) {
    if (each == '"' && !escaped) return false;
    escaped = each == '\\' && !escaped;
  }
  return !escaped;
}

class Reader {
 public:
  explicit Reader(std::string_view origin) : origin_(origin) {}

  /// One level of nesting: groups hold keys.
  void read_map(const YAML::Node& map, const std::string& prefix) {
    for (const auto& pair : map) {
      const std::string place = place_of(origin_, pair.first.Mark());
      if (!pair.first.IsScalar()) fail(place, prefix.empty() ? "key" : prefix, "expected a key that is text");
      const std::string key = prefix.empty() ? pair.first.Scalar() : prefix + "." + pair.first.Scalar();
      auto [first, is_new] = places_.emplace(key, place);
      if (!is_new) fail(place, key, fmt::format("expected once, found again; first given at {}", first->second));
      if (const Field* field = find_field(key)) {
        set(*field, to_value(pair.second), place);
      } else if (is_group(key)) {
        if (!pair.second.IsMap() && !pair.second.IsNull())
          fail(place, key, fmt::format("expected a map of keys, found {}", to_value(pair.second).found()));
        read_map(pair.second, key);
      } else {
        fail_unknown(place, key);
      }
    }
  }

  /// "key=value". Text is taken as it is, unless it stands in double quotes: YAML then says what "\n" is.
  void override_with(const std::string& text) {
    const std::string place = "--set";
    auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0) fail(place, text, "expected key=value, found no key or no '='");
    const std::string key = text.substr(0, equals), value = text.substr(equals + 1);
    const Field* field = find_field(key);
    if (field == nullptr && is_group(key)) fail(place, key, "expected a single key, found a group of keys");
    if (field == nullptr) fail_unknown(place, key);
    if (field->is_text && !in_double_quotes(value)) {
      set(*field, Value{Value::Kind::kScalar, value, {}}, place);
      return;
    }
    try {
      set(*field, to_value(YAML::Load(value)), place);
    } catch (const YAML::Exception& error) {
      fail(place, key,
           fmt::format("expected {}, found '{}', which is not valid YAML: {}", field->expected, value, error.msg));
    }
  }

  Config finish() {
    for (const Field& field : schema_fields())
      if (field.required && !origins_.contains(field.key))
        fail(std::string(origin_), field.key,
             fmt::format("expected {}, found nothing; this key has no default", field.expected));
    check_rules(config_, origins_, std::string(origin_));
    return config_;
  }

 private:
  void set(const Field& field, const Value& value, const std::string& place) {
    try {
      field.read(config_, value);
    } catch (const core::UsageError& error) {
      fail(place, field.key, error.what());
    }
    origins_[field.key] = place;
  }

  std::string_view origin_;
  Config config_;
  Origins origins_;
  std::map<std::string, std::string> places_;  ///< of keys and groups in the file
};

}  // namespace

std::string Value::found() const {
  switch (kind) {
    case Kind::kNothing:
      return "nothing";
    case Kind::kList:
      return "a list";
    case Kind::kMap:
      return "a map";
    case Kind::kScalar:
      break;
  }
  std::size_t shown = 60;  // bytes, less a character that would be cut
  while (shown > 0 && shown < text.size() && (static_cast<unsigned char>(text[shown]) & 0xc0) == 0x80) --shown;
  std::string out;
  for (char c : text.substr(0, shown)) out += c == '\n' ? std::string("\\n") : std::string(1, c);
  return fmt::format("'{}{}'", out, text.size() > shown ? "…" : "");
}

Config parse_config(std::string_view yaml, std::string_view origin, std::span<const std::string> overrides) {
  Reader reader(origin);
  try {
    std::vector<YAML::Node> documents = YAML::LoadAll(std::string(yaml));
    if (documents.size() > 1)
      throw core::UsageError(
          fmt::format("{}: expected one YAML document, found {}; remove the '---' lines", origin, documents.size()));
    if (!documents.empty() && !documents[0].IsNull()) {
      if (!documents[0].IsMap())
        throw core::UsageError(fmt::format("{}: expected a map of keys, found {}",
                                           place_of(origin, documents[0].Mark()), to_value(documents[0]).found()));
      reader.read_map(documents[0], "");
    }
  } catch (const YAML::Exception& error) {
    throw core::UsageError(fmt::format("{}: expected valid YAML, found: {}", place_of(origin, error.mark), error.msg));
  }
  for (const std::string& text : overrides) reader.override_with(text);
  return reader.finish();
}

Config load_config(const std::filesystem::path& path, std::span<const std::string> overrides) {
  std::string yaml;
  try {
    yaml = core::read_file(path);
  } catch (const core::Error& error) {
    throw core::UsageError(fmt::format("{}: expected a configuration as in configs/, found none", error.what()));
  }
  return parse_config(yaml, path.string(), overrides);
}

}  // namespace polar::experiment
