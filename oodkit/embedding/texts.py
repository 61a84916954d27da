"""Embed texts: every text once, whatever list it turns up in."""

import hashlib
import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from oodkit.backbones import Backbone, load_backbone
from oodkit.embedding.shard import Space
from oodkit.embedding.store import MissingFeatures, Store
from oodkit.errors import InvalidInput, OodkitError, StoreError
from oodkit.progress import progress

# Text towers compute in float32 whatever the images are computed in. No view has a name in brackets.
NUMERICS, VIEW = "fp32", "(text)"
TEXTS_PER_SHARD = 1024


def embed_texts(
    texts: Sequence[str],
    backbone: Backbone | str,
    *,
    cache: str | os.PathLike[str] | None = None,
    batch_size: int = 256,
) -> NDArray[np.float32]:
    """Embeddings of texts in the joint image-text space, read from the store where they are and computed where not.

    Killed at any moment and called again, it goes on after the last shard written.

    Args:
        texts: none empty; a text that stands there twice is computed once.
        backbone: a backbone with a text tower, or a name for `load_backbone`.
        cache: folder of the store; None for OODKIT_CACHE or the platform's cache folder.
        batch_size: texts that go through the text tower at once.

    Returns:
        (T, J) float32, not normalised, in the order of the texts.

    Raises:
        InvalidInput: no texts, an empty one, a backbone without a text tower, or one that fails on a text.
        StoreError: the store cannot be read or written.
    """
    _check(texts)
    loaded = load_backbone(backbone) if isinstance(backbone, str) else backbone
    digests = [hashlib.sha256(text.encode()).digest() for text in texts]
    space = Space(loaded.text_fingerprint, NUMERICS, VIEW)
    with Store(cache) as store:
        for _ in range(3):  # again after a damaged shard was set aside
            missing = ~store.has(space, digests)
            todo = {digests[i]: texts[i] for i in np.flatnonzero(missing).tolist()}
            if todo:
                _fill(store, space, loaded, todo, batch_size)
            try:
                return store.gather(space, digests)
            except MissingFeatures:
                continue
        raise StoreError(f"the cache at {store.folder} loses what is written to it; give --cache another folder")


def _fill(store: Store, space: Space, backbone: Backbone, todo: dict[bytes, str], batch_size: int) -> None:
    """Compute embeddings and bring them into the store, shard by shard."""
    if store.read_only:
        raise StoreError(
            f"the cache at {store.folder} is read-only and lacks embeddings of {len(todo)} texts; "
            "give --cache a folder that can be written"
        )
    digests = list(todo)
    with progress("embedding texts", len(digests), unit="texts") as advance:
        for start in range(0, len(digests), TEXTS_PER_SHARD):
            of_shard = digests[start : start + TEXTS_PER_SHARD]
            rows = []
            for first in range(0, len(of_shard), batch_size):
                batch = [todo[digest] for digest in of_shard[first : first + batch_size]]
                rows.append(_embed(backbone, batch))
                advance(len(batch))
            store.add(space, backbone.name, of_shard, np.concatenate(rows))


def _embed(backbone: Backbone, texts: list[str]) -> NDArray[np.float32]:
    try:
        rows = backbone.embed_text(texts).float().cpu().numpy()
    except OodkitError:
        raise
    except Exception as error:  # a user's module may raise anything
        reason = " ".join(str(error).split())[:200]
        raise InvalidInput(
            f"the text tower of {backbone.name} fails on {len(texts)} texts from {texts[0]!r} on "
            f"({type(error).__name__}: {reason})"
        ) from error
    if rows.ndim != 2 or len(rows) != len(texts):
        raise InvalidInput(f"the text tower of {backbone.name} must give ({len(texts)}, J) rows, got {rows.shape}")
    broken = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(broken):
        raise InvalidInput(f"the text tower of {backbone.name} gives NaN or infinity for {texts[broken[0]]!r}")
    embedded: NDArray[np.float32] = rows
    return embedded


def _check(texts: Sequence[str]) -> None:
    if isinstance(texts, str):
        raise InvalidInput(f"texts must be a list of texts, got the text {texts!r}; write [{texts!r}]")
    if not len(texts):
        raise InvalidInput("there are no texts to embed; give at least one")
    for position, text in enumerate(texts):
        if not isinstance(text, str) or not text.strip():
            raise InvalidInput(f"text {position} is empty or no text ({text!r}); leave it out")
