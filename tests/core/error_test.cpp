#include "core/error.h"

#include <gtest/gtest.h>

namespace polar::core {
namespace {

TEST(Errors, CarryTheirMessageAndExitCodeThroughTheBaseClass) {
  auto caught = [](const auto& thrown) {
    try {
      throw thrown;
    } catch (const Error& error) {
      return std::pair<std::string, int>(error.what(), error.exit_code());
    }
  };
  EXPECT_EQ(caught(Error("disk full")), (std::pair<std::string, int>("disk full", 1)));
  EXPECT_EQ(caught(UsageError("no such key")), (std::pair<std::string, int>("no such key", 2)));
  EXPECT_EQ(caught(Interrupted("go on with resume")), (std::pair<std::string, int>("go on with resume", 130)));
}

}  // namespace
}  // namespace polar::core
