"""What `oodkit attack` and `oodkit robust` share: options, and a fitted detector."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oodkit.cli.options import complete_datasets, complete_scorers

if TYPE_CHECKING:
    from oodkit.data.image_set import ImageSet
    from oodkit.detector import Detector


def complete_attacks(incomplete: str) -> list[str]:
    """Registry names of attacks."""
    from oodkit.attacks import attacks

    return [name for name in attacks if name.startswith(incomplete)]


InOption = Annotated[
    str, typer.Option("--in", metavar="D", autocompletion=complete_datasets, help="In-set: NAME[:SPLIT][@CLASSES].")
]
ScorerOption = Annotated[
    str, typer.Option("--scorer", "-s", metavar="S", autocompletion=complete_scorers, help="The scorer.")
]
AttackParamOption = Annotated[
    list[str] | None,
    typer.Option("--param", metavar="S.K=V", help="Of the scorer or the attack, such as knn.k=5 or pgd.restarts=5."),
]
NormOption = Annotated[str, typer.Option("--norm", metavar="N", help="linf: each pixel; l2: Euclidean.")]


def check_param_words(words: list[str] | None, scorer: str, attacks: list[str]) -> None:
    """Refuse a --param that belongs neither to the scorer nor to an attack; raises InvalidInput."""
    from oodkit.errors import InvalidInput

    owners = [scorer, *attacks]
    for word in words or []:
        if not word.startswith(tuple(f"{owner}." for owner in owners)):
            raise InvalidInput(
                f"--param {word} belongs to nothing that is used here; it begins with {' or '.join(owners)} and a dot"
            )


def parsed_params(attack: str, words: list[str] | None, steps: int | None) -> dict[str, Any]:
    """The attack's parameters among ATTACK.NAME=VALUE words, and its steps."""
    from oodkit.attacks.parameters import parse_parameters

    own = [word.removeprefix(f"{attack}.") for word in words or [] if word.startswith(f"{attack}.")]
    return parse_parameters(attack, own + ([] if steps is None else [f"steps={steps}"]))


def fitted_detector(
    in_: str,
    backbone: str,
    scorer: str,
    image_size: int | None,
    seed: int,
    device: str,
    data_root: Path | None,
    cache: str | None,
    words: list[str] | None = None,
) -> "tuple[Detector, ImageSet]":
    """A detector on the in-set's train images at an input size that images keep when they are saved, and these."""
    from oodkit.backbones import load_backbone
    from oodkit.cli.score import parse_params
    from oodkit.data import load_fit_and_test
    from oodkit.detector import Detector

    loaded = load_backbone(backbone, image_size=image_size, device=device)
    if image_size is None:
        loaded = load_backbone(backbone, image_size=loaded.image_size, device=device)
    params = parse_params([word for word in words or [] if word.startswith(f"{scorer}.")]).get(scorer, {})
    detector = Detector(loaded, scorer, cache=cache, **params)
    print(f"backbone {loaded.name}, {loaded.image_size} px, on {loaded.device}", file=sys.stderr)
    train = load_fit_and_test(in_, data_root=data_root, seed=seed).fit
    detector.fit(train)
    for note in detector.scorer.notes_:
        print(f"note: {scorer}: {note}", file=sys.stderr)
    return detector, train


def tell_sizes(detector: "Detector", *sets: "ImageSet") -> None:
    """A note on stderr where images are resized before they are attacked."""
    from oodkit.robustness.batches import size_note

    for note in dict.fromkeys(size_note(images, detector.backbone) for images in sets):
        if note is not None:
            print(f"note: {note}", file=sys.stderr)
