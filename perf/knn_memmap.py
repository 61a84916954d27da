"""Exact k-NN against a memory-mapped float16 bank of 1,000,000 x 768, beside the plain matrix product.

Run: python perf/knn_memmap.py [--repeats N] [--queries N]

Writes a file of 1.5 GB to a temporary folder (TMPDIR) and removes it.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from pairing import compare
from private_memory import peak_private_bytes

from oodkit.scorers import KNN
from oodkit.scorers.neighbours import Bank
from oodkit.scorers.unit_rows import unit_rows

BANK, WIDTH, BLOCK = 1_000_000, 768, 20_000


def main(repeats: int, count: int) -> None:
    queries = torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(1))
    with TemporaryDirectory() as folder:
        path = Path(folder, "bank.npy")
        write(path)
        knn = KNN()
        _, fitting = peak_private_bytes(lambda: knn.fit(np.load(path, mmap_mode="r")))
        _, scoring = peak_private_bytes(lambda: knn.score_samples(queries))
        print(f"{count:,} queries, float16 file of {BANK:,} x {WIDTH}, {repeats} alternating repeats")
        print(
            f"private memory above the queries: fit {fitting / 1e6:.0f} MB, score {scoring / 1e6:.0f} MB (at most 300)"
        )

        block = torch.randn(BLOCK, WIDTH)
        unit, out = unit_rows(queries), torch.empty(count, BLOCK)

        def product() -> None:
            for _ in range(BANK // BLOCK):
                torch.mm(unit, block.T, out=out)

        assert knn.bank_ is not None
        bank = Bank(knn.bank_, knn.scale_)
        print("ratio of times to the float32 product of the same size, median (range), at most 1.20")
        print(f"default         {compare(lambda: knn.score_samples(queries), product, repeats)}", flush=True)
        print(f"float32 search  {compare(lambda: bank.nearest(unit, 1, bf16=False), product, repeats)}", flush=True)


def write(path: Path) -> None:
    rows = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=(BANK, WIDTH))
    rng = np.random.default_rng(0)
    for start in range(0, BANK, BLOCK):
        rows[start : start + BLOCK] = rng.standard_normal((BLOCK, WIDTH), dtype=np.float32)
    rows.flush()


if __name__ == "__main__":
    options = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
    main(int(options.get("--repeats", 2)), int(options.get("--queries", 2048)))
