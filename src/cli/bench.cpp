// polar bench: measurements, alternating the variants of one run.

#include "cli/bench.h"

#include "cli/commands.h"

namespace polar::cli {

void add_bench(CLI::App& app) {
  CLI::App* command = app.add_subcommand("bench", "Measure throughput");
  command->require_subcommand(1);
  add_bench_trials(*command);
  add_bench_search(*command);
  add_bench_generate(*command);
  add_bench_algorithms(*command);
  add_bench_labels(*command);
  add_bench_tokenize(*command);
}

}  // namespace polar::cli
