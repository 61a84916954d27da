"""`oodkit train`: image models of one's own, trained without labels."""

import enum
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oodkit.cli.options import (
    DataRootOption,
    DeviceOption,
    JsonOption,
    LimitOption,
    complete_backbones,
    complete_datasets,
)
from oodkit.cli.settings_words import setting_values

if TYPE_CHECKING:
    from oodkit.training import Trained


class MethodName(enum.StrEnum):
    """Ways to train."""

    SEMSAD = "semsad"
    SELFDISTILL = "selfdistill"


class PresetName(enum.StrEnum):
    """Named settings."""

    PAPER = "paper"
    SMALL = "small"


class TrainingPrecision(enum.StrEnum):
    """Types that the network computes with."""

    FP32 = "fp32"
    BF16 = "bf16"


def train(
    method: Annotated[MethodName, typer.Argument(metavar="METHOD", help="semsad or selfdistill.")],
    in_: Annotated[
        str,
        typer.Option("--in", metavar="D", autocompletion=complete_datasets, help="In-set: NAME[:SPLIT][@CLASSES]."),
    ],
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="What is trained; called again, it goes on.")],
    aux: Annotated[
        str | None,
        typer.Option(
            "--aux", metavar="D", autocompletion=complete_datasets, help="Images that are negatives too (selfdistill)."
        ),
    ] = None,
    out: Annotated[
        list[str] | None,
        typer.Option("--out", metavar="D", autocompletion=complete_datasets, help="Try the method's own score on it."),
    ] = None,
    preset: Annotated[
        PresetName, typer.Option("--preset", help="paper: as published, for GPUs; small: minutes on a CPU.")
    ] = PresetName.PAPER,
    backbone: Annotated[
        str | None,
        typer.Option(
            "--backbone", "-b", metavar="B", autocompletion=complete_backbones, help="Train this network further."
        ),
    ] = None,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Train the preset's network from random weights; the default.")
    ] = False,
    epochs: Annotated[int | None, typer.Option("--epochs", metavar="N", help="Of the encoder.")] = None,
    batch: Annotated[
        int | None, typer.Option("--batch", metavar="N", help="Images of a step, all processes together.")
    ] = None,
    image_size: Annotated[
        int | None, typer.Option("--image-size", metavar="N", help="Side that images are brought to, in pixels.")
    ] = None,
    transductive: Annotated[
        bool,
        typer.Option(
            "--transductive", help="semsad as published: statistics of whole batches of one set, also in the figures."
        ),
    ] = False,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="K=V", help="Another setting, such as shift=patches2 or patience=5."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of all draws, and for halving sets.")] = 0,
    limit: LimitOption = None,
    precision: Annotated[
        TrainingPrecision, typer.Option("--precision", help="bf16: mixed precision.")
    ] = TrainingPrecision.FP32,
    workers: Annotated[
        int, typer.Option("--workers", metavar="N", help="Processes that prepare images; 0 for none.")
    ] = 0,
    save_every: Annotated[
        float, typer.Option("--save-every", metavar="S", help="Seconds between two checkpoints.")
    ] = 60.0,
    device: DeviceOption = "auto",
    data_root: DataRootOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train an image model without labels; its encoder is the backbone trained:FOLDER.

    Several GPUs: torchrun --nproc-per-node 4 --no-python oodkit train ...
    """
    from oodkit.errors import InvalidInput

    if backbone is not None and from_scratch:
        raise InvalidInput("--from-scratch and --backbone exclude each other; leave one out")
    params = setting_values(param or [], "shift=patches2")
    from oodkit.training import train as train_model

    trained = train_model(
        method.value,
        in_,
        to=to,
        aux=aux,
        outs=out or [],
        preset=preset.value,
        backbone=backbone,
        epochs=epochs,
        batch=batch,
        image_size=image_size,
        transductive=transductive,
        params=params,
        seed=seed,
        limit=limit,
        precision=precision.value,
        workers=workers,
        device=device,
        data_root=data_root,
        save_seconds=save_every,
        say=lambda line: print(line, file=sys.stderr),
    )
    if not trained.leads:
        return
    for note in trained.notes:
        print(f"note: {note}", file=sys.stderr)
    if as_json:
        typer.echo(json.dumps(trained.to_dict()))
    else:
        _print(trained)


def _print(trained: "Trained") -> None:
    for stage, losses in trained.card["losses"].items():
        best = ""
        if "best_epoch" in losses:
            best = f", best on held-out images after epoch {losses['best_epoch']} of {losses['epochs']}"
        typer.echo(
            f"{stage}: {losses['steps']:,} steps, loss {losses['first']:.4f} at first, {losses['last']:.4f} last{best}"
        )
    for judged in trained.judgements:
        low, high = (100 * end for end in judged.interval)
        typer.echo(
            f"{judged.out}: AUROC {100 * judged.auroc:.2f} ({low:.2f} to {high:.2f}), {judged.protocol}, "
            f"{judged.n_in:,} in, {judged.n_out:,} out"
        )
    typer.echo(f"backbone {trained.backbone}")
