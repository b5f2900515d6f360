#include "text/tokenize_lines.h"

#include <fmt/format.h>

#include <istream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "core/error.h"

namespace polar::text {

namespace {

using nlohmann::json;

std::string ids_line(const std::vector<Token>& ids) {
  std::string line = "[";
  for (std::size_t i = 0; i < ids.size(); ++i) line += fmt::format("{}{}", i == 0 ? "" : ",", ids[i]);
  return line + "]\n";
}

std::string json_answer(const Tokenizer& tokenizer, const std::string& line, std::size_t number) {
  const auto refuse = [&](const std::string& found) {
    throw core::Error(
        fmt::format("standard input:{}: expected a JSON string or an array of token ids, found {}", number, found));
  };
  const json value = json::parse(line, nullptr, false);
  if (value.is_string()) return ids_line(tokenizer.encode(value.get_ref<const std::string&>()));
  if (!value.is_array()) refuse(value.is_discarded() ? "broken JSON" : std::string("a JSON ") + value.type_name());
  std::vector<Token> ids;
  for (const json& id : value) {
    if (!id.is_number_unsigned() ||
        id.get<std::uint64_t>() >= static_cast<std::uint64_t>(tokenizer.vocabulary_size())) {
      refuse(fmt::format("the id {}, where ids are 0 … {}", id.dump(), tokenizer.vocabulary_size() - 1));
    }
    ids.push_back(id.get<Token>());
  }
  return json(tokenizer.decode(ids, /*skip_special=*/false)).dump() + "\n";
}

}  // namespace

Tokenizer load_tokenizer(const std::filesystem::path& pool) {
  const auto file = std::filesystem::is_directory(pool) ? pool / "tokenizer.json" : pool;
  if (!std::filesystem::exists(file))
    throw core::Error(fmt::format("{}: expected a pool or a tokenizer.json, found none", file.string()));
  return Tokenizer::load(file);
}

int run_tokenize(const std::filesystem::path& pool, bool json_lines, std::istream& in, std::ostream& out) {
  const Tokenizer tokenizer = load_tokenizer(pool);
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    out << (json_lines ? json_answer(tokenizer, line, number) : ids_line(tokenizer.encode(line)));
    if (!out) break;
  }
  out.flush();
  if (!out) throw core::Error("standard output: expected to write ids, found it closed or full");
  return 0;
}

}  // namespace polar::text
