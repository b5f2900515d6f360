#!/usr/bin/env python3
"""Compares polar's tokenizer with the `tokenizers` library: ids and decoded text of many mixed strings and of every code point; with --speed
also characters a second of both.

    scripts/check_tokenizer.py pools/smollm2 --polar build/release/polar
    scripts/check_tokenizer.py tokenizer.json --polar build/release/polar --strings 100000 --corpus README.md
    scripts/check_tokenizer.py pools/smollm2 --polar build/release/polar --corpus README.md --skip-code-points --speed 5
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from tokenizers import Tokenizer

from tokenizer_strings import mixed_strings


def polar(binary, pool, lines, json_lines):
    """Answers of `polar tokenize`, one parsed JSON value a line."""
    command = [str(binary.resolve()), "tokenize", str(pool)] + (["--json-lines"] if json_lines else [])
    done = subprocess.run(command, input=b"".join(line + b"\n" for line in lines), stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if len(answers) != len(lines):
        sys.exit(f"{' '.join(command)}: expected {len(lines)} lines, found {len(answers)}")
    return answers


def every_code_point():
    """Each code point between letters, digits, spaces, marks and alone."""
    for code in range(0x110000):
        if not 0xD800 <= code < 0xE000:
            c = chr(code)
            yield f"a{c}b {c}1{c}  {c}\u0315{c}\u0301e{c}\u0334 '{c}"


def compare(name, inputs, expected, found, shown=5):
    """Prints the outcome; the number of differences."""
    bad = [i for i, (a, b) in enumerate(zip(expected, found)) if a != b]
    print(f"{name}: {len(inputs)} compared, {len(bad)} different", flush=True)
    for i in bad[:shown]:
        print(f"  {inputs[i]!r}\n    expected {expected[i]}\n    found    {found[i]}")
    return len(bad)


def polar_rate(binary, pool, path):
    """Characters a second of one round, and the number of characters."""
    command = [str(binary.resolve()), "bench", "tokenize", str(pool), path, "--rounds", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr.strip()}")
    line = json.loads(done.stdout)
    return line["characters_per_s"], line["characters"]


def library_rate(reference, lines, seconds=1):
    """The same of the library in at least so many seconds: without offsets, in chunks, and nothing turned into Python lists."""
    done, taken, chunk = 0, 0.0, 10000
    while taken < seconds:
        started = time.perf_counter()
        for begin in range(0, len(lines), chunk):
            reference.encode_batch_fast(lines[begin:begin + chunk], add_special_tokens=False)
        taken += time.perf_counter() - started
        done += sum(map(len, lines))
    return done / taken


def compare_speed(name, args, reference, lines):
    """Prints what both reach on the same lines, in turn and on one thread each; both keep words that they met before."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    rates = {"polar": [], "tokenizers": []}
    with tempfile.NamedTemporaryFile(suffix=".txt") as file:
        file.write(b"".join(line.encode() + b"\n" for line in lines))
        file.flush()
        library_rate(reference, lines, 0.1)  # warms up, as polar does by itself
        for _ in range(args.speed):
            rate, characters = polar_rate(args.polar, args.pool, file.name)
            rates["polar"].append(rate)
            rates["tokenizers"].append(library_rate(reference, lines))
    if characters != sum(map(len, lines)):
        sys.exit(f"speed of {name}: expected {sum(map(len, lines))} characters, found {characters}")
    shown = ", ".join(f"{who} {statistics.median(found) / 1e6:.2f} ({min(found) / 1e6:.2f} to {max(found) / 1e6:.2f})"
                      for who, found in rates.items())
    ratio = statistics.median(rates["polar"]) / statistics.median(rates["tokenizers"])
    print(f"speed of {name}: {shown} million characters/s, {ratio:.2f} x; {len(lines)} lines, {characters} characters")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pool", type=pathlib.Path, help="pool folder or tokenizer.json")
    parser.add_argument("--polar", type=pathlib.Path, required=True, help="the polar program")
    parser.add_argument("--strings", type=int, default=20000, help="mixed strings (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpus", type=pathlib.Path, nargs="*", default=[], help="text files to cut strings from")
    parser.add_argument("--skip-code-points", action="store_true", help="leave out the pass over all of Unicode")
    parser.add_argument("--speed", type=int, default=0, metavar="ROUNDS", help="also time both so many rounds (default: none)")
    args = parser.parse_args()

    reference = Tokenizer.from_file(str(args.pool / "tokenizer.json" if args.pool.is_dir() else args.pool))
    reference.encode_special_tokens = False
    added = [token.content for token in reference.get_added_tokens_decoder().values()]
    corpus = [text for path in args.corpus if (text := path.read_text(encoding="utf-8", errors="replace"))]

    def encode(texts):
        chunk = 10000  # encodings hold offsets too: keep few of them at once
        return [encoding.ids for begin in range(0, len(texts), chunk)
                for encoding in reference.encode_batch(texts[begin:begin + chunk], add_special_tokens=False)]

    raw = mixed_strings(args.strings, args.seed, corpus, added)
    texts = [line.decode("utf-8", "replace") for line in raw]
    expected = encode(texts)
    quoted = [json.dumps(text).encode() for text in texts]
    different = compare("ids", texts, expected, polar(args.polar, args.pool, quoted, True))

    # Raw bytes, broken UTF-8 included, a line each.
    lines = [line.replace(b"\n", b" ") for line in raw]
    expected_raw = encode([line.decode("utf-8", "replace") for line in lines])
    different += compare("ids of raw bytes", lines, expected_raw, polar(args.polar, args.pool, lines, False))

    # Any ids decode, also cut in the middle of a character.
    cut = [ids[len(ids) // 3:] for ids in expected]
    decoded = polar(args.polar, args.pool, [json.dumps(ids).encode() for ids in cut], True)
    different += compare("decoded", cut, [reference.decode(ids, skip_special_tokens=False) for ids in cut], decoded)

    if not args.skip_code_points:
        points = list(every_code_point())
        chunk = 100000
        for begin in range(0, len(points), chunk):
            part = points[begin:begin + chunk]
            found = polar(args.polar, args.pool, [json.dumps(text).encode() for text in part], True)
            different += compare(f"ids of code points, part {begin // chunk + 1}", part, encode(part), found)

    if args.speed:
        compare_speed("mixed strings", args, reference, [line.decode("utf-8", "replace") for line in lines])
        if corpus:
            compare_speed("the corpus", args, reference, "\n".join(corpus).split("\n"))
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
