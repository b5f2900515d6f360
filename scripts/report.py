#!/usr/bin/env python3
"""Writes RUN/report/index.html from what a run left in its folder: one page without outside resources.

Reads report/results.csv, labels.csv and labels-vs-*.csv, controls/*.csv and *.md, evaluation.jsonl, labels.sqlite, predictor/,
selection.json, config.yaml, environment.json and log.jsonl; a section whose input is missing says so. Example:

  scripts/report.py runs/ladder
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from polar_report import page
from polar_report.output import write_whole


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="the run's folder, such as runs/ladder")
    run = parser.parse_args(arguments).run
    if not run.is_dir() or not any((run / name).exists() for name in ("config.yaml", "report", "evaluation.jsonl")):
        print(f"report.py: {run}: expected the folder of a run, found {'another folder' if run.is_dir() else 'none'}; "
              "name one, such as runs/ladder", file=sys.stderr)
        return 2
    path = run / "report" / "index.html"
    try:
        write_whole(path, page.build(run))
    except OSError as error:
        print(f"report.py: {path}: cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
