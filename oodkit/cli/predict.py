"""`oodkit predict`: verdicts of a saved detector on images."""

import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oodkit.cli.interruption import kept_when_interrupted
from oodkit.cli.options import DeviceOption, FittedBackboneOption, JsonOption
from oodkit.cli.target_files import check_target_files

if TYPE_CHECKING:
    from oodkit.detector import Detector, Verdict
    from oodkit.detector.gallery import Gallery
    from oodkit.metrics import BatchAlarm

PART_FAILED = 1


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
    alarm: Annotated[
        float | None,
        typer.Option(
            "--alarm",
            metavar="RATE",
            help="Tell whether the images as a whole differ from the calibration images; of batches that do not, at "
            "most RATE raise the alarm. Exit code 1 where it is raised.",
        ),
    ] = None,
    as_csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write a row per image.")] = None,
    parquet: Annotated[
        Path | None, typer.Option("--parquet", metavar="FILE", help="The same with types and all neighbours.")
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Draw a page of pictures, the lowest score first."),
    ] = None,
    html_images: Annotated[
        int,
        typer.Option(
            "--html-images",
            metavar="N",
            help="Images on the page at most: half those of lowest score, half drawn from the others.",
        ),
    ] = 2000,
    copy_to: Annotated[
        Path | None,
        typer.Option("--copy-to", metavar="DIR", help="Copy flagged images to a folder; nothing is overwritten."),
    ] = None,
    backbone: FittedBackboneOption = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> int:
    """Tell which images are out-of-distribution, with score, p-value and the most similar in-distribution images.

    A file that cannot be read is a row with its error, and the exit code is 1. Images are read, judged and forgotten,
    however many there are.
    """
    _check_numbers(neighbours, fdr, html_images)
    check_target_files({"--csv": as_csv, "--parquet": parquet, "--html": html})
    from oodkit.cli.flagged_copies import FlaggedCopies
    from oodkit.cli.image_files import image_files
    from oodkit.cli.verdict_files import csv_to_file, json_to_stdout, parquet_to_file
    from oodkit.detector import Detector
    from oodkit.detector.gallery import Gallery
    from oodkit.errors import InvalidInput
    from oodkit.metrics import BatchRanks
    from oodkit.metrics.batch_alarm import check_alarm_rate
    from oodkit.progress import progress

    if alarm is not None:
        check_alarm_rate(alarm)
    copies = None if copy_to is None else FlaggedCopies(copy_to)
    files: Iterable[str] = image_files(images)
    files = files if copies is None else copies.others(files)
    detector = Detector.load(folder, backbone=backbone, device=device)
    for note in detector.notes:
        print(f"note: {note}", file=sys.stderr)
    differences = detector.differences()
    verdicts = detector.judge(files, neighbours=neighbours, differences=differences)
    calibration = detector.calibration
    assert calibration is not None, "judge() has refused"
    gallery, ranks = Gallery(shown=html_images), BatchRanks(len(calibration.scores))
    rule = (
        f"score below {calibration.threshold:.6g}: {calibration.guarantee}"
        if fdr is None
        else f"Benjamini-Hochberg: of the flagged at most {100 * fdr:.3g} % are in-distribution, in expectation"
    )
    tail: dict[str, Any] = {}
    found: BatchAlarm | None = None
    with ExitStack() as stack:
        stack.enter_context(kept_when_interrupted("no file was written, since verdicts of all images belong in it"))
        if fdr is not None:
            from oodkit.detector.fdr import with_false_discovery_rate

            stack.enter_context(closing(verdicts))
            verdicts = with_false_discovery_rate(verdicts, fdr)
        stack.enter_context(closing(verdicts))
        sinks: list[Callable[[Verdict], None]] = []
        if as_csv is not None:
            sinks.append(stack.enter_context(csv_to_file(as_csv)))
        if parquet is not None:
            sinks.append(stack.enter_context(parquet_to_file(parquet)))
        if html is not None:
            sinks.append(gallery.add)
        if as_json:
            head = {"threshold": calibration.threshold, "fpr": calibration.fpr}
            head |= {} if fdr is None else {"fdr": fdr}
            sinks.append(stack.enter_context(json_to_stdout(head, tail)))
        elif not sinks:
            sinks.append(_print_line)
        counts = {"images": 0, "ood": 0, "unreadable": 0}
        with progress("judging", None) as advance:
            for verdict in verdicts:
                for sink in sinks:
                    sink(verdict)
                if verdict.p_value is not None:
                    ranks.add(verdict.p_value)
                if copies is not None and verdict.ood:
                    copies.add(verdict.path)
                counts["images"] += 1
                counts["ood"] += bool(verdict.ood)
                counts["unreadable"] += verdict.error is not None
                advance()
        if not counts["images"]:
            raise InvalidInput(
                f"all images lie in --copy-to {copy_to}, whose images are not judged; name another folder"
            )
        judged = counts["images"] - counts["unreadable"]
        summary = [f"{counts['ood']:,} of {judged:,} images are OOD ({rule})"]
        if alarm is not None and judged:
            found = ranks.alarm(calibration.fpr, alarm)
            tail["alarm"] = asdict(found)
            summary.append(_alarm_words(found))
        if differences is not None and (other := differences.note()) is not None:
            summary.append(f"note: {other}")
            tail["notes"] = [*detector.notes, other]
        elif detector.notes:
            tail["notes"] = detector.notes
        if html is not None:
            _draw(gallery, html, detector, folder, summary)
    if counts["unreadable"]:
        summary.append(f"{counts['unreadable']:,} {'image' if counts['unreadable'] == 1 else 'images'} cannot be read")
    if copies is not None and copies.passed_over:
        summary.append(f"{copies.passed_over:,} images lie in {copy_to} and are not judged")
    if copies is not None:
        summary.append(f"{copies.copied:,} flagged images copied to {copy_to}")
    for line in summary:
        print(line, file=sys.stderr)
    return PART_FAILED if counts["unreadable"] or (found is not None and found.raised) else 0


def _check_numbers(neighbours: int, fdr: float | None, html_images: int) -> None:
    from oodkit.errors import InvalidInput

    if neighbours < 0:
        raise InvalidInput(f"--neighbours must be 0 or more, got {neighbours}")
    if html_images < 1:
        raise InvalidInput(f"--html-images must be 1 or more, got {html_images}")
    if fdr is not None and not 0 < fdr < 1:
        raise InvalidInput(f"--fdr must lie between 0 and 1, got {fdr}; 0.1 stands for 10 %")


def _alarm_words(alarm: "BatchAlarm") -> str:
    raised = "ALARM: this batch differs" if alarm.raised else "no alarm: this batch does not differ noticeably"
    return (
        f"{raised} from the calibration images (p = {alarm.p_value:.4g}; {alarm.flagged:,} of {alarm.images:,} below "
        f"the threshold: p = {alarm.p_flagged:.4g}, scores as a whole: p = {alarm.p_ranks:.4g}; false alarms: at most "
        f"{100 * alarm.rate:.3g} % of batches)"
    )


def _draw(gallery: "Gallery", path: Path, detector: "Detector", folder: Path, summary: list[str]) -> None:
    from oodkit.atomic import atomic_text

    images = "" if detector.origin is None else f", fitted on {detector.origin.images}"
    facts = [f"{detector.scorer!r} on {detector.backbone.name}{images}.", *summary]
    with atomic_text(path) as file:
        gallery.write(file.write, f"Verdicts of {folder.name or folder}", facts, detector.fit_contents)
    print(f"page written to {path}", file=sys.stderr)


def _print_line(verdict: "Verdict") -> None:
    """One line: what it is, p-value, score, path and the nearest fit image."""
    if verdict.error is not None:
        typer.echo(f"error  {verdict.error}")
        return
    near = f"  like {verdict.neighbours[0].id} ({verdict.neighbours[0].cosine:.3f})" if verdict.neighbours else ""
    word = "OOD  " if verdict.ood else "in   "
    typer.echo(f"{word}  p {verdict.p_value:.4f}  score {verdict.score:.6g}  {verdict.path}{near}")
