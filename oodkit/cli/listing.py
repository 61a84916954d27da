"""`oodkit list`: what there is to choose from."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated

import typer

from oodkit.cli.options import DataRootOption
from oodkit.registry import Entry

app = typer.Typer(
    no_args_is_help=True, help="List backbones, scorers, heads, attacks, data sets or views.", rich_markup_mode=None
)
PatternArgument = Annotated[str, typer.Argument(metavar="[PATTERN]", help="Shell wildcard, such as 'k*'.")]


@app.command("backbones")
def backbones(pattern: PatternArgument = "*") -> None:
    """Backbones with weights: the bundled one, all of open_clip, all of timm."""
    from oodkit.backbones.listing import list_backbones

    _print_lines(list_backbones(pattern), "backbone", pattern)


@app.command("scorers")
def scorers(pattern: PatternArgument = "*") -> None:
    """Scorers, with what they need and where they come from."""
    from oodkit.scorers import scorers as registry

    _print_registry({**registry, **registry.families}, "scorer", pattern)


@app.command("heads")
def heads(pattern: PatternArgument = "*") -> None:
    """Heads that give logits, with what they need."""
    from oodkit.heads import heads as registry

    _print_registry(registry, "head", pattern)


@app.command("attacks")
def attacks(pattern: PatternArgument = "*") -> None:
    """Attacks on a score, with what they need."""
    from oodkit.attacks import TORCHATTACKS
    from oodkit.attacks import attacks as registry
    from oodkit.registry import Entry

    others = Entry("", "an attack of the package torchattacks, such as torchattacks:PGD", needs="gradients")
    _print_registry({**registry, f"{TORCHATTACKS}NAME": others}, "attack", pattern)


@app.command("views")
def views(pattern: PatternArgument = "*") -> None:
    """Views of an image that can be embedded."""
    from oodkit.views import views as registry

    _print_registry(registry, "view", pattern)


@app.command("datasets")
def datasets(pattern: PatternArgument = "*", data_root: DataRootOption = None) -> None:
    """Data sets of the catalog and folders under the data root, with splits, licence and whether they are there."""
    from oodkit.data import dataset_listing

    _print_lines(
        [row for row in dataset_listing(data_root=data_root) if fnmatchcase(row.split(maxsplit=1)[0], pattern)],
        "data set",
        pattern,
    )


def _print_registry(registry: Mapping[str, Entry], kind: str, pattern: str) -> None:
    chosen = {name: entry for name, entry in registry.items() if fnmatchcase(name, pattern)}
    width = max(map(len, chosen), default=0)
    lines = []
    for name, entry in chosen.items():
        facts = [entry.summary, entry.needs and f"Needs {entry.needs}", entry.cost and f"Fit: {entry.cost}"]
        source = f" [{entry.source}]" if entry.source else ""
        lines.append(f"{name:<{width}}  {'. '.join(filter(None, facts))}{source}")
    _print_lines(lines, kind, pattern)


def _print_lines(lines: list[str], kind: str, pattern: str) -> None:
    from oodkit.errors import UnknownName

    if not lines:
        raise UnknownName(f"no {kind} matches {pattern!r}; leave the pattern out to see all")
    typer.echo("\n".join(lines))
