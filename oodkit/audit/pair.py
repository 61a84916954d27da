"""Audit an in-set and an out-set, once for all their scorers and backbones."""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from oodkit.atomic import write_atomically
from oodkit.audit.audit import Audit, NearDuplicate
from oodkit.audit.baselines import FEWEST, baselines
from oodkit.audit.class_names import shared_classes, used_class_names
from oodkit.audit.cues import CUES
from oodkit.audit.facts import THUMB, Facts, image_facts
from oodkit.audit.facts import VERSION as FACTS_VERSION
from oodkit.audit.near_duplicates import (
    LEAST_CORRELATION,
    LEAST_COSINE,
    LEAST_DETAIL,
    MOST_CANDIDATES,
    RADIUS,
    near_duplicates,
)
from oodkit.backbones import Backbone, load_backbone
from oodkit.data.image_set import ImageSet
from oodkit.embedding import Store, embed
from oodkit.errors import DataNotFound
from oodkit.views import resolution_view

VERSION = 1  # of what an audit does with the facts
MOST_PAIRS = 20_000
MANY = 0.1  # share of test images with near-duplicates, above which these are hardly all copies

_THRESHOLDS = {
    "hash_radius": RADIUS,
    "correlation": LEAST_CORRELATION,
    "detail": LEAST_DETAIL,
    "cosine": LEAST_COSINE,
    "thumb_px": THUMB,
    "most_candidates": MOST_CANDIDATES,
}


def audit_pair(
    in_images: ImageSet,
    out_images: ImageSet,
    *,
    fit_images: ImageSet | None = None,
    backbone: Backbone | str | None = None,
    source_resolution: int | None = None,
    cache: str | os.PathLike[str] | None = None,
    seed: int = 0,
) -> Audit:
    """Trivial baselines, near-duplicates and shared class names of a pair of sets.

    What was found is kept beside the embedding store under the contents of the images, and read from there the next
    time, as are the facts of each set.

    Args:
        in_images: test images of the in-set.
        out_images: test images of the out-set.
        fit_images: images that scorers are fitted on, to be searched for near-duplicates of test images too.
        backbone: whose features find more candidates for near-duplicates; None for those of a perceptual hash alone.
        source_resolution: shrink the shorter side of each image to so many pixels first.
        cache: folder of the store; None for OODKIT_CACHE or the platform's cache folder.
        seed: of the division into folds.

    Raises:
        DataNotFound: a set without images.
        UnreadableImage: an image cannot be read.
        StoreError: the store cannot be read or written.
    """
    for images in (in_images, out_images, *([] if fit_images is None else [fit_images])):
        if not len(images):
            raise DataNotFound(f"{images.name}:{images.split} has no images; check the name or the folder")
    view = "identity" if source_resolution is None else resolution_view(source_resolution)
    loaded = load_backbone(backbone) if isinstance(backbone, str) else backbone
    in_, out = (image_facts(images, view, cache) for images in (in_images, out_images))
    fit = None if fit_images is None else image_facts(fit_images, view, cache)
    settings = {
        "versions": [FACTS_VERSION, VERSION],
        "thresholds": _THRESHOLDS,
        "view": view,
        "seed": seed,
        "backbone": None if loaded is None else [loaded.fingerprint, loaded.numerics],
        "images": {
            "in": in_.content_hash,
            "out": out.content_hash,
            **({} if fit is None else {"fit": fit.content_hash}),
        },
    }
    names = [[images.name, list(images.ids), used_class_names(images)] for images in (in_images, out_images)]
    names += [] if fit_images is None else [[fit_images.name, list(fit_images.ids)]]
    key = hashlib.sha256(json.dumps([settings, names], sort_keys=True).encode()).hexdigest()
    with Store(cache) as store:
        path = store.folder / "audits" / f"{key[:32]}.json"
        known = _read(path)
        if known is not None:
            return known
        writable = not store.read_only

    features = None
    if loaded is not None:
        features = {
            images: embed(images, loaded, view=view, cache=cache).features for images in (in_images, out_images)
        }
        if fit_images is not None:
            features[fit_images] = embed(fit_images, loaded, view=view, cache=cache).features

    def duplicates(images: ImageSet, facts: Facts, what: str) -> tuple[NearDuplicate, ...]:
        both = None if features is None else (features[in_images], features[images])
        pairs, cut = near_duplicates(in_, facts, both)
        if cut:
            notes.append(
                f"more than {MOST_CANDIDATES:,} pairs of test images and {what} look alike at first sight: "
                "near-duplicates beyond these are not found"
            )
        if len(pairs) > MOST_PAIRS:
            notes.append(f"of {len(pairs):,} near-duplicates with {what} the {MOST_PAIRS:,} most alike are listed")
        return tuple(
            NearDuplicate(
                str(in_images.ids[pair.left]),
                str(images.ids[pair.right]),
                in_.digests[pair.left].tobytes().hex(),
                facts.digests[pair.right].tobytes().hex(),
                round(pair.correlation, 4),
                round(pair.detail, 4),
                pair.mirrored,
                pair.identical,
            )
            for pair in pairs[:MOST_PAIRS]
        )

    notes: list[str] = []
    smaller = 0 if source_resolution is None else _smaller([in_, out], source_resolution)
    if smaller:
        notes.append(
            f"{smaller:,} images are smaller than {source_resolution} px and stay as they are: "
            "choose a source resolution that none falls below"
        )
    in_out = duplicates(out_images, out, "out-images")
    in_fit = () if fit is None or fit_images is None else duplicates(fit_images, fit, "fit images")
    if len({pair.in_digest for pair in (*in_out, *in_fit)}) > MANY * len(in_):
        notes.append(
            "many images have near-duplicates: simple pictures, such as digits, are alike without being copies; "
            "look at some"
        )
    if min(len(in_), len(out)) < FEWEST:
        notes.append(f"no classifier on trivial cues: it needs {FEWEST} images of each set")
    found = Audit(
        in_=in_images.name,
        out=out_images.name,
        n_in=len(in_),
        n_out=len(out),
        n_fit=0 if fit is None else len(fit),
        source_resolution=source_resolution,
        smaller=smaller,
        baselines=baselines(in_, out, seed),
        in_out=in_out,
        in_fit=in_fit,
        shared_classes=shared_classes(*(used_class_names(images) for images in (in_images, out_images))),
        notes=tuple(notes),
        provenance=settings,
    )
    if writable:
        write_atomically(path, json.dumps(found.to_dict()).encode())
    return found


def _read(path: Path) -> Audit | None:
    try:
        return Audit.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, KeyError, TypeError):  # damaged ones are made again
        return None


def _smaller(sets: Sequence[Facts], side: int) -> int:
    width, height = CUES.index("width"), CUES.index("height")
    short = np.concatenate([np.minimum(facts.cues[:, width], facts.cues[:, height]) for facts in sets])
    return int((short < side).sum())
