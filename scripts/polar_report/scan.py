"""What `polar scan` wrote, as heat maps and a page. Rows: first layer of the block; columns: its last layer."""

import csv
import io
import math
from collections import namedtuple
from html import escape
from pathlib import Path

from matplotlib.colors import TwoSlopeNorm

from .data import ALL, Missing, read_text
from .markup import drawing, table
from .plots import plain, plt, svg

COLUMNS = ["mode", "first", "last", "layers", "program", "level", "n", "accuracy", "accuracy_low", "accuracy_high", "to_right",
           "to_wrong", "change", "change_low", "change_high", "p", "p_holm", "log_prob_change", "log_prob_low", "log_prob_high"]
WHOLE = {"first", "last", "layers", "n", "to_right", "to_wrong"}
TEXT = {"mode", "program", "level"}
MAY_BE_EMPTY = {"first", "last", "change_low", "change_high", "log_prob_low", "log_prob_high"}
Row = namedtuple("Row", COLUMNS)
MODES = ("repeat", "skip")
BEST = 10
# measure -> factor, colour bar, what a heat map of it shows, decimals
MEASURES = {"change": (100, "accuracy, points", "Change of accuracy, in points", 1),
            "log_prob_change": (1, "log-probability", "Mean change of the answer's log-probability (natural logarithm)", 3)}


def value_of(name, text):
    if name in TEXT:
        return text
    if name in MAY_BE_EMPTY and not text:
        return None
    return int(text) if name in WHOLE else float(text)


def read(path):
    """The rows of scan.csv. None: first and last of the identity, and limits where nothing varies. Raises Missing."""
    lines = list(csv.reader(read_text(path).splitlines()))
    if not lines or lines[0] != COLUMNS:
        raise Missing(f"{path.name} has other columns than {','.join(COLUMNS)}.")
    rows = []
    for number, line in enumerate(lines[1:], 2):
        try:
            values = dict(zip(COLUMNS, line, strict=True))
            rows.append(Row(**{name: value_of(name, value) for name, value in values.items()}))
        except ValueError as error:
            raise Missing(f"{path.name}, line {number}, is not a row of a scan ({error}).") from error
    if not any(row.mode == "identity" and row.level == ALL for row in rows):
        raise Missing(f"{path.name} holds no row of the identity over all levels.")
    return rows


def of_level(rows, level):
    return [row for row in rows if row.level == level]


def depth(rows):
    """Layers of the model: those of the identity."""
    return next(row.layers for row in rows if row.mode == "identity")


def grid(rows, mode, measure):
    """[first][last] of the measure; NaN where there is no such block."""
    size = depth(rows)
    cells = [[math.nan] * size for _ in range(size)]
    for row in rows:
        if row.mode == mode:
            cells[row.first][row.last] = MEASURES[measure][0] * getattr(row, measure)
    return cells


def heat_maps(rows, measure):
    """A figure with a panel a mode, on one scale around 0: white is no change. Long blocks ruin what short ones
    hardly touch, so the scale ends at the largest gain or at the median change, whichever is more."""
    grids = {mode: grid(rows, mode, measure) for mode in MODES}
    values = sorted(abs(v) for cells in grids.values() for line in cells for v in line if not math.isnan(v))
    gains = [v for cells in grids.values() for line in cells for v in line if v > 0]
    reach = max(values[(len(values) - 1) // 2] if values else 0, max(gains, default=0)) or 1
    figure, axes = plt.subplots(1, len(MODES), figsize=(9.6, 4.2), sharey=True)
    for panel, (mode, cells) in zip(axes, grids.items()):
        image = panel.imshow(cells, cmap="RdBu", norm=TwoSlopeNorm(0, -reach, reach), interpolation="nearest")
        panel.set_title(f"{mode} once" if mode == "repeat" else mode, fontsize=10)
        panel.set_xlabel("last layer of the block")
        panel.set_facecolor("#c9ced4")
        panel.grid(visible=False)
    axes[0].set_ylabel("first layer of the block")
    figure.colorbar(image, ax=axes, label=MEASURES[measure][1], extend="both", pad=0.02, shrink=0.85)
    return figure


def png(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=160, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
    return buffer.getvalue()


def signed(value, low, high, factor, digits):
    text = f"{factor * value:+.{digits}f}"
    if None not in (low, high):
        text += f" [{factor * low:+.{digits}f}, {factor * high:+.{digits}f}]"
    return text.replace("-", "−")


def best_table(rows, mode):
    """The best blocks of a mode, in the order of scan.md: equal ones in that of the rows."""
    own = sorted((row for row in rows if row.mode == mode), key=lambda row: (-row.accuracy, -row.log_prob_change))[:BEST]
    return table(["program", "block", "layers", "right, %", "change, points", "wrong → right", "right → wrong", "p, Holm",
                  "log-probability"],
                 [[f"<code>{escape(row.program)}</code>", "–" if row.first is None else f"{row.first}–{row.last}", row.layers,
                   f"{100 * row.accuracy:.1f}", signed(row.change, row.change_low, row.change_high, 100, 1), row.to_right, row.to_wrong,
                   f"{row.p_holm:.2g}", signed(row.log_prob_change, row.log_prob_low, row.log_prob_high, 1, 3)] for row in own])


def level_part(rows, level, place):
    own = of_level(rows, level)
    identity = next(row for row in own if row.mode == "identity")
    name = "All levels" if level == ALL else escape(level or "no level")
    text = (f"<h2>{name}</h2>\n<p>{identity.n} questions; the unchanged model answers {100 * identity.accuracy:.1f} % "
            f"[{100 * identity.accuracy_low:.1f}, {100 * identity.accuracy_high:.1f}] right.</p>\n")
    for measure, (_, _, caption, _) in MEASURES.items():
        text += drawing(svg(heat_maps(own, measure), f"m{place}{measure}"),
                        f"{caption} against the unchanged model. Blue: better; red: worse; grey: no such block.")
    return text + "".join(f"<h3>Best of {sum(row.mode == mode for row in own)} {mode}s</h3>\n" + best_table(own, mode) for mode in MODES)


def page(rows, title):
    """The page as text."""
    levels = [ALL, *dict.fromkeys(row.level for row in rows if row.level != ALL)]
    if len(levels) == 2:
        levels = levels[:1]
    style = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
    heading = escape(f"Scan of blocks: {title}")
    return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{heading}</title>\n'
            f"<style>\n{style}\nfigure {{ max-width: 60rem; }}</style></head>\n<body>\n<h1>{heading}</h1>\n"
            "<p>Every contiguous block of layers repeated once, and skipped once, on the same questions. Brackets hold 95 % intervals, which there "
            "are none of where nothing varies; p: McNemar's exact test, corrected (Holm) over all programs of the level. The best of many "
            "programs looks better than it is on the questions it was chosen on.</p>\n"
            + "".join(level_part(rows, level, place) for place, level in enumerate(levels)) + "</body></html>\n")
