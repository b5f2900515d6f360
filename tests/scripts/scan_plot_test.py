"""scripts/scan_plot.py on a made-up scan. Run: .venv/bin/python tests/scripts/scan_plot_test.py"""

import csv
import math
import random
import sys
import tempfile
import unittest
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests" / "scripts")]

import scan_plot
from polar_report import scan
from report_test import Checker

DEPTH = 6


def write_scan(folder, levels=("sums <b>", "products", "all")):
    draw = random.Random(2)
    with open(folder / "scan.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(scan.COLUMNS)
        for level in levels:
            def row(mode, first, last, layers, program, change, log_prob):
                around = lambda value, reach: ["", ""] if mode == "identity" else [value - reach, value + reach]
                writer.writerow([mode, first, last, layers, program, level, 20, 0.5 + change, 0.3, 0.7, 3, 2, change,
                                 *around(change, 0.1), 0.5, 1, log_prob, *around(log_prob, 1)])
            row("identity", "", "", DEPTH, "0-5", 0, 0)
            for mode in ("repeat", "skip"):
                for first in range(DEPTH):
                    for last in range(first, DEPTH):
                        if mode == "repeat" or last - first + 1 < DEPTH:
                            change = draw.uniform(-0.4, 0.1)
                            row(mode, first, last, DEPTH, f"{mode},{first},{last}", change, 10 * change)


class ScanPlotTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def run_on(self, folder):
        out, err = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = scan_plot.main([str(folder)])
        return code, out.getvalue(), err.getvalue()

    def test_draws_pictures_and_a_page_of_its_own(self):
        write_scan(self.folder)
        code, out, err = self.run_on(self.folder)
        self.assertEqual((code, err), (0, ""))
        for name in ("scan-accuracy.png", "scan-log-prob.png"):
            self.assertTrue((self.folder / name).read_bytes().startswith(b"\x89PNG"), name)
            self.assertIn(name, out)
        page = (self.folder / "scan.html").read_text(encoding="utf-8")
        checker = Checker()
        checker.feed(page)
        self.assertEqual(checker.open, [])
        self.assertEqual(checker.outside, [])
        self.assertEqual(len(checker.ids), len(set(checker.ids)))
        self.assertEqual(page.count("<svg"), 3 * 2)
        self.assertIn("sums &lt;b&gt;", page)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()),
                         ["scan-accuracy.png", "scan-log-prob.png", "scan.csv", "scan.html"])

    def test_puts_every_block_in_its_cell(self):
        write_scan(self.folder, levels=("all",))
        rows = scan.read(self.folder / "scan.csv")
        cells = scan.grid(rows, "skip", "change")
        for first in range(DEPTH):
            for last in range(DEPTH):
                absent = last < first or last - first + 1 == DEPTH
                self.assertEqual(math.isnan(cells[first][last]), absent, (first, last))
        row = next(r for r in rows if r.mode == "skip" and (r.first, r.last) == (1, 3))
        self.assertAlmostEqual(cells[1][3], 100 * row.change)

    def test_lists_the_best_blocks_first(self):
        write_scan(self.folder, levels=("all",))
        rows = scan.read(self.folder / "scan.csv")
        best = max((r for r in rows if r.mode == "repeat"), key=lambda r: r.accuracy)
        text = scan.best_table(rows, "repeat")
        self.assertEqual(text.index("<code>"), text.index(f"<code>{best.program}</code>"))
        self.assertEqual(text.count("<code>"), scan.BEST)

    def test_keeps_equal_blocks_in_the_order_of_the_rows(self):
        write_scan(self.folder, levels=("all",))
        same = [row._replace(accuracy=0.5, log_prob_change=0.0, layers=DEPTH + 9 - place)
                for place, row in enumerate(r for r in scan.read(self.folder / "scan.csv") if r.mode == "skip")]
        text = scan.best_table(same, "skip")
        places = [text.index(f"<code>{row.program}</code>") for row in same[:scan.BEST]]
        self.assertEqual(places, sorted(places))

    def test_shows_no_brackets_where_nothing_varies(self):
        write_scan(self.folder, levels=("all",))
        identity = next(r for r in scan.read(self.folder / "scan.csv") if r.mode == "identity")
        self.assertIsNone(identity.change_low)
        self.assertNotIn("[", scan.best_table([identity], "identity"))
        self.assertEqual(scan.signed(0.125, None, None, 100, 1), "+12.5")
        self.assertEqual(scan.signed(-0.125, -0.25, 0.0, 100, 1), "−12.5 [−25.0, +0.0]")

    def test_names_what_is_missing_or_damaged(self):
        code, _, err = self.run_on(self.folder)
        self.assertEqual(code, 2)
        self.assertIn("scan.csv could not be read", err)
        write_scan(self.folder)
        path = self.folder / "scan.csv"
        path.write_text(path.read_text().replace("repeat,0,1,6", "repeat,0,one,6", 1))
        code, _, err = self.run_on(self.folder)
        self.assertEqual(code, 2)
        self.assertIn("line 4, is not a row of a scan", err)


if __name__ == "__main__":
    unittest.main()
