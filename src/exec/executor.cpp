#include "exec/executor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/torch.h>

#include <algorithm>
#include <future>
#include <map>
#include <new>
#include <system_error>
#include <thread>

#include "core/available_cores.h"
#include "core/error.h"
#include "exec/fingerprint.h"
#include "exec/worker.h"
#include "pool/thread_team.h"

namespace polar::exec {
namespace {

void check_layers(const core::Program& program, int depth) {
  for (int layer : program.layers()) {
    if (layer >= depth) {
      throw core::Error(fmt::format("program {}: expected layers 0 … {}, found {}", program.text(), depth - 1, layer));
    }
  }
}

void check_programs(std::span<const Request> requests, int depth) {
  for (const Request& request : requests) {
    if (request.program.empty()) throw core::Error("program: expected at least one layer, found none");
    check_layers(request.program, depth);
  }
}

void check_semantics(CacheSemantics semantics, const pool::Manifest& manifest) {
  const auto windowed = [](const pool::Attention& attention) { return attention.window > 0; };
  if (semantics == CacheSemantics::kPerStep || std::ranges::none_of(manifest.attention, windowed)) return;
  throw core::UsageError(fmt::format(
      "exec.cache_semantics: expected per_step with {}, whose layers attend to a window of positions; found "
      "shared_slot",
      manifest.folder.string()));
}

/// What the pool's device decides, and what is left to this machine.
ExecOptions resolve(ExecOptions options, const std::string& device) {
  const bool on_cpu = device == "cpu";
  if (!on_cpu) options.workers = 1, options.tensor_states = true;
  if (options.workers <= 0) options.workers = core::available_cores();
  if (options.layer_rows <= 0) options.layer_rows = on_cpu ? 256 : 2048;
  if (options.head_rows <= 0) options.head_rows = on_cpu ? 128 : 512;
  return options;
}

[[noreturn]] void refuse_memory(const pool::ModulePool& pool) {
  throw core::Error(
      fmt::format("out of memory on {} while running programs; lower exec.wave_mb, exec.cache_mb, exec.chunk_rows or "
                  "task.max_new_tokens, or answer fewer prompts at once",
                  pool.device()));
}

/// Runs an action; what LibTorch throws becomes a core::Error.
template <typename Action>
auto as_own_errors(const pool::ModulePool& pool, Action&& action) {
  try {
    return action();
  } catch (const c10::OutOfMemoryError&) {
    refuse_memory(pool);
  } catch (const std::bad_alloc&) {
    refuse_memory(pool);
  } catch (const c10::Error& error) {
    throw core::Error(fmt::format("{}: an operator failed while running programs: {}", pool.manifest().folder.string(),
                                  error.what_without_backtrace()));
  }
}

}  // namespace

CacheSemantics parse_cache_semantics(const std::string& setting) {
  if (setting == "per_step") return CacheSemantics::kPerStep;
  if (setting == "shared_slot") return CacheSemantics::kSharedSlot;
  throw core::UsageError(fmt::format("exec.cache_semantics: expected per_step or shared_slot, found '{}'", setting));
}

struct Executor::Impl {
  std::shared_ptr<const pool::ModulePool> pool;
  std::shared_ptr<const text::Tokenizer> tokenizer;
  ExecOptions options;
  RowPlan plan;
  std::vector<text::Token> shared_prompt;
  std::vector<std::unique_ptr<Worker>> workers;
  std::map<std::string, std::size_t> home;  ///< which worker holds an example's trees

  std::vector<std::vector<Job>> deal(std::vector<Job> jobs);
  std::vector<std::vector<Job>> deal_by_program(std::vector<Job> jobs) const;
  void run(std::vector<Job> jobs);
};

Executor::Executor(std::shared_ptr<const pool::ModulePool> pool, std::shared_ptr<const text::Tokenizer> tokenizer,
                   const ExecOptions& options)
    : impl_(std::make_unique<Impl>()) {
  impl_->pool = std::move(pool);
  impl_->tokenizer = std::move(tokenizer);
  impl_->options = resolve(options, impl_->pool->device());
  check_semantics(options.cache_semantics, impl_->pool->manifest());
  // In a thread of its own: the probe must see the workers' thread settings, and leave the caller's alone.
  std::future<RowPlan> probe = std::async(std::launch::async, [this] {
    pool::prepare_thread();
    return probe_rows(*impl_->pool, impl_->options.layer_rows, impl_->options.head_rows,
                      impl_->options.batch_invariant);
  });
  impl_->plan = as_own_errors(*impl_->pool, [&] { return probe.get(); });
  const auto count = static_cast<std::size_t>(impl_->options.workers);
  for (std::size_t i = 0; i < count; ++i) {
    impl_->workers.push_back(std::make_unique<Worker>(*impl_->pool, *impl_->tokenizer, impl_->plan, impl_->options,
                                                      impl_->options.cache_bytes / count,
                                                      impl_->options.wave_bytes / count));
  }
}

Executor::~Executor() = default;

/// Sequences keep their worker, because it holds their trees; a new one goes to the worker with the least to do.
std::vector<std::vector<Job>> Executor::Impl::deal(std::vector<Job> jobs) {
  std::map<std::string, std::vector<Job>> by_example;
  for (const Job& job : jobs) by_example[job.example->id].push_back(job);
  if (by_example.size() < 2 * workers.size()) return deal_by_program(std::move(jobs));
  std::vector<std::vector<Job>> shares(workers.size());
  for (auto& [id, group] : by_example) {
    const auto least = std::ranges::min_element(shares, {}, [](const auto& share) { return share.size(); });
    auto& share = shares[home.try_emplace(id, static_cast<std::size_t>(least - shares.begin())).first->second];
    share.insert(share.end(), group.begin(), group.end());
  }
  return shares;
}

/// Few sequences: their programs are shared out in trie order, so that each worker's still have long prefixes in
/// common.
std::vector<std::vector<Job>> Executor::Impl::deal_by_program(std::vector<Job> jobs) const {
  std::ranges::stable_sort(jobs, [](const Job& a, const Job& b) {
    if (a.example->id != b.example->id) return a.example->id < b.example->id;
    return in_trie_order(a, b);
  });
  std::vector<std::vector<Job>> shares(workers.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) shares[i * shares.size() / jobs.size()].push_back(jobs[i]);
  return shares;
}

void Executor::Impl::run(std::vector<Job> jobs) {
  if (jobs.empty()) return;
  std::vector<std::vector<Job>> shares = deal(std::move(jobs));
  std::vector<std::exception_ptr> failures(workers.size());
  const auto busy = std::ranges::count_if(shares, [](const auto& share) { return !share.empty(); });
  const int threads = pool->device() == "cpu" ? static_cast<int>(shares.size())
                                              : core::available_cores();  // a device's one worker reads
  const int team_size = threads / static_cast<int>(busy);
  const auto work = [&](std::size_t i) {
    try {
      pool::prepare_thread();
      pool::ThreadTeam team(team_size);  // cores that have no share of their own help the others
      pool::set_thread_team(team_size > 1 ? &team : nullptr);
      workers[i]->run(std::move(shares[i]), shared_prompt);
    } catch (...) {
      failures[i] = std::current_exception();
    }
  };
  std::vector<std::jthread> running;
  for (std::size_t i = 0; i < workers.size(); ++i) {
    if (shares[i].empty()) continue;
    try {
      running.emplace_back(work, i);
    } catch (const std::system_error&) {
      failures[i] = std::make_exception_ptr(
          core::Error("expected a thread for every worker, found none left; lower exec.workers or raise the limit"));
    }
  }
  running.clear();  // joins them
  const auto failure = std::ranges::find_if(failures, [](const auto& pointer) { return pointer != nullptr; });
  if (failure == failures.end()) return;
  for (auto& worker : workers) worker->clear();
  home.clear();
  as_own_errors(*pool, [&] { std::rethrow_exception(*failure); });
}

std::vector<Answer> Executor::answer(std::span<const Request> requests) {
  check_programs(requests, impl_->pool->manifest().depth);
  std::vector<Answer> answers(requests.size());
  std::vector<Job> jobs;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    jobs.push_back({requests[i].example, &requests[i].program, &requests[i], &answers[i], nullptr});
  }
  impl_->run(std::move(jobs));
  return answers;
}

std::vector<States> Executor::states(std::span<const EncodedExample> examples, const core::Program& prefix) {
  check_layers(prefix, impl_->pool->manifest().depth);
  std::vector<States> states(examples.size());
  std::vector<Job> jobs;
  for (std::size_t i = 0; i < examples.size(); ++i)
    jobs.push_back({&examples[i], &prefix, nullptr, nullptr, &states[i]});
  impl_->run(std::move(jobs));
  return states;
}

void Executor::set_shared_prompt(std::vector<text::Token> tokens) {
  impl_->shared_prompt = std::move(tokens);
}

const pool::ModulePool& Executor::pool() const {
  return *impl_->pool;
}
const text::Tokenizer& Executor::tokenizer() const {
  return *impl_->tokenizer;
}
const ExecOptions& Executor::options() const {
  return impl_->options;
}

ExecStats Executor::stats() const {
  ExecStats total;
  for (const auto& worker : impl_->workers) {
    const ExecStats& part = worker->stats();
    total.layer_rows += part.layer_rows;
    total.decoded_rows += part.decoded_rows;
    total.unread_rows += part.unread_rows;
    total.padded_layer_rows += part.padded_layer_rows;
    total.layer_calls += part.layer_calls;
    total.head_rows += part.head_rows;
    total.shared_nodes += part.shared_nodes;
    total.computed_nodes += part.computed_nodes;
    total.evicted_nodes += part.evicted_nodes;
    total.evicted_bytes += part.evicted_bytes;
    total.waves += part.waves;
    total.peak_bytes += part.peak_bytes;
    total.peak_idle_bytes += part.peak_idle_bytes;
  }
  return total;
}

void Executor::reset_stats() {
  for (auto& worker : impl_->workers) worker->stats() = {};
}

void Executor::clear_cache() {
  for (auto& worker : impl_->workers) worker->clear();
  impl_->home.clear();
}

std::string Executor::fingerprint() const {
  const ExecOptions& options = impl_->options;
  const std::string machine = machine_fingerprint(impl_->pool->dtype(), impl_->pool->kernels(), impl_->pool->device());
  const bool any = impl_->plan.layer.any && impl_->plan.head.any;  // then R has no part in the bits
  const std::span<const text::Token> prefix = impl_->tokenizer->prefix();
  return fmt::format("{}{}; R {}{}{}{}", machine,
                     options.tensor_states ? fmt::format("; tensor states, revision {}", kTensorRevision) : "",
                     any ? "any" : fmt::format("{}/{}", options.layer_rows, options.head_rows),
                     options.batch_invariant ? "" : fmt::format("; not batch-invariant, {} workers", options.workers),
                     options.cache_semantics == CacheSemantics::kPerStep ? "" : "; one cache slot a layer",
                     prefix.empty() ? "" : fmt::format("; texts begin with {}", fmt::join(prefix, " ")));
}

}  // namespace polar::exec
