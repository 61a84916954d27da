"""`oodkit predict`: verdicts of a saved detector on images."""

import csv
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oodkit.cli.options import DeviceOption, JsonOption

if TYPE_CHECKING:
    from oodkit.detector import Verdict

COLUMNS = ("path", "ood", "p_value", "score", "nearest", "cosine", "error")


def predict(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A detector that `oodkit fit` wrote.")],
    images: Annotated[
        list[str],
        typer.Argument(metavar="IMAGES...", help="Files, folders with all below, globs, or - for a list on stdin."),
    ],
    neighbours: Annotated[
        int, typer.Option("--neighbours", metavar="K", help="Fit images to name for each image; 0 for none.")
    ] = 3,
    fdr: Annotated[
        float | None,
        typer.Option(
            "--fdr",
            metavar="Q",
            help="Flag by Benjamini-Hochberg over all images instead: of the flagged, at most Q are in-distribution, "
            "in expectation.",
        ),
    ] = None,
    as_csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write a row per image.")] = None,
    backbone: Annotated[
        str | None,
        typer.Option(
            "--backbone",
            "-b",
            metavar="B",
            help="The backbone that the detector was fitted with; needed for module:FILE.py:FACTORY, which is code.",
        ),
    ] = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Tell which images are out-of-distribution, with score, p-value and the most similar in-distribution images.

    A file that cannot be read is a row with its error. Images are read, judged and forgotten, however many there are.
    """
    from oodkit.errors import InvalidInput

    if neighbours < 0:
        raise InvalidInput(f"--neighbours must be 0 or more, got {neighbours}")
    if fdr is not None and not 0 < fdr < 1:
        raise InvalidInput(f"--fdr must lie between 0 and 1, got {fdr}; 0.1 stands for 10 %")
    if as_csv is not None and not as_csv.parent.is_dir():
        raise InvalidInput(f"there is no folder {str(as_csv.parent)!r} for --csv; make it first")
    from oodkit.cli.image_files import image_files
    from oodkit.detector import Detector
    from oodkit.progress import progress

    files = image_files(images)
    detector = Detector.load(folder, backbone=backbone, device=device)
    for note in detector.notes:
        print(f"note: {note}", file=sys.stderr)
    verdicts = detector.judge(files, neighbours=neighbours)
    calibration = detector.calibration
    assert calibration is not None, "judge() has refused"
    counts = {"images": 0, "ood": 0, "unreadable": 0}
    with ExitStack() as stack:
        if fdr is not None:
            from oodkit.detector.fdr import with_false_discovery_rate

            stack.enter_context(closing(verdicts))
            verdicts = with_false_discovery_rate(verdicts, fdr)
        stack.enter_context(closing(verdicts))
        advance = stack.enter_context(progress("judging", None))
        sinks: list[Callable[[Verdict], None]] = []
        if as_csv is not None:
            sinks.append(stack.enter_context(_csv_sink(as_csv)))
        if as_json:
            head = {"threshold": calibration.threshold, "fpr": calibration.fpr}
            head |= {} if fdr is None else {"fdr": fdr}
            sinks.append(stack.enter_context(_json_sink(head)))
        elif as_csv is None:
            sinks.append(_print_line)
        for verdict in verdicts:
            for sink in sinks:
                sink(verdict)
            counts["images"] += 1
            counts["ood"] += bool(verdict.ood)
            counts["unreadable"] += verdict.error is not None
            advance()
    rule = (
        f"score below {calibration.threshold:.6g}: {calibration.guarantee}"
        if fdr is None
        else f"Benjamini-Hochberg: of the flagged at most {100 * fdr:.3g} % are in-distribution, in expectation"
    )
    print(f"{counts['ood']:,} of {counts['images']:,} images are OOD ({rule})", file=sys.stderr)
    if counts["unreadable"]:
        print(f"{counts['unreadable']:,} images cannot be read", file=sys.stderr)


def _print_line(verdict: "Verdict") -> None:
    """One line: what it is, p-value, score, path and the nearest fit image."""
    if verdict.error is not None:
        typer.echo(f"error  {verdict.error}")
        return
    near = f"  like {verdict.neighbours[0].id} ({verdict.neighbours[0].cosine:.3f})" if verdict.neighbours else ""
    word = "OOD  " if verdict.ood else "in   "
    typer.echo(f"{word}  p {verdict.p_value:.4f}  score {verdict.score:.6g}  {verdict.path}{near}")


@contextmanager
def _json_sink(head: dict[str, Any]) -> "Iterator[Callable[[Verdict], None]]":
    """Writes one JSON object image by image; it is closed where all went well."""
    before = json.dumps(head)[:-1] + ', "images": [\n'

    def write(verdict: "Verdict") -> None:
        nonlocal before
        sys.stdout.write(before + json.dumps(_as_row(verdict)))
        before = ",\n"

    yield write
    sys.stdout.write("\n]}\n")


@contextmanager
def _csv_sink(path: Path) -> "Iterator[Callable[[Verdict], None]]":
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()

        def write(verdict: "Verdict") -> None:
            row = {name: getattr(verdict, name) for name in ("path", "p_value", "score", "error")}
            near = {"nearest": one.id, "cosine": one.cosine} if (one := next(iter(verdict.neighbours), None)) else {}
            writer.writerow({**row, "ood": {True: "true", False: "false", None: ""}[verdict.ood], **near})

        yield write


def _as_row(verdict: "Verdict") -> dict[str, Any]:
    if verdict.error is not None:
        return {"path": verdict.path, "error": verdict.error}
    return {
        "path": verdict.path,
        "score": verdict.score,
        "p_value": verdict.p_value,
        "ood": verdict.ood,
        "neighbours": [{"id": near.id, "cosine": near.cosine} for near in verdict.neighbours],
    }
