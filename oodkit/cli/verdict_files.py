"""Verdicts written one by one: JSON to stdout, CSV and Parquet to files that are whole or not there."""

import csv
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oodkit.detector import Verdict

Write = Callable[["Verdict"], None]
COLUMNS = ("path", "ood", "p_value", "score", "nearest", "cosine", "error")
ROWS_AT_ONCE = 10_000  # of a Parquet file's row group


@contextmanager
def json_to_stdout(head: Mapping[str, Any], tail: Mapping[str, Any]) -> Iterator[Write]:
    """Writes one JSON object image by image; it is closed where all went well.

    Args:
        head: keys before the images.
        tail: keys after them, which may be filled while they are written.
    """
    before = json.dumps(head)[:-1] + ', "images": [\n'

    def write(verdict: "Verdict") -> None:
        nonlocal before
        sys.stdout.write(before + json.dumps(_as_row(verdict)))
        before = ",\n"

    yield write
    rest = "".join(f", {json.dumps(key)}: {json.dumps(value)}" for key, value in tail.items())
    sys.stdout.write(f"\n]{rest}}}\n")


@contextmanager
def csv_to_file(path: Path) -> Iterator[Write]:
    """Writes a row per image, with the nearest fit image."""
    from oodkit.atomic import atomic_text

    with atomic_text(path, errors="backslashreplace") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()

        def write(verdict: "Verdict") -> None:
            row = {name: getattr(verdict, name) for name in ("path", "p_value", "score", "error")}
            near = {"nearest": one.id, "cosine": one.cosine} if (one := next(iter(verdict.neighbours), None)) else {}
            writer.writerow({**row, "ood": {True: "true", False: "false", None: ""}[verdict.ood], **near})

        yield write


@contextmanager
def parquet_to_file(path: Path) -> Iterator[Write]:
    """Writes a row per image, with all neighbours, some thousand rows at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from oodkit.atomic import atomic_file
    from oodkit.data.files import printable

    near = pa.list_(pa.struct([("id", pa.string()), ("cosine", pa.float64())]))
    number, text = pa.float64(), pa.string()
    numbers = [("p_value", number), ("score", number)]
    schema = pa.schema([("path", text), ("ood", pa.bool_()), *numbers, ("neighbours", near), ("error", text)])
    rows: list[dict[str, Any]] = []
    with atomic_file(path) as raw, pq.ParquetWriter(raw, schema, compression="zstd") as writer:

        def flush() -> None:
            if rows:
                writer.write_table(pa.Table.from_pylist(rows, schema))
                rows.clear()

        def write(verdict: "Verdict") -> None:
            found = {name: getattr(verdict, name) for name in ("ood", "p_value", "score")}
            neighbours = [{"id": printable(one.id), "cosine": one.cosine} for one in verdict.neighbours]
            error = None if verdict.error is None else printable(verdict.error)
            rows.append({"path": printable(verdict.path), **found, "neighbours": neighbours, "error": error})
            if len(rows) >= ROWS_AT_ONCE:
                flush()

        yield write
        flush()


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
