"""One in-set against out-sets: embed, fit, score, measure."""

import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oodkit.backbones import Backbone, Precision, load_backbone
from oodkit.data import FitAndTest, load_dataset, load_fit_and_test, take
from oodkit.data.image_set import ImageSet
from oodkit.embedding import Embeddings, embed
from oodkit.errors import InvalidInput
from oodkit.evaluation.evaluation import Evaluation, Result
from oodkit.metrics import summarise
from oodkit.progress import progress
from oodkit.scorers import create
from oodkit.scorers import scorers as scorer_registry

DEFAULT_SCORERS = ("knn", "mahalanobis", "relative_mahalanobis")
_LIBRARIES = ("oodkit-vision", "torch", "timm", "open_clip_torch", "scikit-learn", "numpy", "pillow")


def evaluate(
    in_: str,
    out: str | Sequence[str],
    *,
    backbone: Backbone | str = "efficientnet_lite0",
    scorers: str | Sequence[str] | None = None,
    params: Mapping[str, Mapping[str, Any]] | None = None,
    image_size: int | None = None,
    precision: Precision = "fp32",
    compile: bool = False,
    limit: int | None = None,
    seed: int = 0,
    device: str = "auto",
    data_root: str | os.PathLike[str] | None = None,
    cache: str | os.PathLike[str] | None = None,
    skip_unreadable: bool = False,
) -> Evaluation:
    """Fit scorers on the in-set's training split; measure how well they tell its test split from each out-set's.

    An in-set with one split is halved by the seed: one half is fitted, the other tested. An out-set with one split is
    used whole. Out-sets never influence a fit.

    Args:
        in_: name of the in-distribution data set.
        out: name or names of out-of-distribution data sets.
        backbone: a backbone, or a name for `load_backbone`.
        scorers: registry names; None for those of `DEFAULT_SCORERS` that the in-set allows.
        params: parameters by scorer name, such as {"knn": {"k": 5}}.
        image_size: side in pixels of the square input; None takes the backbone's own preprocessing. This, `precision`,
            `compile` and `device` belong to a backbone that is named.
        precision: "fp32", "bf16" or "fp16".
        compile: run the backbone through torch.compile.
        limit: use at most this many images of each set, drawn by the seed.
        seed: for halving and limiting.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        data_root: folder of data sets; None for OODKIT_DATA or the platform's cache folder.
        cache: folder of the embedding store; None for OODKIT_CACHE or the platform's cache folder.
        skip_unreadable: leave out images that cannot be read instead of stopping.

    Raises:
        OodkitError: a name is unknown, data are missing, the in-set equals an out-set, or an image cannot be read.
    """
    outs = [out] if isinstance(out, str) else list(out)
    names = list(DEFAULT_SCORERS) if scorers is None else [scorers] if isinstance(scorers, str) else list(scorers)
    models = _create_scorers(names, params or {})
    if not outs:
        raise InvalidInput("no out-set was given; name at least one")
    if isinstance(backbone, str):
        backbone = load_backbone(backbone, image_size=image_size, device=device, precision=precision, compile=compile)
    elif (image_size, precision, compile, device) != (None, "fp32", False, "auto"):
        raise InvalidInput(
            "image_size, precision, compile and device belong to a backbone that is named; "
            f"give them to load_backbone, since {backbone.name} is loaded already"
        )
    halves = load_fit_and_test(in_, data_root=data_root, seed=seed)
    out_sets = {name: load_dataset(name, data_root=data_root) for name in outs}
    for name, images in out_sets.items():
        _refuse_equal(in_, halves, name, images)
    left_out = _leave_out_for_lack_of_labels(models, in_, halves.fit, asked_for=scorers is not None)

    def embedded(images: ImageSet) -> Embeddings:
        limited = images if limit is None else take(images, limit, seed)
        return embed(limited, backbone, cache=cache, skip_unreadable=skip_unreadable)

    started = time.perf_counter()
    fit, test = embedded(halves.fit), embedded(halves.test)
    out_embeddings = {name: embedded(images) for name, images in out_sets.items()}
    embed_seconds = time.perf_counter() - started
    notes = [*([halves.note] if halves.note else []), *left_out]
    for name, images in out_sets.items():
        if images.split == "all":
            used = "all" if limit is None or limit >= len(images) else f"{limit:,}, drawn by seed {seed},"
            notes.append(f"{name} has one split: {used} of its {len(images):,} images are used")
    notes += _overlaps(in_, fit, test, halves.note is not None, out_embeddings)
    results: list[Result] = []
    scores: dict[str, dict[str, NDArray[np.float64]]] = {}
    with progress("scoring", len(models) * (2 + len(out_sets)), unit="steps") as advance:
        for name, model in models.items():
            scored = _fit_and_score(model, fit, {in_: test, **out_embeddings}, advance)
            scores[name] = scored.scores
            for out_name in out_sets:
                results.append(_result(name, model, scored, in_, out_name, len(fit)))
    return Evaluation(
        in_=in_,
        backbone=backbone.name,
        results=tuple(sorted(results, key=lambda result: outs.index(result.out))),
        settings={
            "image_size": backbone.image_size,
            "precision": backbone.precision,
            "compile": backbone.compile,
            "device": str(backbone.device),
            "seed": seed,
            "limit": limit,
            "seconds_embedding": round(embed_seconds, 3),
            "images_embedded": sum(e.computed for e in (fit, test, *out_embeddings.values())),
            "images_skipped": sum(len(e.skipped) for e in (fit, test, *out_embeddings.values())),
        },
        provenance={
            "versions": {name: version(name) for name in _LIBRARIES},
            "backbone_fingerprint": backbone.fingerprint,
            "images": {
                "fit": _content_hash(fit),
                "in": _content_hash(test),
                **{f"out:{name}": _content_hash(part) for name, part in out_embeddings.items()},
            },
        },
        notes=tuple(notes),
        scores=scores,
    )


@dataclass(frozen=True)
class _Scored:
    scores: dict[str, NDArray[np.float64]]
    fit_seconds: float
    score_seconds: dict[str, float]


def _create_scorers(names: Sequence[str], params: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    if not names:
        raise InvalidInput("no scorer was given; name at least one")
    for name in params:
        scorer_registry[name]
        if name not in names:
            raise InvalidInput(f"parameters were given for {name!r}, which is not among the scorers {', '.join(names)}")
    return {name: create(name, **params.get(name, {})) for name in names}


def _leave_out_for_lack_of_labels(models: dict[str, Any], in_: str, fit: ImageSet, asked_for: bool) -> list[str]:
    """Drop scorers that need labels where there are none, with a line each; refuse where they were asked for."""
    if fit.labels is not None:
        return []
    lacking = [name for name, model in models.items() if "labels" in {need.value for need in model.needs}]
    if lacking and asked_for:
        raise InvalidInput(
            f"{', '.join(lacking)} needs class labels, and {in_} has none; "
            "use a folder per class, a list with labels, or another scorer"
        )
    for name in lacking:
        del models[name]
    return [f"{name} is left out: it needs class labels, and {in_} has none" for name in lacking]


def _refuse_equal(in_name: str, halves: FitAndTest, out_name: str, out: ImageSet) -> None:
    """Refuse an out-set that is the in-set, as far as names and files say it before anything is embedded."""
    test, halved = halves.test, halves.note is not None
    same_name = out.name == test.name and (halved or out.split == test.split)
    out_files = _files(out)
    in_files = _files(test) | (_files(halves.fit) if halved else set())
    if same_name or (out_files and out_files <= in_files):
        raise InvalidInput(
            f"the in-set {in_name!r} and the out-set {out_name!r} are the same images; "
            "name another out-set, another split or other classes"
        )


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


def _fit_and_score(model: Any, fit: Embeddings, sets: Mapping[str, Embeddings], advance: Any) -> _Scored:
    started = time.perf_counter()
    model.fit(fit.features, fit.labels)
    fit_seconds = time.perf_counter() - started
    advance()
    scores, seconds = {}, {}
    for name, part in sets.items():
        started = time.perf_counter()
        scores[name] = model.score_samples(part.features)
        seconds[name] = time.perf_counter() - started
        advance()
    return _Scored(scores, fit_seconds, seconds)


def _result(name: str, model: Any, scored: _Scored, in_: str, out: str, n_fit: int) -> Result:
    in_scores, out_scores = scored.scores[in_], scored.scores[out]
    return Result(
        out=out,
        scorer=name,
        params=model.get_params(),
        **asdict(summarise(in_scores, out_scores)),
        n_fit=n_fit,
        n_in=len(in_scores),
        n_out=len(out_scores),
        seconds={
            "fit": round(scored.fit_seconds, 4),
            "score_in": round(scored.score_seconds[in_], 4),
            "score_out": round(scored.score_seconds[out], 4),
        },
        notes=tuple(getattr(model, "notes_", ())),
    )


def _overlaps(in_: str, fit: Embeddings, test: Embeddings, halved: bool, outs: Mapping[str, Embeddings]) -> list[str]:
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


def _digests(part: Embeddings) -> set[bytes]:
    assert part.digests is not None
    return {row.tobytes() for row in part.digests}


def _content_hash(part: Embeddings) -> str:
    assert part.digests is not None
    return hashlib.sha256(part.digests.tobytes()).hexdigest()
