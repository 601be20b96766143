#!/usr/bin/env python3
"""Runs the fuzz targets one after the other and prints what each has done. `make fuzz` builds the binary and calls this.

An input that breaks something is kept in CRASHES and fails the run; CONTRIBUTING.md says what to do with it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import seeds

HERE = Path(__file__).resolve().parent
# A single input may take this long: a target that hangs has to end. What is slow is found by counting (fuzz/src/meter.rs).
HANG = 60
# Inputs are no longer than this: the costs of longer ones follow from the bounds that are checked for these.
LONGEST = 2048
# One process may take this much memory, in MiB: what an input may take is counted as well.
MEMORY = 2048


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="where seeds, found inputs and crashes are kept")
    parser.add_argument("--seconds", type=int, default=60, help="for each target; 0 runs what is known and no more")
    parser.add_argument("--runs", type=int, default=-1, help="inputs of each target at most")
    parser.add_argument("--targets", default="", help="names, separated by blanks; all of them by default")
    parser.add_argument("--tally", type=Path, help="a file of JSON that the figures are added to")
    return parser.parse_args()


def write_seeds(folder: Path, data: list[bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for at, seed in enumerate(data):
        path = folder / f"{at:04}"
        if not path.exists() or path.read_bytes() != seed:
            path.write_bytes(seed)


def run(args: argparse.Namespace, target: str, data: list[bytes]) -> dict[str, float]:
    found, made, crashes = args.work / "found" / target, args.work / "seeds" / target, args.work / "crashes"
    write_seeds(made, data)
    found.mkdir(parents=True, exist_ok=True)
    crashes.mkdir(parents=True, exist_ok=True)
    known = {path.name for path in crashes.iterdir()}
    regressions = HERE / "regressions" / target
    corpora = [found, made] + ([regressions] if regressions.is_dir() else [])
    limits = [f"-max_total_time={args.seconds}", f"-runs={args.runs}"] if args.seconds else ["-runs=0"]
    command = [args.binary.resolve(), *limits, f"-max_len={LONGEST}", f"-timeout={HANG}", f"-rss_limit_mb={MEMORY}", "-print_final_stats=1",
               "-verbosity=1", f"-artifact_prefix={crashes.resolve()}/{target}-", *corpora]
    started = time.monotonic()
    done = subprocess.run(command, env=os.environ | {"FUZZ_TARGET": target}, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    took = time.monotonic() - started
    output = done.stdout.decode(errors="replace")
    count = re.findall(r"number_of_executed_units: (\d+)", output) or re.findall(r"(?m)^#(\d+)", output)
    covered = re.findall(r"cov: (\d+)", output)
    new = sorted(path for path in crashes.iterdir() if path.name not in known)
    result = {
        "inputs": int(count[-1]) if count else 0,
        "seconds": took,
        "covered": int(covered[-1]) if covered else 0,
        "crashes": max(len(new), int(done.returncode != 0)),
    }
    rate = result["inputs"] / max(took, 0.001)
    print(f"{target:14} {result['inputs']:11} {rate:9.0f} {result['covered']:8} {result['crashes']:7}", flush=True)
    if done.returncode != 0:
        lines = output.splitlines()
        panic = next((at for at, line in enumerate(lines) if "panicked at" in line or "ERROR: libFuzzer" in line), 0)
        print("\n".join(f"    {line[:300]}" for line in lines[panic:panic + 4] or lines[-10:]))
        for path in new:
            print(f"    FUZZ_TARGET={target} {args.binary} {path}")
    return result


def add(tally: Path, results: dict[str, dict[str, float]]) -> None:
    total = json.loads(tally.read_text()) if tally.exists() else {}
    for target, result in results.items():
        old = total.get(target, {"inputs": 0, "seconds": 0, "covered": 0, "crashes": 0})
        total[target] = {key: round(old[key] + result[key], 1) for key in ("inputs", "seconds", "crashes")}
        total[target]["covered"] = max(old["covered"], result["covered"])
    tally.write_text(json.dumps(total, indent=1) + "\n")


def main() -> int:
    args = parse()
    every = seeds.all_seeds()
    names = args.targets.split() or list(every)
    unknown = [name for name in names if name not in every]
    if unknown:
        print(f"there is no target {', '.join(unknown)}; there are {' '.join(every)}", file=sys.stderr)
        return 2
    print(f"{'target':14} {'inputs':>11} {'inputs/s':>9} {'coverage':>8} {'crashes':>7}")
    results = {name: run(args, name, every[name]) for name in names}
    if args.tally:
        add(args.tally, results)
    inputs = sum(result["inputs"] for result in results.values())
    failed = sum(result["crashes"] > 0 for result in results.values())
    print(f"{inputs} inputs in {sum(result['seconds'] for result in results.values()):.0f} s")
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
