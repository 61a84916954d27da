"""One in-set against out-sets: embed, fit, score, measure."""

import os
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oodkit.backbones import Backbone, Precision, load_backbone
from oodkit.data import load_dataset, load_fit_and_test
from oodkit.data.captions import Captions
from oodkit.data.words import Words
from oodkit.embedding.store import training_checkpoints
from oodkit.errors import InvalidInput, OodkitError
from oodkit.evaluation.all_scorers import only_by_name
from oodkit.evaluation.evaluation import Evaluation, Result
from oodkit.evaluation.extras import Extras
from oodkit.evaluation.overlap import content_hash
from oodkit.evaluation.perturbation import check_epsilon
from oodkit.evaluation.session import Session
from oodkit.evaluation.source_resolution import resolution_notes
from oodkit.evaluation.versions import library_versions
from oodkit.heads import PROMPT_ENSEMBLE
from oodkit.progress import progress
from oodkit.scorers import create
from oodkit.scorers import scorers as scorer_registry
from oodkit.views import resolution_view

ALL = "all"
DEFAULT_SCORERS = ("knn", "mahalanobis", "relative_mahalanobis")


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
    head: Any = None,
    prompts: Sequence[str] = PROMPT_ENSEMBLE,
    class_names: Sequence[str] | None = None,
    captions: Captions | None = None,
    negatives: Words | None = None,
    out_names: Sequence[str] | None = None,
    logit_scale: bool = False,
    clean_names: bool = False,
    perturb: float | None = None,
    source_resolution: int | None = None,
    leave_out: Collection[str] = frozenset(),
    aux: str | None = None,
    average_views: str | Sequence[str] = (),
    average_fit_only: bool = False,
) -> Evaluation:
    """Fit scorers on the in-set's training split; measure how well they tell its test split from each out-set's.

    An in-set with one split is halved by the seed: one half is fitted, the other tested. An out-set with one split is
    used whole. Out-sets never influence a fit.

    Args:
        in_: name of the in-distribution data set.
        out: name or names of out-of-distribution data sets.
        backbone: a backbone, or a name for `load_backbone`.
        scorers: registry names; None for those of `DEFAULT_SCORERS` that the in-set allows; "all" for every registered
            one that backbone and data allow, but those that use names of OOD classes or are trained on views.
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
        head: what gives logits: a registry name, (weight, bias), an `nn.Linear` or a `LinearHead` over features; None
            for the first that is at hand of the backbone's own classifier (where it has as many classes as the in-set),
            a probe on the labels, the zero-shot head, and any classifier.
        prompts: sentences with {} where a class name belongs, for the zero-shot head and scorers that use text.
        class_names: names of the in-set's classes in label order, in place of its own.
        captions: captions of in-distribution images, for the scorer "caption"; a mapping from file names to lists of
            them gives those of the images that are fitted on alone.
        negatives: words to mine negatives from, for "neglabel"; None for those of WordNet.
        out_names: names of the OOD classes, for "in_out_names"; None for the out-set's own.
        logit_scale: whether the zero-shot head multiplies its cosines by the model's logit scale.
        clean_names: whether underscores in class names become spaces; published results keep them.
        perturb: move each test and out-image by one step of this size, in pixels of [0, 1], that raises its score, as
            ODIN does with 0.0014; None to score images as they are. For scorers that have gradients; slow, since
            nothing of it is stored.
        source_resolution: shrink the shorter side of each image to so many pixels before the backbone's preprocessing,
            so that sets that differ in resolution are not told apart by blur.
        leave_out: SHA-256 (hex) of the contents of images that are neither tested nor scored, such as the
            near-duplicates that an audit found; they are still fitted on.
        aux: name of a data set that is not in-distribution, for scorers that learn from such images; its train split
            unless another is named. It must be another data set than in-set and out-sets.
        average_views: test-time augmentation: each image that is fitted, tested or scored stands for the mean of its
            own features and of those of its views of these names, such as ("flip", "mild1"). Each view costs an
            embedding of every image. Views that a scorer is trained on stay as they are.
        average_fit_only: average the images that are fitted alone, which costs nothing when images are scored.

    Raises:
        OodkitError: a name is unknown, data are missing, the in-set equals an out-set, or an image cannot be read.
    """
    outs = [out] if isinstance(out, str) else list(out)
    names = _names(scorers)
    models, broken = _create_scorers(names, params or {}, asked_for=scorers != ALL)
    if not outs:
        raise InvalidInput("no out-set was given; name at least one")
    if perturb is not None:
        check_epsilon(perturb)
    if isinstance(backbone, str):
        backbone = load_backbone(backbone, image_size=image_size, device=device, precision=precision, compile=compile)
    elif (image_size, precision, compile, device) != (None, "fp32", False, "auto"):
        raise InvalidInput(
            "image_size, precision, compile and device belong to a backbone that is named; "
            f"give them to load_backbone, since {backbone.name} is loaded already"
        )
    view = "identity" if source_resolution is None else resolution_view(source_resolution)
    halves = load_fit_and_test(in_, data_root=data_root, seed=seed)
    out_sets = {name: load_dataset(name, data_root=data_root) for name in outs}
    session = Session(
        in_,
        halves,
        out_sets,
        backbone,
        extras=Extras(head, prompts, class_names, captions, negatives, out_names, logit_scale, clean_names),
        view=view,
        limit=limit,
        seed=seed,
        cache=cache,
        skip_unreadable=skip_unreadable,
        perturb=perturb,
        leave_out=leave_out,
        aux=None if aux is None else load_dataset(aux, data_root=data_root, prefer="train"),
        average=average_views,
        average_fit_only=average_fit_only,
    )
    left_out = [*broken, *_leave_out(models, session, asked_for=scorers not in (None, ALL))]
    if not models:
        raise InvalidInput(f"no scorer is left to run: {'; '.join(left_out)}")
    started = time.perf_counter()
    shared = session.embed(models.values())
    embed_seconds = time.perf_counter() - started
    notes = [*([halves.note] if halves.note else []), *left_out, *session.supply.unused(models.values())]
    if perturb is not None:
        notes.append(f"test and out-images are scored after a step of {perturb} in pixels of [0, 1], for each scorer")
    if session.average:
        which = "fit image" if average_fit_only else "image"
        notes.append(f"each {which} stands for the mean of its features and of its views {', '.join(session.average)}")
    if source_resolution is not None:
        notes += resolution_notes(source_resolution, {in_: halves.test, **out_sets})
    for name, images in out_sets.items():
        if images.split == "all":
            used = "all" if limit is None or limit >= len(images) else f"{limit:,}, drawn by seed {seed},"
            notes.append(f"{name} has one split: {used} of its {len(images):,} images are used")
    notes += shared
    results: list[Result] = []
    scores: dict[str, dict[str, NDArray[np.float64]]] = {}
    count = len(models) * (2 + len(out_sets))
    with training_checkpoints(cache), progress("scoring", count, unit="steps") as advance:
        for name in list(models):
            model = models.pop(name)  # what it learned is not kept
            try:
                scored = session.run(model, advance=advance)
            except OodkitError as error:
                if scorers != ALL:
                    raise
                notes.append(f"{name} is left out: {error}")
                continue
            scores[name] = scored.scores
            results += [session.result(name, model, scored, out_name) for out_name in out_sets]
    if not results:
        raise InvalidInput(f"no scorer is left to run: {'; '.join(notes)}")
    notes += session.supply.notes(session.test)
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
            "images_embedded": session.computed,
            "images_skipped": sum(len(part.skipped) for part in session.parts),
            **session.supply.settings(),
            "perturb": perturb,
            "source_resolution": source_resolution,
            "average_views": list(session.average),
            "average_fit_only": average_fit_only,
            "left_out": session.left_out,
            "aux": aux,
        },
        provenance={
            "versions": library_versions(),
            "backbone_fingerprint": backbone.fingerprint,
            "images": {
                "fit": content_hash(session.fit),
                "in": content_hash(session.test),
                **{f"out:{name}": content_hash(part) for name, part in session.outs.items()},
            },
        },
        notes=tuple(notes),
        scores=scores,
    )


def _names(scorers: str | Sequence[str] | None) -> list[str]:
    if scorers is None:
        return list(DEFAULT_SCORERS)
    if scorers == ALL:
        return list(scorer_registry)
    return [scorers] if isinstance(scorers, str) else list(dict.fromkeys(scorers))


def _create_scorers(
    names: Sequence[str], params: Mapping[str, Mapping[str, Any]], asked_for: bool
) -> tuple[dict[str, Any], list[str]]:
    """Scorers by name, and a line for each that cannot be made; refuses where they were asked for."""
    if not names:
        raise InvalidInput("no scorer was given; name at least one")
    for name in params:
        scorer_registry[name]
        if name not in names:
            raise InvalidInput(f"parameters were given for {name!r}, which is not among the scorers {', '.join(names)}")
    models, lines = {}, []
    for name in names:
        try:
            models[name] = create(name, **params.get(name, {}))
        except OodkitError as error:
            if asked_for or name in params:
                raise
            lines.append(f"{name} is left out: {error}")
    return models, lines


def _leave_out(models: dict[str, Any], session: Session, asked_for: bool) -> list[str]:
    """Drop scorers that cannot be given what they need, with a line each; refuse where they were asked for."""
    lines = []
    for name, model in list(models.items()):
        reason = session.lacks(model)
        if reason is None and not asked_for:
            reason = only_by_name(model)
        if reason is None:
            continue
        if asked_for:
            raise InvalidInput(f"scorer {name} cannot run here: {reason}")
        del models[name]
        lines.append(f"{name} is left out: {reason}")
    return lines
