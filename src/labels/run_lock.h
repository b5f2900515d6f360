#pragma once
// One writer a run directory.

#include <filesystem>

namespace polar::labels {

/// Holds an advisory flock on `<folder>/run.lock` from construction to destruction; the kernel releases it when the
/// process ends, however it ends. The file names the holder ("pid 123 on host") for the message a second writer gets;
/// it stays, empty, after release, because removing it would let two writers lock two different files. Whoever writes
/// into a run directory asks for a `const RunLock&`; readers need none. Movable, not copyable.
class RunLock {
 public:
  /// Throws Error naming the folder and, where it is known, the holder's pid, when another process (or another RunLock
  /// of this one) holds it; Error naming the system's reason when the folder is missing, read-only or cannot lock
  /// files.
  explicit RunLock(std::filesystem::path folder);
  ~RunLock();
  RunLock(RunLock&& other) noexcept;
  RunLock& operator=(RunLock&& other) noexcept;

  const std::filesystem::path& folder() const { return folder_; }

 private:
  void release() noexcept;

  std::filesystem::path folder_;
  int file_ = -1;
};

}  // namespace polar::labels
