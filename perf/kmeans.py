"""k-means of more rows than are held: a memory-mapped float32 file of 1,000,000 x 768.

Run: python perf/kmeans.py [--clusters 100,1000] [--rows N] [--restarts R] [--engine sklearn|faiss]

Writes a file of 3 GB to a temporary folder (TMPDIR) and removes it. Processor time counts all threads together,
so that a busy machine changes them little. Rows are of 1,000 groups that overlap.
"""

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import numpy as np
from private_memory import peak_private_bytes
from surroundings import surroundings

from oodkit.clustering import Clusters, kmeans
from oodkit.clustering.centre_search import Engine

WIDTH, GROUPS, BLOCK = 768, 1000, 20_000


def main(rows: int, clusters: list[int], restarts: int, engine: Engine) -> None:
    print(surroundings("scikit-learn"), engine)
    with TemporaryDirectory() as folder:
        path = Path(folder, "rows.npy")
        write(path, rows)
        features = np.load(path, mmap_mode="r")
        for count in clusters:
            found: list[Clusters] = []
            processor, started = time.process_time(), time.perf_counter()
            _, above = peak_private_bytes(
                lambda count=count, found=found: found.append(kmeans(features, count, restarts=restarts, engine=engine))  # type: ignore[misc]
            )
            processor, seconds = time.process_time() - processor, time.perf_counter() - started
            sizes = np.bincount(found[0].assignments, minlength=count)
            print(
                f"{rows:,} x {WIDTH}, {count:,} clusters, {restarts} start(s): {processor:.0f} s of processor time, "
                f"{seconds:.0f} s, {above / 1e6:.0f} MB; sizes {sizes.min():,} to {sizes.max():,}",
                flush=True,
            )


def write(path: Path, rows: int) -> None:
    file = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(rows, WIDTH))
    generator = np.random.default_rng(0)
    centres = generator.standard_normal((GROUPS, WIDTH), dtype=np.float32)
    for start in range(0, rows, BLOCK):
        part = file[start : start + BLOCK]
        of = generator.integers(GROUPS, size=len(part))
        part[:] = 0.5 * centres[of] + generator.standard_normal((len(part), WIDTH), dtype=np.float32)
    file.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clusters", default="100,1000")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--restarts", type=int, default=1)
    parser.add_argument("--engine", choices=get_args(Engine), default="sklearn")
    given = parser.parse_args()
    main(given.rows, [int(word) for word in given.clusters.split(",")], given.restarts, given.engine)
