"""knn over an index of faiss, beside the exact search: time, memory, neighbours found, AUROC.

Run: python perf/knn_index.py [--kinds flat,ivf,hnsw,pq] [--rows N] [--queries N] [--data-root DIR --cache DIR]

With --data-root: CIFAR-100's train embeddings as the bank, its test, CIFAR-10 and GTSRB as queries. Else a float16 file
of N x 768 rows in groups, which is memory-mapped, with half of the queries in groups that the bank has. Seconds are of
processor time, all threads together, so that a busy machine changes them little.
"""

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from private_memory import peak_private_bytes
from surroundings import surroundings

from oodkit.metrics import auroc
from oodkit.scorers import KNN

WIDTH, HIDDEN, GROUPS, BLOCK = 768, 64, 1000, 20_000

Array = NDArray[Any]


def main(kinds: list[str], rows: int, queries: int, data_root: str | None, cache: str | None) -> None:
    print(surroundings("faiss-cpu"))
    if data_root is not None:
        bank, inside, outsides = embeddings(data_root, cache)
        report(kinds, bank, inside, outsides)
        return
    with TemporaryDirectory() as folder:
        path = Path(folder, "bank.npy")
        groups = Groups()
        groups.write(path, rows)
        inside, outside = groups.draw(queries // 2, 1, False), groups.draw(queries // 2, 2, True)
        report(kinds, np.load(path, mmap_mode="r"), inside, {"other groups": outside})


def report(kinds: list[str], bank: Array, inside: Array, outsides: dict[str, Array]) -> None:
    print(f"bank {len(bank):,} x {bank.shape[1]} {bank.dtype}")
    exact: Array | None = None
    for kind in ["exact", *kinds]:
        knn = KNN(index=None if kind == "exact" else kind)  # type: ignore[arg-type]
        started = time.process_time()
        _, fitting = peak_private_bytes(lambda knn=knn: knn.fit(bank))  # type: ignore[misc]
        fitted, started = time.process_time() - started, time.process_time()
        scores = [knn.score_samples(part) for part in (inside, *outsides.values())]
        scored = (time.process_time() - started) / sum(map(len, scores))
        every = np.concatenate(scores)
        exact = every if exact is None else exact
        found = "-" if kind == "pq" else f"{100 * np.mean(every >= exact - 1e-6):.1f} %"  # codes give other cosines
        areas = {name: 100 * auroc(scores[0], part) for name, part in zip(outsides, scores[1:], strict=True)}
        print(
            f"{kind:6} fit {fitted:7.1f} s {fitting / 1e6:6.0f} MB, {1000 * scored:.2f} ms a query, "
            f"nearest found {found}, "
            f"AUROC {', '.join(f'{name} {area:.2f}' for name, area in areas.items())}",
            flush=True,
        )
        for note in knn.notes_:
            print(f"       {note}", flush=True)


class Groups:
    """Rows of 768 features that vary in 64 directions, in groups, and a little in all."""

    def __init__(self) -> None:
        generator = np.random.default_rng(0)
        self.centres = generator.standard_normal((2 * GROUPS, HIDDEN), dtype=np.float32)
        self.mixing = generator.standard_normal((HIDDEN, WIDTH), dtype=np.float32) / HIDDEN**0.5

    def draw(self, count: int, seed: int, other: bool) -> Array:
        generator = np.random.default_rng(seed)
        hidden = self.centres[generator.integers(GROUPS, size=count) + GROUPS * other]
        hidden = hidden + generator.standard_normal(hidden.shape, dtype=np.float32)
        noise = 0.1 * generator.standard_normal((count, WIDTH), dtype=np.float32)
        return np.asarray(hidden @ self.mixing + noise)

    def write(self, path: Path, rows: int) -> None:
        file = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=(rows, WIDTH))
        for start in range(0, rows, BLOCK):
            part = file[start : start + BLOCK]
            part[:] = self.draw(len(part), start + 10, False)
        file.flush()


def embeddings(data_root: str, cache: str | None) -> tuple[Array, Array, dict[str, Array]]:
    from oodkit import load_backbone, load_dataset
    from oodkit.embedding import embed

    backbone = load_backbone("efficientnet_lite0", image_size=128)

    def features(name: str) -> Array:
        return np.asarray(embed(load_dataset(name, data_root=data_root), backbone, cache=cache).features)

    outsides = {name: features(f"{name}:test") for name in ("cifar10", "gtsrb")}
    return features("cifar100:train"), features("cifar100:test"), outsides


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", default="flat,ivf,hnsw,pq")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--data-root")
    parser.add_argument("--cache")
    given = parser.parse_args()
    main(given.kinds.split(","), given.rows, given.queries, given.data_root, given.cache)
