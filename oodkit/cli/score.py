"""`oodkit score`: AUROC of scorers between an in-set and out-sets."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from oodkit.cli.options import (
    BackboneOption,
    CacheOption,
    CompileOption,
    DataRootOption,
    DeviceOption,
    ImageSizeOption,
    JsonOption,
    LimitOption,
    PrecisionName,
    PrecisionOption,
    SeedOption,
    SkipOption,
    SourceResolutionOption,
    complete_datasets,
    complete_heads,
    complete_scorers,
)
from oodkit.cli.settings_words import comma_words


def score(
    in_: Annotated[
        str, typer.Option("--in", metavar="D", autocompletion=complete_datasets, help="In-set: NAME[:SPLIT][@CLASSES].")
    ],
    out: Annotated[
        list[str],
        typer.Option("--out", metavar="D", autocompletion=complete_datasets, help="Out-set; may be repeated."),
    ],
    backbone: BackboneOption = "efficientnet_lite0",
    scorer: Annotated[
        list[str] | None,
        typer.Option(
            "--scorer",
            "-s",
            metavar="S",
            autocompletion=complete_scorers,
            help="May be repeated; all: whatever backbone and data allow. Default: knn, mahalanobis, "
            "relative_mahalanobis.",
        ),
    ] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", metavar="S.K=V", help="A scorer's parameter, such as knn.k=5.")
    ] = None,
    head: Annotated[
        str | None,
        typer.Option(
            "--head",
            metavar="H",
            autocompletion=complete_heads,
            help="What gives logits: backbone, probe, pseudo_label_probe or zero_shot. Default: the first that fits.",
        ),
    ] = None,
    prompt: Annotated[
        list[str] | None,
        typer.Option(
            "--prompt", metavar="TEXT", help="Sentence with {} for the class name; may be repeated. Default: five."
        ),
    ] = None,
    class_names: Annotated[
        Path | None, typer.Option("--class-names", metavar="FILE", help="Names of the in-classes, one per line.")
    ] = None,
    captions: Annotated[
        Path | None,
        typer.Option(
            "--captions",
            metavar="FILE",
            help="Captions of in-images, one per line; in a .json, lists by file name, of which those of the "
            "fit images are used.",
        ),
    ] = None,
    negatives: Annotated[
        Path | None,
        typer.Option("--negatives", metavar="FILE", help="Words to mine negatives from. Default: those of WordNet."),
    ] = None,
    out_names: Annotated[
        Path | None, typer.Option("--out-names", metavar="FILE", help="Names of the OOD classes, one per line.")
    ] = None,
    clean_names: Annotated[
        bool, typer.Option("--clean-names", help="Write underscores in class names as spaces.")
    ] = False,
    logit_scale: Annotated[
        bool, typer.Option("--logit-scale", help="Multiply the zero-shot head's cosines by the model's logit scale.")
    ] = False,
    perturb: Annotated[
        float | None,
        typer.Option(
            "--perturb",
            metavar="EPS",
            help="Move each scored image by one step of EPS, in pixels of [0, 1], that raises its score; ODIN: 0.0014.",
        ),
    ] = None,
    source_resolution: SourceResolutionOption = None,
    average_views: Annotated[
        str | None,
        typer.Option(
            "--average-views",
            metavar="V,V,...",
            help="Average the features of each image with those of these views, such as flip,mild1,mild2 "
            "(test-time augmentation); `oodkit list views`.",
        ),
    ] = None,
    average_fit_only: Annotated[
        bool,
        typer.Option("--average-fit-only", help="Average the fit images alone, which costs nothing when scoring."),
    ] = False,
    leave_out: Annotated[
        Path | None,
        typer.Option(
            "--leave-out",
            metavar="FILE",
            help="Images that are not counted, by content, such as the near-duplicates that `oodkit audit --exclude` "
            "lists.",
        ),
    ] = None,
    aux: Annotated[
        str | None,
        typer.Option(
            "--aux",
            metavar="D",
            autocompletion=complete_datasets,
            help="Images that are not in-distribution, for scorers that learn from such; another set than in and out.",
        ),
    ] = None,
    image_size: ImageSizeOption = None,
    precision: PrecisionOption = PrecisionName.FP32,
    compile_: CompileOption = False,
    limit: LimitOption = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    data_root: DataRootOption = None,
    cache: CacheOption = None,
    skip_unreadable: SkipOption = False,
    as_json: JsonOption = False,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE.png", help="Draw score histograms and ROC curves.")
    ] = None,
) -> None:
    """Fit scorers on the in-set's train split, and tell its test split from each out-set's.

    A set with one split is halved by the seed when it is the in-set, and used whole when it is an out-set.
    """
    averaged = comma_words(average_views)
    _refuse_mistyped(scorer, param, head, limit, averaged, average_fit_only)
    from oodkit.evaluation.plot import check_plot_path

    if plot is not None:
        check_plot_path(plot)
    from oodkit.backbones import load_backbone
    from oodkit.cli.table import print_evaluation
    from oodkit.data.captions import read_captions
    from oodkit.data.left_out import read_left_out
    from oodkit.data.words import read_lines, read_words
    from oodkit.evaluation import evaluate, plot_evaluation
    from oodkit.heads import PROMPT_ENSEMBLE

    params = parse_params(param or [])
    loaded = load_backbone(backbone, image_size=image_size, device=device, precision=precision.value, compile=compile_)
    print(f"backbone {loaded.name}, {loaded.image_size} px, {loaded.numerics}, on {loaded.device}", file=sys.stderr)
    evaluation = evaluate(
        in_,
        out,
        backbone=loaded,
        scorers=_names(scorer),
        params=params,
        limit=limit,
        seed=seed,
        data_root=data_root,
        cache=cache,
        skip_unreadable=skip_unreadable,
        head=head,
        prompts=prompt or PROMPT_ENSEMBLE,
        class_names=read_lines(class_names) if class_names else None,
        captions=read_captions(captions) if captions else None,
        negatives=read_words(negatives) if negatives else None,
        out_names=read_lines(out_names) if out_names else None,
        logit_scale=logit_scale,
        clean_names=clean_names,
        perturb=perturb,
        source_resolution=source_resolution,
        leave_out=read_left_out(leave_out) if leave_out else frozenset(),
        aux=aux,
        average_views=averaged,
        average_fit_only=average_fit_only,
    )
    for note in evaluation.notes:
        print(f"note: {note}", file=sys.stderr)
    if plot is not None:
        plot_evaluation(evaluation, plot)
        print(f"plot written to {plot}", file=sys.stderr)
    if as_json:
        typer.echo(json.dumps(evaluation.to_dict()))
    else:
        print_evaluation(evaluation)


def _refuse_mistyped(
    scorer: list[str] | None,
    param: list[str] | None,
    head: str | None,
    limit: int | None,
    averaged: list[str],
    fit_only: bool,
) -> None:
    """Refuse what needs no library to be refused, before importing one takes its seconds."""
    from oodkit.errors import InvalidInput
    from oodkit.heads import heads
    from oodkit.scorers import scorers
    from oodkit.views.average_names import check_average

    if limit is not None and limit < 1:
        raise InvalidInput(f"--limit must be at least 1 image, got {limit}")
    names = _names(scorer)
    for name in [*(names if isinstance(names, list) else []), *_param_texts(param or [])]:
        _ = scorers[name]
    check_average(averaged, fit_only)
    if head is not None:
        _ = heads[head]


def _names(scorers: list[str] | None) -> list[str] | str | None:
    from oodkit.errors import InvalidInput

    if not scorers or scorers == ["all"]:
        return "all" if scorers else None
    if "all" in scorers:
        raise InvalidInput("--scorer all stands alone: it names every scorer; leave the others out")
    return scorers


def parse_params(words: list[str]) -> dict[str, dict[str, Any]]:
    """S.K=V words as {"S": {"K": value}}, with values of the scorer's own types.

    Raises:
        InvalidInput: a word is not of that form, or the value does not fit.
        UnknownName: no such scorer.
    """
    from oodkit.scorers import parse_params as parse_scorer_params

    return {name: parse_scorer_params(name, values) for name, values in _param_texts(words).items()}


def _param_texts(words: list[str]) -> dict[str, dict[str, str]]:
    from oodkit.errors import InvalidInput

    texts: dict[str, dict[str, str]] = {}
    for word in words:
        key, equals, value = word.partition("=")
        name, dot, parameter = key.partition(".")
        if not (equals and dot and name and parameter):
            raise InvalidInput(f"--param must be SCORER.NAME=VALUE, such as knn.k=5, got {word!r}")
        texts.setdefault(name, {})[parameter] = value
    return texts
