"""scripts/report.py on a made-up run. Run: .venv/bin/python tests/scripts/report_test.py"""

import csv
import json
import os
import random
import re
import sqlite3
import sys
import tempfile
import unittest
import unittest.mock
from contextlib import closing, redirect_stderr, redirect_stdout
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import report
from polar_report import controls, data, label_plots, labels, page, plots, selection

DEPTH = 30
LEVELS = ["one-digit sums", "two-digit sums", "three-digit sums", "differences", "products", "three-term sums"]
POLICIES = {"base": 0.4, "static_best": 0.5, "random": 0.3, "predictor": 0.41, "menu": 0.57, "oracle": 0.9}
PROGRAMS = ["0-13,15-29", "0-14,12-29", "0-29", "0-20,(19-20)*2,22-29", "0-7,10-29", "0-24,24-29"]


def make_rows(per_level=12):
    draw = random.Random(3)
    rows = []
    for split in ("test", "larger"):
        for level in LEVELS:
            for number in range(per_level):
                a, b = draw.randrange(10, 99), draw.randrange(10, 99)
                for policy, accuracy in POLICIES.items():
                    program = "0-29" if policy == "base" else draw.choice(PROGRAMS)
                    correct = draw.random() < accuracy - 0.02 * LEVELS.index(level)
                    layers = len(data.parse_program(program))
                    rows.append({"example": f"{split}-{level}-{number}", "split": split, "level": level, "policy": policy,
                                 "oracle": policy == "oracle", "question": f"{a} + {b}\n<b>?</b>", "reference": str(a + b),
                                 "ranked": [{"program": program, "answer": str(a + b if correct else a), "correct": correct,
                                             "confidence": -0.5, "layers": layers, "unique_layers": 29, "new_tokens": 4, "executions": 4 * layers}]})
    return rows


def make_figures(rows):
    """Figures with the right shape; intervals are the normal approximation, p-values made up."""
    figures = []
    for split in ("test", "larger"):
        for level in [*LEVELS, "all"]:
            for policy in POLICIES:
                tops = [r["ranked"][0] for r in rows if r["split"] == split and r["policy"] == policy and level in (r["level"], "all")]
                n, share = len(tops), sum(t["correct"] for t in tops) / len(tops)
                half = 1.96 * (share * (1 - share) / n) ** 0.5

                def add(metric, value, low="", high="", k=1, policy=policy, split=split, level=level, n=n):
                    figures.append([policy, split, level, n, metric, k, value, low, high])
                add("pass@k", share, max(0, share - half), min(1, share + half))
                layers = sum(t["layers"] for t in tops) / n
                add("layers", layers, layers - 0.2, layers + 0.2)
                add("depth_ratio", layers / DEPTH, (layers - 0.2) / DEPTH, (layers + 0.2) / DEPTH)
                add("identity_share", sum(t["program"] == "0-29" for t in tops) / n, 0, 1)
                if policy in ("menu", "predictor"):
                    add("pass@k", 0.8, 0.7, 0.9, 5)
                    add("vote@k", 0.6, 0.5, 0.7, 5)
                    add("select@k", 0.62, 0.52, 0.72, 5)
                if policy != "base":
                    add("flips_to_wrong", 0.05, 0.02, 0.1)
                    add("flips_to_right", 0.1, 0.05, 0.2)
                if policy not in ("base", "oracle"):
                    p = {"menu": 0.00001, "random": 0.004}.get(policy, 0.4)
                    add("mcnemar_p", p)
                    add("mcnemar_p_holm", min(1, 4 * p))
                    if policy != "static_best":
                        add("mcnemar_p_static", 0.03)
                        add("mcnemar_p_static_holm", 0.06)
                if level == "all":
                    for metric, value in (("prefill_ms", 21.5), ("decode_ms", 60), ("policy_ms", 0.8), ("answer_ms", 82), ("latency_ratio", 1.02)):
                        add(metric, value, 0.9 * value, 1.1 * value)
    return figures


def make_store(path, examples_per_level=6, rollouts=40):
    """A label store with the schema of src/labels/schema.cpp."""
    source = (ROOT / "src" / "labels" / "schema.cpp").read_text(encoding="utf-8")
    draw = random.Random(5)
    with closing(sqlite3.connect(path)) as store, store:
        store.executescript(re.search(r'R"sql\((.*?)\)sql"', source, re.S).group(1))
        store.execute("INSERT INTO fingerprint VALUES (1, 'a')")
        store.execute("INSERT INTO settings VALUES (1, 1, 'verdict', '1', 'old', 'old'), (2, 1, 'verdict', '1', 'new', 'new')")
        store.executemany("INSERT INTO programs VALUES (?, ?)", enumerate(PROGRAMS, 1))
        key = 0
        for level in LEVELS:
            for number in range(examples_per_level):
                key += 1
                store.execute("INSERT INTO examples VALUES (?, ?, 'train', ?)", (key, f"{level}-{number}", level))
                store.execute("INSERT INTO searches VALUES (?, ?, 2, 'done', 5)", (key, key))
                for i in range(rollouts):
                    program = 3 if i == 0 else draw.choice([1, 2, 4, 5, 6])
                    store.execute("INSERT INTO trials VALUES (?, ?, ?, ?, 0, 0, ?, -1, 2, 0.5, 30, '7', 1)",
                                  (key, i // 8, i % 8, program, int(draw.random() < 0.05 * program)))


def make_label_figures():
    """Figures with the names and shape of src/eval/label_analysis.h; numbers made up."""
    draw = random.Random(7)
    figures = []

    def add(analysis, key, value, level="all", programs="all", n=36, interval=True, note=""):
        low, high = (0.9 * value, 1.1 * value) if interval else ("", "")
        figures.append([analysis, programs, level, key, n, value, low, high, note])
    for level in [*LEVELS, "all"]:
        for key, value in (("examples", 36), ("unfinished", 0), ("base_unknown", 0), ("rollouts", 1440), ("rollouts_least", 40), ("rollouts_most", 40), ("programs", 6)):
            add("counts", key, value, level, interval=False)
        add("base", "right", 0.3, level)
        for programs in ("all", "skip_only", "loop_only", "search:skip <1>"):
            add("solved", "any", draw.uniform(0.4, 0.9), level, programs)
            for i, budget in enumerate((1, 2, 4, 8, 16, 32, 40)):
                add("replay_solved", budget, 0.3 + 0.08 * i, level, programs)
        add("rescued", "of_wrong", 0.5, level)
        for i, percent in enumerate((90, 95, 100, 105, 110, 115)):
            add("solvable_within_depth", percent, 0.2 + 0.1 * i, level)
        for group, depths in (("CC", (27, 28, 30)), ("WC", (28, 31))):
            add("shortest_layers", group, 28.5, level)
            add("shortest_unique", group, 27.5, level)
            for depth in depths:
                add("shortest_share", f"{group}/{depth}", 1 / len(depths), level, n=12)
        for key in ("CC", "WC_of_wrong", "WC_of_rescued"):
            add("shorter_exists", key, 0.4, level)
        for key in ("recurrence_of_solvable", "recurrence_of_rescued", "skip_of_solvable", "skip_of_rescued"):
            add("needs", key, 0.2, level)
        for extra in (*range(9), "9+"):
            add("valid_given_extra", extra, 0.2, level)
        for percent in ("<60", 90, 95, 100, 105, 110, 115):
            add("valid_given_depth", percent, 0.25, level)
        for key in ("paper", "repeat-3", "repeat-4", "repeat-5", "any_runs", "predictor"):
            add("emittable", key, 0.6, level)
        add("valid_programs", "mean_all", 3.5, level)
        add("valid_programs", "mean_solvable", 5.25, level)
        for pool, bits in (("shortest", 3.1), ("valid", 4.2), ("tried", 6.7)):
            add("edit_entropy", pool, bits, level)
            add("edit_gini", pool, bits / 10, level)
        add("emittable", "repeat-5", 0.93, level)
        for group in ("solvable", "rescued"):
            add("needs", f"both_of_{group}", 0.17, level)
        add("edit_entropy_share", "valid", 0.7, level)
        add("no_parse", "valid", 0.1, level)
        add("emittable_examples", "paper", 0.6, level)
        add("replay_shorter", 8, 0.2, level)
        for k in (1, 2, 3):
            add("cover", k, 0.3 + 0.1 * k, level, note=PROGRAMS[k])
    for bin_name in ("0", "1", "2-3", "4-7"):
        add("valid_programs_share", bin_name, 0.25)
    for key, value in (("valid_elsewhere", 0.31), ("expected", 0.22), ("jaccard", 0.05)):
        add("overlap", key, value)
    for layer in range(DEPTH):
        for kind in ("shortest", "valid", "tried", "offered"):
            add("layer_skip", f"{kind}/{layer}", draw.random() / 5, interval=kind != "offered")
            add("layer_repeat", f"{kind}/{layer}", draw.random() / 5, interval=kind != "offered")
        if layer >= 4:
            for kind in ("tried", "offered"):
                add("layer_skip_ratio", f"{kind}/{layer}", draw.uniform(0.3, 2.5))
                add("layer_repeat_ratio", f"{kind}/{layer}", draw.uniform(0.3, 2.5))
    for operation in ("repeat", "skip"):
        for length in (1, 2, 3, 4):
            add("segment_at", f"{operation}/valid/{length}/{length + 5}", 0.25)
            add("consecutive_layers", f"{operation}/valid/{length}/{length}", 0.25)
    for pool in ("shortest", "valid", "tried"):
        add("segment_runs", f"{pool}/1", 1)
    return figures


def make_controls(folder):
    """A control with its Markdown, one of another form of sets, and a list that is no figures."""
    sampling = [["counts", "all", level, "examples", 36, 36, "", "", ""] for level in (*LEVELS, "all")]
    sampling += [["solved", "all", level, key, 36, 0.5, 0.4, 0.6, ""] for level in (*LEVELS, "all") for key in ("search", "T=0.7")]
    sampling += [["difference", "all", "all", "search - sampling", 36, -0.125, -0.25, 0.0625, "best sampling: T=0.7"],
                 ["p_value", "all", "all", "search - sampling", 36, 0.00002, "", "", ""]]
    flips = [["counts", "all", "all", "examples", 30, 30, "", "", ""]]
    flips += [["flips", variant, "all", "of valid", 90, 0.02, 0.01, 0.05, ""] for variant in ("batch", "<dtype>")]
    for name, rows in (("sampling", [labels.COLUMNS, *sampling]), ("reexecution", [labels.COLUMNS, *flips]),
                       ("reexecution-flips", [["example", "program"], ["x", "0-29"]])):
        with open(folder / f"{name}.csv", "w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
    (folder / "sampling.md").write_text("# Sampling control of <ladder>\n\nWhat samples\nsolve.\n\n## counts\n")


def make_run(run):
    for folder in ("report", "predictor", "controls"):
        (run / folder).mkdir(parents=True)
    rows = make_rows()
    (run / "evaluation.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with open(run / "report" / "results.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(data.COLUMNS)
        writer.writerows(make_figures(rows))
    with open(run / "report" / "labels.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(labels.COLUMNS)
        writer.writerows(make_label_figures())
    make_controls(run / "controls")
    make_store(run / "labels.sqlite")
    curve = [{"epoch": e, "train_loss": 1 / e + 0.4, "valid_loss": 0.5 + (e - 6) ** 2 / 100, "learning_rate": 1e-4, "valid_membership": e / 20} for e in range(1, 11)]
    training = {"best_epoch": 6, "parameters": 2100000, "curve": curve}
    (run / "predictor" / "manifest.json").write_text(json.dumps({"body": {"report": training}}))
    ranking = [{"program": p, "train_accuracy": 0.5, "valid_accuracy": 0.45} for p in PROGRAMS]
    (run / "selection.json").write_text(json.dumps({
        "menu": {"chosen": {"scorer": "ridge", "strength": 10.0, "lambda": 0.02, "margin": 0.05, "accuracy": 0.56}, "static_ranking": ranking,
                 "reliability": {"before": make_reliability(0.21), "after": make_reliability(0.034)}},
        "menu_0.9": {"chosen": {"accuracy": 0.4, "depth_ratio": 0.93}, "depth_limit": 0.9, "within_limit": False},
        "routers": {"drllm": {"train_examples": 120, "valid_f1": {"skip": 0.2, "execute": 0.81, "repeat": None}, "valid": {"layers": 29.5}}},
        "predictor": {**training, "programs": 900, "programs_used": 850, "unemittable_shares": {"train": {"dropped": 0.375}}}}))
    (run / "config.yaml").write_text("name: ladder\npool: pools/<small>\n")
    (run / "environment.json").write_text(json.dumps({"git commit": "abc", "torch": "2.13", "seed": "1"}))
    (run / "log.jsonl").write_text("".join(json.dumps({"time": f"2025-01-31T12:0{i}:00.000Z", "level": "info", "event": f"stage_{event}",
                                                       "stage": "search"}) + "\n" for i, event in enumerate(("began", "finished"))))


def make_reliability(error):
    bins = [{"count": 40 * (i != 5), "probability": (i + 0.5) / 10, "outcome": (i + 0.5) / 10 * (1 - error)} for i in range(10)]
    return {"error": error, "bins": bins}


class Checker(HTMLParser):
    """Open tags match, ids are unique, nothing is loaded from elsewhere."""

    VOID = {"meta", "br", "path", "use", "rect", "circle", "image"}

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.outside, self.text = [], [], [], []

    def handle_starttag(self, tag, attributes):
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "xlink:href") and not value.startswith(("#", "data:")):
                self.outside.append(value)

    def handle_startendtag(self, tag, attributes):
        depth = len(self.open)
        self.handle_starttag(tag, attributes)
        del self.open[depth:]

    def handle_endtag(self, tag):
        if tag in self.VOID:
            return
        if not self.open or self.open.pop() != tag:
            raise AssertionError(f"</{tag}> closes nothing")

    def handle_data(self, text):
        self.text.append(text)


def without_plots():
    """Drawing takes most of the time, and damaged inputs are found before it."""
    def blank(module, names):
        return unittest.mock.patch.multiple(module, **{name: lambda *arguments, **options: "<svg></svg>" for name in names})

    def decorate(test):
        for module, names in ((plots, ["accuracy", "depth", "operations", "progress", "reliability", "training"]),
                              (label_plots, ["by_level", "by_set", "shortest", "segments_at", "consecutive", "repeats", "layer_rates",
                                             "layer_ratios", "valid_counts"])):
            test = blank(module, names)(test)
        return test
    return decorate


def read_page(text):
    checker = Checker()
    checker.feed(text)
    return checker


class ReportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.run_folder = Path(cls.folder.name) / "ladder"
        make_run(cls.run_folder)
        with redirect_stdout(StringIO()):
            cls.code = report.main([str(cls.run_folder)])
        cls.page = (cls.run_folder / "report" / "index.html").read_text(encoding="utf-8")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_the_page_is_whole_and_loads_nothing(self):
        self.assertEqual(self.code, 0)
        checker = read_page(self.page)
        self.assertEqual(checker.open, [])
        self.assertEqual(checker.outside, [])
        self.assertEqual(len(checker.ids), len(set(checker.ids)))
        self.assertNotIn('class="missing"', self.page)
        self.assertNotRegex(self.page, r"@import|<script|url\((?!#)")
        self.assertIn('name="viewport"', self.page)
        self.assertEqual(sorted(p.name for p in (self.run_folder / "report").iterdir()), ["index.html", "labels.csv", "results.csv"])

    def test_the_finding_names_better_and_worse_and_undecided_policies(self):
        text = " ".join("".join(read_page(self.page).text).split())
        self.assertIn("Menu answers more questions than the base.", text)
        self.assertIn("Random answers fewer questions than the base.", text)
        self.assertIn("For static best and predictor no difference from the base could be shown.", text)
        self.assertIn("an upper bound, not a policy", text)

    def test_the_reliability_of_the_menus_probabilities_is_shown(self):
        self.assertIn("on 360 pairs of a question and a program", self.page)
        self.assertIn("Expected calibration error: 21.0 points as fitted, 3.4 points calibrated", self.page)

    def test_reliability_speaks_of_no_calibration_where_none_was_made(self):
        text = selection.reliability({"before": make_reliability(0.21)})
        self.assertIn("Expected calibration error: 21.0 points as fitted.", text)
        self.assertNotIn("calibrated", text)

    def test_the_programs_of_each_epoch_are_drawn_beside_the_loss(self):
        self.assertIn("known to be right", self.page)
        self.assertNotIn("known to be right", plots.training([{"epoch": 1, "train_loss": 1.0}, {"epoch": 2, "train_loss": 0.5}], 2, "plain"))

    def test_what_every_trained_policy_chose_is_shown(self):
        text = " ".join("".join(read_page(self.page).text).split())
        for words in ("menu 0.9", "none tried is within it", "dropped: none it can emit, %", "37.5", "drllm", "0.81"):
            self.assertIn(words, text)

    def test_text_of_examples_is_escaped(self):
        self.assertIn("&lt;b&gt;?&lt;/b&gt;", self.page)
        self.assertIn("pools/&lt;small&gt;", self.page)

    def test_the_same_run_gives_the_same_page(self):
        self.assertEqual(page.build(self.run_folder), self.page)

    @without_plots()
    def test_every_missing_input_gives_a_section_that_says_so(self):
        for names, words in ((["labels.sqlite"], "labels.sqlite is not there"),
                             (["predictor/manifest.json", "selection.json"], "holds a training curve"),
                             (["evaluation.jsonl"], "evaluation.jsonl could not be read"),
                             (["report/results.csv"], "results.csv could not be read"),
                             (["report/labels.csv"], "labels.csv could not be read"),
                             (["controls"], "polar control sampling RUN, or another control, makes them"), (["config.yaml"], "config.yaml could not be read"),
                             (["environment.json"], "environment.json could not be read"), (["log.jsonl"], "log.jsonl could not be read")):
            with self.subTest(names=names):
                for name in names:
                    os.rename(self.run_folder / name, self.run_folder / (name + ".away"))
                try:
                    text = page.build(self.run_folder)
                finally:
                    for name in names:
                        os.rename(self.run_folder / (name + ".away"), self.run_folder / name)
                self.assertIn(words, text)
                self.assertEqual(read_page(text).open, [])

    @without_plots()
    def test_damaged_inputs_give_a_section_that_says_so(self):
        for name, content, words in (("labels.sqlite", b"no database", "could not be read as a label store"),
                                     ("evaluation.jsonl", b'{"exam', "evaluation.jsonl, line 1, is not valid JSON"),
                                     ("evaluation.jsonl", b'{"oracle": false}\n', "does not have the expected form"),
                                     ("report/results.csv", b"a,b\n", "has other columns"),
                                     ("report/results.csv", ",".join(data.COLUMNS).encode() + b"\nbase,test\n", "line 2, is not a figure"),
                                     ("report/labels.csv", b"a,b\n", "labels.csv has other columns"),
                                     ("report/labels.csv", ",".join(labels.COLUMNS).encode() + b"\nbase,all\n", "labels.csv, line 2, is not a figure"),
                                     ("report/labels.csv", ",".join(labels.COLUMNS).encode() + b"\n", "labels.csv holds no figures"),
                                     ("controls/sampling.csv", ",".join(labels.COLUMNS).encode() + b"\nsolved\n", "sampling.csv, line 2, is not a figure"),
                                     ("selection.json", b"[]", "does not have the expected form")):
            with self.subTest(name=name, content=content):
                path = self.run_folder / name
                before = path.read_bytes()
                path.write_bytes(content)
                try:
                    self.assertIn(words, page.build(self.run_folder))
                finally:
                    path.write_bytes(before)

    def test_an_empty_run_still_gives_a_page(self):
        with tempfile.TemporaryDirectory() as folder:
            text = page.build(Path(folder))
            self.assertEqual(read_page(text).open, [])
            self.assertGreater(text.count('class="missing"'), 7)

    def test_a_folder_that_is_no_run_is_refused(self):
        with tempfile.TemporaryDirectory() as folder, redirect_stderr(StringIO()) as errors:
            self.assertEqual(report.main([folder]), 2)
            self.assertEqual(report.main([folder + "/none"]), 2)
        self.assertIn("found another folder", errors.getvalue())
        self.assertIn("found none", errors.getvalue())


class LabelsTest(unittest.TestCase):
    def labels_of(self, rows):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "labels.csv"
            with open(path, "w", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows([labels.COLUMNS, *rows])
            return labels.read(path)

    def test_figures_are_found_by_analysis_set_level_and_key(self):
        found = self.labels_of(make_label_figures())
        self.assertEqual(found.levels, [*LEVELS, "all"])
        self.assertEqual(found.sets, ["all", "skip_only", "loop_only", "search:skip <1>"])
        self.assertEqual(found.depth(), DEPTH)
        self.assertEqual(found.find("cover", "2", "products").note, PROGRAMS[2])
        self.assertEqual(found.find("overlap", "jaccard").value, 0.05)
        self.assertIsNone(found.find("overlap", "jaccard", "products"))
        self.assertIsNone(found.find("counts", "examples").ci_low)

    def test_the_section_says_where_questions_had_unlike_numbers_of_programs(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "labels.csv"
            for most, said in (("40", False), ("150", True)):
                rows = [[*row[:5], most, *row[6:]] if row[3] == "rollouts_most" else row for row in make_label_figures()]
                with open(path, "w", newline="") as file:
                    csv.writer(file, lineterminator="\n").writerows([labels.COLUMNS, *rows])
                self.assertEqual("had 40 to 150 programs each" in labels.section(path), said)

    def test_the_section_shows_levels_sets_and_programs_escaped(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "labels.csv"
            with open(path, "w", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows([labels.COLUMNS, *make_label_figures()])
            for beside in ("labels-budget-8.csv", "labels-vs-none.csv"):
                (Path(folder) / beside).write_bytes(path.read_bytes())
            text = labels.section(path)
        self.assertIn("<code>labels-budget-8.csv</code>", text)
        self.assertNotIn("labels-vs", text)
        self.assertIn("skip &lt;1&gt;, own search, %", text)
        self.assertIn(f"<code>{PROGRAMS[3]}</code>", text)
        self.assertIn("valid for 31.0 % of the others that tried it; of all tried ones 22.0 % are valid", text)
        self.assertIn("What 1,440 recorded trials of 36 training and validation questions say", text)
        self.assertEqual(text.count("<svg"), 13)
        self.assertEqual(text.count("<details>"), 22)
        self.assertIn("does both, % of rescued", text)
        self.assertIn("five times, %", text)
        self.assertIn("<td>93.0 [83.7, 102.3]</td>", text)
        entropy = text.split("<summary>Entropy of segments, by level (bits)</summary>")[1].split("</details>")[0]
        self.assertIn('<td class="text">tried</td>' + "<td>6.70 [6.03, 7.37]</td>" * (len(LEVELS) + 1), entropy)
        of_sets = text.split("More figures of these sets of programs")[1].split("</details>")[0]
        self.assertIn('<td class="text">shortest_layers CC</td><td>28.50 [25.65, 31.35]</td><td>–</td>', of_sets)
        self.assertNotIn("What the search space offers is not known", text)
        within = text.split("<summary>Questions solvable within a depth, by level (percent)</summary>")[1].split("</details>")[0]
        self.assertIn('<th>products</th>', within)
        self.assertIn('<td class="text">95</td>' + "<td>30.0 [27.0, 33.0]</td>" * (len(LEVELS) + 1), within)
        self.assertEqual(read_page(text).open, [])

    def test_labels_without_an_order_of_trials_have_no_replay(self):
        rows = [["counts", "all", "all", "examples", 2, 2, "", "", ""], ["solved", "all", "all", "any", 2, 0.5, 0.1, 0.9, ""]]
        self.assertEqual(labels.replay(self.labels_of(rows)), "")

    def test_names_of_levels_and_searches_are_drawn_as_they_stand(self):
        rows = [["replay_solved", programs, level, budget, 2, 0.5, 0.1, 0.9, ""] for programs in ("all", "search:_$a$ $b$")
                for level in ("_first", "$x$ or $y$", "all") for budget in (1, 2)]
        found = self.labels_of(rows)
        by_level = label_plots.by_level(found, "replay_solved", "trials", "percent", "one")
        by_set = label_plots.by_set(found, "replay_solved", "two", lambda programs: programs.removeprefix("search:"))
        for name, drawn in (("_first", by_level), ("$x$ or $y$", by_level), ("_$a$ $b$", by_set)):
            with self.subTest(name=name):
                self.assertRegex(drawn, r"<text[^>]*>\s*" + re.escape(name) + "</text>")

    def test_a_figure_without_an_interval_leaves_the_band_of_the_others(self):
        rows = [["replay_solved", "all", "all", budget, 2, 0.5, *interval, ""]
                for budget, interval in ((1, (0.1, 0.9)), (2, (0.2, 0.8)), (4, ("", "")))]
        with unittest.mock.patch("matplotlib.axes.Axes.fill_between") as band:
            label_plots.by_level(self.labels_of(rows), "replay_solved", "trials", "percent", "one")
        budgets, low, high = band.call_args.args
        self.assertEqual((budgets, low[:2], high[:2]), ([1, 2, 4], [10, 20], [90, 80]))
        self.assertNotEqual(low[2], low[2])  # no number

    def test_compared_searches_stand_beside_the_figures_of_the_stage(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, rows in (("labels", make_label_figures()), ("labels-vs-loop", [
                    ["solved", programs, "all", "any", 36, 0.25, 0.1, 0.4, ""] for programs in ("all", "search:loop", "search:skip <1>")])):
                with open(Path(folder) / f"{name}.csv", "w", newline="") as file:
                    csv.writer(file, lineterminator="\n").writerows([labels.COLUMNS, *rows])
            found = labels.read_compared(Path(folder) / "labels.csv")
        self.assertEqual(found.sets, ["all", "skip_only", "loop_only", "search:skip <1>", "search:loop"])
        self.assertEqual(found.find("solved", "any", set="search:loop").value, 0.25)
        self.assertGreater(found.find("solved", "any").value, 0.25)

    def test_a_search_without_valid_or_changed_programs_still_gives_a_section(self):
        rows = [["counts", "all", "all", key, 2, 2, "", "", ""] for key in ("examples", "unfinished", "rollouts")]
        rows += [["base", "all", "all", "right", 2, 0, 0, 0.6, ""], ["solved", "all", "all", "any", 2, 0, 0, 0.6, ""],
                 ["valid_programs_share", "all", "all", "0", 2, 1, 0.4, 1, ""], ["replay_solved", "all", "all", "1", 2, 0, 0, 0.6, ""]]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "labels.csv"
            with open(path, "w", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows([labels.COLUMNS, *rows])
            text = labels.section(path)
        self.assertEqual(read_page(text).open, [])
        self.assertIn("2 of the searches have not ended", text)


class ControlsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            make_controls(Path(folder))
            cls.text = controls.section(Path(folder))

    def test_every_control_has_a_row_and_a_part_of_its_own(self):
        self.assertEqual(read_page(self.text).open, [])
        self.assertEqual(self.text.count("<h3>"), 2)
        self.assertIn("<h3>Sampling control of &lt;ladder&gt;</h3>\n<p>What samples solve.</p>", self.text)
        self.assertIn("<h3>reexecution</h3>", self.text)  # without Markdown its file's name
        self.assertIn('<td class="text">reexecution</td><td>30</td>', self.text)
        self.assertNotIn("reexecution-flips", self.text)

    def test_shares_are_percent_and_counts_and_p_values_are_not(self):
        self.assertIn("difference, search - sampling: <b>-12.5 [-25.0, 6.2]</b>", self.text)
        self.assertIn("p value, search - sampling: <b>2.0·10<sup>-5</sup></b>", self.text)
        self.assertIn("flips, &lt;dtype&gt;, of valid: <b>2.0 [1.0, 5.0] (n = 90)</b>", self.text)
        self.assertIn('<td class="text">all levels</td><td>36</td>', self.text)

    def test_levels_stand_in_lines_with_notes_below(self):
        self.assertIn('<td class="text">products</td><td>50.0 [40.0, 60.0]</td><td>50.0 [40.0, 60.0]</td>', self.text)
        self.assertIn("<li>all levels, search - sampling: best sampling: T=0.7</li>", self.text)
        self.assertIn("<th>&lt;dtype&gt;, of valid</th>", self.text)


class DataTest(unittest.TestCase):
    def test_notation_is_expanded(self):
        self.assertEqual(data.parse_program("0-2,4,(1-2,(7)*2)*2"), [0, 1, 2, 4, 1, 2, 7, 7, 1, 2, 7, 7])

    def test_bad_notation_is_refused(self):
        for text in ("", "a", "1,", "(1-2", "(1)*", "1-2)", "1--2"):
            with self.subTest(text=text), self.assertRaises(data.Missing):
                data.parse_program(text)

    def test_solved_shares_follow_the_first_right_program(self):
        trials = [data.Trial("x", "a", 1, "0-1", False), data.Trial("x", "a", 2, "0", True), data.Trial("x", "a", 3, "1", True),
                  data.Trial("y", "b", 1, "0-1", True), data.Trial("z", "b", 1, "0-1", False)]
        self.assertEqual(data.solved_by_rollouts(trials), {"a": [0, 1, 1], "b": [0.5, 0.5, 0.5], "all": [1 / 3, 2 / 3, 2 / 3]})

    def test_operation_rates_weigh_examples_alike_and_leave_the_identity_out(self):
        trials = [data.Trial("x", "", 1, "0-1", True), data.Trial("x", "", 2, "0", True), data.Trial("x", "", 3, "0-1,1", False),
                  data.Trial("y", "", 1, "0,0-1", True)]
        rates, examples = data.operation_rates(trials, 2)
        self.assertEqual(examples, 2)
        self.assertEqual(rates["skipped, valid"], [0, 0.5])
        self.assertEqual(rates["repeated, valid"], [0.5, 0])
        self.assertEqual(rates["skipped, tried"], [0, 0.25])
        self.assertEqual(rates["repeated, tried"], [0.5, 0.25])

    def test_only_the_newest_search_is_read(self):
        with tempfile.TemporaryDirectory() as folder:
            make_store(Path(folder) / "labels.sqlite", 1, 3)
            with closing(sqlite3.connect(Path(folder) / "labels.sqlite")) as store, store:
                store.execute("INSERT INTO searches VALUES (99, 1, 1, 'done', 1)")
                store.execute("INSERT INTO trials VALUES (99, 0, 0, 1, 0, 0, 1, -1, 2, 0.5, 30, '7', 1)")
            trials = data.read_trials(Path(folder) / "labels.sqlite")
        self.assertEqual(len(trials), 18)
        self.assertEqual([t.number for t in trials[:3]], [1, 2, 3])


if __name__ == "__main__":
    unittest.main()
