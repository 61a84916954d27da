"""Options that several commands share, and completion of their values without importing torch."""

import enum
from pathlib import Path
from typing import Annotated

import typer


class PrecisionName(enum.StrEnum):
    """Types of weights and activations."""

    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"


def complete_scorers(incomplete: str) -> list[str]:
    """Registry names of scorers."""
    from oodkit.scorers import scorers

    return [name for name in scorers if name.startswith(incomplete)]


def complete_heads(incomplete: str) -> list[str]:
    """Registry names of heads."""
    from oodkit.heads import heads

    return [name for name in heads if name.startswith(incomplete)]


def complete_views(incomplete: str) -> list[str]:
    """Registry names of views."""
    from oodkit.views import views

    return [name for name in views if name.startswith(incomplete)]


def complete_datasets(incomplete: str) -> list[str]:
    """Names of the catalog and of folders under the data root."""
    from oodkit.data import dataset_names

    return [name for name in dataset_names() if name.startswith(incomplete)]


def complete_backbones(incomplete: str) -> list[str]:
    """Names that an earlier `oodkit list backbones` has found."""
    from oodkit.backbones.listing import known_backbones

    return [name for name in known_backbones() if name.startswith(incomplete)]


BackboneOption = Annotated[
    str,
    typer.Option(
        "--backbone",
        "-b",
        metavar="B",
        autocompletion=complete_backbones,
        help="FAMILY:MODEL[/WEIGHTS], such as timm:resnet50.a1_in1k, open_clip:ViT-B-32/laion2b_s34b_b79k or "
        "module:FILE.py:FACTORY, or trained:FOLDER of `oodkit train`.",
    ),
]
FittedBackboneOption = Annotated[
    str | None,
    typer.Option(
        "--backbone",
        "-b",
        metavar="B",
        help="The backbone that the detector was fitted with; needed for module:FILE.py:FACTORY, which is code.",
    ),
]
ImageSizeOption = Annotated[
    int | None,
    typer.Option(
        "--image-size", metavar="N", help="Shorter side and centre crop, in pixels. Default: the backbone's own."
    ),
]
PrecisionOption = Annotated[
    PrecisionName, typer.Option("--precision", help="Type of weights and activations; part of the cache key.")
]
CompileOption = Annotated[
    bool, typer.Option("--compile", help="Compile the backbone; pays off from some thousand images on.")
]
LimitOption = Annotated[
    int | None, typer.Option("--limit", metavar="N", help="At most N images of each set, drawn by the seed.")
]
SeedOption = Annotated[int, typer.Option("--seed", metavar="N", help="For halving sets and drawing images.")]
DeviceOption = Annotated[str, typer.Option("--device", metavar="D", help="auto, cpu, cuda, cuda:N or mps.")]
DataRootOption = Annotated[
    Path | None,
    typer.Option(
        "--data-root", metavar="DIR", help="Folder of data sets as NAME/SPLIT/CLASS/FILE. Default: $OODKIT_DATA."
    ),
]
CacheOption = Annotated[
    str | None, typer.Option("--cache", metavar="DIR", help="Folder of the embedding store. Default: $OODKIT_CACHE.")
]
SkipOption = Annotated[
    bool,
    typer.Option("--skip-unreadable", help="Leave out images that cannot be read, naming and counting them."),
]
SourceResolutionOption = Annotated[
    int | None,
    typer.Option(
        "--source-resolution",
        metavar="N",
        help="Shrink the shorter side of each image to N pixels first, so that sets differ in resolution no longer.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
