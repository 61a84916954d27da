"""What an index that does not search everything costs, measured on in-distribution rows alone."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import Tensor

from oodkit.clustering.kmeans import kmeans
from oodkit.scorers.faiss_index import FaissIndex, IndexSettings
from oodkit.scorers.neighbours import Bank
from oodkit.scorers.rows import floating
from oodkit.scorers.unit_rows import unit_rows

SAMPLE, CLUSTERS, HELD_CLUSTERS, HELD_ROWS = 20_000, 20, 4, 0.1
RECALL_ROWS = 500
LEAST = 1000  # fewer rows hold too few clusters out
SAME = 1e-6  # products that differ by less are of rows that are equally near


@dataclass(frozen=True)
class IndexLoss:
    """How an index compares with the exact search.

    Attributes:
        recall: share of `queries` fit rows whose nearest other fit row, or one as near, the index gives.
        exact, indexed: AUROC of held-out rows of kept clusters against those of held-out clusters, as fractions.
        rows: fit rows that these are from.
    """

    recall: float
    queries: int
    exact: float
    indexed: float
    rows: int

    def notes(self, settings: str) -> list[str]:
        """What a user should know.

        Args:
            settings: of the index, in words.
        """
        difference = 100 * (self.indexed - self.exact)
        return [
            f"{settings}: gives the nearest other fit row of {100 * self.recall:.1f} % of {self.queries} fit rows",
            f"{settings}: AUROC of fit rows against held-out clusters of fit rows {100 * self.indexed:.2f} %, exact "
            f"{100 * self.exact:.2f} %: {difference:+.2f} ({self.rows:,} rows)",
        ]


def index_loss(
    features: Tensor, mapped: bool, index: FaissIndex, settings: IndexSettings, k: int, seed: int
) -> IndexLoss | None:
    """Compare an index with the exact search.

    Recall is that of the index itself. For the AUROC, a sample of the rows is clustered by k-means; some clusters are
    held out as if they were OOD, and some rows of the others as in-distribution; the rest is the bank of an exact
    search and of an index of the same kind and settings, as far as these were given.

    Args:
        features: (N, D) rows that `index` holds.
        mapped: whether they lie in a memory-mapped file.
        index: of all of them.
        settings: of the index as they were given, not resolved.
        k: number of neighbours of the score.
        seed: of the draws and of k-means.

    Returns:
        None for fewer than 1,000 rows.
    """
    if len(features) < LEAST:
        return None
    generator = np.random.default_rng(seed)
    recall, queries = _recall(features, mapped, index, generator)
    sample = _rows(features, _draw(len(features), SAMPLE, generator))
    of = kmeans(sample.numpy(), CLUSTERS, seed=seed, restarts=1).assignments
    out = np.isin(of, generator.choice(CLUSTERS, HELD_CLUSTERS, replace=False))
    apart = ~out & (generator.random(len(sample)) < HELD_ROWS)
    bank, asked = sample[~out & ~apart], torch.cat([sample[apart], sample[out]])
    k = min(k, len(bank))
    smaller = FaissIndex.of(bank, settings.resolved(len(bank), bank.shape[1], k))
    is_in = np.arange(len(asked)) < apart.sum()
    exact, indexed = (
        float(roc_auc_score(is_in, found.nearest(asked, k)[0].mean(dim=1).numpy()))
        for found in (Bank.of(bank), smaller)
    )
    return IndexLoss(recall, queries, exact, indexed, len(sample))


def _recall(features: Tensor, mapped: bool, index: FaissIndex, generator: np.random.Generator) -> tuple[float, int]:
    """Share of some rows whose nearest other row the index gives, and how many rows these are."""
    drawn = _draw(len(features), RECALL_ROWS, generator)
    queries = _rows(features, drawn)
    _, exact = Bank.of(features, mapped).nearest(queries.to(features.device), 2)
    _, found = index.nearest(queries, 2)
    best = [_first_other(queries, features, places.cpu().numpy(), drawn) for places in (exact, found)]
    return float(np.mean(best[1] >= best[0] - SAME)), len(drawn)


def _first_other(
    queries: Tensor, features: Tensor, places: NDArray[np.int64], own: NDArray[np.intp]
) -> NDArray[np.float64]:
    """(B,) cosine of each query with the first of its two neighbours (B, 2) that is not itself; -1 for none."""
    first = np.where(places[:, 0] == own, places[:, 1], places[:, 0])
    rows = _rows(features, np.maximum(first, 0))
    return np.where(first < 0, -1, (queries * rows).sum(dim=1).double().numpy())


def _draw(count: int, most: int, generator: np.random.Generator) -> NDArray[np.intp]:
    drawn: NDArray[np.intp] = np.sort(generator.choice(count, min(count, most), replace=False))
    return drawn


def _rows(features: Tensor, places: NDArray[np.intp]) -> Tensor:
    """Some rows as float32 unit rows on the CPU."""
    return unit_rows(floating(features[torch.from_numpy(places).to(features.device)])).float().cpu()
