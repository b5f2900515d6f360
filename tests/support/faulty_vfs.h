#pragma once
// SQLite over a file system that misbehaves on request, and a process that dies on request. For tests of one process,
// one thread.

#include <signal.h>
#include <sqlite3.h>

#include <limits>
#include <map>
#include <memory>

namespace polar::test {

/// What the next writes meet. Registered under kName when first used; the state is global.
class FaultyVfs {
 public:
  static constexpr const char* kName = "polar-faulty";
  enum class Fault { kDiskFull, kKill };
  static constexpr long kNever = std::numeric_limits<long>::max();

  /// After `writes` more writes, every further one fails, or kills the process.
  static void arm(Fault fault, long writes) {
    fault_ = fault;
    writes_left_ = writes;
  }
  static void disarm() { writes_left_ = kNever; }

  /// Registers the VFS, without faults. Files opened from now on share memory or not, as network file systems do not.
  static void install(bool shares_memory = true) {
    shares_memory_ = shares_memory;
    disarm();
    if (real_ != nullptr) return;
    real_ = sqlite3_vfs_find(nullptr);
    faulty_ = *real_;
    faulty_.zName = kName;
    faulty_.pNext = nullptr;
    faulty_.xOpen = open;
    sqlite3_vfs_register(&faulty_, 0);
  }

 private:
  struct Methods {
    sqlite3_io_methods patched;  // first: a file's pMethods is this object's address
    const sqlite3_io_methods* original;
  };

  static int open(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out_flags) {
    const int code = real_->xOpen(real_, name, file, flags, out_flags);
    if (code != SQLITE_OK || file->pMethods == nullptr) return code;
    std::unique_ptr<Methods>& methods = methods_[{file->pMethods, shares_memory_}];
    if (!methods) {
      methods = std::make_unique<Methods>(Methods{*file->pMethods, file->pMethods});
      methods->patched.xWrite = write;
      if (!shares_memory_) methods->patched.iVersion = 1;
    }
    file->pMethods = &methods->patched;
    return code;
  }

  static int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
    if (writes_left_ <= 0) {
      if (fault_ == Fault::kKill) raise(SIGKILL);
      return SQLITE_FULL;
    }
    if (writes_left_ != kNever) --writes_left_;
    return reinterpret_cast<const Methods*>(file->pMethods)->original->xWrite(file, data, size, offset);
  }

  static inline sqlite3_vfs* real_ = nullptr;
  static inline sqlite3_vfs faulty_ = {};
  static inline std::map<std::pair<const sqlite3_io_methods*, bool>, std::unique_ptr<Methods>> methods_;
  static inline bool shares_memory_ = true;
  static inline Fault fault_ = Fault::kDiskFull;
  static inline long writes_left_ = kNever;
};

/// Kills the process before the statement after the next `statements` ones, on connections opened from now on.
class KillBeforeStatement {
 public:
  static void arm(long statements) {
    left_ = statements;
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(attach));
  }

 private:
  static int attach(sqlite3* database, const char**, const struct sqlite3_api_routines*) {
    return sqlite3_trace_v2(database, SQLITE_TRACE_STMT, before, nullptr);
  }
  static int before(unsigned, void*, void*, void*) {
    if (left_-- <= 0) raise(SIGKILL);
    return 0;
  }
  static inline long left_ = 0;
};

}  // namespace polar::test
