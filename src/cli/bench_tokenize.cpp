// polar bench tokenize: how fast the tokenizer encodes, apart from reading and writing.

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "cli/bench.h"
#include "cli/bench_runs.h"
#include "core/error.h"
#include "core/file.h"
#include "text/tokenize_lines.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

namespace polar::cli {
namespace {

struct TokenizeBenchFlags {
  std::string pool, file;
  int rounds = 5;
  double seconds = 1;
};

/// Lines without their ends.
struct TextLines {
  std::vector<std::string> lines;
  std::size_t bytes = 0;
  std::size_t characters = 0;  ///< code points; a maximal invalid subpart counts as the one U+FFFD that it is read as
};

TextLines read_text_lines(const std::string& path) {
  std::istringstream file(core::read_file(path));
  TextLines read;
  std::string line;
  while (std::getline(file, line)) {
    read.bytes += line.size();
    for (std::size_t at = 0; at < line.size(); at += text::utf8_step(line, at).length) ++read.characters;
    read.lines.push_back(line);
  }
  if (read.characters == 0) throw core::Error(fmt::format("{}: expected lines of text, found no character", path));
  return read;
}

/// Returns the number of tokens.
std::size_t encode_lines(const text::Tokenizer& tokenizer, const std::vector<std::string>& lines) {
  std::size_t tokens = 0;
  for (const std::string& line : lines) tokens += tokenizer.encode(line).size();
  return tokens;
}

/// Units are characters.
BenchSeries time_tokenizer(const text::Tokenizer& tokenizer, const TextLines& input, const TokenizeBenchFlags& flags) {
  const auto once = [&] {
    encode_lines(tokenizer, input.lines);
    BenchRun run;
    run.units = static_cast<double>(input.characters);
    return run;
  };
  BenchSeries series{"tokenize", {}};
  for (int round = 0; round < flags.rounds; ++round) series.runs.push_back(repeat(flags.seconds, [] {}, once));
  std::ranges::stable_sort(series.runs, {}, &BenchRun::rate);
  return series;
}

void bench_tokenize(const TokenizeBenchFlags& flags) {
  const text::Tokenizer tokenizer = text::load_tokenizer(flags.pool);
  const TextLines input = read_text_lines(flags.file);
  const std::size_t tokens = encode_lines(tokenizer, input.lines);  // warms up: words met before are kept
  const BenchSeries series = time_tokenizer(tokenizer, input, flags);
  const double rate = series.median().rate();
  const double mb_per_s = rate * static_cast<double>(input.bytes) / static_cast<double>(input.characters) / 1e6;
  std::vector<double> rates;
  for (const BenchRun& run : series.runs) rates.push_back(run.rate());
  const nlohmann::ordered_json line = {
      {"mode", series.name}, {"lines", input.lines.size()}, {"bytes", input.bytes}, {"characters", input.characters},
      {"tokens", tokens},    {"characters_per_s", rate},    {"mb_per_s", mb_per_s}, {"rates", rates}};
  std::cout << line.dump() << '\n';
  std::cerr << fmt::format(
      "{:.2f} million characters/s (least {:.2f}, most {:.2f}), {:.2f} MB/s: median of {} rounds on one thread\n",
      rate / 1e6, rates.front() / 1e6, rates.back() / 1e6, mb_per_s, flags.rounds);
}

}  // namespace

void add_bench_tokenize(CLI::App& bench) {
  auto flags = std::make_shared<TokenizeBenchFlags>();
  CLI::App* command = bench.add_subcommand(
      "tokenize", "Encode the lines of a text file on one thread and print characters/s and MB/s: one JSON line");
  command->add_option("pool", flags->pool, "Pool folder, or a tokenizer.json")->required();
  command->add_option("file", flags->file, "Text file")->required();
  command->add_option("--rounds", flags->rounds, "Times the median is taken of")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  command->add_option("--seconds", flags->seconds, "Encode the file again within a round for at least this long")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 3600.0));
  command->footer(
      "Example: polar bench tokenize pools/smollm2-135m README.md\n"
      "Beside the tokenizers library: scripts/check_tokenizer.py pools/smollm2-135m --polar build/release/polar "
      "--speed 5");
  command->callback([flags] { bench_tokenize(*flags); });
}

}  // namespace polar::cli
