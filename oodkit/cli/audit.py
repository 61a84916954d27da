"""`oodkit audit`: what may mislead in the comparison of two data sets."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oodkit.cli.options import (
    CacheOption,
    DataRootOption,
    JsonOption,
    LimitOption,
    SeedOption,
    SourceResolutionOption,
    complete_backbones,
    complete_datasets,
)

if TYPE_CHECKING:
    from PIL.Image import Image

    from oodkit.audit import Audit, NearDuplicate
    from oodkit.data import ImageSet


def audit(
    in_: Annotated[
        str, typer.Option("--in", metavar="D", autocompletion=complete_datasets, help="In-set: NAME[:SPLIT][@CLASSES].")
    ],
    out: Annotated[str, typer.Option("--out", metavar="D", autocompletion=complete_datasets, help="Out-set.")],
    backbone: Annotated[
        str | None,
        typer.Option(
            "--backbone",
            "-b",
            metavar="B",
            autocompletion=complete_backbones,
            help="Look for near-duplicates by its features too. Default: by a perceptual hash alone.",
        ),
    ] = None,
    source_resolution: SourceResolutionOption = None,
    limit: LimitOption = None,
    seed: SeedOption = 0,
    data_root: DataRootOption = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write one HTML page with pictures.")
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option("--pictures", metavar="DIR", help="Write near-duplicates side by side as PNG.")
    ] = None,
    exclude: Annotated[
        Path | None,
        typer.Option(
            "--exclude", metavar="FILE", help="List near-duplicates as CSV, for `oodkit score --leave-out FILE`."
        ),
    ] = None,
) -> None:
    """Trivial baselines, near-duplicates and shared class names of an in-set and an out-set.

    An in-set with one split is halved by the seed, as when it is scored.
    """
    from oodkit.audit import audit_pair
    from oodkit.audit.page import audit_page
    from oodkit.data import load_dataset, load_fit_and_test, take
    from oodkit.data.left_out import write_left_out

    parts = load_fit_and_test(in_, data_root=data_root, seed=seed)
    fit, test, other = parts.fit, parts.test, load_dataset(out, data_root=data_root)
    if limit is not None:
        fit, test, other = (take(images, limit, seed) for images in (fit, test, other))
    found = audit_pair(
        test,
        other,
        fit_images=fit,
        backbone=backbone,
        source_resolution=source_resolution,
        cache=cache,
        seed=seed,
    )
    for note in (*([parts.note] if parts.note else []), *found.notes):
        print(f"note: {note}", file=sys.stderr)
    sheets = {} if html is None and pictures is None else _sheets(found, test, other, fit)
    if html is not None:
        html.write_text(audit_page(found, sheets), encoding="utf-8")
        print(f"page written to {html}", file=sys.stderr)
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
        for name, sheet in sheets.items():
            sheet.save(pictures / f"{name}.png")
            print(f"near-duplicates drawn in {pictures / name}.png", file=sys.stderr)
    if exclude is not None:
        rows = ((digest, side, name) for digest, (side, name) in found.excluded().items())
        print(f"{write_left_out(exclude, rows):,} images listed in {exclude}", file=sys.stderr)
    if as_json:
        typer.echo(json.dumps(found.to_dict()))
    else:
        _print(found)


def _sheets(found: "Audit", test: "ImageSet", other: "ImageSet", fit: "ImageSet") -> "dict[str, Image]":
    from oodkit.audit.contact_sheet import contact_sheet

    parts = {"in_out": (found.in_out, other), "in_fit": (found.in_fit, fit)}
    return {name: contact_sheet(pairs, test, images) for name, (pairs, images) in parts.items() if pairs}


def _print(found: "Audit") -> None:
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from oodkit.audit.page import interval_text, typical_text

    shrunk = "" if found.source_resolution is None else f", shrunk to {found.source_resolution} px"
    table = Table(
        title=escape(
            f"in: {found.in_} ({found.n_in:,} test, {found.n_fit:,} fit), out: {found.out} ({found.n_out:,}){shrunk}"
        ),
        caption="AUROC in per cent, whichever way round; 95 % interval by DeLong; learned: cross-validated "
        "logistic regression, which has seen out-images",
        box=box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("trivial baseline", no_wrap=True)
    table.add_column("of", no_wrap=True)
    for heading in ("AUROC", "95 % interval", "in", "out"):
        table.add_column(heading, justify="right", no_wrap=True)
    for baseline in found.baselines:
        typical = typical_text(baseline.typical_in), typical_text(baseline.typical_out)
        auroc = f"{100 * baseline.auroc:.2f}"
        table.add_row(baseline.name, baseline.kind, auroc, interval_text(baseline), *typical)
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, 120))
    console.print(table)
    for line in (*_about_duplicates(found), *_about_classes(found)):
        console.print(escape(line), highlight=False, soft_wrap=True)


def _about_duplicates(found: "Audit") -> list[str]:
    lines = []
    for what, pairs in (("the out-set", found.in_out), ("the fit split", found.in_fit)):
        number = len({pair.in_digest for pair in pairs})
        lines.append(f"test images with near-duplicates in {what}: {number:,}{':' if pairs else ''}")
        lines += [f"  {_said(pair)}" for pair in pairs[:10]]
        if len(pairs) > 10:
            lines.append(f"  and {len(pairs) - 10:,} pairs more; --html or --pictures shows them, --json lists all")
    return lines


def _said(pair: "NearDuplicate") -> str:
    from oodkit.audit.page import kind_of

    how = kind_of(pair)
    return f"{pair.in_id}  {pair.other_id}  detail {pair.detail:.2f}{', ' if how else ''}{how}"


def _about_classes(found: "Audit") -> list[str]:
    shared = [
        pair.in_ if pair.in_ == pair.out else f"{pair.in_} / {pair.out} ({pair.how})" for pair in found.shared_classes
    ]
    return [f"shared class names: {', '.join(shared) or 'none'}"]
