"""`oodkit attack`: a set of adversarial images against a detector."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from oodkit.cli.attacking import (
    AttackParamOption,
    InOption,
    NormOption,
    ScorerOption,
    check_param_words,
    complete_attacks,
    fitted_detector,
    parsed_params,
    tell_sizes,
)
from oodkit.cli.interruption import kept_when_interrupted
from oodkit.cli.options import (
    BackboneOption,
    CacheOption,
    DataRootOption,
    DeviceOption,
    ImageSizeOption,
    JsonOption,
    LimitOption,
    SeedOption,
    complete_datasets,
)

FEATURES = "feature_matching"


def attack(
    in_: InOption,
    images: Annotated[
        str,
        typer.Option(
            "--images", metavar="D", autocompletion=complete_datasets, help="Images to attack, as a data set."
        ),
    ],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="New folder of the attacked images and a manifest.")],
    backbone: BackboneOption = "efficientnet_lite0",
    scorer: ScorerOption = "knn",
    param: AttackParamOption = None,
    attack_: Annotated[
        str,
        typer.Option("--attack", "-a", metavar="A", autocompletion=complete_attacks, help="See `oodkit list attacks`."),
    ] = "pgd",
    eps: Annotated[
        str | None, typer.Option("--eps", metavar="E", help="Radius, as 8/255 or 0.03. Default 8/255 (linf), 1 (l2).")
    ] = None,
    norm: NormOption = "linf",
    steps: Annotated[int | None, typer.Option("--steps", metavar="N", min=1, help="Steps of the attack.")] = None,
    direction: Annotated[
        str, typer.Option("--direction", metavar="D", help="out2in raises scores, in2out lowers them.")
    ] = "out2in",
    limit: LimitOption = None,
    seed: SeedOption = 0,
    image_size: ImageSizeOption = None,
    batch_size: Annotated[int, typer.Option("--batch-size", metavar="N", min=1, help="Images attacked at once.")] = 16,
    device: DeviceOption = "auto",
    data_root: DataRootOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit a scorer on the in-set's train split, and move images so that it takes them for what they are not.

    Writes PNGs at the backbone's input size, manifest.jsonl with scores and distances, and a contact sheet beside the
    folder. The folder is a data set: `oodkit score --in D --out DIR --image-size N`. Started again, it goes on. With
    feature_matching, the AUROC is printed too, with and without the target images among the fit images.
    """
    import json

    from oodkit.attacks import create_attack
    from oodkit.attacks.goal import check_direction
    from oodkit.data import load_dataset, load_fit_and_test, take
    from oodkit.embedding import embed
    from oodkit.robustness import make_attack_set, parse_radius
    from oodkit.robustness.radius import make_ball
    from oodkit.robustness.target_bank import target_aurocs
    from oodkit.robustness.targets import draw_targets

    check_direction(direction)
    check_param_words(param, scorer, [attack_])
    params = parsed_params(attack_, param, steps)
    radius = parse_radius(eps) if eps is not None else {"linf": 8 / 255, "l2": 1.0}.get(norm, 0.0)
    ball = None if attack_ == FEATURES and eps is None else make_ball(norm, radius)
    made = create_attack(attack_, ball, **params)
    chosen = load_dataset(images, data_root=data_root)
    chosen = chosen if limit is None else take(chosen, limit, seed)
    detector, train = fitted_detector(in_, backbone, scorer, image_size, seed, device, data_root, cache, param)
    tell_sizes(detector, chosen)
    print(f"attack {made!r}", file=sys.stderr)
    targets, others = None, None
    if attack_ == FEATURES:
        targets, others = draw_targets(embed(train, detector.backbone, cache=cache), chosen, seed)
    with kept_when_interrupted(f"finished images are kept in {to}: run the same command again to go on"):
        made_set = make_attack_set(
            detector,
            chosen,
            made,
            to,
            direction=direction,  # type: ignore[arg-type]
            seed=seed,
            batch_size=batch_size,
            targets=targets,
        )
    size = detector.backbone.image_size
    print(f"{len(made_set.images):,} images in {to}, contact sheet {made_set.sheet}", file=sys.stderr)
    print(f"score them with: oodkit score --in {in_} --out {to} --image-size {size}", file=sys.stderr)
    aurocs = None
    if others is not None:
        test = load_fit_and_test(in_, data_root=data_root, seed=seed).test
        test = test if limit is None else take(test, limit, seed)
        aurocs = dict(target_aurocs(detector, train, others, test, chosen, load_dataset(str(to.absolute()))))
    if as_json:
        found = {"settings": dict(made_set.settings), "images": [dict(i) for i in made_set.images]}
        typer.echo(json.dumps(found if aurocs is None else found | {"auroc": aurocs}))
        return
    means = {key: sum(line[key] for line in made_set.images) / len(made_set.images) for key in _COLUMNS}
    typer.echo("mean over images: " + ", ".join(f"{name} {means[key]:.4g}" for key, name in _COLUMNS.items()))
    if aurocs is not None:
        for name, suffix in (("all fit images", ""), ("fit images that are no targets", "_without_targets")):
            clean, attacked = (100 * aurocs[f"{kind}{suffix}"] for kind in ("clean", "attacked"))
            typer.echo(f"AUROC against {in_}, fitted on {name}: clean {clean:.2f}, attacked {attacked:.2f}")


_COLUMNS = {
    "before": "score before",
    "found": "found",
    "after": "after rounding",
    "jpeg": "after JPEG",
    "linf": "linf",
    "l2": "l2",
}
