"""`oodkit fit`: a detector for a person's own images, in a folder."""

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from oodkit.cli.options import (
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
    complete_backbones,
    complete_datasets,
    complete_heads,
    complete_scorers,
)
from oodkit.cli.settings_words import comma_words

AUTO = "auto"


def fit(
    in_: Annotated[
        str,
        typer.Option(
            "--in", metavar="D", autocompletion=complete_datasets, help="In-distribution images: a folder, or a name."
        ),
    ],
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Where the detector is written.")],
    backbone: Annotated[
        list[str] | None,
        typer.Option(
            "--backbone",
            "-b",
            metavar="B",
            autocompletion=complete_backbones,
            help="As in score; again for others, of which the one that suits the images is taken. Default: "
            "efficientnet_lite0.",
        ),
    ] = None,
    scorer: Annotated[
        str,
        typer.Option(
            "--scorer",
            "-s",
            metavar="S",
            autocompletion=complete_scorers,
            help="The scorer; auto takes the one that suits the images.",
        ),
    ] = "knn",
    candidates: Annotated[
        str | None,
        typer.Option(
            "--candidates",
            metavar="S,S,...",
            help="Scorers that --scorer auto compares. Default: those of features alone that are quick to fit.",
        ),
    ] = None,
    labels: Annotated[
        bool, typer.Option("--labels", help="Insist on classes: of a folder per class, or of a list with labels.")
    ] = False,
    clusters: Annotated[
        int | None,
        typer.Option("--clusters", metavar="N", help="Take N k-means clusters of the images for their classes."),
    ] = None,
    average_views: Annotated[
        str | None,
        typer.Option(
            "--average-views",
            metavar="V,V,...",
            help="Average the features of each train image with those of these views, such as flip,mild1,mild2; costs "
            "nothing when images are judged.",
        ),
    ] = None,
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

    Of the images of a folder with splits, the train split is taken. With --scorer auto or several backbones, classes or
    clusters of the images are held out in turn and stand in for OOD images; held-out images of the threshold take no
    part.
    """
    names = _scorer_names(scorer, candidates)
    averaged = comma_words(average_views)
    _refuse_mistyped(names, param, head, labels, clusters, averaged)
    from oodkit.backbones import load_backbone
    from oodkit.cli.comparison_table import print_comparison
    from oodkit.cli.score import parse_params
    from oodkit.data import load_dataset
    from oodkit.data.words import read_lines
    from oodkit.detector import CANDIDATES, Detector
    from oodkit.detector.folder import check_target
    from oodkit.detector.holdout import check_enough
    from oodkit.errors import InvalidInput

    folder = check_target(to)
    params = parse_params(param or [])
    train = load_dataset(in_, data_root=data_root, prefer="train")
    if labels and train.labels is None:
        raise InvalidInput(
            f"--labels needs classes, and {in_} has none: use a folder per class or a list with labels, or --clusters N"
        )
    apart = None if calibrate_on is None else load_dataset(calibrate_on, data_root=data_root)
    if apart is None:
        check_enough(len(train), hold_out, fpr)
    loaded = [
        load_backbone(one, image_size=image_size, device=device, precision=precision.value, compile=compile_)
        for one in backbone or ["efficientnet_lite0"]
    ]
    for one in loaded:
        print(f"backbone {one.name}, {one.image_size} px, {one.numerics}, on {one.device}", file=sys.stderr)
    texts = read_lines(class_names) if class_names else None
    part = hold_out if apart is None else None
    if scorer == AUTO or len(loaded) > 1:
        detector = Detector.choose(
            train,
            backbones=loaded,
            scorers=names or CANDIDATES,
            params=params,
            head=head,
            class_names=texts,
            clusters=clusters,
            average_views=averaged,
            hold_out=part,
            seed=seed,
            skip_unreadable=skip_unreadable,
            cache=cache,
        )
    else:
        detector = Detector(loaded[0], scorer, cache=cache, **params.get(scorer, {}))
        detector.fit(
            train,
            head=head,
            class_names=texts,
            clusters=clusters,
            average_views=averaged,
            hold_out=part,
            seed=seed,
            skip_unreadable=skip_unreadable,
        )
    detector.calibrate(apart, fpr)
    replaced = any(folder.iterdir()) if folder.is_dir() else False
    detector.save(folder)
    if replaced:
        print(f"note: the detector that was in {folder} is replaced", file=sys.stderr)
    calibration, origin = detector.calibration, detector.origin
    assert calibration is not None
    assert origin is not None
    notes = [*detector.notes, *detector.scorer.notes_]
    if labels and origin.classes is None:
        notes.append(f"labels are not used: {type(detector.scorer).__name__} takes no classes")
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    if as_json:
        rate = calibration.flag_rate
        found = {
            "folder": str(folder),
            "backbone": detector.backbone.name,
            "scorer": repr(detector.scorer),
            "classes": origin.classes,
            "comparison": None if origin.comparison is None else origin.comparison.to_dict(),
            "threshold": calibration.threshold,
            "fpr": fpr,
            "n": rate.n,
            "flag_rate": [rate.expected, rate.low, rate.high],
            "guarantee": calibration.guarantee,
            "notes": notes,
        }
        typer.echo(json.dumps(found))
        return
    if origin.comparison is not None:
        print_comparison(origin.comparison)
    typer.echo(f"{detector.scorer!r} on {detector.backbone.name}, written to {folder}")
    typer.echo(f"an image with a score below {calibration.threshold:.6g} is flagged: {calibration.guarantee}")
    print(f"judge images with: oodkit predict {shlex.quote(str(folder))} IMAGES...", file=sys.stderr)


def _scorer_names(scorer: str, candidates: str | None) -> list[str]:
    """The scorers that are compared where several are; else the one; none for the usual candidates."""
    from oodkit.errors import InvalidInput

    if scorer != AUTO:
        if candidates is not None:
            raise InvalidInput(f"--candidates belongs to --scorer auto, got --scorer {scorer}; leave one out")
        return [scorer]
    return comma_words(candidates)


def _refuse_mistyped(
    names: list[str],
    param: list[str] | None,
    head: str | None,
    labels: bool,
    clusters: int | None,
    averaged: list[str],
) -> None:
    """Refuse what needs no library to be refused, before importing one takes its seconds."""
    from oodkit.errors import InvalidInput
    from oodkit.heads import heads
    from oodkit.scorers import scorers
    from oodkit.views.average_names import check_average

    for name in names:
        _ = scorers[name]
    check_average(averaged)
    if labels and clusters is not None:
        raise InvalidInput("--labels and --clusters exclude each other: classes are the folder's own or clusters")
    if clusters is not None and clusters < 2:
        raise InvalidInput(f"--clusters must be 2 or more, got {clusters}; leave it out for images of one kind")
    for word in param or []:
        name = word.partition(".")[0]
        if names and name not in names:
            raise InvalidInput(f"--param must be {names[0]}.NAME=VALUE for --scorer {names[0]}, got {word!r}")
    if head is not None:
        _ = heads[head]
