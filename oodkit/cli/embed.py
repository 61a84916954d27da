"""`oodkit embed`: bring data sets into the embedding store."""

import enum
import json
import sys
import time
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
    SkipOption,
    complete_datasets,
    complete_views,
)
from oodkit.cli.shard import parse_shard


class EngineName(enum.StrEnum):
    """Where images are embedded."""

    LOCAL = "local"
    RAY = "ray"


def embed(
    datasets: Annotated[
        list[str], typer.Argument(metavar="D...", autocompletion=complete_datasets, help="NAME[:SPLIT][@CLASSES].")
    ],
    backbone: BackboneOption = "efficientnet_lite0",
    image_size: ImageSizeOption = None,
    view: Annotated[
        str,
        typer.Option("--view", metavar="V", autocompletion=complete_views, help="`oodkit list views` shows all."),
    ] = "identity",
    precision: PrecisionOption = PrecisionName.FP32,
    compile_: CompileOption = False,
    device: DeviceOption = "auto",
    data_root: DataRootOption = None,
    cache: CacheOption = None,
    skip_unreadable: SkipOption = False,
    shard: Annotated[
        str | None, typer.Option("--shard", metavar="I/N", help="Embed the I-th of N parts of each set, from 1.")
    ] = None,
    engine: Annotated[
        EngineName, typer.Option("--engine", help="In this process, or by workers of a Ray cluster.")
    ] = EngineName.LOCAL,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="N", min=1, help="Workers of --engine ray. Default: all CPUs.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Embed every split of data sets, or the split that is named; what is stored already is not embedded again."""
    part = parse_shard(shard)
    _check_engine(engine, workers)
    from oodkit.backbones import load_backbone
    from oodkit.data import DatasetName, open_dataset
    from oodkit.embedding import embed as embed_set

    loaded = load_backbone(backbone, image_size=image_size, device=device, precision=precision.value, compile=compile_)
    print(f"backbone {loaded.name}, {loaded.image_size} px, {loaded.numerics}, on {loaded.device}", file=sys.stderr)
    rows = []
    for name in datasets:
        asked = DatasetName.parse(name).split
        dataset = open_dataset(name, data_root=data_root)
        for split in dataset.splits if asked is None else (asked,):
            started = time.perf_counter()
            images = dataset.load(split)
            done = embed_set(
                images,
                loaded,
                view=view,
                cache=cache,
                skip_unreadable=skip_unreadable,
                shard=part,
                engine=engine.value,
                workers=workers,
            )
            rows.append(
                {
                    "dataset": images.name,
                    "split": split,
                    "images": len(done),
                    "dim": int(done.features.shape[1]),
                    "computed": done.computed,
                    "skipped": list(done.skipped),
                    "seconds": round(time.perf_counter() - started, 3),
                }
            )
    if as_json:
        typer.echo(json.dumps({"backbone": loaded.name, "view": view, "sets": rows}))
        return
    for row in rows:
        skipped = f", {len(row['skipped'])} unreadable left out" if row["skipped"] else ""  # type: ignore[arg-type]
        typer.echo(
            f"{row['dataset']}:{row['split']}: {row['images']:,} images x {row['dim']}, {row['computed']:,} embedded "
            f"now{skipped}, {row['seconds']:.1f} s"
        )


def _check_engine(engine: EngineName, workers: int | None) -> None:
    """Refuse what needs neither backbone nor images to be refused."""
    from importlib.util import find_spec

    from oodkit.errors import InvalidInput, MissingDependency

    if engine is EngineName.RAY and find_spec("ray") is None:
        raise MissingDependency("--engine ray needs the package ray; pip install 'oodkit-vision[ray]'")
    if engine is EngineName.LOCAL and workers is not None:
        raise InvalidInput("--workers is for --engine ray; a local run uses all cores")
