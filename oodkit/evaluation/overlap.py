"""Images that turn up on both sides of a comparison."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from oodkit.data import FitAndTest
from oodkit.data.image_set import ImageSet
from oodkit.embedding import Embeddings
from oodkit.errors import InvalidInput


def refuse_equal(in_name: str, halves: FitAndTest, out_name: str, out: ImageSet) -> None:
    """Refuse an out-set that is the in-set, as far as names and files say it before anything is embedded."""
    test, halved = halves.test, halves.note is not None
    in_split = test.split.removesuffix(" (second half)")
    same_name = out.name == test.name and out.split == in_split
    out_files = _files(out)
    in_files = _files(test) | (_files(halves.fit) if halved else set())
    if same_name or (out_files and out_files <= in_files):
        raise InvalidInput(
            f"the in-set {in_name!r} and the out-set {out_name!r} are the same images; "
            "name another out-set, another split or other classes"
        )


def refuse_aux(in_name: str, halves: FitAndTest, outs: Mapping[str, ImageSet], aux: ImageSet) -> None:
    """Refuse an auxiliary set of the data set that is in-distribution or out, whatever split: it would leak."""
    sets = {in_name: halves.test, **outs}
    for name, images in sets.items():
        if _source(images.name) == _source(aux.name) or _files(aux) & _files(images):
            kind = "in-set" if name == in_name else "out-set"
            raise InvalidInput(
                f"the auxiliary set {aux.name!r} has images of the {kind} {name!r}, which would leak into training; "
                "name another data set"
            )


def refuse_shared_aux(
    in_: str, fit: Embeddings, test: Embeddings, outs: Mapping[str, Embeddings], aux: Embeddings
) -> list[str]:
    """Lines about auxiliary images that are in the in-set; refuses any of an out-set, and a set of in-images alone."""
    digests = _digests(aux)
    for name, part in outs.items():
        if shared := len(digests & _digests(part)):
            raise InvalidInput(
                f"{shared} images of the auxiliary set {aux.dataset!r} are in the out-set {name!r}, which would leak "
                "into training; name another"
            )
    shared = len(digests & (_digests(fit) | _digests(test)))
    if shared == len(digests):
        raise InvalidInput(f"every image of the auxiliary set {aux.dataset!r} is in the in-set {in_!r}; name another")
    return [f"{shared} images of the auxiliary set {aux.dataset} are also in {in_}"] if shared else []


def overlaps(in_: str, fit: Embeddings, test: Embeddings, halved: bool, outs: Mapping[str, Embeddings]) -> list[str]:
    """Lines about images that turn up on both sides; refuses an out-set that is wholly in what is tested or halved."""
    notes = []
    fit_digests, test_digests = _digests(fit), _digests(test)
    if shared := len(fit_digests & test_digests):
        notes.append(f"{shared} images of the test split of {in_} are also in its fit split")
    for name, part in outs.items():
        digests = _digests(part)
        if digests <= (test_digests | fit_digests if halved else test_digests):
            raise InvalidInput(
                f"every image of the out-set {name!r} is in the in-set {in_!r} too; name another out-set"
            )
        if shared := len(digests & (test_digests | fit_digests)):
            notes.append(f"{shared} images of {name} are also in {in_}")
    return notes


def content_hash(part: Embeddings) -> str:
    assert part.digests is not None
    return hashlib.sha256(part.digests.tobytes()).hexdigest()


def _source(name: str) -> str:
    """A data set's name without its classes."""
    return name.partition("@")[0]


def _files(images: ImageSet) -> set[Path]:
    """Files of a set, whatever path leads to them; empty where it has images without a file."""
    stamps = [images.stamp(i) for i in range(len(images))]
    folders: dict[Path, Path] = {}
    found = set()
    for stamp in stamps:
        if stamp is None:
            return set()
        path = Path(stamp.path)
        if path.parent not in folders:
            folders[path.parent] = path.parent.resolve()
        found.add(folders[path.parent] / path.name)
    return found


def _digests(part: Embeddings) -> set[bytes]:
    assert part.digests is not None
    return {row.tobytes() for row in part.digests}
