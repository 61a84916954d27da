"""Suites from a file: `benchmarks.yaml` of the package, or one of the user's."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast

from oodkit.backbones.base import Precision
from oodkit.bench.backbone_names import check_backbone_name
from oodkit.bench.marked_yaml import Marked, read_marked_yaml
from oodkit.bench.parameters import check_params
from oodkit.bench.record import Expected, Reported
from oodkit.bench.set_names import check_split_and_classes
from oodkit.bench.suite import (
    ALL,
    BackboneChoice,
    ExpectedFigure,
    OwnSet,
    Pair,
    ReportedFigure,
    ScorerChoice,
    Suite,
)
from oodkit.data import DatasetName, dataset_names
from oodkit.errors import OodkitError, UnknownName, nearest_names
from oodkit.heads import heads
from oodkit.scorers import create
from oodkit.views import views

NAME = "benchmarks.yaml"
UNKNOWN_SCORER = "unknown"  # of a published figure whose method is not stated
Choice = TypeVar("Choice", BackboneChoice, ScorerChoice)
CERTAINTIES = ("sighted", "derived", "exercise", "leaderboard")


def default_file() -> Path:
    """The file that comes with oodkit: beside this module when installed, at the top of the repository otherwise."""
    beside = Path(__file__).with_name(NAME)
    return beside if beside.is_file() else Path(__file__).parents[2] / NAME


class SuiteFile:
    """All suites of a file; a suite is read and checked when it is asked for.

    Args:
        file: None for the one that comes with oodkit.
        data_root: where folders of the user lie, whose names a suite may use; None for the usual one.

    Raises:
        DataNotFound: there is no such file.
        InvalidInput: it is no YAML, or its outer keys are wrong; with file, line and nearest key.
    """

    def __init__(
        self, file: str | os.PathLike[str] | None = None, *, data_root: str | os.PathLike[str] | None = None
    ) -> None:
        self.file = default_file() if file is None else Path(file)
        self._given = None if file is None else str(Path(file).absolute())
        self._data_root = data_root
        top = read_marked_yaml(self.file).section(("suites",), ("sets",))
        self._suites = top["suites"].mapping()
        self.sets = {
            name: _own_set(name, value) for name, value in (top["sets"].mapping() if "sets" in top else {}).items()
        }

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the suites, in the order of the file."""
        return tuple(self._suites)

    def suite(self, name: str) -> Suite:
        """One suite.

        Raises:
            UnknownName: the file has none of this name.
            InvalidInput: something in it is wrong; with file, line and nearest key.
        """
        if name not in self._suites:
            near = nearest_names(name, self._suites)
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"it has: {', '.join(self._suites)}"
            raise UnknownName(f"no suite named {name!r} in {self.file}; {hint}")
        keys = self._suites[name].section(
            ("title", "pairs", "backbones", "scorers"),
            ("about", "seeds", "view", "limit", "reported", "expected"),
        )
        pairs = tuple(self._pairs(keys["pairs"]))
        scorers = tuple(_once(keys["scorers"], _scorer, _same_scorer))
        in_sets = tuple(dict.fromkeys(pair.in_ for pair in pairs))
        backbones = tuple(_once(keys["backbones"], lambda item: _backbone(item, in_sets), _same_backbone))
        seeds = tuple(item.whole(0) for item in keys["seeds"].items()) if "seeds" in keys else (0,)
        view = "identity"
        if "view" in keys:
            view = keys["view"].text()
            try:
                _ = views[view]
            except OodkitError as error:
                raise keys["view"].error(str(error)) from error
        own = Suite(
            name=name,
            title=keys["title"].text(),
            about=keys["about"].text().strip() if "about" in keys else "",
            pairs=pairs,
            backbones=backbones,
            scorers=scorers,
            seeds=seeds,
            view=view,
            limit=keys["limit"].whole(1) if "limit" in keys else None,
            sets=self.sets,
            file=self._given,
        )
        # Figures come last: what is wrong with a pair or a backbone is said of its own line.
        return replace(
            own,
            reported=tuple(figure for item in _items(keys, "reported") for figure in _reported(item, pairs)),
            expected=tuple(figure for item in _items(keys, "expected") for figure in _expected(item, own)),
        )

    @cached_property
    def _known_sets(self) -> frozenset[str]:
        return frozenset((*dataset_names(self._data_root), *self.sets))

    def _set(self, value: Marked) -> str:
        """The name of a set that somebody knows."""
        text = value.text()
        try:
            name = DatasetName.parse(text)
        except OodkitError as error:
            raise value.error(str(error)) from error
        if not (name.is_files or name.is_hub or name.is_folder or name.source in self._known_sets):
            near = nearest_names(name.source, self._known_sets)
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "`oodkit list datasets` shows all;"
            raise value.error(f"no data set named {name.source!r}; {hint} A folder of your own is named under `sets:`")
        try:
            check_split_and_classes(name, self.sets.get(name.source), self._data_root)
        except OodkitError as error:
            raise value.error(str(error)) from error
        return text

    def _pairs(self, value: Marked) -> Iterator[Pair]:
        seen = set()
        for item in value.items():
            keys = item.section(("in", "out"), ("group", "note"))
            in_ = self._set(keys["in"])
            for out in keys["out"].items():
                pair = Pair(
                    in_,
                    self._set(out),
                    keys["group"].text() if "group" in keys else None,
                    keys["note"].text() if "note" in keys else None,
                )
                if (pair.in_, pair.out) in seen:
                    raise out.error(f"the pair {pair} stands twice")
                seen.add((pair.in_, pair.out))
                yield pair


def _backbone(item: Marked, in_sets: tuple[str, ...]) -> BackboneChoice:
    if item.is_text:
        return BackboneChoice(_backbone_name(item))
    keys = item.section(("name",), ("image_size", "precision", "head", "in"))
    for in_ in keys["in"].items() if "in" in keys else ():
        if in_.text() not in in_sets:
            near = nearest_names(in_.text(), in_sets, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(in_sets)}"
            raise in_.error(f"{in_.text()!r} is no in-set of this suite, so the backbone would not run; {hint}")
    return BackboneChoice(
        _backbone_name(keys["name"]),
        keys["image_size"].whole(1) if "image_size" in keys else None,
        cast(Precision, keys["precision"].choice(("fp32", "bf16", "fp16"))) if "precision" in keys else "fp32",
        keys["head"].choice(tuple(heads)) if "head" in keys else None,
        keys["in"].texts() if "in" in keys else None,
    )


def _backbone_name(value: Marked) -> str:
    """A name that some library has, or that leads to a file."""
    try:
        check_backbone_name(value.text())
    except OodkitError as error:
        raise value.error(str(error)) from error
    return value.text()


def _items(keys: Mapping[str, Marked], name: str) -> Iterator[Marked]:
    if name in keys:
        yield from keys[name].items()


def _once(value: Marked, read: Callable[[Marked], Choice], same: Callable[[Choice, Choice], bool]) -> Iterator[Choice]:
    """The entries of a list; the same one twice would be a figure that counts twice."""
    seen: list[Choice] = []
    for item in value.items():
        choice = read(item)
        if any(same(choice, other) for other in seen):
            raise item.error(f"{choice.name!r} stands twice, with the same settings")
        seen.append(choice)
        yield choice


def _same_scorer(one: ScorerChoice, other: ScorerChoice) -> bool:
    return (one.name, dict(one.params)) == (other.name, dict(other.params))


def _same_backbone(one: BackboneChoice, other: BackboneChoice) -> bool:
    overlap = one.in_sets is None or other.in_sets is None or bool(set(one.in_sets) & set(other.in_sets))
    return overlap and replace(one, in_sets=None) == replace(other, in_sets=None)


def _own_set(name: str, value: Marked) -> OwnSet:
    keys = value.section(("get",), ("images", "lists"))
    if ("images" in keys) != ("lists" in keys):
        raise value.error(f"{value.what} needs both `images` and `lists`, or neither")
    lists = {split: entry.text() for split, entry in keys["lists"].mapping().items()} if "lists" in keys else {}
    return OwnSet(name, keys["get"].text(), keys["images"].text() if "images" in keys else None, lists)


def _scorer(item: Marked) -> ScorerChoice:
    where = f"{item.file}, line {item.line}"
    if item.is_text:
        name, params = item.text(), {}
    else:
        keys = item.section(("name",), ("params",))
        given = keys["params"].mapping() if "params" in keys else {}
        name, params = keys["name"].text(), {key: value.plain() for key, value in given.items()}
    if name == ALL:
        return ScorerChoice(ALL, where=where)
    try:
        check_params(name, params)
    except OodkitError as error:
        raise item.error(str(error)) from error
    return ScorerChoice(name, params, where)


def _reported(item: Marked, pairs: tuple[Pair, ...]) -> Iterator[ReportedFigure]:
    """Published figures of one in-set: a scorer a line, an out-set or a group a column."""
    keys = item.section(("in", "auroc", "source", "protocol", "certainty"), ("outs", "groups", "backbone"))
    in_ = keys["in"].text()
    if ("outs" in keys) == ("groups" in keys):
        raise item.error(f"{item.what} is of `outs` or of `groups`: give one of them")
    is_pairs = "outs" in keys
    columns = keys["outs" if is_pairs else "groups"]
    names = columns.texts()
    for name in names:
        _require(columns, pairs, in_, out=name if is_pairs else None, group=None if is_pairs else name)
    source, protocol = keys["source"].text(), keys["protocol"].text()
    certainty = keys["certainty"].choice(CERTAINTIES)
    backbone = _backbone_name(keys["backbone"]) if "backbone" in keys else None
    for scorer, figures in _table(keys["auroc"], names):
        for name, value in zip(names, figures, strict=True):
            reported = Reported(
                value, source, protocol, certainty, None if scorer == UNKNOWN_SCORER else scorer, backbone
            )
            yield ReportedFigure(reported, in_, name if is_pairs else None, None if is_pairs else name)


def _expected(item: Marked, suite: Suite) -> Iterator[ExpectedFigure]:
    """Figures of one in-set and backbone: a scorer a line, an out-set a column."""
    keys = item.section(
        ("in", "backbone", "outs", "tolerance", "auroc"), ("tolerances", "image_size", "precision", "head", "params")
    )
    in_, outs = keys["in"].text(), keys["outs"].texts()
    for out in outs:
        _require(keys["outs"], suite.pairs, in_, out, None)
    backbone = _backbone_of(keys, suite, in_)
    params = keys["params"].plain() if "params" in keys else None
    usual = keys["tolerance"].fraction()
    rows = keys["auroc"].mapping()
    own: Mapping[str, Marked] = keys["tolerances"].mapping() if "tolerances" in keys else {}
    for name, tolerance in own.items():
        if name not in rows:
            near = nearest_names(name, rows, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(rows)}"
            raise tolerance.error(f"a tolerance of {name!r}, of which no figure is expected here; {hint}")
    for scorer, figures in _table(keys["auroc"], outs):
        choice = _scorer_of(rows[scorer], suite, scorer, params)
        tolerance_of = own[scorer].fraction() if scorer in own else usual
        for out, figure in zip(outs, figures, strict=True):
            yield ExpectedFigure(
                Expected(figure, tolerance_of),
                in_,
                out,
                backbone.name,
                scorer,
                backbone.image_size,
                backbone.precision,
                backbone.head,
                choice.params,
            )


def _backbone_of(keys: Mapping[str, Marked], suite: Suite, in_: str) -> BackboneChoice:
    """The one configuration of a backbone that a figure is of."""
    name = keys["backbone"].choice(tuple(dict.fromkeys(choice.name for choice in suite.backbones)))
    settings = {key: keys[key].plain() for key in ("image_size", "precision", "head") if key in keys}
    ours = [c for c in suite.backbones if c.name == name and (c.in_sets is None or in_ in c.in_sets)]
    if not ours:
        raise keys["backbone"].error(f"the suite does not run the backbone {name!r} on {in_!r}")
    found = [c for c in ours if all(getattr(c, key) == value for key, value in settings.items())]
    if len(found) == 1:
        return found[0]
    told = "; ".join(", ".join(f"{key}: {_yaml(getattr(c, key))}" for key in _differing(ours)) for c in ours)
    if found:
        raise keys["backbone"].error(f"backbone {name!r} stands in this suite {len(found)} times; say which: {told}")
    raise keys["backbone"].error(
        f"backbone {name!r} does not stand in this suite with {', '.join(f'{k}: {v}' for k, v in settings.items())}"
        + (f"; it has {told}" if told else "; leave that out")
    )


def _differing(choices: list[BackboneChoice]) -> list[str]:
    return [key for key in ("image_size", "precision", "head") if len({getattr(c, key) for c in choices}) > 1]


def _scorer_of(value: Marked, suite: Suite, name: str, params: Mapping[str, Any] | None) -> ScorerChoice:
    """The one configuration of a scorer that a figure is of."""
    ours = suite.choices_of(name)
    if not ours:
        known = list(dict.fromkeys(choice.name for choice in suite.scorers))
        near = nearest_names(name, known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(known)}"
        raise value.error(f"a figure of scorer {name!r}, which this suite does not run; {hint}")
    found = [choice for choice in ours if params is None or dict(choice.params) == params]
    if len(found) == 1:
        return found[0]
    told = " or ".join(f"params: {{{', '.join(f'{k}: {_yaml(v)}' for k, v in c.params.items())}}}" for c in ours)
    if found:
        raise value.error(f"scorer {name!r} stands in this suite {len(found)} times; say which, beside `outs`: {told}")
    raise value.error(f"scorer {name!r} does not stand in this suite with these params; it has {told}")


def _yaml(value: object) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _table(value: Marked, columns: tuple[str, ...]) -> Iterator[tuple[str, list[float]]]:
    """Scorers and their figures, one for each column."""
    for scorer, row in value.mapping().items():
        if scorer != UNKNOWN_SCORER:
            try:
                create(scorer)
            except OodkitError as error:
                raise row.error(str(error)) from error
        figures = [entry.fraction() for entry in row.items()]
        if len(figures) != len(columns):
            raise row.error(f"{row.what}: {len(figures)} figures for {len(columns)} columns")
        yield scorer, figures


def _require(value: Marked, pairs: tuple[Pair, ...], in_: str, out: str | None, group: str | None) -> None:
    """Refuse a figure of a pair or group that the suite does not have."""
    if out is not None and not any((pair.in_, pair.out) == (in_, out) for pair in pairs):
        near = nearest_names(f"{in_}:{out}", [str(pair) for pair in pairs], 1)
        raise value.error(f"no pair {in_}:{out} in this suite" + (f"; did you mean {near[0]!r}?" if near else ""))
    if group is not None and not any((pair.in_, pair.group) == (in_, group) for pair in pairs):
        raise value.error(f"no pairs of the group {group!r} with the in-set {in_!r} in this suite")
