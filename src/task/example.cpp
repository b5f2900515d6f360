#include "task/example.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "core/error.h"
#include "core/file.h"

namespace polar::task {
namespace {

using nlohmann::json;

/// One row and where it stands, for messages.
class Row {
 public:
  Row(const std::filesystem::path& path, int line, std::string_view text) : path_(path), line_(line) {
    try {
      json_ = json::parse(text);
    } catch (const json::exception& error) {
      throw core::Error(
          fmt::format("{}:{}: row: expected one JSON object in a line, found invalid JSON ({}): mend the line",
                      path.string(), line, error.what()));
    }
    if (!json_.is_object()) fail("row", "an object {id, question, answer, …}", json_);
  }

  [[noreturn]] void fail(std::string_view field, std::string_view expected, const json& found) const {
    std::string shown = found.is_discarded() ? "nothing" : found.dump(-1, ' ', false, json::error_handler_t::replace);
    if (shown.size() > 80) shown = shown.substr(0, 77) + "...";
    throw core::Error(
        fmt::format("{}:{}: {}: expected {}, found {}: mend the row", path_.string(), line_, field, expected, shown));
  }

  std::string text(const char* field, bool required) const {
    const json* value = find(field);
    if (!value && !required) return {};
    constexpr std::string_view kExpected = "a text that is not empty";
    if (!value) fail(field, kExpected, json(json::value_t::discarded));
    if (!value->is_string() || (required && value->get_ref<const std::string&>().empty()))
      fail(field, kExpected, *value);
    return value->get<std::string>();
  }

  std::string level() const {
    const json* value = find("level");
    if (!value) return {};
    if (value->is_number_integer()) return value->dump();
    if (!value->is_string()) fail("level", "a text or an integer", *value);
    if (value->get_ref<const std::string&>() == "all")
      fail("level", "a name other than all, which stands for every level together", *value);
    return value->get<std::string>();
  }

  std::vector<std::string> choices() const {
    const json* value = find("choices");
    if (!value) return {};
    constexpr std::string_view kExpected = "a list of at least two texts";
    if (!value->is_array() || value->size() < 2) fail("choices", kExpected, *value);
    for (const json& choice : *value) {
      if (!choice.is_string()) fail("choices", kExpected, *value);
    }
    return value->get<std::vector<std::string>>();
  }

  int label(const std::vector<std::string>& choices, const std::string& answer) const {
    const json* value = find("label");
    if (!value && choices.empty()) return -1;
    if (!value) fail("label", "an integer, because the row has choices", json(json::value_t::discarded));
    if (choices.empty())
      fail("choices", "a list of texts, because the row has a label", json(json::value_t::discarded));
    const std::string expected = fmt::format("an integer from 0 to {}", choices.size() - 1);
    if (!value->is_number_integer()) fail("label", expected, *value);
    // an unsigned value beyond the signed range reads as negative and is refused with the rest
    const auto label = value->get<std::int64_t>();
    if (label < 0 || label >= static_cast<std::int64_t>(choices.size())) fail("label", expected, *value);
    const std::string& right = choices[static_cast<std::size_t>(label)];
    if (right != answer)
      fail("answer",
           fmt::format("choices[label] = {}", json(right).dump(-1, ' ', false, json::error_handler_t::replace)),
           answer);
    return static_cast<int>(label);
  }

 private:
  /// The field, or nullptr when it is missing or null.
  const json* find(const char* field) const {
    const auto found = json_.find(field);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }

  const std::filesystem::path& path_;
  int line_;
  json json_;
};

Example read_row(const Row& row, const TextGrader* grader) {
  Example example;
  example.id = row.text("id", true);
  if (std::ranges::any_of(example.id, [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
    row.fail("id", "a text without control characters (tab, newline, …)", example.id);
  example.question = row.text("question", true);
  example.answer = row.text("answer", true);
  if (grader && !grader->attainable(example.answer))
    row.fail("answer", fmt::format("one that some text can match by the grader {}", grader->name()), example.answer);
  example.choices = row.choices();
  example.label = row.label(example.choices, example.answer);
  example.level = row.level();
  example.source = row.text("source", false);
  return example;
}

}  // namespace

std::vector<Example> read_jsonl(const std::filesystem::path& path, const TextGrader* grader) {
  const std::string content = core::read_file(path);
  std::vector<Example> examples;
  std::unordered_map<ExampleId, int> line_of;
  int line = 0;
  for (std::size_t from = 0; from < content.size();) {
    const std::size_t end = std::min(content.find('\n', from), content.size());
    const std::string_view text = std::string_view(content).substr(from, end - from);
    from = end + 1;
    ++line;
    if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const Row row(path, line, text);
    examples.push_back(read_row(row, grader));
    const auto [known, added] = line_of.emplace(examples.back().id, line);
    if (!added)
      row.fail("id", fmt::format("an id that no other row has (line {} has it)", known->second), examples.back().id);
  }
  return examples;
}

void write_jsonl(const std::filesystem::path& path, const std::vector<Example>& examples) {
  std::string content;
  for (const Example& example : examples) {
    nlohmann::ordered_json row = {{"id", example.id}, {"question", example.question}, {"answer", example.answer}};
    if (!example.choices.empty()) {
      row["choices"] = example.choices;
      row["label"] = example.label;
    }
    if (!example.level.empty()) row["level"] = example.level;
    if (!example.source.empty()) row["source"] = example.source;
    try {
      content += row.dump() + "\n";
    } catch (const json::exception& error) {
      throw core::Error(fmt::format("{}: example '{}': expected valid UTF-8, found other bytes ({}): mend the text",
                                    path.string(), example.id, error.what()));
    }
  }
  core::write_file(path, content);
}

}  // namespace polar::task
