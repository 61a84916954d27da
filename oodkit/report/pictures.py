"""The images that a detector gets most confidently wrong, beside what it took them for."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import numpy as np
from PIL import Image

from oodkit.bench.record import CellScores
from oodkit.bench.sources import Sources
from oodkit.data import ImageSet, take
from oodkit.embedding.store import Store
from oodkit.errors import OodkitError
from oodkit.report.cells import Cell, Pair
from oodkit.report.nearest import NearestFit
from oodkit.report.wrong import WrongImage, most_wrong

PER_SIDE = 4
LONGEST_SIDE = 112  # pixels


@dataclass(frozen=True)
class Picture:
    """A small JPEG and what is known of the image.

    Attributes:
        id: of the image within its set.
        label: name of its class, or None.
        jpeg: the thumbnail's bytes.
    """

    id: str
    label: str | None
    jpeg: bytes


@dataclass(frozen=True)
class Wrong:
    """An image on the wrong side, and the image of the fit set that is nearest in the backbone's features.

    Attributes:
        side: "in" for an in-image that scores low, "out" for an out-image that scores high.
        share: share of the other side's images that it scores beyond.
        picture: the image.
        neighbour: the nearest fit image; None where the store holds no features of it.
        cosine: of the angle between the two features.
    """

    side: Literal["in", "out"]
    share: float
    picture: Picture
    neighbour: Picture | None
    cosine: float | None


@dataclass(frozen=True)
class PairPictures:
    """The most confidently wrong images of a pair, for one cell of it.

    Attributes:
        pair: in- and out-set.
        cell: whose scores these are: the best of the pair.
        wrong: out-images first, the most confidently wrong ones first; empty where none is beyond 5 %.
    """

    pair: Pair
    cell: Cell
    wrong: tuple[Wrong, ...]


def find_pictures(
    bests: Iterable[Cell],
    scores_of: Callable[[str], CellScores],
    sources: Sources,
    cache: str | None = None,
) -> tuple[list[PairPictures], list[str]]:
    """Pictures for the best cell of each pair, and a line for each pair or store that has none.

    Nothing is embedded or written.

    Args:
        bests: one cell per pair.
        scores_of: the scores behind a record's key.
        sources: where the images of the sets are.
        cache: folder of the embedding store; None for OODKIT_CACHE or the platform's cache folder.
    """
    found: list[PairPictures] = []
    notes: list[str] = []
    with ExitStack() as stack:
        nearest: NearestFit | None = None
        try:
            nearest = NearestFit(stack.enter_context(Store(cache, make=False)))
        except OodkitError as error:
            notes.append(f"no nearest in-distribution images: {error}")
        for cell in bests:
            try:
                found.append(_of_pair(cell, scores_of(cell.first.key), sources, nearest))
            except OodkitError as error:
                notes.append(f"no images of {cell.pair.in_} : {cell.pair.out}: {error}")
    return found, list(dict.fromkeys(notes))


def _of_pair(cell: Cell, scores: CellScores, sources: Sources, nearest: NearestFit | None) -> PairPictures:
    record = cell.first
    inside, limit = sources.fit_and_test(record.in_, record.seed), record.provenance.get("limit")
    fit = inside.fit if limit is None else take(inside.fit, int(limit), record.seed)
    sets = {"in": inside.test, "out": sources.out(record.out)}
    places = {side: {name: place for place, name in enumerate(source.ids)} for side, source in sets.items()}
    wrong = [one for one in most_wrong(scores, PER_SIDE) if one.id in places[one.side]]
    at = [(sets[one.side], places[one.side][one.id]) for one in wrong]
    neighbours = [None] * len(wrong) if nearest is None else nearest.find(record, fit, at)
    return PairPictures(
        cell.pair,
        cell,
        tuple(
            _wrong(one, _picture(source, place), None if found is None else (_picture(fit, found[0]), found[1]))
            for one, (source, place), found in zip(wrong, at, neighbours, strict=True)
        ),
    )


def _wrong(one: WrongImage, picture: Picture, neighbour: tuple[Picture, float] | None) -> Wrong:
    found, cosine = (None, None) if neighbour is None else neighbour
    return Wrong(one.side, one.share, picture, found, cosine)


def _picture(images: ImageSet, place: int) -> Picture:
    label = None
    if images.labels is not None and images.class_names is not None and (number := int(images.labels[place])) >= 0:
        label = images.class_names[number]
    return Picture(images.ids[place], label, thumbnail(images.open(place)))


def thumbnail(image: Image.Image) -> bytes:
    """A small JPEG without metadata; an image that is small already keeps its pixels."""
    small = Image.fromarray(np.asarray(image.convert("RGB")))
    small.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    stream = BytesIO()
    small.save(stream, "JPEG", quality=75 if max(image.size) > LONGEST_SIDE else 90, optimize=True)
    return stream.getvalue()
