#pragma once
// The error hierarchy. Every message says what went wrong, where, what was expected, what was found and how to mend it.
// main() prints exactly one message and returns exit_code(). Assertions are for bugs only.

#include <stdexcept>
#include <string>

namespace polar::core {

/// Anything the user can meet. Exit code 1: the work failed (data, files, disk, model).
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message) {}
  virtual int exit_code() const noexcept { return 1; }
};

/// Wrong usage or configuration: nothing was started. Exit code 2.
class UsageError : public Error {
 public:
  using Error::Error;
  int exit_code() const noexcept override { return 2; }
};

/// Interrupted by the user; state is kept and the message says how to go on. Exit code 130.
class Interrupted : public Error {
 public:
  using Error::Error;
  int exit_code() const noexcept override { return 130; }
};

}  // namespace polar::core
