"""Run a plan: each finished cell is kept at once, a failing one is a row with its error, the rest goes on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from oodkit.audit import Audit, doubts
from oodkit.backbones import Capability
from oodkit.bench.auditing import Auditor
from oodkit.bench.cell import Cell, cell_key, code_digest
from oodkit.bench.command import command_of
from oodkit.bench.jobs import Job, make_scorer
from oodkit.bench.keys import Keys
from oodkit.bench.knn_accuracy import knn_accuracy
from oodkit.bench.planning import Plan
from oodkit.bench.record import CellScores, Record
from oodkit.bench.results import Results
from oodkit.bench.suite import ScorerChoice, Suite
from oodkit.embedding import Embeddings
from oodkit.embedding.embed import view_key
from oodkit.errors import OodkitError, StoreError
from oodkit.evaluation.overlap import content_hash
from oodkit.evaluation.session import Scored, Session
from oodkit.evaluation.versions import library_versions
from oodkit.metrics import tie_fraction
from oodkit.progress import Advance, progress
from oodkit.scorers.base import Need, Scorer


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    Attributes:
        records: of all cells of the plan, in its order; those that failed too.
        ran: number of cells that were run, the others were there already.
        embedded: number of images that were embedded.
    """

    records: tuple[Record, ...]
    ran: int
    embedded: int

    @property
    def failed(self) -> tuple[Record, ...]:
        """Records of cells that failed."""
        return tuple(record for record in self.records if record.error is not None)


def run_plan(plan: Plan, results: Results, auditor: Auditor | None = None) -> Outcome:
    """Run what is not done yet.

    Args:
        plan: made by `make_plan`.
        results: where records are kept.
        auditor: of the pairs; None to leave out the doubts that an audit raises.

    Raises:
        StoreError: results or embeddings cannot be kept; what was finished is.
    """
    records: list[Record] = []
    ran = embedded = 0
    with progress(f"suite {plan.suite.name}", len(plan.cells), unit="cells") as advance:
        for job in plan.jobs:
            run = _JobRun(plan.suite, job, results, auditor, advance)
            records += run.records()
            ran += run.ran
            embedded += run.embedded
    return Outcome(tuple(records), ran, embedded)


class _JobRun:
    """The cells of one in-set, backbone and seed."""

    def __init__(self, suite: Suite, job: Job, results: Results, auditor: Auditor | None, advance: Advance) -> None:
        self.suite, self.job, self.results, self.auditor, self.advance = suite, job, results, auditor, advance
        self.ran = self.embedded = 0
        self._done: dict[int, Record] = {}  # by place in the job's cells
        self._lines: list[str] = []
        self._accuracy: float | None = None

    def records(self) -> list[Record]:
        cells = self.job.cells
        self._take_stored(cells)
        if len(self._done) < len(cells):
            self._run_rest()
        self.results.use_again(self.suite.name, [record.key for record in self._done.values()])
        return [self._done[place] for place in range(len(cells))]

    def _take_stored(self, cells: Sequence[Cell]) -> None:
        """Cells whose contents were run before, in this suite or another, under these names or others."""
        for place, cell in enumerate(cells):
            stored = None if cell.key is None or place in self._done else self.results.get(cell.key)
            if stored is None or stored.error is not None:
                continue
            named = replace(stored, **self._names(cell))
            named = replace(named, provenance={**stored.provenance, **self._labels(cell)})
            if self.auditor is not None and not stored.provenance.get("audited"):
                named = self._doubted(named)
            if named != stored:
                self.results.add(named, None)
            self._done[place] = named
            self.advance()

    def _run_rest(self) -> None:
        waiting = [place for place in range(len(self.job.cells)) if place not in self._done]
        sound = self._embed({self.job.cells[place].pair.out for place in waiting})
        if sound is None:
            return
        session, keys = sound
        for place in waiting:
            cell = self.job.cells[place]
            if place not in self._done and cell.key is None:
                model = make_scorer(cell.scorer, cell.seed)
                out = cell.pair.out
                key = keys.key(cell.scorer, model, content_hash(session.outs[out]), session.out_sets[out])
                self._set_key(place, key)
        self._take_stored(self.job.cells)
        for scorer in self.job.scorers:
            places = [i for i, cell in enumerate(self.job.cells) if cell.scorer == scorer and i not in self._done]
            if places:
                self._run_scorer(session, scorer, places)

    def _embed(self, outs: set[str]) -> tuple[Session, Keys] | None:
        """A session of the out-sets that can be used; cells of the others are failed."""
        whole = self.job.session
        try:
            session = self._part(whole, outs)
            self._lines = session.embed(self._waiting_models())
        except StoreError:
            raise
        except OodkitError:
            errors = {out: error for out in sorted(outs) if (error := self._why_not(whole, out)) is not None}
            self._fail(errors)
            rest = outs - set(errors)
            if not rest:
                return None
            session = self._part(whole, rest)
            self._lines = session.embed(self._waiting_models())
        self.embedded = session.computed
        fit, test = session.fit, session.test
        if fit.labels is not None and test.labels is not None:
            self._accuracy = knn_accuracy(fit.features, fit.labels, test.features, test.labels)
        keys = Keys(
            session,
            self.job.choice.head,
            view_key(self.suite.view),
            content_hash(session.fit),
            content_hash(session.test),
        )
        return session, keys

    def _waiting_models(self) -> list[Scorer]:
        """The scorers of cells that are not done."""
        waiting = dict.fromkeys(cell.scorer for i, cell in enumerate(self.job.cells) if i not in self._done)
        return [make_scorer(scorer, self.job.session.seed) for scorer in waiting]

    def _part(self, whole: Session, outs: set[str]) -> Session:
        return (
            whole if outs == set(whole.out_sets) else whole.with_outs([name for name in whole.out_sets if name in outs])
        )

    def _why_not(self, whole: Session, out: str) -> str | None:
        try:
            self._part(whole, {out}).embed()
        except StoreError:
            raise
        except OodkitError as error:
            return _line(error)
        return None

    def _fail(self, errors: Mapping[str, str]) -> None:
        for place, cell in enumerate(self.job.cells):
            if place not in self._done and cell.pair.out in errors:
                self._keep(place, self._failed(cell, errors[cell.pair.out]), None)

    def _run_scorer(self, session: Session, scorer: ScorerChoice, places: Sequence[int]) -> None:
        """Fit once and score all out-sets; one by one where a scorer is fitted to the out-set or all at once fail."""
        uses_out = Need.OUT_TEXT in make_scorer(scorer, self.job.session.seed).needs
        groups = [[place] for place in places] if uses_out else [list(places)]
        while groups:
            group = groups.pop(0)
            cells = [self.job.cells[place] for place in group]
            model = make_scorer(scorer, self.job.session.seed)
            try:
                scored = session.run(model, [cell.pair.out for cell in cells])
                made = [self._record(session, cell, model, scored) for cell in cells]
            except StoreError:
                raise
            except Exception as error:  # a fault of one scorer, ours or a plugin's, must not end a night's run
                if len(group) > 1 and _is_of_scoring(model):
                    groups = [[place] for place in group] + groups
                    continue
                for place, cell in zip(group, cells, strict=True):
                    self._keep(place, self._failed(cell, _line(error)), None)
                continue
            for place, (record, scores) in zip(group, made, strict=True):
                self._keep(place, record, scores)

    def _record(self, session: Session, cell: Cell, model: Scorer, scored: Scored) -> tuple[Record, CellScores]:
        out = cell.pair.out
        result = session.result(cell.scorer.name, model, scored, out)
        scores = CellScores(
            np.array(session.test.ids, dtype=np.str_),
            scored.scores[session.in_],
            np.array(session.outs[out].ids, dtype=np.str_),
            scored.scores[out],
        )
        ties = tie_fraction(scores.in_scores, scores.out_scores)
        interval = None if any(end != end for end in result.auroc_ci) else result.auroc_ci
        uses_head = bool({Need.HEAD, Need.LOGITS} & (model.needs | model.optional))
        record = Record(
            key=cell.key or "",
            **self._names(cell),
            params=_plain(model.get_params()),
            seed=cell.seed,
            view=self.suite.view,
            head=session.supply.head_made if uses_head else None,
            image_size=session.backbone.image_size,
            precision=session.backbone.precision,
            auroc=result.auroc,
            auroc_ci=interval,
            aupr_in=result.aupr_in,
            aupr_out=result.aupr_out,
            fpr95_in=result.fpr95_in,
            fpr95_out=result.fpr95_out,
            detection_error=result.detection_error,
            ties=ties,
            n_fit=result.n_fit,
            n_in=result.n_in,
            n_out=result.n_out,
            seconds=result.seconds,
            notes=(*self._notes(session, out, uses_head), *result.notes),
            doubts=(),
            error=None,
            provenance={**self._provenance(session, out), **self._labels(cell)},
            finished=_now(),
        )
        return self._doubted(record), scores

    def _failed(self, cell: Cell, error: str) -> Record:
        backbone = self.job.session.backbone
        nothing = dict.fromkeys(
            ("auroc", "auroc_ci", "aupr_in", "aupr_out", "fpr95_in", "fpr95_out", "detection_error", "ties")
        )
        names = self._names(cell)
        return Record(
            key=cell.key
            or cell_key({"failed": [asdict(cell.pair), asdict(cell.backbone), asdict(cell.scorer), cell.seed]}),
            **names,
            params=_plain(make_scorer(cell.scorer, cell.seed).get_params()),
            seed=cell.seed,
            view=self.suite.view,
            head=None,
            image_size=backbone.image_size,
            precision=backbone.precision,
            **nothing,  # type: ignore[arg-type]
            n_fit=0,
            n_in=0,
            n_out=0,
            seconds={},
            notes=(),
            doubts=(),
            error=error,
            provenance={
                "versions": library_versions(),
                "backbone_fingerprint": backbone.fingerprint,
                **self._labels(cell),
            },
            finished=_now(),
        )

    def _keep(self, place: int, record: Record, scores: CellScores | None) -> None:
        self.results.add(record, scores)
        self._done[place] = record
        self.ran += 1
        self.advance()

    def _set_key(self, place: int, key: str) -> None:
        cells = list(self.job.cells)
        cells[place] = replace(cells[place], key=key)
        self.job = replace(self.job, cells=tuple(cells))

    def _names(self, cell: Cell) -> dict[str, Any]:
        name = self.job.session.backbone.name
        return {
            "suite": self.suite.name,
            "in_": cell.pair.in_,
            "out": cell.pair.out,
            "backbone": name,
            "scorer": cell.scorer.name,
            "reported": self.suite.reported_for(cell.pair, cell.scorer.name),
            "expected": self.suite.expected_for(cell.pair, cell.backbone, cell.scorer),
        }

    def _labels(self, cell: Cell) -> dict[str, Any]:
        """What a table says beside the figures."""
        return {
            "about": self.suite.about,
            "group": cell.pair.group,
            "pair_note": cell.pair.note,
            "head_asked": cell.backbone.head,
            "limit": self.suite.limit,
            "command": command_of(self.suite, cell),
        }

    def _notes(self, session: Session, out: str, uses_head: bool) -> Iterator[str]:
        if session.halves.note is not None:
            yield session.halves.note
        if uses_head:
            yield from session.supply.notes(session.test)
        for line in self._lines:
            others = [name for name in session.outs if name != out]
            if not any(f" of {name} are " in line for name in others):
                yield line
        for part in (session.fit, session.test, session.outs[out]):
            if part.skipped:
                yield f"{len(part.skipped)} unreadable images of {part.dataset}:{part.split} are left out"

    def _doubted(self, record: Record) -> Record:
        """The record with what speaks against its figure."""
        audit = None
        if self.auditor is not None:
            whole = self.job.session
            audit = self.auditor.audit(whole.in_, self.job.first_halves, record.out, whole.out_sets[record.out])
        lines = doubts(
            auroc=record.auroc,
            n_in=record.n_in,
            n_out=record.n_out,
            auroc_ci=record.auroc_ci,
            ties=record.ties,
            notes=record.notes,
            audit=audit if isinstance(audit, Audit) else None,
        )
        notes = (*record.notes, *([audit] if isinstance(audit, str) else []))
        provenance = {**record.provenance, "audited": audit is not None}
        return replace(record, doubts=lines, notes=notes, provenance=provenance)

    def _provenance(self, session: Session, out: str) -> dict[str, Any]:
        parts: dict[str, Embeddings] = {"fit": session.fit, "in": session.test, "out": session.outs[out]}
        return {
            "versions": library_versions(),
            "code": code_digest(),
            "backbone_fingerprint": session.backbone.fingerprint,
            "image_text": Capability.EMBED_TEXT in session.backbone.capabilities,
            "knn_accuracy": self._accuracy,
            "device": str(session.backbone.device),
            "images": {name: content_hash(part) for name, part in parts.items()},
            "splits": {name: part.split for name, part in parts.items()},
        }


def _is_of_scoring(model: Scorer) -> bool:
    """Whether the fit was sound, so that another out-set may be scored."""
    return bool(getattr(model, "__sklearn_is_fitted__", lambda: False)()) or any(
        name.endswith("_") for name in vars(model)
    )


def _line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, OodkitError) else f"{type(error).__name__}: {text}"


def _plain(value: Any) -> Any:
    """Parameters as JSON has them."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
