"""`oodkit export`: a saved detector for other runtimes."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from oodkit.cli.options import DeviceOption, FittedBackboneOption, JsonOption


def export(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A detector that `oodkit fit` wrote.")],
    onnx: Annotated[Path, typer.Option("--onnx", metavar="FILE", help="Where the graph is written.")],
    check: Annotated[
        list[str] | None,
        typer.Option(
            "--check", metavar="IMAGES", help="Images to compare on: a file, folder or glob; may be repeated."
        ),
    ] = None,
    backbone: FittedBackboneOption = None,
    device: DeviceOption = "cpu",
    as_json: JsonOption = False,
) -> None:
    """Write backbone, scorer and threshold as one ONNX graph, once ONNX Runtime gives the same scores.

    Input is `pixels` (B, 3, size, size) in [0, 1], resized and cropped; outputs are `score` and `ood`.
    """
    from oodkit.errors import InvalidInput

    if not onnx.absolute().parent.is_dir():
        raise InvalidInput(f"there is no folder {str(onnx.parent)!r} for --onnx; make it first")
    from oodkit.cli.image_files import image_files
    from oodkit.detector import Detector
    from oodkit.detector.onnx_file import TOLERANCE, export_onnx

    images = None if check is None else list(image_files(check))
    detector = Detector.load(folder, backbone=backbone, device=device)
    for note in detector.notes:
        print(f"note: {note}", file=sys.stderr)
    difference = export_onnx(detector, onnx, images)
    if as_json:
        typer.echo(json.dumps({"file": str(onnx), "largest_difference": difference, "tolerance": TOLERANCE}))
        return
    typer.echo(f"{detector!r}, written to {onnx}")
    typer.echo(f"scores of ONNX Runtime differ by {difference:.1e} relative at most (allowed: {TOLERANCE:g})")
