"""What was chosen on training and validation questions, and what training recorded."""

from html import escape

from . import data, plots
from .markup import drawing, table


def section(path):
    """`path`: selection.json of a run."""
    chosen = data.read_json(path)
    parts = ["<p>Chosen on training and validation questions, before any test question was opened.</p>\n"]
    names = sorted(chosen, key=lambda name: (name == "cascade", name))
    menus = {name: chosen[name] for name in names if name.split("_")[0] in ("menu", "cascade") and chosen[name].get("chosen")}
    if menus:
        parts.append("<h3>Menu policies and cascade</h3>\n" + menu_table(menus))
    menu = chosen.get("menu") or {}
    if menu.get("reliability"):
        parts.append(reliability(menu["reliability"]))
    if menu.get("static_ranking"):
        parts.append("<h3>Best fixed programs</h3>\n" + table(
            ["program", "learnt from, % right", "training, % right", "validation, % right"],
            [[f'<code>{escape(entry["program"])}</code>', *(tenths(entry.get(key)) for key in ("accuracy", "train_accuracy", "valid_accuracy"))]
             for entry in menu["static_ranking"][:5]]))
    predictors = {"all levels": chosen.get("predictor") or {}}
    predictors.update({entry["level"]: entry for entry in chosen.get("level_predictors") or []})
    if predictors["all levels"]:
        parts.append("<h3>Predictor</h3>\n" + predictor_table(predictors))
    if chosen.get("routers"):
        parts.append("<h3>Learned routers</h3>\n" + router_table(chosen["routers"]))
    return "".join(parts)


def menu_table(menus):
    lines = []
    for name, entry in menus.items():
        point, limit = entry["chosen"], entry.get("depth_limit")
        settings = ", ".join(f"{escape(key.replace('_', ' '))} {plain(value)}" for key, value in point.items()
                             if key not in ("accuracy", "depth_ratio", "identity_share"))
        lines.append([escape(name.replace("_", " ")), tenths(point["accuracy"]), tenths(point.get("depth_ratio")), tenths(point.get("identity_share")),
                      "none" if limit is None else plain(limit) + ("" if entry.get("within_limit", True) else " (none tried is within it)"),
                      settings])
    return table(["policy", "right, %", "layers of the base, %", "the identity, %", "limit of layers", "chosen"], lines, text_columns=(0, 5))


def reliability(measured):
    named = (("scores as fitted", "before"), ("calibrated", "after"))
    curves = {label: measured[key]["bins"] for label, key in named if key in measured}
    pairs = sum(each["count"] for each in curves["scores as fitted"])
    error = f"{100 * measured['before']['error']:.1f} points as fitted"
    if "after" in measured:
        error += f", {100 * measured['after']['error']:.1f} points calibrated, each pair by pairs of other problems"
    return drawing(plots.reliability(curves, "reliability"),
                   f"How well the menu's probabilities keep their word, on {pairs:,} pairs of a question and a program that the scorer was not "
                   f"fitted on. Expected calibration error: {error}.")


def predictor_table(predictors):
    lines = []
    for level, entry in predictors.items():
        programs = entry.get("programs") or 0
        shares = (entry.get("unemittable_shares") or {}).get("train") or {}
        lines.append([escape(level), f"{programs:,}", tenths(entry.get("programs_used", 0) / programs if programs else None),
                      *(tenths(shares.get(key)) for key in ("dropped", "cropped", "cropped_valid")), plain(entry.get("best_epoch")),
                      plain(entry.get("boundary_threshold"))])
    return table(["learnt from", "valid programs", "learnt, %", "dropped: none it can emit, %", "cropped, %", "of all, valid as cropped, %", "epoch kept",
                  "boundary threshold"], lines)


def router_table(routers):
    lines = []
    for name, entry in routers.items():
        own, labels = entry.get("valid") or {}, (entry.get("labels") or {}).get("train") or {}
        f1 = entry.get("valid_f1") or {}
        lines.append([escape(name), plain(entry.get("train_examples")), tenths(labels.get("replaced_share")), tenths(labels.get("dropped_share")),
                      *(hundredths(f1.get(key)) for key in ("skip", "execute", "repeat")), hundredths(own.get("layers")), tenths(own.get("identity"))])
    return table(["router", "labels", "label replaced, %", "no label it can make, %", "F1 skip", "execute", "repeat", "layers on validation",
                  "the identity, %"], lines)


def tenths(value):
    return "–" if value is None else f"{100 * value:.1f}"


def hundredths(value):
    return "–" if value is None else f"{value:.2f}"


def plain(value):
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else escape(str(value))
