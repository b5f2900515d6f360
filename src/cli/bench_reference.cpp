#include "cli/bench_reference.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <vector>

#include "core/error.h"

namespace polar::cli {
namespace {

/// What the program writes to standard output.
std::string output_of(std::vector<std::string> words) {
  const std::string command = fmt::format("{}", fmt::join(words, " "));
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw core::Error("pipe: expected one more, found no file descriptors left");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  pid_t child = 0;
  const int failed = posix_spawnp(&child, arguments.front(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::string text;
  char block[1 << 14];
  for (ssize_t count = 0; failed == 0 && (count = read(ends[0], block, sizeof block)) > 0;)
    text.append(block, static_cast<std::size_t>(count));
  close(ends[0]);
  int status = 0;
  if (failed == 0) waitpid(child, &status, 0);
  if (failed != 0 || status != 0) {
    throw core::Error(fmt::format(
        "{}: expected it to succeed, found {}; --python, --reference and --hf-folder say where it lives, and "
        "scripts/export.py --smollm2 … --hf-folder writes the folder",
        command, failed != 0 ? std::generic_category().message(failed) : fmt::format("wait status {}", status)));
  }
  return text;
}

}  // namespace

TemporaryFile::TemporaryFile(const std::string& name)
    : path_(std::filesystem::temp_directory_path() / fmt::format("polar-bench-{}-{}.jsonl", getpid(), name)) {}

TemporaryFile::~TemporaryFile() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

void ReferenceFlags::declare(CLI::App& command) {
  command.add_option("--python", python, "Python with torch and transformers, for --compare")->capture_default_str();
  command.add_option("--reference", script, "The reference script")->capture_default_str();
  command.add_option("--hf-folder", hf_folder, "The same model as transformers reads it")->capture_default_str();
}

BenchRun run_reference(const ReferenceFlags& flags, const ReferenceRun& run) {
  const std::string output = output_of({flags.python,       flags.script,
                                        "--model",          flags.hf_folder,
                                        "--tokenizer",      flags.hf_folder + "/tokenizer.json",
                                        "--trials",         run.trials,
                                        "--mode",           run.mode,
                                        "--batch",          std::to_string(run.batch),
                                        "--max-new-tokens", std::to_string(run.max_new_tokens),
                                        "--dtype",          run.dtype,
                                        "--device",         run.device,
                                        "--threads",        std::to_string(run.threads),
                                        "--seconds",        std::to_string(run.seconds)});
  BenchRun result;
  try {
    const nlohmann::json line = nlohmann::json::parse(output);
    result.seconds = line.at("seconds").get<double>();
    result.units = line.at("rollouts").get<double>();
    result.texts = line.at("texts").get<std::vector<std::string>>();
    result.repeats = result.units / static_cast<double>(std::max<std::size_t>(1, result.texts.size()));
  } catch (const nlohmann::json::exception& error) {
    throw core::Error(fmt::format("{}: expected one JSON line, found: {}", flags.script, error.what()));
  }
  return result;
}

}  // namespace polar::cli
