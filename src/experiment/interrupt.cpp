#include "experiment/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <string_view>

#include "core/error.h"

namespace polar::experiment {
namespace {

std::atomic<bool> flag{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may only touch lock-free atomics");

extern "C" void on_interrupt(int) {
  constexpr int kExitInterrupted = 130;
  if (flag.exchange(true)) _exit(kExitInterrupted);
  constexpr std::string_view kMessage = "\npolar: stopping at the next safe point; press Ctrl-C again to end at once\n";
  [[maybe_unused]] auto written = write(STDERR_FILENO, kMessage.data(), kMessage.size());
}

}  // namespace

void install_interrupt_handler() {
  struct sigaction action{};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (int signal : {SIGINT, SIGTERM}) {
    struct sigaction current{};
    sigaction(signal, nullptr, &current);
    if (current.sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);
  }
}

const std::atomic<bool>& interrupt_flag() {
  return flag;
}

void throw_if_interrupted(const std::string& how_to_go_on) {
  if (flag.load()) throw core::Interrupted(how_to_go_on);
}

}  // namespace polar::experiment
