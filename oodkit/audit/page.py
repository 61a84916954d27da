"""An audit as one self-contained HTML page."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from io import BytesIO

from PIL import Image

from oodkit.audit.audit import Audit, NearDuplicate
from oodkit.audit.baselines import Baseline

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: .3rem 0; }
th, td { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid #8886; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
img { max-width: 100%; }
"""


def audit_page(audit: Audit, sheets: Mapping[str, Image.Image]) -> str:
    """HTML text without scripts or links; pictures are inside.

    Args:
        audit: what was found.
        sheets: contact sheets: "in_out" and "in_fit", where there are near-duplicates.
    """
    title = f"Audit: {audit.in_} and {audit.out}"
    resolution = (
        "source resolutions as they are"
        if audit.source_resolution is None
        else f"both shrunk to a shorter side of {audit.source_resolution} px"
    )
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{audit.n_in:,} in-images, {audit.n_out:,} out-images, {audit.n_fit:,} fit images; {resolution}.</p>",
        *(f"<p>Note: {escape(note)}</p>" for note in audit.notes),
        "<h2>Trivial baselines</h2>",
        _table(
            "AUROC in per cent, whichever way round, with DeLong's 95 % interval; learned: logistic regression, "
            "cross-validated, which has seen out-images",
            ("cue", "kind", "AUROC", "95 % interval", "in", "out"),
            map(_baseline_row, audit.baselines),
        ),
        "<h2>Shared class names</h2>",
        _table(
            f"{len(audit.shared_classes)} classes",
            ("in", "out", "how"),
            ((pair.in_, pair.out, pair.how) for pair in audit.shared_classes),
        )
        if audit.shared_classes
        else "<p>None.</p>",
        *_duplicates("in_out", "test images and the out-set", audit.in_out, sheets),
        *_duplicates("in_fit", "test images and the fit split", audit.in_fit, sheets),
    ]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head>\n<body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def interval_text(baseline: Baseline) -> str:
    """The interval in per cent; empty where there is none."""
    if baseline.low is None or baseline.high is None:
        return ""
    return f"{100 * baseline.low:.2f} - {100 * baseline.high:.2f}"


def typical_text(value: float | str | None) -> str:
    """A median in a few digits, or a format; empty for none."""
    return value if isinstance(value, str) else "" if value is None else f"{value:.4g}"


def _baseline_row(baseline: Baseline) -> tuple[str, ...]:
    typical = typical_text(baseline.typical_in), typical_text(baseline.typical_out)
    return baseline.name, baseline.kind, f"{100 * baseline.auroc:.2f}", interval_text(baseline), *typical


def _duplicates(
    name: str, what: str, pairs: Sequence[NearDuplicate], sheets: Mapping[str, Image.Image]
) -> Iterable[str]:
    yield f"<h2>Near-duplicates between {what}</h2>"
    if not pairs:
        yield "<p>None.</p>"
        return
    if name in sheets:
        stream = BytesIO()
        sheets[name].save(stream, "PNG")
        data = base64.b64encode(stream.getvalue()).decode()
        yield f'<p><img alt="The first near-duplicates side by side" src="data:image/png;base64,{data}"></p>'
    yield _table(
        f"{len(pairs):,} pairs",
        ("in-image", "other image", "correlation", "detail", "how"),
        (
            (pair.in_id, pair.other_id, f"{pair.correlation:.3f}", f"{pair.detail:.3f}", kind_of(pair))
            for pair in pairs[:500]
        ),
    )


def kind_of(pair: NearDuplicate) -> str:
    """What makes the two images alike, in a word or two."""
    return "same bytes" if pair.identical else "mirrored" if pair.mirrored else ""


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    body = "\n".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows)
    return (
        f'<div class="wide"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>"
    )
