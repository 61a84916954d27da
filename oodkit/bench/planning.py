"""What a suite comes to before anything runs: cells, images, what is stored, what is missing, how long it takes."""

import hashlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from oodkit.backbones import Backbone, Capability, load_backbone
from oodkit.bench.cell import Cell, cell_key, scorer_digest
from oodkit.bench.results import Results
from oodkit.bench.sources import Sources
from oodkit.bench.suite import BackboneChoice, Pair, ScorerChoice, Suite
from oodkit.bench.suite_file import ALL
from oodkit.data.image_set import ImageSet
from oodkit.embedding import Store
from oodkit.embedding.embed import view_key
from oodkit.embedding.shard import Space
from oodkit.errors import InvalidInput, OodkitError, UnknownName, UnreadableImage
from oodkit.evaluation.session import Session
from oodkit.evaluation.supply import Extras
from oodkit.scorers import create
from oodkit.scorers import scorers as scorer_registry
from oodkit.scorers.base import Need, Scorer

_TRIAL_IMAGES = 32


@dataclass(frozen=True)
class Options:
    """Where things lie and what a run may do.

    Attributes:
        data_root: folder of data sets; None for the usual one.
        cache: folder of the embedding store; None for the usual one.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        download: whether missing sets may be downloaded.
        skip_unreadable: leave out images that cannot be read.
        shard: (i, n): the i-th of n parts, from 1; each is run by a process of its own.
    """

    data_root: str | os.PathLike[str] | None = None
    cache: str | os.PathLike[str] | None = None
    device: str = "auto"
    download: bool = False
    skip_unreadable: bool = False
    shard: tuple[int, int] = (1, 1)


@dataclass(frozen=True)
class Job:
    """Cells that share an in-set, a backbone and a seed: their images are embedded together.

    Attributes:
        session: that runs them.
        in_: the in-set.
        choice: the backbone as the suite asks for it.
        seed: of halves, limits and what scorers draw.
        pairs: by out-set.
        scorers: that this process runs.
        cells: in the order of the table.
    """

    session: Session
    in_: str
    choice: BackboneChoice
    seed: int
    pairs: Mapping[str, Pair]
    scorers: tuple[ScorerChoice, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Plan:
    """What will run.

    Attributes:
        suite: as asked for.
        jobs: what runs, in order.
        missing: why a set or backbone cannot be used and where to get it, by name.
        skipped: pairs that cannot run for it.
        left_out: scorers that a backbone or in-set does not allow, one line each.
        images: number of distinct images, as far as known.
        to_embed: number of embeddings to compute, over all backbones.
        stored: number of embeddings that are in the store.
        done: number of cells whose results are there.
        seconds: estimated time to embed; None where nothing was tried.
        is_part: whether other processes run the other cells.
    """

    suite: Suite
    jobs: tuple[Job, ...]
    missing: Mapping[str, str]
    skipped: tuple[Pair, ...]
    left_out: tuple[str, ...]
    images: int
    to_embed: int
    stored: int
    done: int
    seconds: float | None = None
    is_part: bool = False

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells, job by job."""
        return tuple(cell for job in self.jobs for cell in job.cells)


def make_plan(suite: Suite, options: Options, results: Results | None, *, trial: bool = True) -> Plan:
    """Look at sets, backbones, store and results.

    Args:
        suite: to be run.
        options: where things lie.
        results: where finished cells are; None for nowhere.
        trial: embed a few images to estimate the time.

    Raises:
        InvalidInput: a scorer can run nowhere in the suite, or an out-set is the in-set.
        UnknownName: no such backbone or class.
    """
    sources = Sources(suite, options.data_root, options.download)
    missing: dict[str, str] = {}
    skipped = [pair for pair in suite.pairs if not _is_there(pair, suite.seeds[0], sources, missing)]
    there = [pair for pair in suite.pairs if pair not in skipped]
    backbones = {choice: loaded for choice in suite.backbones if (loaded := _load(choice, options, missing))}
    done = set() if results is None else results.done()
    with Store(options.cache) as store:
        looks = _Looks(store, view_key(suite.view))
        refusals: dict[ScorerChoice, list[str]] = {}
        allowed: set[ScorerChoice] = set()
        jobs = [
            job
            for choice, backbone in backbones.items()
            for in_ in dict.fromkeys(pair.in_ for pair in there)
            if choice.in_sets is None or in_ in choice.in_sets
            for job in _jobs(suite, options, sources, looks, choice, backbone, in_, there, allowed, refusals)
        ]
        for scorer, reasons in refusals.items():
            if scorer not in allowed and scorer.where:
                raise InvalidInput(f"{scorer.where}: scorer {scorer.name} cannot run in this suite: {reasons[0]}")
        jobs = _own_share(jobs, options.shard)
        to_embed, stored = looks.count(jobs)
        seconds = _trial(looks, options) if trial and to_embed else None
    return Plan(
        suite=suite,
        jobs=tuple(jobs),
        missing=missing,
        skipped=tuple(skipped),
        left_out=tuple(dict.fromkeys(line for lines in refusals.values() for line in lines)),
        images=looks.images,
        to_embed=to_embed,
        stored=stored,
        done=sum(cell.key in done for job in jobs for cell in job.cells),
        seconds=seconds,
        is_part=options.shard[1] > 1,
    )


def make_scorer(choice: ScorerChoice, seed: int) -> Scorer:
    """The scorer with its parameters, drawing by the seed where it draws."""
    model = create(choice.name, **choice.params)
    if "seed" not in choice.params and "seed" in model.get_params():
        model.set_params(seed=seed)
    return model


class Keys:
    """Keys of the cells of one session, once the digests of its images are known.

    Args:
        session: whose cells they are.
        asked_head: as the suite asks for it.
        fit: digest of the images that are fitted.
        test: digest of the in-set's test images.
    """

    def __init__(self, session: Session, asked_head: str | None, view: str, fit: str, test: str) -> None:
        backbone, images = session.backbone, session.limited(session.halves.fit)
        has_text = Capability.EMBED_TEXT in backbone.capabilities
        self._common: dict[str, Any] = {
            "backbone": backbone.fingerprint,
            "text": backbone.text_fingerprint if has_text else None,
            "numerics": backbone.numerics,
            "view": view,
            "head": asked_head,
            "fit": fit,
            "test": test,
            "labels": None if images.labels is None else hashlib.sha256(images.labels.tobytes()).hexdigest(),
            "classes": images.class_names if has_text else None,
            "seed": session.seed,
        }

    def key(self, choice: ScorerChoice, model: Scorer, out: str, out_images: ImageSet) -> str:
        """The key of one cell.

        Args:
            choice: the scorer as the suite asks for it.
            model: the same, made.
            out: digest of the out-images.
            out_images: for the names of their classes, where the scorer uses these.
        """
        uses_names = Need.OUT_TEXT in model.needs | model.optional
        return cell_key(
            {
                **self._common,
                "scorer": choice.name,
                "params": model.get_params(),
                "code": scorer_digest(type(model)),
                "out": out,
                "out_classes": out_images.class_names if uses_names else None,
            }
        )


def digest_of(digests: Sequence[bytes]) -> str:
    """One digest of the images of a set, in their order."""
    return hashlib.sha256(b"".join(digests)).hexdigest()


def _is_there(pair: Pair, seed: int, sources: Sources, missing: dict[str, str]) -> bool:
    found = True
    for name, load in (
        (pair.in_, lambda: sources.fit_and_test(pair.in_, seed)),
        (pair.out, lambda: sources.out(pair.out)),
    ):
        try:
            if name not in missing:
                load()
        except UnknownName:
            raise
        except OodkitError as error:
            missing[name] = str(error)
        found = found and name not in missing
    return found


def _load(choice: BackboneChoice, options: Options, missing: dict[str, str]) -> Backbone | None:
    try:
        backbone = load_backbone(
            choice.name, image_size=choice.image_size, device=options.device, precision=choice.precision
        )
        _ = backbone.fingerprint
    except UnknownName:
        raise
    except (OodkitError, OSError) as error:
        missing[choice.name] = " ".join(str(error).split())
        return None
    return backbone


def _jobs(
    suite: Suite,
    options: Options,
    sources: Sources,
    looks: "_Looks",
    choice: BackboneChoice,
    backbone: Backbone,
    in_: str,
    pairs: Sequence[Pair],
    allowed: set[ScorerChoice],
    refusals: dict[ScorerChoice, list[str]],
) -> Iterator[Job]:
    """One job per seed; scorers that draw nothing run with the first seed alone where seeds change no images."""
    own = {pair.out: pair for pair in pairs if pair.in_ == in_}
    outs = {name: sources.out(name) for name in own}
    for place, seed in enumerate(suite.seeds):
        halves = sources.fit_and_test(in_, seed)
        session = Session(
            in_,
            halves,
            outs,
            backbone,
            extras=Extras(head=choice.head),
            view=suite.view,
            limit=suite.limit,
            seed=seed,
            cache=options.cache,
            skip_unreadable=options.skip_unreadable,
        )
        differs = place == 0 or halves.note is not None or suite.limit is not None
        models = {}
        for scorer in _expanded(suite.scorers):
            model, reason = _model(scorer, seed, session)
            if model is None:
                refusals.setdefault(scorer, []).append(f"{scorer.name} with {choice.name} on {in_}: {reason}")
                continue
            allowed.add(scorer)
            if differs or "seed" in model.get_params():
                models[scorer] = model
        if not models:
            continue
        keys = looks.keys(session, choice)
        cells = tuple(
            Cell(pair, choice, scorer, seed, keys(scorer, model, pair.out))
            for pair in own.values()
            for scorer, model in models.items()
        )
        yield Job(session, in_, choice, seed, own, tuple(models), cells)


def _expanded(scorers: Sequence[ScorerChoice]) -> Iterator[ScorerChoice]:
    named = {choice.name for choice in scorers}
    for choice in scorers:
        if choice.name != ALL:
            yield choice
            continue
        yield from (ScorerChoice(name) for name in scorer_registry if name not in named)


def _model(choice: ScorerChoice, seed: int, session: Session) -> tuple[Scorer | None, str]:
    """The scorer, or why it cannot run here."""
    try:
        model = make_scorer(choice, seed)
    except OodkitError as error:
        return None, str(error)
    reason = session.lacks(model)
    if reason is None and Need.OUT_TEXT in model.needs and not choice.where:
        reason = "it uses names of the OOD classes; name it to run it"
    return (model, "") if reason is None else (None, reason)


def _own_share(jobs: Sequence[Job], shard: tuple[int, int]) -> list[Job]:
    """Every n-th scorer over all jobs, so that a scorer is still fitted once per in-set."""
    part, parts = shard
    numbered = ((job, scorer) for job in jobs for scorer in job.scorers)
    mine = {(id(job), scorer) for number, (job, scorer) in enumerate(numbered) if number % parts == part - 1}
    kept = []
    for job in jobs:
        scorers = tuple(scorer for scorer in job.scorers if (id(job), scorer) in mine)
        cells = tuple(cell for cell in job.cells if cell.scorer in scorers)
        if scorers:
            kept.append(Job(job.session, job.in_, job.choice, job.seed, job.pairs, scorers, cells))
    return kept


class _Looks:
    """What is known of images without reading more than their file stamps."""

    def __init__(self, store: Store, view: str) -> None:
        self._store, self._view = store, view
        self._digests: dict[tuple[int, int | None, int], list[bytes | None]] = {}
        self._kept: list[ImageSet] = []  # so that their ids stay theirs
        self._todo: dict[int, tuple[Backbone, ImageSet, int, int]] = {}
        self.images = 0

    def digests(self, images: ImageSet, limit: int | None, seed: int, limited: ImageSet) -> list[bytes | None]:
        """Digests of a set's images; None for those that would have to be read from files."""
        place = (id(images), limit, seed if limited is not images else 0)
        if place not in self._digests:
            self._kept.append(images)
            self._digests[place] = self._find(limited)
        return self._digests[place]

    def keys(self, session: Session, choice: BackboneChoice) -> Any:
        """`keys(scorer, model, out)`: the key of a cell, or None while a digest is unknown."""

        def whole(images: ImageSet) -> str | None:
            found = self.digests(images, session.limit, session.seed, session.limited(images))
            return None if None in found else digest_of([digest for digest in found if digest is not None])

        fit, test = whole(session.halves.fit), whole(session.halves.test)
        outs = {name: whole(images) for name, images in session.out_sets.items()}
        if fit is None or test is None:
            return lambda scorer, model, out: None
        keys = Keys(session, choice.head, self._view, fit, test)

        def key(scorer: ScorerChoice, model: Scorer, out: str) -> str | None:
            digest = outs[out]
            return None if digest is None else keys.key(scorer, model, digest, session.out_sets[out])

        return key

    def count(self, jobs: Sequence[Job]) -> tuple[int, int]:
        """Embeddings to compute and those that are stored, each image once per backbone; fills `images`."""
        known: set[bytes] = set()
        unknown: set[tuple[int, int]] = set()
        by_backbone: dict[str, tuple[Backbone, dict[bytes, tuple[ImageSet, int]], dict[Any, tuple[ImageSet, int]]]] = {}
        for job in jobs:
            session = job.session
            _, found, lost = by_backbone.setdefault(
                f"{session.backbone.fingerprint} {session.backbone.numerics}", (session.backbone, {}, {})
            )
            for images in (session.halves.fit, session.halves.test, *session.out_sets.values()):
                limited = session.limited(images)
                for place, digest in enumerate(self.digests(images, session.limit, session.seed, limited)):
                    if digest is None:
                        stamp = limited.stamp(place)
                        lost[stamp.path if stamp else (id(images), place)] = (limited, place)
                    else:
                        found[digest] = (limited, place)
            known |= set(found)
            unknown |= set(lost)
        to_embed = stored = 0
        for number, (backbone, found, lost) in enumerate(by_backbone.values()):
            has = self._store.has(Space(backbone.fingerprint, backbone.numerics, self._view), list(found))
            new = [image for image, is_there in zip(found.values(), has, strict=True) if not is_there]
            new += list(lost.values())
            stored += int(np.count_nonzero(has))
            to_embed += len(new)
            if new:
                images, place = new[0]
                self._todo[number] = (backbone, images, place, len(new))
        self.images = len(known) + len(unknown)
        return to_embed, stored

    def todo(self) -> list[tuple[Backbone, ImageSet, int, int]]:
        """Backbones that have images to embed: one such image, and how many there are."""
        return list(self._todo.values())

    def _find(self, images: ImageSet) -> list[bytes | None]:
        stamps = [images.stamp(i) for i in range(len(images))]
        found = self._store.remembered(stamps)
        for place, stamp in enumerate(stamps):
            if found[place] is None and stamp is None:
                try:
                    found[place] = bytes.fromhex(images.digest(place))
                except UnreadableImage:
                    continue
        return found


def _trial(looks: _Looks, options: Options) -> float:
    """Seconds to embed what is not stored, from a few images of each backbone."""
    seconds = 0.0
    for backbone, images, first, count in looks.todo():
        places = [(first + i) % len(images) for i in range(min(_TRIAL_IMAGES, count))]
        try:
            opened = [images.open(place) for place in places]
            backbone.embed_images(opened[:2])
            started = time.perf_counter()
            backbone.embed_images([images.open(place) for place in places])
        except OodkitError:
            continue  # reported where it matters: when the image is embedded
        seconds += (time.perf_counter() - started) / len(places) * count
    return seconds
