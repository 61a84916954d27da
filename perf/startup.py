"""How long the program takes to answer what needs no computation.

Run: python perf/startup.py [--repeats N]
"""

import os
import subprocess
import sys
from statistics import median
from time import perf_counter

from surroundings import surroundings

TARGET_SECONDS = {"--help": 0.3}
# What a shell asks when Tab is pressed after `oodkit score --scorer kn`.
COMPLETION = {"_OODKIT_COMPLETE": "complete_bash", "COMP_WORDS": "oodkit score --scorer kn", "COMP_CWORD": "3"}
CALLS: list[tuple[str, list[str], dict[str, str]]] = [
    ("--help", ["--help"], {}),
    ("score --help", ["score", "--help"], {}),
    ("--version", ["--version"], {}),
    ("Tab after --scorer kn", [], COMPLETION),
    ("list scorers", ["list", "scorers"], {}),
    ("list datasets", ["list", "datasets"], {}),
    ("list backbones", ["list", "backbones"], {}),
    ("a word it does not know", ["scroe"], {}),
]
PROGRAM = [sys.executable, "-c", "from oodkit.cli.main import main; main()"]


def main(repeats: int) -> None:
    print(surroundings("typer"))
    row = "{:<26} {:>8} {:>8} {:>8}   {}".format
    print(row("oodkit ...", "median", "low", "high", "at most"))
    for name, arguments, variables in CALLS:
        times = [seconds(arguments, variables) for _ in range(repeats + 1)][1:]  # the first one fills caches
        target = f"{TARGET_SECONDS[name]:.1f} s" if name in TARGET_SECONDS else "-"
        print(row(name, *(f"{value:.2f} s" for value in (median(times), min(times), max(times))), target), flush=True)


def seconds(arguments: list[str], variables: dict[str, str]) -> float:
    environment = {**os.environ, **variables}
    start = perf_counter()
    done = subprocess.run([*PROGRAM, *arguments], env=environment, capture_output=True, check=False)
    assert done.stdout or done.stderr, "an answer"
    return perf_counter() - start


if __name__ == "__main__":
    main(int(sys.argv[sys.argv.index("--repeats") + 1]) if "--repeats" in sys.argv else 7)
