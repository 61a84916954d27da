"""Peak private memory of scoring a memory-mapped file of 1,000,000 rows, for every scorer that keeps no bank.

Run: python perf/scorer_memory.py [--only NAME[,NAME ...]] [--rows N] [--folder FOLDER]

Each scorer gets a process of its own. Writes files of 3.1 GB (float32 features, N x 768) and 0.4 GB (logits, N x 100)
to a temporary folder, or to FOLDER where they do not lie there yet; only a temporary folder is removed.
"""

import subprocess
import sys
from ctypes import CDLL
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import torch
from private_memory import peak_private_bytes

from oodkit.scorers import create
from oodkit.scorers.base import Need
from oodkit.scorers.entries import ENTRIES

ROWS, WIDTH, COLUMNS, BLOCK = 1_000_000, 768, 100, 20_000
FIT_ROWS, CLASSES = 5_000, 1_000
AT_MOST = 500e6
WITH_A_BANK = {"knn", "knn_kth", "kernel", "nnguide", "caption"}
PARAMS = {"ensemble": {"members": ("react", "vim")}}


def main(names: list[str], rows: int, folder: Path) -> None:
    features, logits = folder / f"features_{rows}.npy", folder / f"logits_{rows}.npy"
    write(features, rows, WIDTH)
    write(logits, rows, COLUMNS)
    print(f"{rows:,} rows, float32; features {WIDTH} wide, logits of {COLUMNS} classes; at most {AT_MOST / 1e6:.0f} MB")
    print("| scorer | private memory, MB | seconds |")
    print("| --- | --- | --- |")
    for name in names or [name for name in ENTRIES if name not in WITH_A_BANK]:
        command = [sys.executable, __file__, "--one", name, "--features", str(features), "--logits", str(logits)]
        subprocess.run(command, check=True)


def one(name: str, features: Path, logits: Path) -> None:
    """Measure one scorer, in this process."""
    torch.manual_seed(0)
    scorer = create(name, **PARAMS.get(name, {}))
    on_logits = Need.LOGITS in scorer.needs
    width, classes = (COLUMNS, COLUMNS) if on_logits else (WIDTH, CLASSES)
    labels = torch.arange(FIT_ROWS) % classes
    scorer.fit(
        torch.randn(classes, width)[labels] + torch.randn(FIT_ROWS, width),
        labels,
        head=None if on_logits else (torch.randn(classes, width), torch.randn(classes)),
        **{need: torch.randn(classes, width) for need in ("text", "out_text", "captions", "negatives")},
    )
    rows = np.load(logits if on_logits else features, mmap_mode="r")
    scorer.score_samples(rows[:10])  # so that code and thread pools are loaded
    CDLL(None).malloc_trim(0)  # what the fit left behind would be taken again unseen
    start = perf_counter()
    _, above = peak_private_bytes(lambda: scorer.score_samples(rows))
    remark = "" if above <= AT_MOST else " (too much)"
    print(f"| `{name}` | {above / 1e6:.0f}{remark} | {perf_counter() - start:.0f} |", flush=True)


def write(path: Path, count: int, width: int) -> None:
    """Random rows, the same block of them again and again."""
    if path.exists():
        return
    rows = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(count, width))
    block = np.random.default_rng(0).standard_normal((BLOCK, width), dtype=np.float32)
    for start in range(0, count, BLOCK):
        rows[start : start + BLOCK] = block[: count - start]
    rows.flush()


if __name__ == "__main__":
    options = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
    if "--one" in options:
        one(options["--one"], Path(options["--features"]), Path(options["--logits"]))
    else:
        only = options.get("--only", "")
        with TemporaryDirectory() as temporary:
            folder = Path(options.get("--folder", temporary))
            main(only.split(",") if only else [], int(options.get("--rows", ROWS)), folder)
