#pragma once
// Files and messages for the tests of data sets.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/file.h"
#include "support/temporary_folder.h"

namespace polar::test {

/// A test with a folder of its own.
class FolderTest : public testing::Test {
 protected:
  std::filesystem::path file(const std::string& name, std::string_view content) const {
    core::write_file(folder_ / name, content);
    return folder_ / name;
  }
  TemporaryFolder folder_;
};

/// The message of the core::Error that `action` throws, paths shortened to names within `folder`; empty when it throws
/// none.
template <typename Action>
std::string error_of(const Action& action, const std::filesystem::path& folder = {}) {
  try {
    action();
  } catch (const core::Error& error) {
    std::string message = error.what();
    const std::string prefix = folder.string() + "/";
    for (std::size_t at = message.find(prefix); !folder.empty() && at != std::string::npos; at = message.find(prefix)) {
      message.erase(at, prefix.size());
    }
    return message;
  }
  return {};
}

}  // namespace polar::test
