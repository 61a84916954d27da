"""`oodkit fit`: a detector for a person's own images, in a folder."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from oodkit.cli.options import (
    BackboneOption,
    CacheOption,
    CompileOption,
    DataRootOption,
    DeviceOption,
    ImageSizeOption,
    JsonOption,
    PrecisionName,
    PrecisionOption,
    SeedOption,
    SkipOption,
    complete_datasets,
    complete_heads,
    complete_scorers,
)


def fit(
    in_: Annotated[
        str,
        typer.Option(
            "--in", metavar="D", autocompletion=complete_datasets, help="In-distribution images: a folder, or a name."
        ),
    ],
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Where the detector is written.")],
    backbone: BackboneOption = "efficientnet_lite0",
    scorer: Annotated[
        str, typer.Option("--scorer", "-s", metavar="S", autocompletion=complete_scorers, help="The scorer.")
    ] = "knn",
    param: Annotated[
        list[str] | None, typer.Option("--param", metavar="S.K=V", help="A scorer's parameter, such as knn.k=5.")
    ] = None,
    fpr: Annotated[
        float, typer.Option("--fpr", metavar="R", help="Share of in-distribution images that may be flagged.")
    ] = 0.05,
    calibrate_on: Annotated[
        str | None,
        typer.Option(
            "--calibrate-on",
            metavar="D",
            autocompletion=complete_datasets,
            help="In-distribution images to calibrate on. Default: a part of --in that is held out.",
        ),
    ] = None,
    hold_out: Annotated[
        float, typer.Option("--hold-out", metavar="P", help="Share of --in that is held out to calibrate on.")
    ] = 0.2,
    head: Annotated[
        str | None,
        typer.Option("--head", metavar="H", autocompletion=complete_heads, help="What gives logits, as in score."),
    ] = None,
    class_names: Annotated[
        Path | None, typer.Option("--class-names", metavar="FILE", help="Names of the in-classes, one per line.")
    ] = None,
    image_size: ImageSizeOption = None,
    precision: PrecisionOption = PrecisionName.FP32,
    compile_: CompileOption = False,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    data_root: DataRootOption = None,
    cache: CacheOption = None,
    skip_unreadable: SkipOption = False,
    as_json: JsonOption = False,
) -> None:
    """Fit a detector on images, choose its threshold on a held-out part of them, and write it to a folder.

    Of the images of a folder with splits, the train split is taken.
    """
    _refuse_mistyped(scorer, param, head)
    from oodkit.backbones import load_backbone
    from oodkit.cli.score import parse_params
    from oodkit.data import load_dataset
    from oodkit.data.words import read_lines
    from oodkit.detector import Detector
    from oodkit.detector.folder import check_target
    from oodkit.detector.holdout import check_enough

    folder = check_target(to)
    params = parse_params(param or []).get(scorer, {})
    train = load_dataset(in_, data_root=data_root, prefer="train")
    apart = None if calibrate_on is None else load_dataset(calibrate_on, data_root=data_root)
    if apart is None:
        check_enough(len(train), hold_out, fpr)
    loaded = load_backbone(backbone, image_size=image_size, device=device, precision=precision.value, compile=compile_)
    print(f"backbone {loaded.name}, {loaded.image_size} px, {loaded.numerics}, on {loaded.device}", file=sys.stderr)
    detector = Detector(loaded, scorer, cache=cache, **params)
    detector.fit(
        train,
        head=head,
        class_names=read_lines(class_names) if class_names else None,
        hold_out=hold_out if apart is None else None,
        seed=seed,
        skip_unreadable=skip_unreadable,
    )
    detector.calibrate(apart, fpr)
    detector.save(folder)
    for note in [*detector.notes, *detector.scorer.notes_]:
        print(f"note: {note}", file=sys.stderr)
    calibration = detector.calibration
    assert calibration is not None
    if as_json:
        rate = calibration.flag_rate
        found = {
            "folder": str(folder),
            "backbone": loaded.name,
            "scorer": repr(detector.scorer),
            "threshold": calibration.threshold,
            "fpr": fpr,
            "n": rate.n,
            "flag_rate": [rate.expected, rate.low, rate.high],
            "guarantee": calibration.guarantee,
            "notes": [*detector.notes, *detector.scorer.notes_],
        }
        typer.echo(json.dumps(found))
        return
    typer.echo(f"{detector.scorer!r} on {loaded.name}, written to {folder}")
    typer.echo(f"an image with a score below {calibration.threshold:.6g} is flagged: {calibration.guarantee}")


def _refuse_mistyped(scorer: str, param: list[str] | None, head: str | None) -> None:
    """Refuse what needs no library to be refused, before importing one takes its seconds."""
    from oodkit.errors import InvalidInput
    from oodkit.heads import heads
    from oodkit.scorers import scorers

    _ = scorers[scorer]
    for word in param or []:
        if not word.startswith(f"{scorer}."):
            raise InvalidInput(f"--param must be {scorer}.NAME=VALUE for --scorer {scorer}, got {word!r}")
    if head is not None:
        _ = heads[head]
