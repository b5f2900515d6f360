#include <cstdio>

#include "core/program.h"
#include "exec/model.h"

// Parses a program, and links the executor in: loading from a folder that is not there must say so.
int main() {
  const auto program = polar::core::Program::parse("0-4,3-9", 10);
  std::printf("%s has %d steps\n", program.text().c_str(), program.length());
  try {
    polar::exec::load_model("no-such-pool", "float32");
  } catch (const std::exception& error) {
    std::printf("%s\n", error.what());
    return program.length() == 12 ? 0 : 1;
  }
  return 1;
}
