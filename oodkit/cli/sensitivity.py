"""`oodkit sensitivity`: which shifting transformation makes good negatives, on in-distribution images alone."""

import json
import sys
from typing import TYPE_CHECKING, Annotated

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
    SkipOption,
    complete_datasets,
)
from oodkit.cli.settings_words import comma_words, setting_texts

if TYPE_CHECKING:
    from oodkit.evaluation.shift_sensitivity import SensitivityReport


def sensitivity(
    in_: Annotated[
        str,
        typer.Option("--in", metavar="D", autocompletion=complete_datasets, help="Data set: NAME[:SPLIT][@CLASSES]."),
    ],
    shifts: Annotated[
        str | None,
        typer.Option(
            "--shifts",
            metavar="S,S,...",
            help="Transformations to compare, as selfdistill takes them. Default: "
            "rotate,rotate_any,patches2,patches4,pixels.",
        ),
    ] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", metavar="K=V", help="A parameter of selfdistill, such as epochs=10.")
    ] = None,
    held_out: Annotated[
        float, typer.Option("--held-out", metavar="F", help="Share of the train images that scores are compared on.")
    ] = 0.2,
    backbone: BackboneOption = "efficientnet_lite0",
    image_size: ImageSizeOption = None,
    precision: PrecisionOption = PrecisionName.FP32,
    compile_: CompileOption = False,
    limit: LimitOption = None,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="Of the scorers, and for halving, holding out and drawing.")
    ] = 0,
    device: DeviceOption = "auto",
    data_root: DataRootOption = None,
    cache: CacheOption = None,
    skip_unreadable: SkipOption = False,
    as_json: JsonOption = False,
) -> None:
    """Rank shifting transformations as negatives of selfdistill, without OOD images.

    The sensitivity proxy says how far scores of held-out images fall when these are shifted by transformations that
    the scorer was not trained with.
    """
    from oodkit.backbones import load_backbone
    from oodkit.evaluation.shift_sensitivity import CANDIDATES
    from oodkit.evaluation.shift_sensitivity import sensitivity as compare
    from oodkit.scorers import parse_params

    texts = setting_texts(param or [], "epochs=10")
    loaded = load_backbone(backbone, image_size=image_size, device=device, precision=precision.value, compile=compile_)
    print(f"backbone {loaded.name}, {loaded.image_size} px, {loaded.numerics}, on {loaded.device}", file=sys.stderr)
    report = compare(
        in_,
        shifts=CANDIDATES if shifts is None else comma_words(shifts),
        params=parse_params("selfdistill", texts),
        held_out=held_out,
        backbone=loaded,
        limit=limit,
        seed=seed,
        data_root=data_root,
        cache=cache,
        skip_unreadable=skip_unreadable,
    )
    for note in report.notes:
        print(f"note: {note}", file=sys.stderr)
    if as_json:
        typer.echo(json.dumps(report.to_dict()))
    else:
        _print(report)


def _print(report: "SensitivityReport") -> None:
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(
        title=escape(
            f"{report.in_} ({report.n_fit:,} fit, {report.n_held_out:,} held out), {report.backbone}, "
            f"{report.settings['image_size']} px"
        ),
        caption="proxy: fall of the score of held-out images under the other transformations, in standard deviations, "
        "with 95 % bootstrap interval; probe: AUROC in per cent of a linear probe for the transformation itself",
        box=box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("negatives")
    for heading in ("proxy", "interval", "probe", "s"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in report.candidates:
        figures = ("dropped", "-") if one.proxy is None else _cells(*one.proxy)
        table.add_row(one.shift, *figures, f"{100 * one.probe_auroc:.1f}", f"{one.seconds:.0f}")
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, 120))
    console.print(table)


def _cells(value: float, low: float, high: float) -> tuple[str, str]:
    return f"{value:.3f}", f"{low:.3f} to {high:.3f}"
