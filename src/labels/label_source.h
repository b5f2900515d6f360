#pragma once
// What a label store and imported labels have in common, for whoever compares or shows them.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "labels/label_types.h"

namespace polar::labels {

/// A verdict, and the numbers behind it where they are known.
struct SourceTrial {
  search::Trial trial;
  bool correct = false;
  std::optional<std::pair<double, double>> scores;  ///< answer_log_prob and margin
};

/// Read-only. Throws core::Error as the stores do.
class LabelSource {
 public:
  /// The file, or a run's labels.sqlite when `path` is a folder; of a label store with several searches the newest,
  /// which others select().
  static std::unique_ptr<LabelSource> open(const std::filesystem::path& path);

  virtual ~LabelSource() = default;
  virtual std::filesystem::path path() const = 0;
  virtual std::string kind() const = 0;  ///< "labels", "oracle" or "imported"
  virtual int searches() const = 0;      ///< 1 for imported labels
  virtual void select(int search) = 0;   ///< 0 is the oldest
  /// What the trials are of, by name, for printing: pool, task, fingerprint, settings …
  virtual std::vector<std::pair<std::string, std::string>> identity() const = 0;
  virtual std::vector<StoredExample> examples() const = 0;  ///< ordered by id
  virtual std::vector<SourceTrial> trials(const task::ExampleId& example) const = 0;
  virtual std::vector<LevelCount> level_counts() const = 0;
  virtual LabelDigests digests() const = 0;
  virtual std::int64_t trial_count() const = 0;  ///< of every search
};

/// The file that `path` stands for: itself, or labels.sqlite in a run's folder.
std::filesystem::path label_file(const std::filesystem::path& path);

/// "labels", "oracle" or "imported"; empty for a file that is no such store.
std::string kind_of_file(const std::filesystem::path& path);

/// Bytes on disk, the write-ahead log included.
std::uintmax_t bytes_on_disk(const std::filesystem::path& file);

}  // namespace polar::labels
