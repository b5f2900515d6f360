"""The figures of report/labels.csv, and the page's section about them. `polar analyse` defines and computes them."""

import csv
from collections import namedtuple
from html import escape

from . import label_plots
from .data import ALL, Missing, read_text
from .markup import drawing, number, percent, table

COLUMNS = ["analysis", "set", "level", "key", "n", "value", "ci_low", "ci_high", "note"]
LabelFigure = namedtuple("LabelFigure", COLUMNS)


class Labels:
    """Figures by analysis, set of programs, level and key, in the order of the file."""

    def __init__(self, figures):
        self.figures = figures
        self.sets = list(dict.fromkeys(f.set for f in figures))
        self.levels = [*dict.fromkeys(f.level for f in figures if f.level != ALL), ALL]
        self._by_name = {}
        for figure in figures:
            self._by_name.setdefault((figure.analysis, figure.set, figure.level), {})[figure.key] = figure

    def with_searches_of(self, other):
        known = set(self.sets)
        return Labels(self.figures + [f for f in other.figures if f.set.startswith("search:") and f.set not in known])

    def group(self, analysis, level=ALL, set="all"):
        """{key: figure}; empty when there is none."""
        return self._by_name.get((analysis, set, level), {})

    def find(self, analysis, key, level=ALL, set="all"):
        return self.group(analysis, level, set).get(key)

    def depth(self):
        """Layers of the model."""
        return 1 + max((int(key.split("/")[1]) for key in self.group("layer_skip")), default=-1)


def read(path):
    """The figures of labels.csv. Raises Missing."""
    rows = list(csv.reader(read_text(path).splitlines()))
    if not rows or rows[0] != COLUMNS:
        raise Missing(f"{path.name} has other columns than {','.join(COLUMNS)}.")
    figures = []
    for line, row in enumerate(rows[1:], 2):
        try:
            analysis, programs, level, key, n, value, low, high, note = row
            figures.append(LabelFigure(analysis, programs, level, key, int(n), float(value), float(low) if low else None,
                                       float(high) if high else None, note))
        except ValueError as error:
            raise Missing(f"{path.name}, line {line}, is not a figure ({error}).") from error
    if not figures:
        raise Missing(f"{path.name} holds no figures.")
    return Labels(figures)


def read_compared(path):
    """The figures of labels.csv, and of the separate searches that `polar analyse --compare` set beside them. Raises Missing."""
    figures = read(path)
    for beside in sorted(path.parent.glob("labels-vs-*.csv")):
        figures = figures.with_searches_of(read(beside))
    return figures


def section(path):
    labels = read_compared(path)
    counts = {key: f"{figure.value:,.0f}" for key, figure in labels.group("counts").items()}
    unfinished = f" {counts['unfinished']} of the searches have not ended." if counts.get("unfinished", "0") != "0" else ""
    least, most = counts.get("rollouts_least"), counts.get("rollouts_most")
    uneven = "" if least == most else (f" Questions had {least} to {most} programs each (those of transfer's pilot more than others, searches that end "
                                       "at a hit fewer), and more find more: <code>polar analyse RUN --budget N</code> counts as many of all.")
    return (f"<p>What {counts['rollouts']} recorded trials of {counts['examples']} training and validation questions say; nothing was run "
            "for it. A valid program gave the right answer in its trial, and so some are valid by luck. A program that was not tried on a "
            f"question counts as not valid.{unfinished}{uneven} Brackets and whiskers: 95 % intervals.{others(path)}</p>\n"
            + "".join(part(labels) for part in (solvable, depth, operations, layers, variety, replay)))


def others(path):
    """Other analyses of the same run beside this one, which the page does not draw."""
    files = sorted(file.name for file in path.parent.glob("labels-*.csv") if "-vs-" not in file.name)
    names = ", ".join(f"<code>{escape(name)}</code>" for name in files)
    return f" Beside this page lie analyses of fewer trials or of another split: {names}." if names else ""


def plots(*drawings):
    return '<div class="plots">\n' + "".join(drawings) + "</div>\n"


def level_name(level):
    return "all levels" if level == ALL else escape(level or "no level")


def set_name(programs):
    if programs.startswith("search:"):
        return f"{programs[7:]}, own search"
    return {"all": "every program", "skip_only": "skips only", "loop_only": "loops only"}.get(programs, programs)


def by_level(labels, columns):
    """A table with a line a level. columns: (head, cell(level))."""
    return table(["level", *(escape(head) for head, _ in columns)],
                 [[level_name(level), *(cell(level) for _, cell in columns)] for level in labels.levels])


def by_key(labels, analysis, heads, show=percent):
    """A table with a line a level and a column a key of `heads`."""
    return by_level(labels, [(head, lambda level, key=key: show(labels.find(analysis, key, level))) for key, head in heads.items()])


def folded(title, head, lines):
    return f"<details><summary>{title}</summary>\n" + table(head, lines, tall=True) + "</details>\n"


def keys_by_level(labels, *analyses, show=percent, unit="percent"):
    """Folded tables with a line a key and a column a level. analyses: (analysis, title of the keys, title)."""
    text = ""
    for analysis, keys, title in analyses:
        if group := labels.group(analysis):
            lines = [[escape(key), *(show(labels.find(analysis, key, level)) for level in labels.levels)] for key in group]
            text += folded(f"{title}, by level ({unit})", [keys, *map(level_name, labels.levels)], lines)
    return text


def keys_by_set(labels, title, *analyses):
    """A folded table of all levels with a line a key and a column a set of programs. analyses: (analysis, show)."""
    lines = [[escape(f"{analysis} {key}"), *(show(labels.find(analysis, key, ALL, programs)) for programs in labels.sets)]
             for analysis, show in analyses for key in labels.group(analysis)]
    return folded(title, ["figure", *(escape(set_name(programs)) for programs in labels.sets)], lines) if lines else ""


def solvable(labels):
    def count(level):
        solved = labels.find("solved", "any", level)
        return solved.n if solved else "–"
    columns = [("questions", count), ("unchanged model, %", lambda level: percent(labels.find("base", "right", level)))]
    columns += [(f"{set_name(programs)}, %", lambda level, programs=programs: percent(labels.find("solved", "any", level, programs)))
                for programs in labels.sets]
    columns.append(("rescued, % of wrong", lambda level: percent(labels.find("rescued", "of_wrong", level))))
    note = ("<p>“Skips only” and “loops only” take the programs of this search that never repeat, or never skip, a layer: they are "
            "fewer than a search of that space alone would have tried.</p>\n")
    return ("<h3>Questions that some program solves</h3>\n" + by_level(labels, columns) + note
            + keys_by_set(labels, "More figures of these sets of programs, all levels (percent; layers for shortest_layers and shortest_unique)",
                          ("solved", percent), ("rescued", percent), ("solvable_within_depth", percent), ("solvable_within_extra", percent),
                          ("shortest_layers", number), ("shortest_unique", number), ("shorter_exists", percent), ("needs", percent)))


def depth(labels):
    return ("<h3>How many layer executions it takes</h3>\n" + plots(
        drawing(label_plots.by_level(labels, "solvable_within_depth", "depth allowed, percent of the model's layers",
                                     "questions solvable, percent", "lab-within"),
                "Share of questions with a valid program within a depth."),
        drawing(label_plots.shortest(labels, "lab-shortest"),
                "Layer executions of the shortest valid program: questions that the unchanged model answers right (C→C) and those it "
                "answers wrong and another program right (W→C)."),
        drawing(label_plots.by_level(labels, "valid_given_extra", "executions beyond the first of each layer", "valid, percent of tried",
                                     "lab-extra"),
                "Share of valid programs among those tried with so many extra executions."),
        drawing(label_plots.by_level(labels, "valid_given_depth", "depth, percent of the model's layers", "valid, percent of tried",
                                     "lab-depth"),
                "Share of valid programs among those tried, by executed depth (to the nearest 5 percent)."))
        + by_level(labels, [
            ("shortest C→C, layers", lambda level: number(labels.find("shortest_layers", "CC", level))),
            ("distinct", lambda level: number(labels.find("shortest_unique", "CC", level))),
            ("shortest W→C, layers", lambda level: number(labels.find("shortest_layers", "WC", level))),
            ("distinct", lambda level: number(labels.find("shortest_unique", "WC", level))),
            ("shorter than the model, % of C→C", lambda level: percent(labels.find("shorter_exists", "CC", level))),
            ("W→C, % of all wrong", lambda level: percent(labels.find("shorter_exists", "WC_of_wrong", level))),
            ("W→C, % of rescued", lambda level: percent(labels.find("shorter_exists", "WC_of_rescued", level)))])
        + keys_by_level(
            labels, ("solvable_within_depth", "depth, %", "Questions solvable within a depth"),
            ("solvable_within_extra", "extra executions", "Questions solvable within extra executions"),
            ("shortest_share", "group/layers", "Layer executions of the shortest valid program"),
            ("valid_given_extra", "extra executions", "Valid programs by extra executions"),
            ("valid_given_depth", "depth, %", "Valid programs by depth")))


def operations(labels):
    heads = {f"{what}_of_{group}": f"{head}, % of {group}"
             for what, head in (("recurrence", "repeats"), ("skip", "skips"), ("both", "does both")) for group in ("solvable", "rescued")}
    text = ("<h3>Skips and repeats</h3>\n<p>Questions whose every valid program repeats (skips) a layer, or does both; what was not tried does not "
            "count, so these are upper bounds.</p>\n" + by_key(labels, "needs", heads))
    drawings = [drawing(svg, caption) for svg, caption in (
        (label_plots.segments_at(labels, "lab-at"),
         "Segments of valid programs by length and first layer, in percent of the segments with that operation."),
        (label_plots.consecutive(labels, "lab-consecutive"),
         "Segments of valid programs by length and by the consecutive layers with the same operation that they lie in."),
        (label_plots.repeats(labels, "lab-repeats"), "Extra runs of a repeated segment; tried: all that the search tried."))
        if svg]
    return text + (plots(*drawings) if drawings else "") + keys_by_level(
        labels, ("shortest_uses", "operation", "Operations of the shortest valid program"),
        ("segment_length", "operation/programs/layers", "Layers a segment"),
        ("segment_runs", "programs/extra runs", "Extra runs a repeated segment"),
        ("consecutive_layers", "operation/programs/layers/consecutive", "Segment length by consecutive layers"))


def layers(labels):
    if not labels.group("layer_skip"):
        return ""
    return "<h3>Which layers</h3>\n" + plots(
        drawing(label_plots.layer_rates(labels, "lab-rates"),
                "Share of changed programs that skip or repeat each layer: valid ones, all that were tried, and all that the search space "
                "offers, each program alike."),
        drawing(label_plots.layer_ratios(labels, "lab-ratios"),
                "Rate among valid programs over the rate among those tried and those offered. White: as often; red: more often; blue: less.")
    ) + ("" if any(key.startswith("offered/") for key in labels.group("layer_skip")) else
         "<p>What the search space offers is not known: it is too large to count, or not recorded.</p>\n"
    ) + keys_by_level(labels, ("layer_skip", "programs/layer", "Programs that skip each layer"),
                      ("layer_repeat", "programs/layer", "Programs that repeat each layer")
    ) + keys_by_level(labels, ("layer_skip_ratio", "over/layer", "Skips of each layer among valid programs over those tried or offered"),
                      ("layer_repeat_ratio", "over/layer", "Repeats of each layer, likewise"), show=number, unit="ratio")


def variety(labels):
    drawings = [drawing(label_plots.valid_counts(labels, "lab-counts"), "Questions by the number of their valid programs.")]
    cover = labels.group("cover")
    if cover:
        drawings.append(drawing(label_plots.by_level(labels, "cover", "programs", "questions covered, percent", "lab-cover"),
                                "Share of questions for which one of k programs is valid; programs chosen greedily on the same questions."))
    overlap = {key: f"{100 * figure.value:.1f} %" for key, figure in labels.group("overlap").items()}
    text = ""
    if "valid_elsewhere" in overlap:
        text = (f"<p>A changed program that is valid for one question is valid for {overlap['valid_elsewhere']} of the others that tried it; "
                f"of all tried ones {overlap['expected']} are valid."
                + (f" Two questions' sets of valid programs overlap by {overlap['jaccard']} (Jaccard)." if "jaccard" in overlap else "")
                + "</p>\n")
    if cover:
        text += ("<details><summary>Programs of the cover</summary>\n" + table(
            ["k", "program", "covered, %"], [[key, f"<code>{escape(figure.note)}</code>", percent(figure)] for key, figure in cover.items()],
            text_columns=(0, 1)) + "</details>\n")
    forms = {"paper": "run at most twice, %", "repeat-3": "three times, %", "repeat-4": "four times, %", "repeat-5": "five times, %",
             "any_runs": "any number, %", "predictor": "this run's predictor, %"}
    emittable = by_key(labels, "emittable", {key: head for key, head in forms.items() if labels.find("emittable", key)})
    return ("<h3>How many programs, and how alike</h3>\n" + plots(*drawings) + text + by_level(labels, [
        ("valid programs a question", lambda level: number(labels.find("valid_programs", "mean_all", level))),
        ("a solvable one", lambda level: number(labels.find("valid_programs", "mean_solvable", level))),
        ("entropy of their segments, bits", lambda level: number(labels.find("edit_entropy", "valid", level))),
        ("Gini coefficient", lambda level: number(labels.find("edit_gini", "valid", level)))])
        + ("<p>Valid changed programs that a predictor of segments can emit (at most four layers a segment):</p>\n" + emittable
           if labels.group("emittable") else "")
        + keys_by_level(labels, ("valid_programs_share", "valid programs", "Questions by number of valid programs"),
                        ("cover", "programs", "Questions covered by k programs"), ("overlap", "share", "Overlap of valid programs"),
                        ("edit_entropy_share", "programs", "Entropy of segments in percent of the largest possible"),
                        ("no_parse", "programs", "Programs outside segment form"),
                        ("emittable_examples", "predictor", "Solvable questions with a valid program that a predictor can emit"))
        + keys_by_level(labels, ("edit_entropy", "programs", "Entropy of segments"), show=number, unit="bits")
        + keys_by_level(labels, ("edit_gini", "programs", "Gini coefficient of segments"), show=number, unit="from 0 to 1"))


def replay(labels):
    if not labels.group("replay_solved"):  # the order of trials is not known
        return ""
    return "<h3>With a smaller budget</h3>\n" + plots(
        drawing(label_plots.by_set(labels, "replay_solved", "lab-replay", set_name),
                "Share of questions solved within the first r recorded trials, by the programs that count."),
        drawing(label_plots.by_level(labels, "replay_solved", "trials per question", "questions solved, percent", "lab-replay-levels",
                                     logarithmic=True), "The same by level, every program counted.")
    ) + keys_by_level(labels, ("replay_solved", "trials", "Questions solved within the first trials"),
                      ("replay_shorter", "trials", "Questions with a shorter valid program within the first trials, of those right unchanged"))
