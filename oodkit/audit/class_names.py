"""Classes that two sets have in common by name."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from oodkit.data.image_set import ImageSet

# Pairs of words that mean the same thing in any data set of photographs; nothing that is merely related.
_SYNONYMS = {
    "automobile": "car",
    "aeroplane": "airplane",
    "motorbike": "motorcycle",
    "couch": "sofa",
    "lorry": "truck",
    "television": "tv",
    "cell phone": "mobile phone",
    "cellular telephone": "mobile phone",
}
_IRREGULAR = {
    "mice": "mouse",
    "men": "man",
    "women": "woman",
    "children": "child",
    "geese": "goose",
    "teeth": "tooth",
    "feet": "foot",
    "wolves": "wolf",
    "knives": "knife",
    "leaves": "leaf",
    "shelves": "shelf",
    "loaves": "loaf",
    "calves": "calf",
}
_PLURAL_ALIKE = ("ss", "us", "is", "series", "species", "glasses", "scissors", "pants", "jeans", "binoculars")
_WNID = re.compile(r"^n\d{8}[ _-]*")


@dataclass(frozen=True)
class SharedClass:
    """A class of the in-set and one of the out-set that have one name.

    Attributes:
        in_: the name in the in-set.
        out: the name in the out-set.
        how: "same", "plural" or "synonym".
    """

    in_: str
    out: str
    how: str


def shared_classes(in_names: Iterable[str], out_names: Iterable[str]) -> tuple[SharedClass, ...]:
    """Pairs of classes with the same name, in the order of the in-classes.

    Case, underscores, hyphens, spaces and a WordNet number in front do not count. Where a name lists several, divided
    by commas, each counts. Then singular and plural are the same, and last, words that certainly mean the same, such
    as automobile and car.
    """
    outs = list(out_names)
    found = []
    for name in in_names:
        for other in outs:
            how = _how_shared(name, other)
            if how is not None:
                found.append(SharedClass(name, other, how))
    return tuple(found)


def used_class_names(images: ImageSet) -> tuple[str, ...]:
    """Names of the classes that a set has images of; none without labels."""
    if images.labels is None or images.class_names is None:
        return ()
    used = set(images.labels.tolist())
    return tuple(name for label, name in enumerate(images.class_names) if label in used)


def _how_shared(name: str, other: str) -> str | None:
    names, others = _plain(name), _plain(other)
    for how, form in (("same", _joined), ("plural", _singular), ("synonym", _meaning)):
        if {form(a) for a in names} & {form(b) for b in others}:
            return how
    return None


def _plain(name: str) -> tuple[str, ...]:
    bare = _WNID.sub("", name.strip().lower())
    parts = (re.sub(r"[\s_\-./]+", " ", part).strip() for part in bare.split(","))
    return tuple(part for part in parts if part)


def _joined(name: str) -> str:
    return name.replace(" ", "")


def _singular(name: str) -> str:
    *front, last = name.split(" ")
    return "".join([*front, _singular_word(last)])


def _meaning(name: str) -> str:
    *front, last = name.split(" ")
    singular = " ".join([*front, _singular_word(last)])
    return _SYNONYMS.get(singular, singular).replace(" ", "")


def _singular_word(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < 4 or word.endswith(_PLURAL_ALIKE):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes", "zes", "oes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") else word
