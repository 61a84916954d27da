"""What is known of a suite's images before they are embedded, mostly from the stamps of their files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from oodkit.backbones import Backbone
from oodkit.bench.keys import digest_of
from oodkit.data.image_set import ImageSet
from oodkit.embedding import Store
from oodkit.embedding.embed import view_key
from oodkit.embedding.shard import Space
from oodkit.errors import UnreadableImage
from oodkit.evaluation.session import Session
from oodkit.views import after

_FEW = 1000  # images of a set that are read to know them


@dataclass(frozen=True)
class ToEmbed:
    """Images that a backbone has to embed.

    Attributes:
        backbone: that embeds them.
        images: a set of which one is.
        place: where that one stands in it.
        count: how many there are.
    """

    backbone: Backbone
    images: ImageSet
    place: int
    count: int


@dataclass(frozen=True)
class Counts:
    """How many images a run needs, and how many embeddings are stored.

    Attributes:
        images: distinct images, as far as their contents are known.
        stored: embeddings in the store, over all backbones and views.
        todo: what has to be embedded, by backbone and view.
    """

    images: int
    stored: int
    todo: tuple[ToEmbed, ...]

    @property
    def to_embed(self) -> int:
        """Number of embeddings to compute."""
        return sum(todo.count for todo in self.todo)


class Stored:
    """Digests of images as the store remembers them, each set looked at once.

    Args:
        store: of embeddings.
        view: as the store calls it.
    """

    def __init__(self, store: Store, view: str) -> None:
        self._store, self.view = store, view
        self._found: dict[tuple[int, int | None, int], list[bytes | None]] = {}
        self._kept: list[ImageSet] = []  # so that their ids stay theirs

    def digest(self, session: Session, images: ImageSet) -> str | None:
        """One digest of what a session uses of a set; None while that of an image is not known."""
        digests = [digest for digest in self._digests(session, images) if digest is not None]
        return digest_of(digests) if len(digests) == len(self._digests(session, images)) else None

    def count(self, sessions: Iterable[tuple[Session, Sequence[str]]]) -> Counts:
        """Count the images of sessions, each once per backbone and view.

        Args:
            sessions: each with the names of the views of its fit images that are embedded too.
        """
        by_space: dict[Space, tuple[Backbone, dict[bytes | str, tuple[ImageSet, int]]]] = {}
        for session, views in sessions:
            sets = session.halves.fit, session.halves.test, *session.out_sets.values()
            wanted = [(self.view, images) for images in sets]
            wanted += [(view_key(after(session.view, name)), session.halves.fit) for name in views]
            for view, images in wanted:
                backbone, limited = session.backbone, session.limited(images)
                space = Space(backbone.fingerprint, backbone.numerics, view)
                _, found = by_space.setdefault(space, (backbone, {}))
                for place, digest in enumerate(self._digests(session, images)):
                    found[digest or limited.where(place)] = (limited, place)
        stored, todo = 0, []
        for space, (backbone, found) in by_space.items():
            has = self._store.has(space, [name if isinstance(name, bytes) else None for name in found])
            stored += int(np.count_nonzero(has))
            new = [image for image, is_there in zip(found.values(), has, strict=True) if not is_there]
            if new:
                todo.append(ToEmbed(backbone, *new[0], len(new)))
        distinct = {name for _, found in by_space.values() for name in found}
        return Counts(len(distinct), stored, tuple(todo))

    def _digests(self, session: Session, images: ImageSet) -> list[bytes | None]:
        limited = session.limited(images)
        name = (id(images), session.limit, 0 if limited is images else session.seed)
        if name not in self._found:
            self._kept.append(images)
            self._found[name] = self._look(limited)
        return self._found[name]

    def _look(self, images: ImageSet) -> list[bytes | None]:
        stamps = [images.stamp(i) for i in range(len(images))]
        found = self._store.remembered(stamps)
        read_all = found.count(None) <= _FEW
        for place, stamp in enumerate(stamps):
            if found[place] is None and (stamp is None or read_all):
                try:
                    found[place] = bytes.fromhex(images.digest(place))
                except UnreadableImage:
                    continue  # reported when it is embedded
        return found
