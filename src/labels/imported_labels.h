#pragma once
// Labels that others made, as they came: which programs a file calls valid, without the numbers a search records.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/program.h"
#include "labels/interchange.h"
#include "labels/label_types.h"
#include "labels/run_lock.h"
#include "task/example.h"

namespace polar::labels {

/// What imported programs are programs of, as far as the importer says.
struct ImportedIdentity {
  int depth = 0;               ///< D: layers are 0 … D − 1
  std::string pool_name;       ///< for messages; not compared
  std::string weights_digest;  ///< empty: not said
  friend bool operator==(const ImportedIdentity&, const ImportedIdentity&) = default;
};

/// An example as it was imported. The text stands in the store, since no configuration rebuilds it.
struct ImportedExample {
  StoredExample example;
  std::string question, answer;
  std::optional<double> initial_score;  ///< of the identity; nullopt: the file does not say
  friend bool operator==(const ImportedExample&, const ImportedExample&) = default;
};

struct ImportedTrial {
  core::Program program;
  bool correct = false;
  friend bool operator==(const ImportedTrial&, const ImportedTrial&) = default;
};

/// One sample, joined with its example. Without one only the problems are kept.
struct ImportedSample {
  std::int64_t index = 0;  ///< in the file, from 0
  std::optional<ImportedExample> example;
  std::vector<ImportedTrial> trials;
  std::vector<ImportProblem> problems;
};

/// A file that was read, or is being read.
struct ImportedSource {
  std::string name, sha256;
  std::int64_t samples = 0;     ///< taken so far
  std::int64_t programs = 0;    ///< recorded from it
  std::int64_t duplicates = 0;  ///< programs that were there with the same verdict
  std::int64_t problems = 0;
  bool complete = false;
  friend bool operator==(const ImportedSource&, const ImportedSource&) = default;
};

/// One SQLite file of kind `imported`. A LabelStore refuses it: log-probabilities, margins and answers are not known,
/// and none are made up; re-judging on the model (labels/rejudge.h) makes a label store of it. A transaction a batch of
/// samples; a source remembers how many were taken, so that an import killed at any moment goes on with the next one.
/// Throws core::Error as LabelStore does. Not thread-safe.
class ImportedLabels {
 public:
  static constexpr int kSchemaVersion = 2;
  struct State;  ///< defined in labels/ only

  /// Opens for writing, creating what is missing. Throws UsageError for another depth or other weights.
  static ImportedLabels open(const RunLock& lock, const std::string& file_name, const ImportedIdentity& identity,
                             const std::string& vfs = {});
  static ImportedLabels read(const std::filesystem::path& path);
  ~ImportedLabels();
  ImportedLabels(ImportedLabels&&) noexcept;
  ImportedLabels& operator=(ImportedLabels&&) noexcept;

  const std::filesystem::path& path() const;
  const ImportedIdentity& identity() const;

  /// The file of this content, registered when new; a known one keeps its counts, whatever its name now. `joined` is a
  /// digest of what its samples are joined with; UsageError when it was recorded with another.
  ImportedSource source(const std::string& name, const std::string& sha256, const std::string& joined);
  /// Records the next samples of a source, in one transaction. A program met before with the same verdict is counted;
  /// one with the other verdict, or another answer, initial score, split or level of a known example, becomes a
  /// problem, and the first is kept; a sample with another question under a known id is left out whole, as a problem.
  void add(const ImportedSource& source, std::span<const ImportedSample> samples);
  /// Marks the source as read to its end, with the problems of the file as a whole.
  void complete(const ImportedSource& source, std::span<const ImportProblem> problems);

  std::vector<ImportedSource> sources() const;                              ///< in order of import
  std::vector<std::string> problems() const;                                ///< "file: sample 7: …", in order
  std::vector<ImportedExample> examples() const;                            ///< in order of import
  std::vector<ImportedTrial> trials(const task::ExampleId& example) const;  ///< the smaller program first
  /// `done` is 0, as nothing is known of the searches. Right identities are those of an initial score above 0.5, which
  /// also solves the example, in `depth` layers.
  std::vector<LevelCount> level_counts() const;

  /// SHA-256 over the depth and one sorted line a program, `example ⇥ program ⇥ 0|1`, and one for each known initial
  /// score, `example ⇥ initial ⇥ hexadecimal float`. There is no `exact` digest: it is empty.
  LabelDigests digests() const;

 private:
  explicit ImportedLabels(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace polar::labels
