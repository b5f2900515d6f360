#pragma once
// What a control found (method.md 2, "What a search result may claim"), as files and as a console table. One form for
// every control, so that reports need to know none of them.

#include <filesystem>
#include <string>
#include <vector>

#include "eval/label_analysis.h"

namespace polar::eval {

/// The analysis of a figure says how it is shown: "counts" as a number, "p_value" as a probability; every other one is
/// a share, or a difference of shares, and shown in percent, with its n where that is not the level's count "examples".
/// Its set says of what it is: one of several ways to run the control, or "all" where there is one. A note says what a
/// reader must know of it.
struct ControlReport {
  std::string name;   ///< of the files: "sampling"
  std::string title;  ///< "Sampling control of ladder"
  std::string text;   ///< what the figures say, in one paragraph
  std::vector<LabelFigure> figures;
  std::vector<std::string> warnings = {};  ///< for the console alone
  std::vector<std::string> remarks = {};   ///< a list below the tables
};

/// The figure that tells a report how many examples a level has, where they are `n`; set "all".
LabelFigure examples_figure(std::string level, std::size_t n);

/// Title and text, and for each analysis a table, levels (and sets) down and keys across, with the notes below it.
std::string control_markdown(const ControlReport& report);

/// The same tables for a terminal.
std::string control_console(const ControlReport& report);

/// Writes FOLDER/NAME.csv (labels_csv) and FOLDER/NAME.md, each atomically, and creates the folder. Throws core::Error
/// naming path and reason.
void write_control(const std::filesystem::path& folder, const ControlReport& report);

}  // namespace polar::eval
