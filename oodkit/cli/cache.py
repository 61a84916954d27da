"""`oodkit cache`: look at, check and tidy the embedding store."""

import json
from typing import Annotated

import typer

from oodkit.cli.options import CacheOption, JsonOption

app = typer.Typer(no_args_is_help=True, help="Look at, check and tidy the embedding store.", rich_markup_mode=None)


@app.command("info")
def info(cache: CacheOption = None, as_json: JsonOption = False) -> None:
    """Where the store is, how large, and how many embeddings of which backbone it holds."""
    from oodkit.embedding.store import Store

    with Store(cache, make=False) as store:
        rows = store.spaces()
        if as_json:
            names = ("backbone", "numerics", "view", "images", "bytes")
            spaces = [dict(zip(names, row, strict=True)) for row in rows]
            typer.echo(json.dumps({"folder": str(store.folder), "bytes": store.bytes_on_disk(), "spaces": spaces}))
            return
        typer.echo(f"{store.folder}: {store.bytes_on_disk() / 1e6:,.1f} MB")
        for backbone, numerics, view, images, size in rows:
            typer.echo(f"  {backbone}  {numerics}  {view}  {images:,} images  {size / 1e6:,.1f} MB")


@app.command("verify")
def verify(cache: CacheOption = None) -> None:
    """Check every stored byte; damaged shards are set aside and embedded again when they are needed. Exit 1 if any."""
    from oodkit.embedding.store import Store

    with Store(cache, make=False) as store:
        report = store.verify()
    adopted = f", {report.adopted} taken in that the index did not know" if report.adopted else ""
    typer.echo(f"{report.shards} shards checked, {len(report.bad)} damaged{adopted}")
    if report.bad:
        raise typer.Exit(1)


@app.command("prune")
def prune(
    cache: CacheOption = None,
    backbone: Annotated[
        str | None, typer.Option("--backbone", "-b", metavar="B", help="Delete this backbone's embeddings too.")
    ] = None,
) -> None:
    """Free the space of leftovers of killed runs and damaged shards."""
    from oodkit.embedding.store import Store

    with Store(cache, make=False) as store:
        report = store.prune(backbone)
    typer.echo(f"{report.shards} shards deleted, {report.freed_bytes / 1e6:,.1f} MB freed")
