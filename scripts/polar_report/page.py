"""The report's page: sections in reading order, each made from what data.py reads."""

from html import escape
from pathlib import Path

from . import controls, data, labels, plots, selection
from .data import ALL, Missing
from .markup import drawing, number, p_cell, p_text, percent, table

MAX_EXAMPLES = 8
SIGNIFICANT = 0.05


def build(run):
    """The page as text. `run`: the run's folder."""
    try:
        rows, rows_missing = data.read_json_lines(run / "evaluation.jsonl"), None
    except Missing as missing:
        rows, rows_missing = [], missing
    try:
        results, results_missing = data.Results(data.read_figures(run / "report" / "results.csv"),
                                                data.oracle_policies(rows)), None
    except Missing as missing:
        results, results_missing = None, missing

    def with_results(section, *arguments):
        def make():
            if results_missing:
                raise results_missing
            return section(results, *arguments)
        return make

    def example_rows():
        if rows_missing:
            raise rows_missing
        return examples(rows)

    sections = [("summary", "What was found", with_results(summary))]
    for split in results.splits if results else ["test"]:
        sections.append((f"split-{len(sections)}", f"Accuracy: {split}", with_results(accuracy, split, len(sections))))
    sections += [
        ("examples", "Examples on which policies differ", example_rows),
        ("layers", "Which layers valid programs skip and repeat", lambda: operations(run, rows)),
        ("search", "Search progress", lambda: search(run)),
        ("labels", "What the recorded labels say", lambda: labels.section(run / "report" / "labels.csv")),
        ("controls", "Controls of the search", lambda: controls.section(run / "controls")),
        ("training", "Training of the predictor", lambda: training(run)),
        ("selection", "What was chosen on validation", lambda: selection.section(run / "selection.json")),
        ("setup", "What was run", lambda: setup(run)),
        ("figures", "All figures", with_results(all_figures)),
    ]
    body = "".join(f'<section id="{name}"><h2>{escape(title)}</h2>\n{shielded(make)}</section>\n'
                   for name, title, make in sections)
    links = "".join(f'<a href="#{name}">{escape(title)}</a>' for name, title, _ in sections)
    style = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
    title = escape(f"Layer programs: {run.resolve().name}")
    return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
            f"<style>\n{style}</style></head>\n<body>\n<h1>{title}</h1>\n{INTRODUCTION}<nav>{links}</nav>\n{body}</body></html>\n")


INTRODUCTION = (
    "<p>A language model normally runs its layers once each, in order. Here each question may get its own program: some layers "
    "skipped, some run again, no weight changed. A policy picks the program. The base runs the unchanged model; the oracle "
    "searches with the right answer known, so it shows what programs could reach at best and cannot be deployed.</p>\n")


def shielded(make):
    """The section, or a line that says what is missing."""
    try:
        return make()
    except Missing as missing:
        return f'<p class="missing">This section is missing: {escape(str(missing))}</p>\n'
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        reason = f"its input does not have the expected form ({type(error).__name__}: {error})"
        return f'<p class="missing">This section is missing: {escape(reason)}.</p>\n'


# --- Words and numbers ----------------------------------------------------------------------------------------------


def percent_in_text(figure):
    interval = "" if figure.ci_low is None else f" [{100 * figure.ci_low:.1f}, {100 * figure.ci_high:.1f}]"
    return f"{100 * figure.value:.1f} %{interval}"


def listed(names):
    names = [plots.shown(name) for name in names]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def sentence_start(text):
    return text[:1].upper() + text[1:]


def policy_name(results, policy):
    mark = " (knows the answer)" if policy in results.oracles and policy != "oracle" else ""
    return escape(plots.shown(policy) + mark)


# --- Sections -------------------------------------------------------------------------------------------------------


def summary(results):
    return '<div class="finding">\n' + "".join(split_finding(results, split) for split in results.splits) + "</div>\n" + (
        "<p>Percentages are averages over all levels, in which a level weighs by its number of questions. Brackets hold 95 % "
        "intervals. p: McNemar's exact test of the same questions, two-sided; Holm: corrected for the number of policies "
        "compared.</p>\n")


def split_finding(results, split):
    base = results.find("base", split, "pass@k")
    if base is None:
        raise Missing(f"results.csv has no base for {split}.")
    verdicts = {"better": [], "worse": [], "same": []}
    lines = []
    for policy in results.deployable(split):
        found, p = results.find(policy, split, "pass@k"), results.find(policy, split, "mcnemar_p")
        holm = results.find(policy, split, "mcnemar_p_holm")
        if not (found and p and holm):
            continue
        difference = 100 * (found.value - base.value)
        verdict = "same" if holm.value >= SIGNIFICANT else "better" if difference > 0 else "worse"
        verdicts[verdict].append(policy)
        lines.append(f"<li><b>{policy_name(results, policy)}</b>: {percent_in_text(found)} right, {signed(difference)} points against the base; "
                     f"p = {p_text(p.value)}, Holm {p_text(holm.value)}{extras(results, split, policy)}</li>")
    for policy in (p for p in results.policies(split) if p in results.oracles):
        found = results.find(policy, split, "pass@k")
        if found:
            lines.append(f"<li>{policy_name(results, policy)}: {percent_in_text(found)} of {found.n} questions, with the right answer "
                         "known; an upper bound, not a policy.</li>")
    sentences = []
    for verdict, words in (("better", "more questions than the base"), ("worse", "fewer questions than the base")):
        if names := verdicts[verdict]:
            sentences.append(f"{escape(sentence_start(listed(names)))} {'answer' if len(names) > 1 else 'answers'} {words}.")
    if names := verdicts["same"]:
        sentences.append(f"For {escape(listed(names))} no difference from the base could be shown.")
    return (f"<p><b>{escape(split)}</b> ({base.n} questions). The base answers {percent_in_text(base)} right. {' '.join(sentences)}</p>\n"
            f"<ul>{''.join(lines)}</ul>\n")


def extras(results, split, policy):
    """What else a reader must know to judge the policy."""
    text = ""
    depth = results.find(policy, split, "depth_ratio")
    if depth:
        text += f"; {100 * depth.value:.1f} % of the base's layers a token"
    identity = results.find(policy, split, "identity_share")
    if identity and identity.value > 0:
        text += f"; runs the unchanged model on {100 * identity.value:.1f} % of questions"
    for reference, metric in (("the static best program", "mcnemar_p_static"), ("the labels' heaviest program", "mcnemar_p_prior")):
        found, holm = (results.find(policy, split, name) for name in (metric, f"{metric}_holm"))
        if found:
            text += f"; against {reference} p = {p_text(found.value)}" + (f", Holm {p_text(holm.value)}" if holm else "")
    return text + "."


def signed(value):
    return f"{value:+.1f}".replace("-", "−")


def accuracy(results, split, place):
    name = f"s{place}"
    parts = ['<div class="plots">\n',
             drawing(plots.accuracy(results, split, name + "a"),
                     "Share of right answers by level and policy. Whiskers: 95 % intervals (Wilson). Hatched: chosen with the right answer known."),
             drawing(plots.depth(results, split, name + "d"),
                     "Accuracy against depth, averages over all levels. Whiskers: 95 % intervals. Open diamond: chosen with the right answer known."),
             "</div>\n", "<h3>By policy, averages over all levels</h3>\n", policy_table(results, split),
             levels_table(results, split)]
    if several := several_programs(results, split):
        parts += ["<h3>Several programs per question</h3>\n", several]
    if times := latency(results, split):
        parts += ["<h3>Latency</h3>\n", times]
    return "".join(parts)


def policy_table(results, split):
    lines = []
    for policy in results.policies(split):
        def get(metric, policy=policy):
            return results.find(policy, split, metric)
        n = get("pass@k")
        lines.append([policy_name(results, policy), n.n if n else "–", percent(n), number(get("layers")), number(get("depth_ratio"), 3),
                      number(get("executions_ratio"), 3), percent(get("identity_share")), percent(get("flips_to_right")), percent(get("flips_to_wrong")),
                      p_cell(get("mcnemar_p")), p_cell(get("mcnemar_p_holm")), p_cell(get("mcnemar_p_static")),
                      p_cell(get("mcnemar_p_static_holm")), p_cell(get("mcnemar_p_prior")), p_cell(get("mcnemar_p_prior_holm"))])
    return table(["policy", "questions", "right, %", "layers a token", "depth ratio", "layers an answer, of base's",
                  "unchanged model, %", "wrong → right, %",
                  "right → wrong, %", "p against base", "Holm", "p against static best", "Holm", "p against label prior",
                  "Holm"], lines)


def levels_table(results, split):
    """A row a policy and level."""
    levels = [level for level in results.levels(split) if level != ALL]
    timed = any(figure.split == split and figure.metric == "latency_ratio" for figure in results.figures)
    lines = []
    for level in levels:
        for policy in results.policies(split):
            def get(metric, policy=policy, level=level):
                return results.find(policy, split, metric, level=level)
            if not (n := get("pass@k")):
                continue
            lines.append([level, policy_name(results, policy), n.n, percent(n), number(get("layers")), number(get("executions_ratio"), 3),
                          *([number(get("latency_ratio"), 3)] if timed else []), percent(get("identity_share"))])
    if not lines:
        return ""
    head = ["level", "policy", "questions", "right, %", "layers a token", "layers an answer, of base's",
            *(["latency, ratio to base"] if timed else []), "unchanged model, %"]
    return (f"<details><summary>By policy and level, {len(lines)} rows</summary>\n" + table(head, lines, tall=True, text_columns=(0, 1))
            + "</details>\n")


def several_programs(results, split):
    lines = []
    for policy in results.policies(split):
        ks = sorted({f.k for f in results.figures if f.policy == policy and f.split == split and f.metric == "pass@k" and f.k > 1})
        for k in ks:
            cells = [percent(results.find(policy, split, metric, k=k)) for metric in ("pass@k", "vote@k", "select@k")]
            lines.append([policy_name(results, policy), k, *cells])
    if not lines:
        return ""
    return ("<p>When a policy may run its first k programs: an oracle that takes a right answer if there is one (pass@k), the most "
            "frequent answer (vote@k), or the answer the model is most confident in (select@k). Only the last two can be deployed; "
            "both run k programs.</p>\n" + table(["policy", "k", "pass@k, oracle, %", "vote@k, %", "select@k, %"], lines))


def latency(results, split):
    lines = []
    for policy in results.policies(split):
        answer = results.find(policy, split, "answer_ms")
        if answer:
            lines.append([policy_name(results, policy), answer.n]
                         + [number(results.find(policy, split, metric), digits) for metric, digits in
                            (("policy_ms", 2), ("prefill_ms", 1), ("decode_ms", 1), ("answer_ms", 1), ("latency_ratio", 3))])
    if not lines:
        return ""
    return table(["policy", "questions", "choosing, ms", "prompt, ms", "generation, ms", "whole answer, ms", "ratio to base"], lines)


def examples(rows):
    chosen = differing(rows)
    if not chosen:
        raise Missing("evaluation.jsonl has no example of the first split on which a policy differs from the base.")
    text = ("<p>Chosen to show differences, gains and losses in turn, so they are not typical. A program lists the layers that are run: "
            "<code>0-13,15-29</code> skips layer 14, <code>0-14,12-29</code> runs layers 12 to 14 twice.</p>\n")
    for group in chosen:
        first = group[0]
        lines = []
        for row in group:
            top = row["ranked"][0]
            verdict = '<span class="right">right</span>' if top["correct"] else '<span class="wrong">wrong</span>'
            lines.append([escape(plots.shown(row["policy"])) + (" (knows the answer)" if row["oracle"] and row["policy"] != "oracle" else ""),
                          escape(top["answer"]) or "(none)", verdict, f'<code>{escape(top["program"])}</code>', top["layers"]])
        level = f', level "{escape(first["level"])}"' if first["level"] else ""
        text += (f'<div class="example"><b>{escape(first["example"])}</b>{level}<p>{escape(first["question"])}</p>'
                 f'Right answer: <b>{escape(first["reference"])}</b>'
                 + table(["policy", "answer", "", "program", "layers"], lines, text_columns=(0, 1, 2, 3)) + "</div>\n")
    return text


def differing(rows):
    """Up to MAX_EXAMPLES examples of the first split: groups of rows by policy. Gains and losses take turns, and so do
    levels."""
    groups = {}
    for row in rows:
        if row["split"] == rows[0]["split"]:
            groups.setdefault(row["example"], {})[row["policy"]] = row
    kinds = {}
    for group in groups.values():
        if "base" not in group:
            continue
        before = group["base"]["ranked"][0]["correct"]
        if any(not r["oracle"] and r["ranked"][0]["correct"] != before for r in group.values()):
            kinds.setdefault((group["base"]["level"], before), []).append(group)
    chosen = []
    while kinds and len(chosen) < MAX_EXAMPLES:
        for key in sorted(kinds, key=lambda key: (key[0], key[1])):
            chosen.append(kinds[key].pop(0))
        kinds = {key: left for key, left in kinds.items() if left}
    order = data.POLICY_ORDER
    return [sorted(group.values(), key=lambda r: order.index(r["policy"]) if r["policy"] in order else len(order))
            for group in chosen[:MAX_EXAMPLES]]


def operations(run, rows):
    trials = data.read_trials(run / "labels.sqlite")
    depth = next((row["ranked"][0]["layers"] for row in rows if row["policy"] == "base"), None)
    depth = depth or 1 + max(max(data.parse_program(program)) for program in {trial.program for trial in trials})
    rates, examples_with_valid = data.operation_rates(trials, depth)
    return drawing(plots.operations(rates, "ops"),
                   f"Share of programs that skip or repeat each layer: valid ones (they gave the right answer) above all that were tried, over "
                   f"the {examples_with_valid} searched questions with a valid changed program. Where valid and tried look alike, the search "
                   "space explains the pattern. Each question weighs the same.")


def search(run):
    curves = data.solved_by_rollouts(data.read_trials(run / "labels.sqlite"))
    everything = curves[ALL]
    return (f"<p>The unchanged model solves {100 * everything[0]:.1f} % of the searched training and validation questions; within "
            f"{len(everything)} programs {100 * everything[-1]:.1f} % are solved by at least one. This counts luck as well: some programs "
            "hit a right answer by chance.</p>\n"
            + drawing(plots.progress(curves, "search"),
                      "Share of questions with at least one right program among the first that the search tried (program 1 is the unchanged "
                      "model). The search knows the right answer: this is an oracle."))


def training(run):
    curve, best = data.training_curve(run)
    kept = f" The weights of epoch {best} were kept." if best else ""
    return drawing(plots.training(curve, best, "training"), f"Loss of the predictor by epoch; dropout is on in training.{kept} Beside it, where measured, its programs for validation questions.")


def key_values(values):
    return table(["", ""], [[escape(str(key).replace("_", " ")), f"{value:.4g}" if isinstance(value, float) else escape(str(value))]
                            for key, value in values.items()])


def setup(run):
    def part(title, make):
        return f"<h3>{title}</h3>\n" + shielded(make)

    def times():
        seconds = data.stage_seconds(run)
        if not seconds:
            raise Missing("log.jsonl records no finished stage.")
        return table(["stage", "seconds"], [[escape(stage), f"{value:.0f}"] for stage, value in seconds.items()])

    return (part("Time", times) + part("Machine and versions", lambda: key_values(data.read_json(run / "environment.json")))
            + part("Configuration", lambda: "<details><summary>config.yaml, every setting</summary><pre>"
                   + escape(data.read_text(run / "config.yaml")) + "</pre></details>\n"))


def all_figures(results):
    def shortest(value):
        return "" if value is None else f"{value:.5g}"
    lines = [[escape(f.policy), escape(f.split), escape(f.level), f.n, escape(f.metric), f.k, shortest(f.value), shortest(f.ci_low),
              shortest(f.ci_high)] for f in results.figures]
    return (f"<details><summary>{len(lines)} figures, as in results.csv (shares from 0 to 1; all: every level pooled; pass@k is an oracle "
            "for k above 1)</summary>\n" + table(data.COLUMNS, lines, tall=True, text_columns=(0, 1, 2, 4)) + "</details>\n")
