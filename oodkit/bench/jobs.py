"""The cells of a suite in jobs: what shares an in-set, a backbone and a seed is embedded together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from oodkit.backbones import Backbone
from oodkit.bench.cell import Cell
from oodkit.bench.keys import Keys
from oodkit.bench.options import Options
from oodkit.bench.sources import Sources
from oodkit.bench.stored import Stored
from oodkit.bench.suite import ALL, BackboneChoice, Pair, ScorerChoice, Suite
from oodkit.data import FitAndTest
from oodkit.errors import InvalidInput, OodkitError
from oodkit.evaluation.all_scorers import only_by_name
from oodkit.evaluation.extras import Extras
from oodkit.evaluation.session import Session
from oodkit.scorers import create
from oodkit.scorers import scorers as scorer_registry
from oodkit.scorers.base import Scorer


@dataclass(frozen=True)
class Job:
    """Cells that share an in-set, a backbone and a seed.

    Attributes:
        session: that runs them.
        choice: the backbone as the suite asks for it.
        scorers: that this process runs.
        cells: in the order of the table.
        first_halves: of the in-set by the suite's first seed, which audits are made with.
    """

    session: Session
    choice: BackboneChoice
    scorers: tuple[ScorerChoice, ...]
    cells: tuple[Cell, ...]
    first_halves: FitAndTest

    @property
    def views(self) -> tuple[str, ...]:
        """Names of the views of the fit images that its scorers take."""
        models = [make_scorer(scorer, self.session.seed) for scorer in self.scorers]
        return tuple(dict.fromkeys(name for model in models for name in model.view_names()))


@dataclass
class JobMaker:
    """Makes the jobs of a suite, and remembers what cannot run.

    Attributes:
        suite: to be run.
        options: where things lie.
        sources: of its sets.
        stored: what is known of their images.
        refused: for each scorer, why it cannot run with a backbone and an in-set, a line each.
        allowed: scorers that can run somewhere.
    """

    suite: Suite
    options: Options
    sources: Sources
    stored: Stored
    refused: dict[ScorerChoice, list[str]] = field(default_factory=dict)
    allowed: set[ScorerChoice] = field(default_factory=set)

    def jobs(self, backbones: Mapping[BackboneChoice, Backbone], pairs: Sequence[Pair]) -> list[Job]:
        """The jobs of all backbones and pairs.

        Raises:
            InvalidInput: a scorer that was named can run nowhere, or an out-set is the in-set.
        """
        made = [
            job
            for choice, backbone in backbones.items()
            for in_ in dict.fromkeys(pair.in_ for pair in pairs)
            if choice.in_sets is None or in_ in choice.in_sets
            for job in self._of_seeds(choice, backbone, in_, [pair for pair in pairs if pair.in_ == in_])
        ]
        for scorer, reasons in self.refused.items():
            if scorer not in self.allowed and scorer.where:
                raise InvalidInput(f"{scorer.where}: scorer {scorer.name} can run nowhere in this suite: {reasons[0]}")
        return made

    def _of_seeds(self, choice: BackboneChoice, backbone: Backbone, in_: str, pairs: Sequence[Pair]) -> Iterator[Job]:
        """A job for each seed; only scorers that draw have more than one where seeds do not change the images."""
        outs = {pair.out: self.sources.out(pair.out) for pair in pairs}
        for place, seed in enumerate(self.suite.seeds):
            halves = self.sources.fit_and_test(in_, seed)
            session = Session(
                in_,
                halves,
                outs,
                backbone,
                extras=Extras(head=choice.head),
                view=self.suite.view,
                limit=self.suite.limit,
                seed=seed,
                cache=self.options.cache,
                skip_unreadable=self.options.skip_unreadable,
            )
            models = self._models(session, choice)
            if place and halves.note is None and self.suite.limit is None:
                models = {scorer: model for scorer, model in models.items() if "seed" in model.get_params()}
            if models:
                cells = tuple(self._cells(session, choice, pairs, models))
                yield Job(session, choice, tuple(models), cells, self.sources.fit_and_test(in_, self.suite.seeds[0]))

    def _models(self, session: Session, choice: BackboneChoice) -> dict[ScorerChoice, Scorer]:
        models = {}
        for scorer in _expanded(self.suite.scorers):
            try:
                model = make_scorer(scorer, session.seed)
                reason = session.lacks(model)
                if reason is None and not scorer.where:
                    reason = only_by_name(model)
            except OodkitError as error:
                reason = str(error)
            if reason is None:
                models[scorer] = model
                self.allowed.add(scorer)
            else:
                lines = self.refused.setdefault(scorer, [])
                lines.append(f"{scorer.name} with {choice.name} on {session.in_}: {reason}")
        return models

    def _cells(
        self, session: Session, choice: BackboneChoice, pairs: Sequence[Pair], models: Mapping[ScorerChoice, Scorer]
    ) -> Iterator[Cell]:
        fit, test = (self.stored.digest(session, part) for part in (session.halves.fit, session.halves.test))
        keys = None if fit is None or test is None else Keys(session, choice.head, self.stored.view, fit, test)
        for pair in pairs:
            images = session.out_sets[pair.out]
            out = None if keys is None else self.stored.digest(session, images)
            for scorer, model in models.items():
                key = None if keys is None or out is None else keys.key(scorer, model, out, images)
                yield Cell(pair, choice, scorer, session.seed, key)


def make_scorer(choice: ScorerChoice, seed: int) -> Scorer:
    """The scorer with its parameters, drawing by the seed where it draws."""
    model = create(choice.name, **choice.params)
    if "seed" not in choice.params and "seed" in model.get_params():
        model.set_params(seed=seed)
    return model


def share(jobs: Sequence[Job], part: int, parts: int) -> list[Job]:
    """Every `parts`-th scorer over all jobs, from the `part`-th on: a scorer is still fitted once per in-set."""
    if parts == 1:
        return list(jobs)
    kept, number = [], 0
    for job in jobs:
        mine = []
        for scorer in job.scorers:
            number += 1
            if (number - part) % parts == 0:
                mine.append(scorer)
        if mine:
            cells = tuple(cell for cell in job.cells if cell.scorer in mine)
            kept.append(replace(job, scorers=tuple(mine), cells=cells))
    return kept


def _expanded(scorers: Sequence[ScorerChoice]) -> Iterator[ScorerChoice]:
    named = {choice.name for choice in scorers}
    for choice in scorers:
        if choice.name != ALL:
            yield choice
            continue
        yield from (ScorerChoice(name) for name in scorer_registry if name not in named)
