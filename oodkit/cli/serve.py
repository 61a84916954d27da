"""`oodkit serve`: verdicts of a saved detector over HTTP."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from oodkit.cli.options import DeviceOption, FittedBackboneOption


def serve(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A detector that `oodkit fit` wrote.")],
    host: Annotated[
        str, typer.Option("--host", metavar="H", help="Address to listen on; 0.0.0.0 lets other machines in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", metavar="N", help="Port; 0 for any that is free.")] = 8000,
    batch: Annotated[
        int | None,
        typer.Option("--batch", metavar="N", help="Images that go through the backbone at once. Default: as predict."),
    ] = None,
    delay: Annotated[
        float, typer.Option("--delay", metavar="MS", help="Milliseconds that an image waits for others at most.")
    ] = 2.0,
    max_body: Annotated[float, typer.Option("--max-body", metavar="MB", help="Size of a request.")] = 32,
    max_pixels: Annotated[float, typer.Option("--max-pixels", metavar="MP", help="Megapixels of an image.")] = 50,
    max_images: Annotated[int, typer.Option("--max-images", metavar="N", help="Images of a request.")] = 64,
    max_queue: Annotated[
        int, typer.Option("--max-queue", metavar="N", help="Images of all requests; beyond it the answer is 503.")
    ] = 256,
    backbone: FittedBackboneOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Answer over HTTP which images are out-of-distribution; a page to drop them on is at /, the interface at /docs.

    Prints its address when it is ready. Ctrl-C or SIGTERM ends it when the requests in flight are answered. Callers are
    neither asked who they are nor encrypted: put a proxy in front for those you do not trust.
    """
    from oodkit.errors import InvalidInput

    if not 0 <= port <= 65535:
        raise InvalidInput(f"--port must lie between 0 and 65535, got {port}")
    from oodkit.serving import Limits, create_app
    from oodkit.serving.server import address_of, answer, listen

    limits = Limits(
        body_bytes=int(max_body * 2**20),
        pixels=int(max_pixels * 1e6),
        images=max_images,
        queue=max_queue,
        batch=batch,
        delay_seconds=delay / 1000,
    )
    from oodkit.detector import Detector

    with listen(host, port) as opened:  # before the seconds that loading takes, which a port in use would waste
        detector = Detector.load(folder, backbone=backbone, device=device)
        for note in detector.notes:
            print(f"note: {note}", file=sys.stderr)
        app = create_app(detector, limits)
        typer.echo(address_of(opened))
        sys.stdout.flush()
        print(f"{detector!r} answers; Ctrl-C stops it", file=sys.stderr)
        stop = answer(app, opened, limits)
        if stop.by_ctrl_c:
            dropped = "dropped" if stop.at_once else "answered"
            raise typer.Abort(f"stopped; requests in flight were {dropped}")
