#pragma once
// The message of the error an action throws, for tests that read it.

#include <gtest/gtest.h>

#include <string>

namespace polar::test {

/// Runs the action and returns what() of the Expected it throws. Fails the test, and returns "", when it throws nothing
/// or something else.
template <typename Expected, typename Action>
std::string message_of(Action&& action) {
  try {
    action();
  } catch (const Expected& error) {
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "threw another error: " << error.what();
    return {};
  }
  ADD_FAILURE() << "threw nothing";
  return {};
}

}  // namespace polar::test
