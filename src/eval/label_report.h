#pragma once
// Writes a label analysis: report/labels.csv for programs, report/labels.md and a console table for people.

#include <filesystem>
#include <string>
#include <vector>

#include "eval/label_analysis.h"

namespace polar::eval {

/// "analysis,set,level,key,n,value,ci_low,ci_high,note" and one line a figure, in order; fields as in results_csv().
std::string labels_csv(const std::vector<LabelFigure>& figures);

/// A JSON array of objects with the same fields; a missing interval is null.
std::string labels_json(const std::vector<LabelFigure>& figures);

/// Markdown: solvable examples by level and set of programs, then a table an analysis, keys down and levels across,
/// each with what it says. segment_at is left to the CSV. `title` is the first line's text.
std::string labels_markdown(const std::vector<LabelFigure>& figures, const std::string& title);

/// The main figures in percent or layers, one line for all examples, or one a level and all.
std::string labels_console(const std::vector<LabelFigure>& figures, bool levels);

/// Writes FOLDER/STEM.csv and FOLDER/STEM.md, each atomically, and creates the folder. Throws core::Error naming path
/// and reason.
void write_labels(const std::filesystem::path& folder, const std::string& stem, const std::vector<LabelFigure>& figures,
                  const std::string& title);

}  // namespace polar::eval
