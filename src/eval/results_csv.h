#pragma once
// Writes an evaluation's figures: report/results.csv for programs, report/results.md and a console table for people.

#include <filesystem>
#include <string>
#include <vector>

#include "eval/metrics.h"

namespace polar::eval {

/// "policy,split,level,n,metric,k,value,ci_low,ci_high" and one line a figure, in order. Names are quoted as in RFC
/// 4180 where needed; numbers are the shortest decimal that gives the same double; a missing interval is two empty
/// fields.
std::string results_csv(const std::vector<Figure>& figures);

/// Markdown: for each split, accuracy (pass@1) by policy and level with intervals; depth, flips and p-values over all
/// levels; k > 1; latency where the caller appended it. Whatever needs the reference answer is marked as an oracle.
std::string results_markdown(const std::vector<Figure>& figures);

/// For the end of a run: for each split, pass@1 in percent by level (rows) and policy (columns), with the 95 % interval
/// and the mean layer executions over all levels. Columns: base, static best, the predictors, menu, random, the
/// others in order of appearance, oracle. A policy without rows at a level shows "-".
std::string results_console(const std::vector<Figure>& figures);

/// Writes FOLDER/results.csv and FOLDER/results.md, each atomically, and creates the folder. Throws core::Error naming
/// path and reason.
void write_results(const std::filesystem::path& folder, const std::vector<Figure>& figures);

}  // namespace polar::eval
