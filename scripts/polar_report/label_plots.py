"""Plots of the label figures, as SVG text."""

import math

from matplotlib.colors import TwoSlopeNorm

from .data import ALL
from .plots import WIDTH, plain, plt, svg

SET_COLOURS = {"all": "#111", "skip_only": "#d98e04", "loop_only": "#0072b2"}
MORE_COLOURS = ["#009e73", "#cc79a7", "#d55e00", "#56b4e9"]


def legend(figure, axes, columns=2):
    figure.legend(*axes.get_legend_handles_labels(), loc="lower center", bbox_to_anchor=(0.5, 1), ncols=columns)
    figure.tight_layout()


def line(axes, figures, colour, label, wide=False, band=False):
    """figures: {key: figure}, keys that are numbers; others end the axis and are left out."""
    points = sorted((float(key), figure) for key, figure in figures.items() if key.replace(".", "", 1).isdigit())
    if not points:
        return
    x = [key for key, _ in points]
    axes.plot(x, [100 * figure.value for _, figure in points], color=colour, linewidth=2.2 if wide else 1.2, label=label, marker="o",
              markersize=3.5 if wide else 2.5)
    if band:  # a gap where nothing varies
        axes.fill_between(x, *([math.nan if bound is None else 100 * bound for bound in bounds]
                               for bounds in zip(*((figure.ci_low, figure.ci_high) for _, figure in points))),
                          color=colour, alpha=0.12, linewidth=0)


def by_level(labels, analysis, x_label, y_label, name, logarithmic=False):
    """A line a level, and all levels with their interval."""
    figure, axes = plt.subplots(figsize=(WIDTH, 3.2))
    levels = [level for level in labels.levels if level != ALL]
    if len(levels) > 1:
        for i, level in enumerate(levels):
            line(axes, labels.group(analysis, level), plt.get_cmap("viridis")(0.9 * i / (len(levels) - 1)), plain(level) or "no level")
    line(axes, labels.group(analysis), "#111", "all levels", wide=True, band=True)
    finish(axes, x_label, y_label, logarithmic)
    legend(figure, axes)
    return svg(figure, name)


def by_set(labels, analysis, name, shown):
    """A line for each set of programs, all levels."""
    figure, axes = plt.subplots(figsize=(WIDTH, 3.2))
    others = [programs for programs in labels.sets if programs not in SET_COLOURS]
    for programs in labels.sets:
        colour = SET_COLOURS.get(programs) or MORE_COLOURS[others.index(programs) % len(MORE_COLOURS)]
        line(axes, labels.group(analysis, ALL, programs), colour, plain(shown(programs)), wide=programs == "all", band=True)
    finish(axes, "trials per question", "questions solved, percent", logarithmic=True)
    legend(figure, axes)
    return svg(figure, name)


def finish(axes, x_label, y_label, logarithmic):
    axes.set_ylim(bottom=0)
    if logarithmic:
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    elif axes.get_xlim()[1] - axes.get_xlim()[0] < 20:
        axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)


def shortest(labels, name):
    """Bars of the shortest valid program's executions, C→C and W→C."""
    figure, axes = plt.subplots(figsize=(WIDTH, 3.2))
    for i, (group, label, colour) in enumerate((("CC", "C→C", "#0072b2"), ("WC", "W→C", "#d98e04"))):
        found = {int(key.split("/")[1]): f for key, f in labels.group("shortest_share").items() if key.startswith(group + "/")}
        if found:
            axes.bar([depth + 0.4 * i - 0.2 for depth in found], [100 * f.value for f in found.values()], width=0.4, color=colour,
                     label=f"{label} ({next(iter(found.values())).n})")
    if labels.depth():
        axes.axvline(labels.depth(), color="#5b6470", linewidth=1, linestyle="--", label="the model's layers")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("layer executions of the shortest valid program")
    axes.set_ylabel("questions, percent")
    axes.grid(axis="x", visible=False)
    legend(figure, axes, 3)
    return svg(figure, name)


def pairs(labels, analysis, operation, pool="valid"):
    """{(a, b): percent} of keys OPERATION/POOL/a/b."""
    found = {}
    for key, figure in labels.group(analysis).items():
        parts = key.split("/")
        if parts[:2] == [operation, pool]:
            found[int(parts[2]), int(parts[3])] = 100 * figure.value
    return found


def heat_maps(maps, shape, x_label, name, first_x=0, numbers=False):
    """maps: [(title, {(row, column): value})], rows from 1; None when all are empty."""
    maps = [(title, values) for title, values in maps if values]
    if not maps:
        return None
    rows, columns = shape
    figure, all_axes = plt.subplots(len(maps), 1, figsize=(WIDTH, 0.35 + (0.55 + 0.26 * rows) * len(maps)), squeeze=False)
    for axes, (title, values) in zip(all_axes[:, 0], maps):
        grid = [[values.get((row + 1, column + first_x), math.nan) for column in range(columns)] for row in range(rows)]
        image = axes.imshow(grid, aspect="auto", cmap="viridis", vmin=0, extent=(first_x - 0.5, first_x + columns - 0.5, rows + 0.5, 0.5))
        axes.set_yticks(range(1, rows + 1))
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_title(title, fontsize=9, loc="left")
        axes.set_ylabel("length")
        axes.grid(visible=False)
        figure.colorbar(image, ax=axes, label="percent", pad=0.02)
        if numbers:
            middle = max(values.values()) / 2
            for (row, column), value in values.items():
                axes.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=8, color="#fff" if value < middle else "#111")
    all_axes[-1, 0].set_xlabel(x_label)
    figure.tight_layout()
    return svg(figure, name)


def segments_at(labels, name):
    maps = [(title, pairs(labels, "segment_at", operation)) for title, operation in (("repeated", "repeat"), ("skipped", "skip"))]
    rows = max((length for _, values in maps for length, _ in values), default=1)
    return heat_maps(maps, (rows, labels.depth()), "first layer of the segment", name)


def consecutive(labels, name):
    maps = [(title, pairs(labels, "consecutive_layers", operation)) for title, operation in (("repeated", "repeat"), ("skipped", "skip"))]
    rows = max((length for _, values in maps for length, _ in values), default=1)
    columns = max((layers for _, values in maps for _, layers in values), default=1)
    return heat_maps(maps, (rows, columns), "consecutive layers with the same operation", name, first_x=1, numbers=True)


def repeats(labels, name):
    """Bars of extra runs a repeated segment, valid beside tried; None when nothing was repeated."""
    if not labels.group("segment_runs"):
        return None
    figure, axes = plt.subplots(figsize=(WIDTH, 2.6))
    most = max(int(key.split("/")[1]) for key in labels.group("segment_runs"))
    for i, (pool, colour) in enumerate((("shortest", "#0072b2"), ("valid", "#009e73"), ("tried", "#b3b3b3"))):
        found = {int(key.split("/")[1]): f for key, f in labels.group("segment_runs").items() if key.startswith(pool + "/")}
        axes.bar([runs + 0.27 * (i - 1) for runs in found], [100 * f.value for f in found.values()], width=0.27, color=colour, label=pool)
    axes.set_xticks(range(1, most + 1))
    axes.set_xlim(0, most + 1)
    axes.set_xlabel("extra runs of a repeated segment")
    axes.set_ylabel("segments, percent")
    axes.grid(axis="x", visible=False)
    legend(figure, axes, 3)
    return svg(figure, name)


def layer_values(labels, analysis, kind):
    """A number a layer, NaN where there is none; None when there is none at all."""
    found = [labels.find(analysis, f"{kind}/{layer}") for layer in range(labels.depth())]
    return [f.value if f else math.nan for f in found] if any(found) else None


def layer_rows(labels, rows, scale, image_options, colour_label, name):
    """A heat map with a row for each (label, analysis, kind) that has figures."""
    shown = [(label, values) for label, analysis, kind in rows if (values := layer_values(labels, analysis, kind))]
    figure, axes = plt.subplots(figsize=(WIDTH, 0.9 + 0.28 * max(1, len(shown))))
    image = axes.imshow([[scale * v for v in values] for _, values in shown] or [[math.nan] * labels.depth()], aspect="auto",
                        **image_options)
    axes.set_yticks(range(len(shown)), [label for label, _ in shown])
    axes.set_xlabel("layer")
    axes.grid(visible=False)
    figure.colorbar(image, ax=axes, label=colour_label, pad=0.02)
    figure.tight_layout()
    return svg(figure, name)


def layer_rates(labels, name):
    rows = [(f"{label}, {kind}", analysis, kind) for label, analysis in (("skipped", "layer_skip"), ("repeated", "layer_repeat"))
            for kind in ("valid", "tried", "offered")]
    return layer_rows(labels, rows, 100, {"cmap": "viridis", "vmin": 0}, "percent of programs", name)


def layer_ratios(labels, name):
    rows = [(f"{label}, to {kind}", analysis, kind) for label, analysis in
            (("skipped", "layer_skip_ratio"), ("repeated", "layer_repeat_ratio")) for kind in ("tried", "offered")]
    return layer_rows(labels, rows, 1, {"cmap": "RdBu_r", "norm": TwoSlopeNorm(1, 0, 2)}, "ratio", name)


def valid_counts(labels, name):
    figures = labels.group("valid_programs_share")
    figure, axes = plt.subplots(figsize=(WIDTH, 3.2))
    places = range(len(figures))
    errors = [[100 * (f.value - f.ci_low) for f in figures.values()], [100 * (f.ci_high - f.value) for f in figures.values()]]
    axes.bar(places, [100 * f.value for f in figures.values()], yerr=errors, color="#009e73",
             error_kw={"elinewidth": 0.8, "ecolor": "#222"})
    axes.set_xticks(places, figures)
    axes.set_xlabel("valid programs of a question")
    axes.set_ylabel("questions, percent")
    axes.grid(axis="x", visible=False)
    figure.tight_layout()
    return svg(figure, name)
