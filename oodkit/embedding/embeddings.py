"""Embeddings: features of a data set, with everything that says where they came from."""

import dataclasses
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from oodkit.atomic import write_atomically
from oodkit.errors import DataNotFound, InvalidInput

Features = NDArray[np.float32] | NDArray[np.float16]


@dataclass(frozen=True)
class Embeddings:
    """Features of images, in the order of their data set.

    Attributes:
        features: (N, D) float32, or float16 for precision fp16; may be memory-mapped; not normalised.
        ids: (N,) identifiers of the images.
        labels: (N,) int64 class indices, or None.
        digests: (N, 32) uint8, SHA-256 of each image's content, or None.
        class_names: names of the classes, or None.
        dataset: name of the data set.
        split: its split.
        backbone: full name of the backbone.
        fingerprint: the backbone's fingerprint.
        numerics: precision, with "+compile" where the backbone was compiled.
        view: name of the view.
        skipped: ids of images that could not be read and were left out.
        computed: how many images were embedded anew; the others came from the store.
    """

    features: Features
    ids: tuple[str, ...]
    labels: NDArray[np.int64] | None = None
    digests: NDArray[np.uint8] | None = None
    class_names: tuple[str, ...] | None = None
    dataset: str = ""
    split: str = ""
    backbone: str = ""
    fingerprint: str = ""
    numerics: str = "fp32"
    view: str = "identity"
    skipped: tuple[str, ...] = ()
    computed: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        """Refuse parts that do not fit together."""
        if self.features.ndim != 2:
            raise InvalidInput(f"features must have shape (N, D), got {self.features.shape}")
        for name, part in (("ids", self.ids), ("labels", self.labels), ("digests", self.digests)):
            if part is not None and len(part) != len(self.features):
                raise InvalidInput(f"{len(self.features)} features need as many {name}, got {len(part)}")

    def __len__(self) -> int:
        """Number of images."""
        return len(self.features)

    def __getitem__(self, rows: slice | NDArray[Any]) -> "Embeddings":
        """Some of the images: a slice, a boolean mask (N,) or an array of indices."""
        positions = np.arange(len(self))[rows]
        return dataclasses.replace(
            self,
            features=self.features[rows],
            ids=tuple(self.ids[i] for i in positions),
            labels=None if self.labels is None else self.labels[rows],
            digests=None if self.digests is None else self.digests[rows],
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """The features."""
        return np.array(self.features, dtype=dtype, copy=copy) if copy else np.asarray(self.features, dtype=dtype)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one safetensors file; raises OSError when it cannot be written, and then leaves none."""
        arrays: dict[str, NDArray[Any]] = {"features": np.ascontiguousarray(self.features)}
        for name in ("labels", "digests"):
            if getattr(self, name) is not None:
                arrays[name] = np.ascontiguousarray(getattr(self, name))
        about = {name: getattr(self, name) for name in _TEXT_FIELDS}
        write_atomically(Path(path), save(arrays, metadata={"oodkit": json.dumps(about)}))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Embeddings":
        """Read what `save` wrote.

        Raises:
            DataNotFound: there is no such file.
            InvalidInput: it was not written by `save`.
        """
        if not Path(path).is_file():
            raise DataNotFound(f"no embeddings at {path}; check the path")
        try:
            with safe_open(path, framework="np") as file:
                about = json.loads((file.metadata() or {})["oodkit"])
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, KeyError, ValueError) as error:
            raise InvalidInput(f"{path} does not hold embeddings saved by oodkit ({error})") from error
        for name in ("ids", "class_names", "skipped"):
            about[name] = None if about[name] is None else tuple(about[name])
        if "features" not in arrays:
            raise InvalidInput(f"{path} does not hold embeddings saved by oodkit (no features)")
        return cls(**arrays, **about)

    def to_parquet(self, path: str | os.PathLike[str]) -> None:
        """Write a Parquet file with the columns id, label, class and features (a list of D numbers)."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        width = self.features.shape[1]
        flat = pa.array(np.ascontiguousarray(self.features).reshape(-1))
        columns = {"id": pa.array(self.ids), "features": pa.FixedSizeListArray.from_arrays(flat, width)}
        if self.labels is not None:
            columns["label"] = pa.array(self.labels)
            if self.class_names is not None:
                columns["class"] = pa.array([self.class_names[i] for i in self.labels])
        about = {name: getattr(self, name) for name in _TEXT_FIELDS if name != "ids"}
        table = pa.table(columns).replace_schema_metadata({"oodkit": json.dumps(about)})
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink)
        write_atomically(Path(path), sink.getvalue().to_pybytes())


_TEXT_FIELDS = (
    "ids",
    "class_names",
    "dataset",
    "split",
    "backbone",
    "fingerprint",
    "numerics",
    "view",
    "skipped",
)
