"""What a suite comes to before anything runs: cells, images, what is stored, what is missing, how long it takes."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from oodkit.backbones import Backbone, load_backbone
from oodkit.bench.cell import Cell
from oodkit.bench.jobs import Job, JobMaker, share
from oodkit.bench.options import Options
from oodkit.bench.results import Results
from oodkit.bench.sources import Sources
from oodkit.bench.stored import Counts, Stored, ToEmbed
from oodkit.bench.suite import BackboneChoice, Pair, Suite
from oodkit.embedding import Store
from oodkit.embedding.embed import view_key
from oodkit.errors import OodkitError, UnknownName

_TRIAL_IMAGES = 32


@dataclass(frozen=True)
class Plan:
    """What will run.

    Attributes:
        suite: as asked for.
        jobs: what runs, in order.
        missing: why a set or backbone cannot be used and where to get it, by name.
        skipped: pairs that cannot run for a missing set.
        left_out: scorers that a backbone or in-set does not allow, one line each.
        counts: of images.
        done: number of cells whose results are there.
        seconds: estimated time to embed; None where nothing was tried.
        elsewhere: cells that other processes run.
    """

    suite: Suite
    jobs: tuple[Job, ...]
    missing: Mapping[str, str]
    skipped: tuple[Pair, ...]
    left_out: tuple[str, ...]
    counts: Counts
    done: int
    seconds: float | None = None
    elsewhere: tuple[Cell, ...] = ()

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
        UnknownName: no such set, class or backbone.
    """
    missing: dict[str, str] = {}
    sources = Sources(suite, options.data_root, options.download)
    for pair in suite.pairs:
        _try(pair.in_, missing, lambda pair=pair: sources.fit_and_test(pair.in_, suite.seeds[0]))  # type: ignore[misc]
        _try(pair.out, missing, lambda pair=pair: sources.out(pair.out))  # type: ignore[misc]
    skipped = tuple(pair for pair in suite.pairs if pair.in_ in missing or pair.out in missing)
    backbones: dict[BackboneChoice, Backbone] = {}
    for choice in suite.backbones:
        _try(choice.name, missing, lambda choice=choice: backbones.update({choice: _load(choice, options)}))  # type: ignore[misc]
    done = set() if results is None else results.done()
    with Store(options.cache) as store:
        stored = Stored(store, view_key(suite.view))
        maker = JobMaker(suite, options, sources, stored)
        whole = maker.jobs(backbones, [pair for pair in suite.pairs if pair not in skipped])
        jobs = share(whole, *options.shard)
        own = {cell for job in jobs for cell in job.cells}
        counts = stored.count((job.session, job.views) for job in jobs)
    return Plan(
        suite=suite,
        jobs=tuple(jobs),
        missing=missing,
        skipped=skipped,
        left_out=tuple(dict.fromkeys(line for lines in maker.refused.values() for line in lines)),
        counts=counts,
        done=sum(cell.key in done for job in jobs for cell in job.cells),
        seconds=sum(map(_trial, counts.todo)) if trial and counts.todo else None,
        elsewhere=tuple(cell for job in whole for cell in job.cells if cell not in own),
    )


def _try(name: str, missing: dict[str, str], load: Callable[[], object]) -> None:
    """Note why a thing cannot be used; a name that nobody knows is an error at once."""
    if name in missing:
        return
    try:
        load()
    except UnknownName:
        raise
    except (OodkitError, OSError) as error:
        missing[name] = " ".join(str(error).split())


def _load(choice: BackboneChoice, options: Options) -> Backbone:
    backbone = load_backbone(
        choice.name, image_size=choice.image_size, device=options.device, precision=choice.precision
    )
    _ = backbone.fingerprint  # which needs the weights
    return backbone


def _trial(todo: ToEmbed) -> float:
    """Seconds to embed images, from a few of them."""
    places = [(todo.place + i) % len(todo.images) for i in range(min(_TRIAL_IMAGES, todo.count))]
    try:
        todo.backbone.embed_images([todo.images.open(place) for place in places])  # the first run is slower
        started = time.perf_counter()
        todo.backbone.embed_images([todo.images.open(place) for place in places])
    except OodkitError:
        return 0.0  # reported when the image is embedded
    return (time.perf_counter() - started) / len(places) * todo.count
