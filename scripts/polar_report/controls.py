"""The page's section about the controls of the search, from whatever RUN/controls/*.csv there are. `polar control` defines and computes
the figures; every control has the same form, so that this file knows none of them."""

from html import escape

from . import labels
from .data import ALL, Missing, read_text
from .markup import number, p_cell, percent, table


class Control:
    """Figures of one control (labels.Labels) with its title and what they say."""

    def __init__(self, path):
        self.figures = labels.read(path)
        self.title, self.sentence = words(path.with_suffix(".md"), path.stem)
        self.analyses = {}  # analysis → its keys; every control's sets are ways to run it, so they are part of the key
        for figure in self.figures.figures:
            keys = self.analyses.setdefault(figure.analysis, [])
            if (figure.set, figure.key) not in keys:
                keys.append((figure.set, figure.key))

    def questions(self, level=ALL):
        """The figure; None where they were not counted."""
        return self.figures.find("counts", "examples", level)


def words(path, stem):
    """Title and first paragraph of the control's Markdown; the file's name and nothing where there is none."""
    try:
        paragraphs = [part.strip() for part in read_text(path).split("\n\n")]
    except Missing:
        return stem, ""
    title = paragraphs[0].removeprefix("# ") if paragraphs[0].startswith("# ") else stem
    return title, " ".join(paragraphs[1].split()) if len(paragraphs) > 1 and not paragraphs[1].startswith(("#", "|")) else ""


def is_figures(path):
    return read_text(path).split("\n", 1)[0] == ",".join(labels.COLUMNS)


def section(folder):
    """`folder`: RUN/controls. Lists beside the figures (say, of flipped labels) have other columns and are left to their readers."""
    found = [Control(path) for path in sorted(folder.glob("*.csv")) if is_figures(path)]
    if not found:
        raise Missing("controls/ holds no figures: polar control sampling RUN, or another control, makes them.")
    lines = [[escape(control.title), number(control.questions(), 0), headline(control)] for control in found]
    return ("<p>The best of many programs, chosen with the answer known, is partly a lottery. Controls say how much of it. Brackets: 95 % "
            "intervals; n: where not every question counts.</p>\n" + table(["control", "questions", "all levels, %"], lines, text_columns=(0, 2))
            + "".join(details(control) for control in found))


def headline(control):
    """Every figure of all levels but counts, a line each."""
    lines = [f"{escape(analysis.replace('_', ' '))}, {escape(head(programs, key))}: <b>{cell(control, analysis, programs, key, ALL)}</b>"
             for analysis, keys in control.analyses.items() if analysis != "counts" for programs, key in keys
             if control.figures.find(analysis, key, ALL, programs)]
    return "<br>".join(lines)


def details(control):
    text = f"<h3>{escape(control.title)}</h3>\n<p>{escape(control.sentence)}</p>\n"
    for analysis, keys in control.analyses.items():
        text += table([f"{heading(analysis)}, by level", *(escape(head(programs, key)) for programs, key in keys)],
                      [[labels.level_name(level), *(cell(control, analysis, programs, key, level) for programs, key in keys)]
                       for level in control.figures.levels])
        text += notes(control, analysis)
    return text


def heading(analysis):
    name = escape(analysis.replace("_", " "))
    return name if analysis in ("counts", "p_value") else f"{name}, %"


def head(programs, key):
    return key if programs == "all" else f"{programs}, {key}"


def cell(control, analysis, programs, key, level):
    """Counts are numbers, p-values probabilities, and everything else shares, with their n where not every question counts."""
    figure = control.figures.find(analysis, key, level, programs)
    if analysis == "counts":
        return number(figure, 0 if figure is None or figure.value == int(figure.value) else 1)
    if analysis == "p_value" or figure is None:
        return p_cell(figure)
    questions = control.questions(level)
    return percent(figure) + ("" if questions and questions.n == figure.n else f" (n = {figure.n})")


def notes(control, analysis):
    lines = [f"<li>{labels.level_name(figure.level)}, {escape(head(figure.set, figure.key))}: {escape(figure.note)}</li>"
             for figure in control.figures.figures if figure.analysis == analysis and figure.note]
    return f"<ul>{''.join(lines)}</ul>\n" if lines else ""
