#pragma once
// The folder of one run, <runs_folder>/<name>/: what was configured, on what, which stages are done, and the log.

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "experiment/config.h"
#include "experiment/log.h"
#include "experiment/schema.h"
#include "labels/run_lock.h"

namespace polar::experiment {

/// Facts of the machine and build, in order: git commit, versions, fingerprint, seed.
using Environment = std::vector<std::pair<std::string, std::string>>;

/// One step of a run and everything its result depends on.
struct Stage {
  std::string name;                           ///< "search"
  Settings settings;                          ///< what it depends on: settings_of(config, …)
  std::map<std::string, std::string> inputs;  ///< what it read: name → digest
  std::vector<std::string> outputs;           ///< files it writes, relative to the run's folder
  bool locked = false;                        ///< its settings may not change once it began (label search)
};

struct StageStatus {
  bool up_to_date = false;
  std::string reason;  ///< why not: "never finished", "search.rollouts changed from 100 to 200", "labels changed", …
};

/// <runs_folder>/<name>.
std::filesystem::path run_folder(const Config& config);

/// Open for one writer at a time (run.lock). Not thread-safe, except log().
class RunDirectory {
 public:
  /// Opens or creates the folder:
  ///   1. make the folder, 2. lock it, 3. empty it when `fresh`, 4. read stages.json, 5. refuse changed settings of
  ///   locked stages,
  ///   6. write config.yaml and environment.json, unless a run is there: then the first stage that runs writes them.
  /// Throws UsageError naming path, reason and remedy when the folder cannot be created, read or written, when `fresh`
  /// meets a folder that holds files but no run, or when settings of a locked stage differ from those it began with:
  /// nothing is written then. Throws Error when another process holds the run, or when stages.json is broken.
  RunDirectory(const Config& config, const Environment& environment, bool fresh = false);

  const std::filesystem::path& path() const { return path_; }
  /// Path of a file in the folder.
  std::filesystem::path file(std::string_view name) const { return path_ / name; }
  const labels::RunLock& lock() const { return lock_; }
  Log& log() { return *log_; }

  /// Up to date: it finished with the same settings and inputs, and its outputs exist. Throws UsageError as the
  /// constructor does when the stage is locked and its settings changed.
  StageStatus status(const Stage& stage) const;

  /// Records that the stage runs with these settings; until finish() it is out of date. Throws as status() does.
  void begin(const Stage& stage);

  /// Records what was read and that it finished. `stage.inputs` may have been completed since begin().
  void finish(const Stage& stage);

 private:
  struct Record {
    bool finished = false;
    bool locked = false;
    Settings settings;
    std::map<std::string, std::string> inputs;
    Environment environment;  ///< of the program that ran it
  };
  void describe_run() const;
  void empty_folder() const;
  void read_records();
  void write_record(const Stage& stage, bool finished);
  void refuse_changes(const std::string& stage, const Settings& before, const Settings& now) const;

  std::filesystem::path path_;
  labels::RunLock lock_;
  std::string config_text_;
  Environment environment_;
  std::map<std::string, Record> records_;
  std::unique_ptr<Log> log_;  ///< opened last, so that a refusal writes nothing
};

}  // namespace polar::experiment
