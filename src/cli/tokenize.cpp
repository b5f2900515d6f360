// polar tokenize: text on standard input, ids as JSON lines.

#include <iostream>
#include <memory>

#include "cli/commands.h"
#include "text/tokenize_lines.h"

namespace polar::cli {

void add_tokenize(CLI::App& app) {
  struct Flags {
    std::string pool;
    bool json_lines = false;
  };
  auto flags = std::make_shared<Flags>();
  CLI::App* command =
      app.add_subcommand("tokenize", "Print the token ids of every line of standard input, as JSON lines");
  command->add_option("pool", flags->pool, "Pool folder, or a tokenizer.json")->required();
  command->add_flag("--json-lines", flags->json_lines, "Lines are JSON strings (encoded) or lists of ids (decoded)");
  command->footer("Example: echo 'The cat has 1234 apples.' | polar tokenize pools/smollm2-135m");
  command->callback([flags] { text::run_tokenize(flags->pool, flags->json_lines, std::cin, std::cout); });
}

}  // namespace polar::cli
