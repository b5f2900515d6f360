#pragma once
// Time taken, as figures of latency have it.

#include <chrono>

namespace polar::core {

inline double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace polar::core
