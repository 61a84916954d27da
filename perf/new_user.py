"""A new user's path, timed: a fresh clone and environment, an install, a fit, and verdicts on twenty images.

Run: python perf/new_user.py [--keep FOLDER]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from photographs import photographs
from surroundings import surroundings

ROOT = Path(__file__).parents[1]
FITTED, NEW = 100, 20


def main(folder: Path) -> None:
    """Print the seconds of each step."""
    clone, python = folder / "oodkit", folder / "environment" / "bin"
    images, source = photographs(FITTED + NEW, 320, 240, None)
    for number, image in enumerate(images):
        path = folder / ("photos" if number < FITTED else "incoming") / f"{number:03d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path)
    print(f"{FITTED} photographs to fit on and {NEW} new ones ({source}); {surroundings()}")
    steps = {
        "clone": ["git", "clone", "--quiet", str(ROOT), str(clone)],
        "environment": [sys.executable, "-m", "venv", str(python.parent)],
        "install": [str(python / "pip"), "install", "--quiet", str(clone)],
        "fit": [str(python / "oodkit"), "fit", "--in", "photos", "--to", "detector"],
        "predict": [str(python / "oodkit"), "predict", "detector", "incoming"],
    }
    environment = {**os.environ, "OODKIT_CACHE": str(folder / "cache")}
    started = time.monotonic()
    for name, command in steps.items():
        before = time.monotonic()
        subprocess.run(command, cwd=folder, check=True, env=environment)
        print(f"{name}: {time.monotonic() - before:.0f} s", flush=True)
    print(f"from clone to verdicts: {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", type=Path, help="Folder to work in, which stays; else a temporary one.")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        main(words.keep or Path(temporary))
