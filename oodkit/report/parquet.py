"""Records as Parquet, for analysis."""

from collections.abc import Iterable
from io import BytesIO

from oodkit.bench.record import Record
from oodkit.report.columns import COLUMNS

_WHOLE = ("seed", "image_size", "n_fit", "n_in", "n_out")
_FRACTIONS = (
    "auroc",
    "auroc_low",
    "auroc_high",
    "fpr95_in",
    "fpr95_out",
    "aupr_in",
    "aupr_out",
    "detection_error",
    "ties",
    "expected",
    "tolerance",
)


def to_parquet(records: Iterable[Record]) -> bytes:
    """The columns of the CSV with types: whole numbers, fractions in double precision, texts."""
    import pyarrow as pa
    from pyarrow import parquet

    given = list(records)
    types = (
        dict.fromkeys(COLUMNS, pa.string())
        | dict.fromkeys(_WHOLE, pa.int64())
        | dict.fromkeys(_FRACTIONS, pa.float64())
    )
    columns = {name: pa.array([value(record) for record in given], types[name]) for name, value in COLUMNS.items()}
    stream = BytesIO()
    parquet.write_table(pa.table(columns), stream, compression="zstd")
    return stream.getvalue()
