#pragma once
// Threads that share out one matrix product or the reading of many rows, where there is nothing else to do side by
// side.

#include <atomic>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

namespace polar::pool {

/// Helpers wait for work a few hundred microseconds without sleeping, so that the many short products of one decoding
/// step pay no wake-up; then they sleep. One caller at a time.
class ThreadTeam {
 public:
  explicit ThreadTeam(int size);  ///< ≥ 1, the caller included; smaller where no more threads can be started
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  int size() const { return static_cast<int>(helpers_.size()) + 1; }
  /// part(0) in the caller, part(1) … part(size − 1) in the helpers; returns when all are done. What a part throws
  /// is thrown again then; of several, one.
  void run(const std::function<void(int)>& part);

 private:
  void run_part(int index);
  void help(int index);
  std::vector<std::thread> helpers_;
  const std::function<void(int)>* part_ = nullptr;  ///< published by round_
  std::atomic<unsigned> round_{0};
  std::atomic<int> left_{0};
  std::atomic<bool> ending_{false};
  std::atomic<bool> failed_{false};
  std::exception_ptr failure_;  ///< written by the first part that fails, read when all are done
};

/// The team that products of the calling thread are shared out to; nullptr: none. Bits do not depend on it. The team
/// must outlive the calls.
void set_thread_team(ThreadTeam* team);
ThreadTeam* thread_team();

}  // namespace polar::pool
