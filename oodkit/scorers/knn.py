"""k-nearest-neighbour cosine similarity (Sun et al., ICML 2022; Adaloglou et al., 2023)."""

from typing import Any

from torch import Tensor

from oodkit.clustering.faiss_package import require_faiss
from oodkit.errors import TooFewSamples
from oodkit.scorers.base import Scorer, Train
from oodkit.scorers.checks import LARGEST_SEED, check_choice, check_integer
from oodkit.scorers.faiss_index import FaissIndex, IndexKind, IndexSettings
from oodkit.scorers.index_loss import index_loss
from oodkit.scorers.neighbours import Bank
from oodkit.scorers.unit_rows import unit_rows


class KNN(Scorer):
    """Mean cosine similarity to the k nearest fit rows, in [-1, 1].

    The search is exact, unless an `index` of faiss is asked for. float16 and bfloat16 features are kept as they are,
    and a memory-mapped array is searched where it lies, block by block, so the bank need not fit in memory. A zero row
    has cosine 0 with every other.

    An index holds the bank in its own form, in memory: "flat" all rows as float32; "ivf" the same in lists around
    k-means centres, of which a search reads `nprobe`; "hnsw" the same as a graph; "pq" lists of codes of `code_bytes`
    bytes per row, of which cosines are approximate. It is filled block by block and trained on a sample. All but "flat"
    miss neighbours: what that costs is measured on the fit rows alone, and said in notes (the share of rows whose
    nearest other row is found, and the AUROC against held-out k-means clusters beside that of the exact search).

    Parameters
    ----------
    k : int, default 1
        Number of neighbours, at most the number of fit rows; k = 1 is the score of Adaloglou et al.
    index : "flat", "ivf", "hnsw", "pq" or None, default None
        An index of faiss, which has to be installed (the extra `faiss-cpu`); None for the exact search.
    nlist : int or None, default None
        Lists of "ivf" and "pq"; None: twice the square root of the number of fit rows, with 40 rows in each.
    nprobe : int or None, default None
        Lists that a search reads; None: a sixteenth of them, at least 8.
    links : int or None, default None
        Neighbours of each row in the graph of "hnsw"; None: 32.
    ef_search : int or None, default None
        Rows that a search of the graph keeps in view; None: 128, at least k.
    code_bytes : int or None, default None
        Length of a row's code in "pq", a divisor of the number of features; None: an eighth of it, or less.
    index_seed : int, default 0
        Of an index's training and of its measurement.

    Attributes
    ----------
    bank_ : (N, D) tensor or None
        Fit rows: float32 of length 1, or as they were given if in half precision or memory-mapped; None with an index.
    scale_ : (N,) tensor or None
        What each row of such a bank must be multiplied by to have length 1.

    Raises
    ------
    InvalidInput
        A parameter is out of its range.
    TooFewSamples
        k is larger than the number of fit rows, or there are fewer than 256 for "pq".
    MissingDependency
        An index without faiss.

    Notes
    -----
    Gradients with an index are those of the products with the neighbours it found, as it holds them. With more than one
    thread, faiss links a graph in an order that differs from run to run, and so may the last neighbours that "hnsw"
    finds; the other indexes repeat.

    References
    ----------
    Sun, Ming, Zhu, Li: Out-of-Distribution Detection with Deep Nearest Neighbors, ICML 2022, arXiv 2204.06507.
    Douze et al.: The Faiss library, 2024, arXiv 2401.08281.
    """

    bank_: Tensor | None
    scale_: Tensor | None

    def __init__(
        self,
        k: int = 1,
        index: IndexKind | None = None,
        nlist: int | None = None,
        nprobe: int | None = None,
        links: int | None = None,
        ef_search: int | None = None,
        code_bytes: int | None = None,
        index_seed: int = 0,
    ) -> None:
        self.k = k
        self.index = index
        self.nlist = nlist
        self.nprobe = nprobe
        self.links = links
        self.ef_search = ef_search
        self.code_bytes = code_bytes
        self.index_seed = index_seed

    def _fit(self, train: Train) -> None:
        check_integer("k", self.k, 1)
        if len(train.features) < self.k:
            raise TooFewSamples(f"k={self.k} needs at least {self.k} fit samples, got {len(train.features)}; lower k")
        settings = self._index_settings()
        if settings is None:
            bank = Bank.of(train.features, train.mapped)
            self.bank_, self.scale_ = bank.rows, bank.scale
            return
        require_faiss("index= of knn")
        self.bank_ = self.scale_ = None
        chosen = settings.resolved(len(train.features), train.features.shape[1], int(self.k))
        self._searched = FaissIndex.of(train.features, chosen)
        if self.index == "flat":
            return
        loss = index_loss(train.features, train.mapped, self._searched, settings, int(self.k), self.index_seed)
        if loss is None:
            self.notes_.append(f"{chosen}: with so few fit rows, what it misses is not measured; leave index out")
        else:
            self.notes_ += loss.notes(str(chosen))

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        bank = self._searched if self.bank_ is None else Bank(self.bank_, self.scale_)
        cosines, _ = bank.nearest(unit_rows(x), int(self.k))
        return cosines.mean(dim=1).clamp(-1, 1)

    def _index_settings(self) -> IndexSettings | None:
        sizes = {name: getattr(self, name) for name in ("nlist", "nprobe", "links", "ef_search", "code_bytes")}
        for name, value in sizes.items():
            if value is not None:
                sizes[name] = check_integer(name, value, 2 if name == "links" else 1)
        seed = check_integer("index_seed", self.index_seed, 0, LARGEST_SEED)
        if self.index is None:
            return None
        check_choice("index", self.index, IndexKind)
        return IndexSettings(self.index, **sizes, seed=seed)

    def _state(self) -> dict[str, Any]:
        state = super()._state()
        return state if self.bank_ is not None else {**state, "index_": self._searched.to_bytes()}

    def _restore(self, state: dict[str, Any]) -> None:
        data = state.pop("index_", None)
        super()._restore(state)
        if data is not None:
            self._searched = FaissIndex.from_bytes(data)

    def _forget(self) -> None:
        super()._forget()
        self.__dict__.pop("_searched", None)
