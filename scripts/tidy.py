#!/usr/bin/env python3
"""Runs clang-tidy on polar's own sources, skipping those that passed with the same content.

A source counts as unchanged when it, every project header it reaches, its compile command, the .clang-tidy files and the pinned versions of
requirements.txt are what they were when it passed; such passes are remembered in .cache/tidy.

  scripts/tidy.py build/dev                    everything in the build folder's compile commands
  scripts/tidy.py build/dev src/core src/text  only sources below these folders
"""
import argparse
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PASSED = ROOT / ".cache" / "tidy"
CLANG_TIDY = ROOT / ".venv" / "bin" / "clang-tidy"
INCLUDE = re.compile(rb'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def compile_arguments(command):
    """What clang needs of g++'s command: no outputs, no warnings of g++'s own, no header that g++ precompiled."""
    kept, words = [], iter(shlex.split(command))
    for word in words:
        if word in ("-o", "-c", "-include"):
            next(words)
        elif word.startswith(("-D", "-I", "-std=", "-f", "-m")) and not word.startswith("-fsanitize"):
            kept.append(word)
        elif word == "-isystem":
            kept += [word, next(words)]
    return kept


@lru_cache(maxsize=None)
def includes(path):
    """The project's own headers that `path` names, and the digest of its content."""
    content = path.read_bytes()
    found = []
    for name in INCLUDE.findall(content):
        for folder in (path.parent, ROOT / "src", ROOT / "tests"):
            header = folder / name.decode()
            if header.is_file():
                found.append(header.resolve())
                break
    return found, hashlib.sha256(content).hexdigest()


def digest(source, arguments, common):
    reached, waiting = set(), [source]
    while waiting:
        path = waiting.pop()
        if path not in reached:
            reached.add(path)
            waiting += includes(path)[0]
    lines = [common, " ".join(arguments)] + sorted(f"{path.relative_to(ROOT)} {includes(path)[1]}" for path in reached)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def check(source, arguments):
    """Seconds and what clang-tidy says; nothing when it is content."""
    started = time.monotonic()
    result = subprocess.run([CLANG_TIDY, "--quiet", source, "--", *arguments], cwd=ROOT, capture_output=True, text=True)
    said = "" if result.returncode == 0 else result.stdout + result.stderr
    return time.monotonic() - started, said


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path, help="build folder with compile_commands.json")
    parser.add_argument("folders", type=Path, nargs="*", help="only sources below these (default: src, tests and bench)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    folders = [folder.resolve() for folder in options.folders or (ROOT / "src", ROOT / "tests", ROOT / "bench")]
    settings = (ROOT / ".clang-tidy", ROOT / "tests" / ".clang-tidy", ROOT / "requirements.txt")
    common = hashlib.sha256(b"".join(path.read_bytes() for path in settings)).hexdigest()

    work = {}
    for entry in json.loads((options.build / "compile_commands.json").read_text()):
        source = Path(entry["directory"], entry["file"]).resolve()
        if source.is_file() and any(source.is_relative_to(folder) for folder in folders):
            arguments = compile_arguments(entry["command"])
            mark = PASSED / digest(source, arguments, common)
            if not mark.exists():
                work[source] = (arguments, mark)
    print(f"clang-tidy: {len(work)} sources to check, the others passed as they are", flush=True)

    PASSED.mkdir(parents=True, exist_ok=True)
    failed = []
    with ThreadPoolExecutor(options.jobs) as pool:
        running = {pool.submit(check, source, arguments): source for source, (arguments, _) in work.items()}
        for number, future in enumerate(as_completed(running), 1):
            source, (seconds, said) = running[future], future.result()
            name = source.relative_to(ROOT)
            print(f"[{number}/{len(work)}] {name}: {'findings' if said else 'clean'}, {seconds:.0f} s\n{said}", end="", flush=True)
            if said:
                failed.append(name)
            else:
                work[source][1].touch()
    if failed:
        print(f"clang-tidy: findings in {len(failed)} sources: {' '.join(map(str, failed))}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
