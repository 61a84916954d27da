"""What a suite is: pairs, backbones, scorers and seeds as data, with the figures that belong to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from oodkit.backbones.base import Precision
from oodkit.bench.record import Expected, Reported

ALL = "all"  # in place of a scorer's name


@dataclass(frozen=True)
class Pair:
    """An in-set and an out-set, by names for `load_dataset` or of the file's own sets.

    Attributes:
        in_: in-set.
        out: out-set.
        group: pairs of one group are averaged, such as "near" and "far"; None for none.
        note: what a reader should know of the pair, such as that it is reconstructed; None for nothing.
    """

    in_: str
    out: str
    group: str | None = None
    note: str | None = None

    def __str__(self) -> str:
        """The pair as `--pair` takes it."""
        return f"{self.in_}:{self.out}"


@dataclass(frozen=True)
class BackboneChoice:
    """A backbone as a suite asks for it.

    Attributes:
        name: for `load_backbone`.
        image_size: side in pixels of its input; None for its own preprocessing.
        precision: "fp32", "bf16" or "fp16".
        head: registry name of the head that gives logits; None for the first at hand.
        in_sets: the in-sets that it is run for; None for all.
    """

    name: str
    image_size: int | None = None
    precision: Precision = "fp32"
    head: str | None = None
    in_sets: tuple[str, ...] | None = None


@dataclass(frozen=True)
class ScorerChoice:
    """A scorer as a suite asks for it.

    Attributes:
        name: registry name, or "all" for every registered one that backbone and data allow.
        params: parameters that are not the default ones.
        where: file and line that name it; empty where no file does.
    """

    name: str
    params: Mapping[str, Any] = field(default_factory=dict, hash=False)
    where: str = ""


@dataclass(frozen=True)
class ReportedFigure:
    """A published figure, and what it is of.

    Attributes:
        reported: the figure.
        in_: in-set.
        out: out-set; None where it is a mean over a group.
        group: group of pairs that it is the mean of; None where it is of one pair.
    """

    reported: Reported
    in_: str
    out: str | None
    group: str | None


@dataclass(frozen=True)
class ExpectedFigure:
    """A figure that must be reproduced, and the one configuration that must do it.

    Attributes:
        expected: the figure.
        in_: in-set.
        out: out-set.
        backbone: its name.
        scorer: registry name.
        image_size: as the suite asks for the backbone.
        precision: likewise.
        head: likewise.
        params: as the suite asks for the scorer.
    """

    expected: Expected
    in_: str
    out: str
    backbone: str
    scorer: str
    image_size: int | None = None
    precision: Precision = "fp32"
    head: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def is_of(self, pair: Pair, backbone: BackboneChoice, scorer: ScorerChoice) -> bool:
        """Whether a cell of these must reproduce it."""
        own = (self.in_, self.out, self.backbone, self.image_size, self.precision, self.head, self.scorer)
        asked = (backbone.name, backbone.image_size, backbone.precision, backbone.head, scorer.name)
        return own == (pair.in_, pair.out, *asked) and dict(self.params) == dict(scorer.params)


@dataclass(frozen=True)
class OwnSet:
    """A set that no catalog has: a folder of the user, or lists of images in one.

    Attributes:
        name: what the suite calls it.
        get: where it comes from and where it belongs below the data root.
        images: folder below the data root that the paths of the lists are relative to; None for a folder set.
        lists: for each split, a file below the data root with a path and a class index per line.
    """

    name: str
    get: str
    images: str | None = None
    lists: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Suite:
    """Pairs, backbones, scorers and seeds, of which every combination is a cell.

    Attributes:
        name: what `--suite` takes.
        title: a line about it.
        about: what every table of it must say, such as where the list of pairs is from; may be empty.
        pairs: in the order of the table.
        backbones: in the order of the table.
        scorers: in the order of the table.
        seeds: for halves, limits and scorers that draw.
        view: name of the view that is embedded.
        limit: at most so many images of each set; None for all.
        reported: published figures.
        expected: figures that `--check` compares with.
        sets: sets that no catalog has, by name.
        file: path of the file it is from; None for the one that comes with oodkit.
        is_resized: whether the image size is the command line's and not the suite's.
    """

    name: str
    title: str
    about: str
    pairs: tuple[Pair, ...]
    backbones: tuple[BackboneChoice, ...]
    scorers: tuple[ScorerChoice, ...]
    seeds: tuple[int, ...] = (0,)
    view: str = "identity"
    limit: int | None = None
    reported: tuple[ReportedFigure, ...] = ()
    expected: tuple[ExpectedFigure, ...] = ()
    sets: Mapping[str, OwnSet] = field(default_factory=dict)
    file: str | None = None
    is_resized: bool = False

    def reported_for(self, pair: Pair, scorer: str) -> tuple[Reported, ...]:
        """Published figures of one scorer on one pair, whatever their backbone."""
        return tuple(
            figure.reported
            for figure in self.reported
            if (figure.in_, figure.out) == (pair.in_, pair.out) and figure.reported.scorer == scorer
        )

    def choices_of(self, scorer: str) -> tuple[ScorerChoice, ...]:
        """The configurations of a scorer that the suite runs; its defaults where only "all" asks for it."""
        named = tuple(choice for choice in self.scorers if choice.name == scorer)
        by_all = any(choice.name == ALL for choice in self.scorers)
        return named or ((ScorerChoice(scorer),) if by_all else ())

    def expected_for(self, pair: Pair, backbone: BackboneChoice, scorer: ScorerChoice) -> Expected | None:
        """The figure that a cell must reproduce; None where there is none."""
        return next((figure.expected for figure in self.expected if figure.is_of(pair, backbone, scorer)), None)
