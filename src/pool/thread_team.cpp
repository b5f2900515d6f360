#include "pool/thread_team.h"

#include <system_error>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace polar::pool {
namespace {

thread_local ThreadTeam* team_of_thread = nullptr;

/// Looks before sleeping: some hundred microseconds.
constexpr int kLooks = 20000;
constexpr int kLooksBetweenYields = 64;

/// One look's wait. Whoever is waited for may have been put on the same core, as new threads often are: it gets the
/// core after a few microseconds, where looking to the end would cost it hundreds for every product.
void wait_a_moment(int looks) {
  if (looks % kLooksBetweenYields == kLooksBetweenYields - 1) {
    std::this_thread::yield();
    return;
  }
#if defined(__x86_64__)
  _mm_pause();
#endif
}

}  // namespace

ThreadTeam::ThreadTeam(int size) {
  for (int index = 1; index < size; ++index) {
    try {
      helpers_.emplace_back([this, index] { help(index); });
    } catch (const std::system_error&) {
      break;  // no more threads: a smaller team
    }
  }
}

ThreadTeam::~ThreadTeam() {
  ending_ = true;
  ++round_;
  round_.notify_all();
  for (std::thread& helper : helpers_) helper.join();
}

void ThreadTeam::run(const std::function<void(int)>& part) {
  if (helpers_.empty()) return part(0);
  part_ = &part;
  left_ = static_cast<int>(helpers_.size());
  ++round_;
  round_.notify_all();
  run_part(0);
  for (int looks = 0; left_ > 0; ++looks) wait_a_moment(looks);
  if (failed_.exchange(false)) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void ThreadTeam::run_part(int index) {
  try {
    (*part_)(index);
  } catch (...) {
    if (!failed_.exchange(true)) failure_ = std::current_exception();
  }
}

void ThreadTeam::help(int index) {
  for (unsigned seen = 0;;) {
    for (int looks = 0; looks < kLooks && round_ == seen; ++looks) wait_a_moment(looks);
    round_.wait(seen);
    seen = round_;
    if (ending_) return;
    run_part(index);
    --left_;
  }
}

void set_thread_team(ThreadTeam* team) {
  team_of_thread = team;
}
ThreadTeam* thread_team() {
  return team_of_thread;
}

}  // namespace polar::pool
