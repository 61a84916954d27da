"""A first and a second, cached `oodkit score --in cifar100 --out cifar10`: times, where the second's go, and memory.

Run: python perf/cached_score.py [--data-root DIR] [--image-size N] [--limit N] [--repeats N]

Every run is a process of its own. The first fills a fresh cache; the second is repeated, and its median taken. Without
these data sets under the data root, digits@0-4 against digits@5-9.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

from surroundings import surroundings

from oodkit.data import load_dataset
from oodkit.errors import OodkitError

TARGET_RATIO, TARGET_MB = 20, 1500
PROGRAM = [sys.executable, "-c", "from oodkit.cli.main import main; main()"]
IMPORTS = [sys.executable, "-c", "import torch, sklearn.base"]


class Done(NamedTuple):
    """A finished process: seconds, its peak resident memory in MB (files it maps included), what it printed."""

    seconds: float
    megabytes: float
    printed: bytes


def main(words: list[str], data_root: Path | None, repeats: int) -> None:
    words = ["score", *pair(data_root), "--json", *words]
    if data_root is not None:
        words += ["--data-root", str(data_root)]
    print(surroundings("scikit-learn"))
    print("oodkit", *words)
    with tempfile.TemporaryDirectory() as cache:
        command = [*PROGRAM, *words, "--cache", cache]
        first = run(command)
        print(f"first: {first.seconds:.1f} s, {first.megabytes:.0f} MB at most (target {TARGET_MB})", flush=True)
        again = [run(command) for _ in range(repeats)]
    second = median(done.seconds for done in again)
    memory = max(done.megabytes for done in again)
    ratios = [first.seconds / done.seconds for done in again]
    print(f"second: {second:.1f} s (median of {repeats}), {memory:.0f} MB at most (target {TARGET_MB})")
    print(f"first / second: {median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f}), at least {TARGET_RATIO}")
    middle = min(again, key=lambda done: abs(done.seconds - second))
    for step, seconds in steps(middle, run(IMPORTS).seconds).items():
        print(f"  {step:<42} {seconds:6.2f} s")


def pair(data_root: Path | None) -> list[str]:
    try:
        for name in ("cifar100", "cifar10"):
            load_dataset(name, data_root=data_root, download=False)
    except OodkitError:
        return ["--in", "digits@0-4", "--out", "digits@5-9"]
    return ["--in", "cifar100", "--out", "cifar10"]


def run(command: list[str]) -> Done:
    start = perf_counter()
    with tempfile.TemporaryFile() as printed:
        process = subprocess.Popen(command, stdout=printed)
        _, status, used = os.wait4(process.pid, 0)
        seconds = perf_counter() - start
        assert status == 0, "oodkit score failed"
        printed.seek(0)
        kilobytes = used.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
        return Done(seconds, kilobytes / 1000, printed.read())


def steps(done: Done, imports: float) -> dict[str, float]:
    """Where the time of a run went, as far as it says itself."""
    report: dict[str, Any] = json.loads(done.printed)
    assert report["settings"]["images_embedded"] == 0, "all features come from the store"
    known = {"imports of torch and scikit-learn": imports}
    known["names, digests, features from the store"] = report["settings"]["seconds_embedding"]
    for result in report["results"]:
        known[f"{result['scorer']}: fit"] = result["seconds"]["fit"]
        known[f"{result['scorer']}: scores"] = result["seconds"]["score_in"] + result["seconds"]["score_out"]
    return {**known, "the rest": done.seconds - sum(known.values())}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--image-size")
    parser.add_argument("--limit")
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    options = [("--image-size", given.image_size), ("--limit", given.limit)]
    main([word for option in options if option[1] for word in option], given.data_root, given.repeats)
