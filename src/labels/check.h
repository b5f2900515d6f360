#pragma once
// Whether a store is whole and says what its schema promises.

#include <filesystem>
#include <functional>
#include <string>

namespace polar::labels {

/// Checks a label store or imported labels and hands over one line a problem, each naming table and row:
///   1. SQLite's own integrity check, indices included, and every foreign key
///   2. programs: each parses and stands in canonical notation
///   3. trials: `layers` is the program's length; rounds and positions run from 0 without gaps, and as many rounds as
///      the search says; verdicts are 0 or 1, log-probabilities at most 0, at least one scored position
///   4. label logic: no program has two outcomes for one example under one fingerprint and stop rule; the digest of
///      settings is that of their text; test examples stand in oracle stores only. For imported labels: layers are
///      below the depth, and the identity's verdict is that of the initial score
/// Returns the number of problems. Nothing is executed on a model. Throws Error when the file is no store at all.
int check_labels(const std::filesystem::path& path, const std::function<void(const std::string&)>& on_problem);

}  // namespace polar::labels
