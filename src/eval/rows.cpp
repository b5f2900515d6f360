#include "eval/rows.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/error.h"
#include "core/file.h"

namespace polar::eval {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const Candidate& candidate) {
  return {{"program", candidate.program.text()}, {"answer", candidate.answer},
          {"correct", candidate.correct},        {"confidence", candidate.confidence},
          {"layers", candidate.layers},          {"unique_layers", candidate.unique_layers},
          {"new_tokens", candidate.new_tokens},  {"executions", candidate.executions}};
}

Json to_json(const EvaluationRow& row) {
  Json ranked = Json::array();
  for (const Candidate& candidate : row.ranked) ranked.push_back(to_json(candidate));
  return {{"example", row.example}, {"split", row.split},       {"level", row.level},         {"policy", row.policy},
          {"oracle", row.oracle},   {"question", row.question}, {"reference", row.reference}, {"ranked", ranked}};
}

Candidate candidate_from(const Json& json) {
  Candidate candidate;
  candidate.program = core::Program::parse(json.at("program").get_ref<const std::string&>());
  json.at("answer").get_to(candidate.answer);
  json.at("correct").get_to(candidate.correct);
  json.at("confidence").get_to(candidate.confidence);
  json.at("layers").get_to(candidate.layers);
  json.at("unique_layers").get_to(candidate.unique_layers);
  json.at("new_tokens").get_to(candidate.new_tokens);
  json.at("executions").get_to(candidate.executions);
  return candidate;
}

EvaluationRow row_from(const Json& json) {
  EvaluationRow row;
  json.at("example").get_to(row.example);
  json.at("split").get_to(row.split);
  json.at("level").get_to(row.level);
  json.at("policy").get_to(row.policy);
  json.at("oracle").get_to(row.oracle);
  json.at("question").get_to(row.question);
  json.at("reference").get_to(row.reference);
  for (const Json& candidate : json.at("ranked")) row.ranked.push_back(candidate_from(candidate));
  if (row.ranked.empty()) throw core::Error("ranked: expected at least one program, found none");
  return row;
}

void check_writable(const std::filesystem::path& path, const EvaluationRow& row) {
  auto refuse = [&](std::string_view what) {
    throw core::Error(fmt::format("{}: policy {}, split {}, example {}: {}; this is an error of whoever evaluated it",
                                  path.string(), row.policy, row.split, row.example, what));
  };
  if (row.ranked.empty()) refuse("expected at least one program, found none");
  for (const Candidate& candidate : row.ranked) {
    if (candidate.program.empty()) refuse("expected a program, found an empty one");
    if (!std::isfinite(candidate.confidence))
      refuse(fmt::format("expected a finite confidence, found {}", candidate.confidence));
  }
}

}  // namespace

void write_rows(const std::filesystem::path& path, const std::vector<EvaluationRow>& rows) {
  std::string text;
  for (const EvaluationRow& row : rows) {
    check_writable(path, row);
    text += to_json(row).dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
  }
  core::write_file(path, text);
}

std::vector<EvaluationRow> read_rows(const std::filesystem::path& path) {
  const std::string text = core::read_file(path);
  std::vector<EvaluationRow> rows;
  std::string_view rest = text;
  for (int line = 1; !rest.empty(); ++line) {
    const std::string_view current = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), current.size() + 1));
    if (current.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    auto refuse = [&](std::string_view reason) {
      throw core::Error(fmt::format("{}:{}: expected a row of an evaluation, found: {}; evaluate again", path.string(),
                                    line, reason));
    };
    try {
      rows.push_back(row_from(Json::parse(current)));
    } catch (const Json::exception& error) {
      refuse(error.what());
    } catch (const core::Error& error) {
      refuse(error.what());
    }
  }
  return rows;
}

}  // namespace polar::eval
