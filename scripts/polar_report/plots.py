"""Plots as SVG text. Narrow, so that they stay readable on a phone."""

import io
import re

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import matplotlib.ticker

from .data import ALL

WIDTH = 4.8  # inches
COLOURS = {"base": "#5b6470", "static_best": "#d98e04", "predictor": "#0072b2", "menu": "#009e73", "random": "#b3b3b3",
           "oracle": "#cc79a7"}
MORE_COLOURS = ["#d55e00", "#56b4e9", "#8c6d31", "#6a3d9a"]

plt.rcParams.update({
    "font.size": 9, "font.family": "sans-serif", "svg.fonttype": "none", "axes.spines.top": False,
    "axes.spines.right": False, "axes.edgecolor": "#8a929c", "axes.grid": True, "grid.color": "#e6e9ed",
    "axes.axisbelow": True, "legend.frameon": False, "legend.fontsize": 8.5,
})


def plain(name):
    """A name from the data as matplotlib shows it: no formula between dollar signs, and not left out of the legend as names with a
    leading underscore are."""
    return (" " if name.startswith("_") else "") + name.replace("$", r"\$")


def shown(policy):
    return plain(policy.replace("_", " "))


def colour(policy, policies):
    others = [p for p in policies if p not in COLOURS]
    return COLOURS.get(policy) or MORE_COLOURS[others.index(policy) % len(MORE_COLOURS)]


def svg(figure, name):
    """The figure as an <svg> element without a fixed size; ids are made unique by `name`."""
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", bbox_inches="tight", pad_inches=0.05, metadata={"Date": None})
    plt.close(figure)
    text = buffer.getvalue()
    text = text[text.index("<svg"):]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r'(id="|url\(#|href="#)', lambda m: m.group(1) + name + "-", text)
    return re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1), count=1)


def whiskers(figure):
    return (100 * (figure.value - figure.ci_low), 100 * (figure.ci_high - figure.value)) if figure.ci_low is not None else (0, 0)


def accuracy(results, split, name):
    """Horizontal bars: a group for each level, a bar for each policy."""
    policies, levels = results.policies(split), results.levels(split)
    if levels[:-1] and len(levels) == 2:
        levels = levels[:1]
    step = len(policies) + 1
    figure, axes = plt.subplots(figsize=(WIDTH, 0.9 + 0.125 * step * len(levels)))
    for i, policy in enumerate(policies):
        places, values, errors = [], [], []
        for j, level in enumerate(levels):
            found = results.find(policy, split, "pass@k", level)
            if found:
                places.append(j * step + i)
                values.append(100 * found.value)
                errors.append(whiskers(found))
        oracle = policy in results.oracles
        axes.barh(places, values, height=0.92, xerr=list(zip(*errors)) if errors else None,
                  color=colour(policy, policies), alpha=0.45 if oracle else 1, hatch="///" if oracle else None,
                  edgecolor="white", linewidth=0.4, error_kw={"elinewidth": 0.8, "ecolor": "#222"},
                  label=shown(policy) + (" (knows the answer)" if oracle and policy != "oracle" else ""))
    axes.set_yticks([j * step + (len(policies) - 1) / 2 for j in range(len(levels))],
                    ["all levels" if level == ALL else plain(level) for level in levels])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.set_ylim(len(levels) * step - 1, -1)
    axes.set_xlim(0, 100)
    axes.set_xlabel("right answers, percent")
    figure.legend(*axes.get_legend_handles_labels(), loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3)
    figure.tight_layout()
    return svg(figure, name)


def depth(results, split, name):
    """Each policy's accuracy against its depth ratio, over all levels."""
    figure, axes = plt.subplots(figsize=(WIDTH, 3.4))
    policies = results.policies(split)
    for policy in policies:
        x, y = results.find(policy, split, "depth_ratio"), results.find(policy, split, "pass@k")
        if not x or not y:
            continue
        oracle = policy in results.oracles
        x_error = [[100 * (x.value - x.ci_low)], [100 * (x.ci_high - x.value)]] if x.ci_low is not None else None
        axes.errorbar(100 * x.value, 100 * y.value, xerr=x_error, yerr=[[e] for e in whiskers(y)],
                      fmt="D" if oracle else "o", mfc="white" if oracle else None, color=colour(policy, policies),
                      elinewidth=0.9, markersize=6, label=shown(policy))
    axes.margins(0.15)
    axes.set_xlabel("layer executions a token, percent of the model's layers")
    axes.set_ylabel("right answers, percent")
    figure.legend(*axes.get_legend_handles_labels(), loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3)
    figure.tight_layout()
    return svg(figure, name)


def operations(rates, name):
    """Heat map: layers across, skipped and repeated down."""
    names = ["skipped, valid", "skipped, tried", "repeated, valid", "repeated, tried"]
    figure, axes = plt.subplots(figsize=(WIDTH, 2.3))
    image = axes.imshow([[100 * v for v in rates[n]] for n in names], aspect="auto", cmap="viridis", vmin=0)
    axes.set_yticks(range(len(names)), names)
    axes.axhline(1.5, color="white", linewidth=2)
    axes.set_xlabel("layer")
    axes.grid(visible=False)
    figure.colorbar(image, ax=axes, label="percent of programs", pad=0.02)
    figure.tight_layout()
    return svg(figure, name)


def progress(curves, name):
    """Share of examples solved against programs tried."""
    figure, axes = plt.subplots(figsize=(WIDTH, 3.2))
    levels = [level for level in curves if level != ALL]
    if len(levels) > 1:
        for i, level in enumerate(levels):
            shade = plt.get_cmap("viridis")(0.9 * i / (len(levels) - 1))
            axes.plot(range(1, len(curves[level]) + 1), [100 * v for v in curves[level]], color=shade, linewidth=1.2,
                      label=plain(level) or "no level")
    axes.plot(range(1, len(curves[ALL]) + 1), [100 * v for v in curves[ALL]], color="#111", linewidth=2.2,
              label="all levels")
    axes.set_ylim(0, 102)
    axes.set_xlim(left=1)
    axes.set_xlabel("programs tried per example")
    axes.set_ylabel("examples solved, percent")
    figure.legend(*axes.get_legend_handles_labels(), loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    figure.tight_layout()
    return svg(figure, name)


def reliability(curves, name):
    """Outcomes against the probability they were given; `curves`: by label, bins of count, probability and outcome."""
    figure, axes = plt.subplots(figsize=(WIDTH, 3.2))
    axes.plot([0, 100], [0, 100], color="#b3b3b3", linewidth=1, linestyle="--", label="perfect")
    for (label, bins), shade in zip(curves.items(), ("#d98e04", "#009e73")):
        full = [each for each in bins if each["count"]]
        axes.plot([100 * each["probability"] for each in full], [100 * each["outcome"] for each in full], color=shade, marker="o",
                  markersize=4, label=label)
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    axes.set_xlabel("probability given, percent")
    axes.set_ylabel("right answers, percent")
    axes.legend()
    figure.tight_layout()
    return svg(figure, name)


def sizes(curves, base, name):
    """Accuracy against how much was learnt from; `curves`: by policy, (share, accuracy, low, high); `base`: its accuracy."""
    figure, axes = plt.subplots(figsize=(WIDTH, 3.2))
    axes.axhline(100 * base, color=COLOURS["base"], linewidth=1, linestyle="--", label="base")
    for policy, points in curves.items():
        shares, accuracies, lows, highs = (list(column) for column in zip(*sorted(points)))
        axes.plot([100 * share for share in shares], [100 * each for each in accuracies], color=colour(policy, list(curves)), marker="o",
                  markersize=4, label=shown(policy))
        axes.fill_between([100 * share for share in shares], [100 * low for low in lows], [100 * high for high in highs],
                          color=colour(policy, list(curves)), alpha=0.15, linewidth=0)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(matplotlib.ticker.FormatStrFormatter("%g"))
    axes.set_xlabel("labelled questions learnt from, percent")
    axes.set_ylabel("right answers, percent")
    axes.legend()
    figure.tight_layout()
    return svg(figure, name)


def training(curve, best_epoch, name):
    """Loss by epoch; beside it, where the training measured them, what its most probable programs are on validation."""
    of_programs = [(label, shade, points) for label, shade, key in
                   (("known to be right", "#009e73", "valid_membership"), ("the identity", "#d98e04", "valid_identity"))
                   if (points := [(point["epoch"], 100 * point[key]) for point in curve if point.get(key) is not None])]
    figure, panels = plt.subplots(ncols=2 if of_programs else 1, squeeze=False, figsize=(WIDTH, 2.9))
    axes = panels[0][0]
    epochs = [point["epoch"] for point in curve]
    axes.plot(epochs, [point["train_loss"] for point in curve], color="#5b6470", marker="o", markersize=3, label="training")
    valid = [(point["epoch"], point["valid_loss"]) for point in curve if point.get("valid_loss") is not None]
    if valid:
        axes.plot(*zip(*valid), color="#0072b2", marker="o", markersize=3, label="validation")
    if best_epoch:
        axes.axvline(best_epoch, color="#d98e04", linewidth=1, linestyle="--", label="kept")
    axes.set_ylabel("loss")
    for label, shade, points in of_programs:
        panels[0][1].plot(*zip(*points), color=shade, marker="o", markersize=3, label=label)
        panels[0][1].set_ylim(-3, 103)
        panels[0][1].set_ylabel("of the programs predicted, percent")
    for each in panels[0]:
        each.xaxis.get_major_locator().set_params(integer=True)
        each.set_xlabel("epoch")
        each.legend()
    figure.tight_layout()
    return svg(figure, name)
