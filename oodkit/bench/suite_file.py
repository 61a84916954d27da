"""Suites from a file: `benchmarks.yaml` of the package, or one of the user's."""

import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import cast

from oodkit.backbones.base import Precision
from oodkit.bench.marked_yaml import Marked, read_marked_yaml
from oodkit.bench.record import Expected, Reported
from oodkit.bench.suite import (
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
ALL = "all"
UNKNOWN_SCORER = "unknown"  # of a published figure whose method is not stated
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
        scorers = tuple(_scorer(item) for item in keys["scorers"].items())
        backbones = tuple(self._backbone(item) for item in keys["backbones"].items())
        seeds = tuple(item.whole(0) for item in keys["seeds"].items()) if "seeds" in keys else (0,)
        reported = tuple(
            figure
            for item in (keys["reported"].items() if "reported" in keys else ())
            for figure in _reported(item, pairs)
        )
        expected = tuple(
            figure
            for item in (keys["expected"].items() if "expected" in keys else ())
            for figure in _expected(item, pairs, backbones)
        )
        view = "identity"
        if "view" in keys:
            view = keys["view"].text()
            try:
                _ = views[view]
            except OodkitError as error:
                raise keys["view"].error(str(error)) from error
        return Suite(
            name=name,
            title=keys["title"].text(),
            about=keys["about"].text().strip() if "about" in keys else "",
            pairs=pairs,
            backbones=backbones,
            scorers=scorers,
            seeds=seeds,
            view=view,
            limit=keys["limit"].whole(1) if "limit" in keys else None,
            reported=reported,
            expected=expected,
            sets=self.sets,
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

    def _backbone(self, item: Marked) -> BackboneChoice:
        if item.is_text:
            return BackboneChoice(item.text())
        keys = item.section(("name",), ("image_size", "precision", "head", "in"))
        return BackboneChoice(
            keys["name"].text(),
            keys["image_size"].whole(1) if "image_size" in keys else None,
            cast(Precision, keys["precision"].choice(("fp32", "bf16", "fp16"))) if "precision" in keys else "fp32",
            keys["head"].choice(tuple(heads)) if "head" in keys else None,
            keys["in"].texts() if "in" in keys else None,
        )


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
        create(name, **params)
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
    backbone = keys["backbone"].text() if "backbone" in keys else None
    for scorer, figures in _table(keys["auroc"], names):
        for name, value in zip(names, figures, strict=True):
            reported = Reported(
                value, source, protocol, certainty, None if scorer == UNKNOWN_SCORER else scorer, backbone
            )
            yield ReportedFigure(reported, in_, name if is_pairs else None, None if is_pairs else name)


def _expected(item: Marked, pairs: tuple[Pair, ...], backbones: tuple[BackboneChoice, ...]) -> Iterator[ExpectedFigure]:
    """Figures of one in-set and backbone: a scorer a line, an out-set a column."""
    keys = item.section(("in", "backbone", "outs", "tolerance", "auroc"), ("tolerances",))
    in_, outs = keys["in"].text(), keys["outs"].texts()
    backbone = keys["backbone"].choice(tuple(dict.fromkeys(choice.name for choice in backbones)))
    for out in outs:
        _require(keys["outs"], pairs, in_, out, None)
    usual = keys["tolerance"].fraction()
    own: Mapping[str, Marked] = keys["tolerances"].mapping() if "tolerances" in keys else {}
    for scorer, figures in _table(keys["auroc"], outs):
        tolerance = own[scorer].fraction() if scorer in own else usual
        for out, figure in zip(outs, figures, strict=True):
            yield ExpectedFigure(Expected(figure, tolerance), in_, out, backbone, scorer)


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
