#pragma once
// Messages are checked by the parts they must hold.

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace polar::test {

inline void expect_parts(const std::string& message, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) EXPECT_NE(message.find(part), std::string::npos) << part << " in: " << message;
}

}  // namespace polar::test
