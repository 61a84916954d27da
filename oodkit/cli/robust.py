"""`oodkit robust`: AUROC of a scorer while somebody moves the images."""

import json
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


def robust(
    in_: InOption,
    out: Annotated[str, typer.Option("--out", metavar="D", autocompletion=complete_datasets, help="Out-set.")],
    backbone: BackboneOption = "efficientnet_lite0",
    scorer: ScorerOption = "knn",
    param: AttackParamOption = None,
    attack: Annotated[
        list[str] | None,
        typer.Option(
            "--attack",
            "-a",
            metavar="A",
            autocompletion=complete_attacks,
            help="May be repeated; the worst of all is shown too. Default: fgsm and pgd.",
        ),
    ] = None,
    eps: Annotated[
        list[str] | None,
        typer.Option(
            "--eps", metavar="E", help="Radius, as 8/255; may be repeated. Default: 1/255, 2/255, 4/255, 8/255."
        ),
    ] = None,
    norm: NormOption = "linf",
    steps: Annotated[
        int | None, typer.Option("--steps", metavar="N", min=1, help="Steps, of attacks that have them.")
    ] = None,
    side: Annotated[
        list[str] | None, typer.Option("--side", metavar="S", help="out, in or both; may be repeated. Default: all.")
    ] = None,
    draws: Annotated[
        int, typer.Option("--draws", metavar="N", min=1, help="Scores averaged each time, for a detector that draws.")
    ] = 1,
    limit: LimitOption = None,
    seed: SeedOption = 0,
    image_size: ImageSizeOption = None,
    batch_size: Annotated[int, typer.Option("--batch-size", metavar="N", min=1, help="Images attacked at once.")] = 16,
    device: DeviceOption = "auto",
    data_root: DataRootOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="DIR", help="Keep each image's score here; started again, the run goes on."),
    ] = None,
    plot: Annotated[Path | None, typer.Option("--plot", metavar="FILE.png", help="Draw AUROC against eps.")] = None,
) -> None:
    """Fit a scorer on the in-set's train split, and tell its test split from an out-set whose images are attacked.

    side out: OOD images are moved to pass as in-distribution; in: in-images are moved to raise false alarms.
    """
    from oodkit.cli.robust_table import print_robustness
    from oodkit.data import load_dataset, load_fit_and_test, take
    from oodkit.evaluation.plot import check_plot_path
    from oodkit.robustness import evaluate_robustness, parse_radius, plot_robustness
    from oodkit.robustness.evaluation import SIDES, check_sides
    from oodkit.robustness.radius import make_ball

    if plot is not None:
        check_plot_path(plot)
    names = attack or ["fgsm", "pgd"]
    check_param_words(param, scorer, names)
    radii = [parse_radius(text) for text in eps or ["1/255", "2/255", "4/255", "8/255"]]
    for radius in radii:
        make_ball(norm, radius)
    check_sides(side or SIDES)
    params = {name: parsed_params(name, param, None if name == "fgsm" else steps) for name in names}
    test, others = load_fit_and_test(in_, data_root=data_root, seed=seed).test, load_dataset(out, data_root=data_root)
    if limit is not None:
        test, others = take(test, limit, seed), take(others, limit, seed)
    detector, _ = fitted_detector(in_, backbone, scorer, image_size, seed, device, data_root, cache, param)
    tell_sizes(detector, test, others)
    kept = (
        f"scores so far are kept in {to}: run the same command again to go on"
        if to
        else "no score was kept; with --to DIR a run goes on where it stood"
    )
    with kept_when_interrupted(kept):
        found = evaluate_robustness(
            detector,
            test,
            others,
            names,
            radii,
            norm=norm,
            sides=side or SIDES,
            params=params,
            seed=seed,
            draws=draws,
            batch_size=batch_size,
            folder=to,
        )
    for doubt in found.doubts:
        print(f"doubt: {doubt}", file=sys.stderr)
    if plot is not None:
        plot_robustness(found, plot)
        print(f"plot written to {plot}", file=sys.stderr)
    if as_json:
        typer.echo(json.dumps(found.to_dict()))
        return
    print_robustness(found)
