"""Banks of rows in a faiss index, which need not be searched whole and can be smaller than the rows."""

from dataclasses import dataclass
from math import isqrt
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oodkit.clustering.faiss_package import require_faiss
from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.progress import progress
from oodkit.scorers.rows import floating
from oodkit.scorers.unit_rows import unit_rows

IndexKind = Literal["flat", "ivf", "hnsw", "pq"]

CODE_BITS = 8  # of each byte of a product quantiser
BLOCK = 16_384  # rows that are added at once
TRAIN_PER_LIST, TRAIN_LEAST = 40, 2**16  # rows that lists and codes are trained on


@dataclass(frozen=True)
class IndexSettings:
    """What an index is made with; None stands for what `resolved` chooses.

    Attributes:
        kind: "flat": all rows; "ivf": rows in lists around k-means centres, of which a search reads some; "hnsw": a
            graph of neighbours; "pq": lists of rows that are coded by product quantisation.
        nlist: number of lists, for "ivf" and "pq".
        nprobe: lists that a search reads.
        links: neighbours of each row in the graph, for "hnsw".
        ef_search: rows that a search of the graph keeps in view.
        code_bytes: length of a row's code, for "pq"; divides the number of features.
        seed: of k-means, and of the draw of rows that it is trained on.
    """

    kind: IndexKind
    nlist: int | None = None
    nprobe: int | None = None
    links: int | None = None
    ef_search: int | None = None
    code_bytes: int | None = None
    seed: int = 0

    def resolved(self, count: int, width: int, k: int) -> "IndexSettings":
        """The same with every setting of the kind chosen, for `count` rows of `width` features and k neighbours.

        Raises:
            InvalidInput: a setting that these rows do not allow.
            TooFewSamples: too few rows for the codes.
        """
        nlist = nprobe = links = ef_search = code_bytes = None
        if self.kind in ("ivf", "pq"):
            nlist = self.nlist or max(1, min(2 * isqrt(count), count // TRAIN_PER_LIST))
            if nlist > count:
                raise InvalidInput(f"nlist must be at most {count}, the number of fit samples, got {nlist}")
            nprobe = min(self.nprobe or max(8, nlist // 16), nlist)
        if self.kind == "hnsw":
            links, ef_search = self.links or 32, max(self.ef_search or 128, k)
        if self.kind == "pq":
            code_bytes = self.code_bytes or _most_that_divides(width, -(-width // 8))
            if width % code_bytes:
                fit = [m for m in range(1, width + 1) if width % m == 0]
                near = min(fit, key=lambda m: abs(m - code_bytes))
                raise InvalidInput(f"code_bytes must divide the {width} features, got {code_bytes}; nearest is {near}")
            if count < 2**CODE_BITS:
                raise TooFewSamples(f"index='pq' needs at least {2**CODE_BITS} fit samples, got {count}; take 'flat'")
        return IndexSettings(self.kind, nlist, nprobe, links, ef_search, code_bytes, self.seed)

    def __str__(self) -> str:
        """Kind and settings, as parameters are written."""
        given = {name: value for name, value in vars(self).items() if name not in ("kind", "seed")}
        words = [f"index={self.kind!r}", *(f"{name}={value}" for name, value in given.items() if value is not None)]
        return ", ".join(words)


class FaissIndex:
    """Unit rows in a faiss index, by inner product.

    Args:
        index: of faiss.
    """

    def __init__(self, index: Any) -> None:
        self.index = index

    @classmethod
    def of(cls, features: Tensor, settings: IndexSettings) -> "FaissIndex":
        """An index of rows, scaled to length 1; they are read block by block, but for those that it is trained on.

        Args:
            features: (N, D) of any floating dtype, also memory-mapped.
            settings: resolved.
        """
        index = _empty(features.shape[1], settings)
        with progress(f"faiss index, {settings.kind}", len(features), unit="rows") as advance:
            if not index.is_trained:
                index.train(_training_rows(features, settings))
            for rows in torch.split(features, BLOCK):
                index.add(_unit(rows))
                advance(len(rows))
        return cls(index)

    @classmethod
    def from_bytes(cls, data: NDArray[np.uint8]) -> "FaissIndex":
        """An index that `to_bytes` gave."""
        return cls(require_faiss("index= of knn").deserialize_index(np.ascontiguousarray(data)))

    def to_bytes(self) -> NDArray[np.uint8]:
        """The index as (B,) bytes, in faiss's own format."""
        data: NDArray[np.uint8] = require_faiss("index= of knn").serialize_index(self.index)
        return data

    def nearest(self, queries: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """The k largest products that the index finds for each query, descending, and which rows they are with.

        Products are with the rows as the index holds them: as they were, or decoded. A row of which too few neighbours
        are found in the lists is searched in all lists; a neighbour that is not found at all has product -1, place -1.

        Args:
            queries: (B, D) unit rows; searched as float32. Gradients flow where they require them.
            k: at most the number of rows.
        """
        wanted = torch.is_grad_enabled() and queries.requires_grad
        products, places, held = self._search(queries.detach().float().cpu().numpy(), k, wanted)
        missing = torch.from_numpy(places < 0).to(queries.device)
        if held is None:
            found = torch.from_numpy(products).to(queries)
        else:
            found = (torch.from_numpy(held).to(queries) * queries[:, None]).sum(dim=2)
        return found.masked_fill(missing, -1), torch.from_numpy(places).to(queries.device)

    def _search(
        self, rows: NDArray[np.float32], k: int, held: bool
    ) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32] | None]:
        """Products and places (B, k), and the found rows (B, k, D) as the index holds them if they are wanted."""
        search = self.index.search_and_reconstruct if held else self.index.search
        found = search(rows, k)
        lacking = (found[1] < 0).any(axis=1)
        if lacking.any() and hasattr(self.index, "nlist"):
            everywhere = require_faiss("index= of knn").SearchParametersIVF(nprobe=self.index.nlist)
            for whole, again in zip(found, search(rows[lacking], k, params=everywhere), strict=True):
                whole[lacking] = again
        return found[0], found[1], found[2] if held else None


def _most_that_divides(width: int, most: int) -> int:
    return max(m for m in range(1, most + 1) if width % m == 0)


def _empty(width: int, settings: IndexSettings) -> Any:
    faiss = require_faiss("index= of knn")
    by_product = faiss.METRIC_INNER_PRODUCT
    if settings.kind == "flat":
        return faiss.IndexFlatIP(width)
    if settings.kind == "hnsw":
        graph = faiss.IndexHNSWFlat(width, settings.links, by_product)
        graph.hnsw.efSearch = settings.ef_search
        return graph
    # "np": codes are not made for the Hamming distance as well, which takes minutes
    code = "Flat" if settings.kind == "ivf" else f"PQ{settings.code_bytes}x{CODE_BITS}np"
    lists = faiss.index_factory(width, f"IVF{settings.nlist},{code}", by_product)
    lists.nprobe = settings.nprobe
    for trained in (lists, lists.pq) if settings.kind == "pq" else (lists,):
        trained.cp.seed = settings.seed % 2**31
        trained.cp.min_points_per_centroid = 1  # faiss writes a warning else
    return lists


def _training_rows(features: Tensor, settings: IndexSettings) -> NDArray[np.float32]:
    count = max(TRAIN_LEAST, TRAIN_PER_LIST * (settings.nlist or 1))
    if count >= len(features):
        return np.concatenate([_unit(rows) for rows in torch.split(features, BLOCK)])
    drawn = np.random.default_rng(settings.seed).choice(len(features), count, replace=False)
    drawn.sort()
    return np.concatenate(
        [_unit(features[torch.from_numpy(part)]) for part in np.array_split(drawn, -(-count // BLOCK))]
    )


def _unit(rows: Tensor) -> NDArray[np.float32]:
    return unit_rows(floating(rows)).float().cpu().numpy()
