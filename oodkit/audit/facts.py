"""What an audit looks at in every image of a set, read once and kept beside the store."""

import hashlib
import logging
import os
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from oodkit.atomic import write_atomically
from oodkit.audit.cues import file_facts, pixel_cues
from oodkit.backbones.preprocessing import pixels_of
from oodkit.data.image_set import FileStamp, ImageSet
from oodkit.data.images import decode_image
from oodkit.embedding import Store
from oodkit.embedding.extraction import ahead
from oodkit.progress import progress
from oodkit.views import load_view

_log = logging.getLogger(__name__)

THUMB = 32  # side in pixels of the grey copies that near-duplicates are found with
VERSION = 1  # of the numbers below: a release that changes them makes new ones
_BATCH = 64


@dataclass(frozen=True)
class Facts:
    """Cues and small grey copies of N images, in the order of their set.

    Attributes:
        digests: (N, 32) uint8, SHA-256 of each image's encoded content.
        formats: (N,) names of file formats.
        cues: (N, C) float64, in the order of `CUES`.
        thumbs: (N, 32, 32) uint8, grey, both sides resized to 32.
    """

    digests: NDArray[np.uint8]
    formats: NDArray[np.str_]
    cues: NDArray[np.float64]
    thumbs: NDArray[np.uint8]

    def __len__(self) -> int:
        """Number of images."""
        return len(self.digests)

    @property
    def content_hash(self) -> str:
        """SHA-256 over the digests, as an evaluation's provenance has it."""
        return hashlib.sha256(self.digests.tobytes()).hexdigest()


def image_facts(images: ImageSet, view: str = "identity", cache: str | os.PathLike[str] | None = None) -> Facts:
    """Facts of every image; what was looked at before is read from the store's folder.

    Args:
        images: the set.
        view: name of a view; the pixels behind it are looked at.
        cache: folder of the store; None for OODKIT_CACHE or the platform's cache folder.

    Raises:
        UnreadableImage: an image cannot be read.
        StoreError: the store cannot be read or written.
    """
    with Store(cache) as store:
        digests = _digests(images, store)
        key = hashlib.sha256(f"{VERSION}\0{view}\0".encode() + digests.tobytes()).hexdigest()
        path = store.folder / "audits" / f"{key[:32]}.npz"
        try:
            return _decode(path.read_bytes())
        except FileNotFoundError:
            pass
        except (ValueError, KeyError, EOFError, zipfile.BadZipFile):
            _log.warning("cache: %s is damaged; it is made again", path.name)
        facts = _look(images, digests, view)
        if not store.read_only:
            write_atomically(path, _encode(facts))
        return facts


def _digests(images: ImageSet, store: Store) -> NDArray[np.uint8]:
    stamps = [images.stamp(i) for i in range(len(images))]
    known = store.remembered(stamps)
    since = time.time_ns()
    read: list[tuple[FileStamp, bytes]] = []
    missing = [i for i, digest in enumerate(known) if digest is None]
    with progress(f"reading {images.name}:{images.split}", len(missing)) as advance:
        for i in missing:
            digest = bytes.fromhex(images.digest(i))
            stamp = stamps[i]
            if stamp is not None:
                read.append((stamp, digest))
            known[i] = digest
            advance()
    store.remember(read, since)
    whole = b"".join(digest for digest in known if digest is not None)
    return np.frombuffer(whole, dtype=np.uint8).reshape(len(images), 32)


def _look(images: ImageSet, digests: NDArray[np.uint8], view: str) -> Facts:
    transform = load_view(view).apply

    def batch(positions: Sequence[int]) -> list[tuple[str, NDArray[np.float64], NDArray[np.uint8]]]:
        found = []
        for i in positions:
            data = images.read(i)
            pixels = transform(pixels_of(decode_image(data, images.where(i)))).permute(1, 2, 0).numpy()
            of_file = file_facts(data)
            small = Image.fromarray(pixels).convert("L").resize((THUMB, THUMB), Image.Resampling.BICUBIC)
            found.append((of_file.format, np.concatenate([of_file.cues, pixel_cues(pixels)]), np.asarray(small)))
        return found

    found = []
    batches = [range(start, min(start + _BATCH, len(images))) for start in range(0, len(images), _BATCH)]
    with progress(f"auditing {images.name}:{images.split}", len(images)) as advance:
        for part in ahead(batch, batches, min(8, os.cpu_count() or 1)):
            found += part
            advance(len(part))
    formats, cues, thumbs = zip(*found, strict=True)
    return Facts(digests, np.array(formats), np.stack(cues), np.stack(thumbs))


def _encode(facts: Facts) -> bytes:
    stream = BytesIO()
    np.savez(stream, **{field.name: getattr(facts, field.name) for field in fields(facts)})
    return stream.getvalue()


def _decode(data: bytes) -> Facts:
    with np.load(BytesIO(data), allow_pickle=False) as arrays:
        return Facts(**{field.name: arrays[field.name] for field in fields(Facts)})
