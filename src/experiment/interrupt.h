#pragma once
// Ctrl-C and SIGTERM: the first one asks long work to stop at the next safe point, the second one ends the process at
// once.

#include <atomic>
#include <string>

namespace polar::experiment {

/// Installs the handler for SIGINT and SIGTERM, once per process; a signal that is ignored on entry (nohup, background
/// jobs) stays ignored. First signal: sets the flag and prints one line to standard error. Second one: exits with 130
/// at once.
void install_interrupt_handler();

/// True once a signal arrived. Hand it to code below experiment/ as a plain atomic to poll. Lives as long as the
/// process.
const std::atomic<bool>& interrupt_flag();

/// Throws core::Interrupted with `how_to_go_on` when the flag is set.
void throw_if_interrupted(const std::string& how_to_go_on);

}  // namespace polar::experiment
