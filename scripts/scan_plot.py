#!/usr/bin/env python3
"""Draws what `polar scan` left in a folder: scan-accuracy.png and scan-log-prob.png, heat maps over all levels, and scan.html, the same by
level with the best blocks, one page without outside resources. Reads scan.csv alone. Example:

  scripts/scan_plot.py runs/ladder-scan
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from polar_report import scan
from polar_report.data import ALL, Missing
from polar_report.output import write_whole

PICTURES = {"change": "scan-accuracy.png", "log_prob_change": "scan-log-prob.png"}


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the scan's folder, such as runs/ladder-scan")
    folder = parser.parse_args(arguments).folder
    try:
        rows = scan.read(folder / "scan.csv")
    except Missing as missing:
        print(f"scan_plot.py: {folder}: expected the folder of a scan; {missing} Run polar scan first", file=sys.stderr)
        return 2
    try:
        for measure, name in PICTURES.items():
            write_whole(folder / name, scan.png(scan.heat_maps(scan.of_level(rows, ALL), measure)))
            print(folder / name)
        write_whole(folder / "scan.html", scan.page(rows, folder.resolve().name))
    except OSError as error:
        print(f"scan_plot.py: {error.filename or folder}: cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    print(folder / "scan.html")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
