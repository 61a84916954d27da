"""One in-set, its out-sets and a backbone: what is embedded once and then scored by any number of scorers."""

import os
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oodkit.backbones import Backbone
from oodkit.data import FitAndTest, take
from oodkit.data.image_set import ImageSet
from oodkit.embedding import Embeddings, embed
from oodkit.embedding.store import training_checkpoints
from oodkit.errors import InvalidInput
from oodkit.evaluation.averaging import mean_of_views
from oodkit.evaluation.evaluation import Result
from oodkit.evaluation.extras import Extras
from oodkit.evaluation.overlap import overlaps, refuse_aux, refuse_equal, refuse_shared_aux
from oodkit.evaluation.perturbation import check_epsilon, perturbed_scores
from oodkit.evaluation.supply import Supply
from oodkit.metrics import summarise, tie_fraction
from oodkit.metrics.figure_doubts import figure_doubts
from oodkit.progress import Advance
from oodkit.scorers.base import Need, Scorer
from oodkit.views import IDENTITY, after
from oodkit.views.average_names import check_average


@dataclass(frozen=True)
class Scored:
    """What one scorer gave.

    Attributes:
        scores: by set, (N,) each; the in-set under its own name.
        fit_seconds: time to fit.
        score_seconds: time to score each set.
    """

    scores: dict[str, NDArray[np.float64]] = field(repr=False)
    fit_seconds: float
    score_seconds: dict[str, float]


class Session:
    """Images are embedded when `embed` is called; then `run` fits and scores one scorer at a time.

    Args:
        in_: name of the in-set.
        halves: what is fitted and what is tested of it.
        outs: the out-sets by name.
        backbone: that embeds.
        extras: what the user gives for heads and texts.
        view: name of the view that is embedded.
        limit: at most so many images of each set, drawn by the seed.
        seed: for the limit.
        cache: folder of the embedding store; None for the usual one.
        skip_unreadable: leave out images that cannot be read instead of stopping.
        perturb: size of ODIN's step on each scored image; None for none.
        leave_out: SHA-256 (hex) of contents that are neither tested nor scored, such as near-duplicates.
        aux: images that scorers learn from as not in-distribution; None for none.
        average: views whose features are averaged with those of each image; views that a scorer is trained on, and
            auxiliary images, stay as they are.
        average_fit_only: whether images that are tested or scored stay as they are too.

    Raises:
        InvalidInput: an out-set is the in-set, the auxiliary set is one of them, or the extras do not fit.
        UnknownName: no such view.
    """

    fit: Embeddings
    test: Embeddings
    outs: dict[str, Embeddings]

    def __init__(
        self,
        in_: str,
        halves: FitAndTest,
        outs: Mapping[str, ImageSet],
        backbone: Backbone,
        *,
        extras: Extras | None = None,
        view: str = IDENTITY,
        limit: int | None = None,
        seed: int = 0,
        cache: str | os.PathLike[str] | None = None,
        skip_unreadable: bool = False,
        perturb: float | None = None,
        leave_out: Collection[str] = frozenset(),
        aux: ImageSet | None = None,
        average: str | Sequence[str] = (),
        average_fit_only: bool = False,
    ) -> None:
        for name, images in outs.items():
            refuse_equal(in_, halves, name, images)
        if aux is not None:
            refuse_aux(in_, halves, outs, aux)
        if perturb is not None:
            check_epsilon(perturb)
            if backbone.compile:
                raise InvalidInput("a compiled backbone has no gradients to perturb images by; leave compile out")
            if average and not average_fit_only:
                raise InvalidInput("images are scored either perturbed or averaged over views; leave one of both out")
        self.in_, self.halves, self.out_sets, self.backbone = in_, halves, dict(outs), backbone
        self.view, self.limit, self.seed, self.perturb = view, limit, seed, perturb
        self.supply = Supply(backbone, in_, halves.fit, extras or Extras(), cache, embed_view=self._embedded, aux=aux)
        self._aux, self.average, self.average_fit_only = aux, check_average(average, average_fit_only), average_fit_only
        self._extras, self._cache, self._skip_unreadable = extras, cache, skip_unreadable
        self._leave_out, self.left_out = frozenset(leave_out), 0
        self._moving: dict[str, ImageSet] = {}

    def lacks(self, model: Scorer) -> str | None:
        """Why a scorer cannot run here, as the rest of a sentence; None where it can."""
        reason = self.supply.lacks(model, self.out_sets)
        if reason is None and self.perturb is not None and not model.differentiable:
            return "it has no gradients to perturb images by"
        return reason

    def with_outs(self, names: Sequence[str]) -> "Session":
        """A session of some of the out-sets."""
        return Session(
            self.in_,
            self.halves,
            {name: self.out_sets[name] for name in names},
            self.backbone,
            extras=self._extras,
            view=self.view,
            limit=self.limit,
            seed=self.seed,
            cache=self._cache,
            skip_unreadable=self._skip_unreadable,
            perturb=self.perturb,
            leave_out=self._leave_out,
            aux=self._aux,
            average=self.average,
            average_fit_only=self.average_fit_only,
        )

    def limited(self, images: ImageSet) -> ImageSet:
        """What is used of a set."""
        return images if self.limit is None else take(images, self.limit, self.seed)

    def embed(self, models: Iterable[Scorer] = ()) -> list[str]:
        """Embed all sets, or read them from the store; lines about images that turn up on both sides.

        Args:
            models: scorers that lack nothing and are to be run: the views that they take are embedded too.

        Raises:
            UnreadableImage: an image cannot be read, and they are not to be skipped.
            InvalidInput: every image of an out-set is in the in-set too, or to be left out; or images of the auxiliary
                set are in an out-set, or all of them in the in-set.
            StoreError: the store cannot be used.
        """
        scored = self._embedded if self.average_fit_only else self._averaged
        self.fit, test = self._averaged(self.halves.fit), scored(self.halves.test)
        outs = {name: scored(images) for name, images in self.out_sets.items()}
        self.supply.fit = self.fit
        lines: list[str] = []
        self.left_out = 0
        self.test = self._counted(self.in_, test, lines)
        self.outs = {name: self._counted(name, part, lines) for name, part in outs.items()}
        lines += overlaps(self.in_, self.fit, self.test, self.halves.note is not None, self.outs)
        if self.perturb is not None:
            sets = {self.in_: self.halves.test, **self.out_sets}
            parts = {self.in_: self.test, **self.outs}
            self._moving = {name: _read(self.limited(images), parts[name]) for name, images in sets.items()}
        for model in models:
            self._embed_views(model, lines)
        return lines

    @property
    def parts(self) -> list[Embeddings]:
        """Everything that was embedded: fit, test, out-sets."""
        return [self.fit, self.test, *self.outs.values()]

    @property
    def computed(self) -> int:
        """How many embeddings were computed, those of views too."""
        return sum(part.computed for part in (*self.parts, *self.supply.seen.parts))

    def run(self, model: Scorer, outs: Sequence[str] | None = None, advance: Advance | None = None) -> Scored:
        """Fit a scorer and score the in-set's test images and out-sets.

        Args:
            model: a scorer that lacks nothing; it is fitted.
            outs: names of the out-sets to score; None for all.
            advance: called after the fit and after each set.
        """
        parts = {self.in_: self.test, **{name: self.outs[name] for name in (self.outs if outs is None else outs)}}
        needed = self.supply.needed(model, [part for name, part in parts.items() if name != self.in_])
        rows = self.supply.rows(model, self.fit)
        started = time.perf_counter()
        with training_checkpoints(self._cache):
            model.fit(rows, **needed)
        model.notes_ += self.supply.doubts(model)
        fit_seconds = time.perf_counter() - started
        if advance:
            advance()
        scores, seconds = {}, {}
        for name, part in parts.items():
            rows = self.supply.rows(model, part)
            started = time.perf_counter()
            scores[name] = self._score(model, name, rows)
            seconds[name] = time.perf_counter() - started
            if advance:
                advance()
        return Scored(scores, fit_seconds, seconds)

    def result(self, name: str, model: Scorer, scored: Scored, out: str) -> Result:
        """The metrics of one out-set.

        Args:
            name: the scorer's registry name.
            model: that was run.
            scored: what it gave.
            out: name of the out-set.
        """
        in_scores, out_scores = scored.scores[self.in_], scored.scores[out]
        summary = summarise(in_scores, out_scores)
        ties = tie_fraction(in_scores, out_scores)
        return Result(
            out=out,
            scorer=name,
            params=model.get_params(),
            **asdict(summary),
            n_fit=len(self.fit),
            n_in=len(in_scores),
            n_out=len(out_scores),
            seconds={
                "fit": round(scored.fit_seconds, 4),
                "score_in": round(scored.score_seconds[self.in_], 4),
                "score_out": round(scored.score_seconds[out], 4),
            },
            notes=tuple(getattr(model, "notes_", ())),
            doubts=figure_doubts(summary.auroc, len(in_scores), len(out_scores), summary.auroc_ci, ties),
        )

    def _score(self, model: Scorer, name: str, rows: NDArray[Any]) -> NDArray[np.float64]:
        if self.perturb is None:
            return model.score_samples(rows)
        return perturbed_scores(
            self.backbone, self.supply.rows_of(model), model, self._moving[name], self.perturb, view=self.view
        )

    def _embed_views(self, model: Scorer, lines: list[str]) -> None:
        wanted = model.needs | model.optional
        if Need.VIEWS in wanted:
            self.supply.seen.views(model, self.fit)
        if Need.AUX in wanted and self._aux is not None:
            aux = self.supply.seen.aux(model)[0]
            lines += [
                line for line in refuse_shared_aux(self.in_, self.fit, self.test, self.outs, aux) if line not in lines
            ]

    def _counted(self, name: str, part: Embeddings, lines: list[str]) -> Embeddings:
        """What is left of a set, with a line if that is not all."""
        if not self._leave_out:
            return part
        assert part.digests is not None
        kept = np.array([row.tobytes().hex() not in self._leave_out for row in part.digests])
        if not kept.any():
            raise InvalidInput(f"all images of {name} are to be left out; check the list")
        self.left_out += int((~kept).sum())
        if not kept.all():
            lines.append(f"{int((~kept).sum()):,} of {len(kept):,} images of {name} are left out, as listed")
        return part[kept]

    def _averaged(self, images: ImageSet) -> Embeddings:
        """A set through the session's view, averaged over the views that are asked for."""
        return mean_of_views([self._embedded(images, view) for view in (IDENTITY, *self.average)])

    def _embedded(self, images: ImageSet, view: str = IDENTITY) -> Embeddings:
        """A set through the session's view, and then another."""
        return embed(
            self.limited(images),
            self.backbone,
            view=after(self.view, view),
            cache=self._cache,
            skip_unreadable=self._skip_unreadable,
        )


def _read(images: ImageSet, part: Embeddings) -> ImageSet:
    """The images that are scored, without those that were skipped or left out."""
    if len(part) == len(images):
        return images
    scored = set(part.ids)
    return images.subset([i for i, name in enumerate(images.ids) if name in scored])
