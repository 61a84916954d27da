"""The report as one page that needs nothing but itself: style, script, data and pictures are inside."""

from base64 import b64encode
from hashlib import sha256
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined

from oodkit.report.critical_difference import critical_difference_svg
from oodkit.report.origins import origins, suite_commands
from oodkit.report.page_data import page_data
from oodkit.report.pictures import PairPictures
from oodkit.report.ranking import rank_backbones
from oodkit.report.report import Report

BUDGET_BYTES = 4_800_000
_FIXED_BYTES = 100_000  # style, script and the frame of the page
_PICTURE_SHARE = 0.4  # of the budget


def to_html(report: Report, budget_bytes: int = BUDGET_BYTES) -> str:
    """A page that asks no other file or server for anything, and that its own policy would not let.

    Args:
        report: what to show.
        budget_bytes: size to stay under; pictures, then curves are left out where there is no room, and the page
            says so. Rows always stay.
    """
    style, script = (_asset(name) for name in ("page.css", "page.js"))
    rankings = [(one.backbone, one.left_out, critical_difference_svg(one.ranking)) for one in rank_backbones(report)]
    notes = list(report.notes)
    pictures, picture_bytes = _fitting(report.pictures, int(_PICTURE_SHARE * budget_bytes))
    if len(pictures) < len(report.pictures):
        notes.append(f"images of {len(report.pictures) - len(pictures)} pairs are left out to keep the page small")
    used = _FIXED_BYTES + picture_bytes + sum(len(svg) for _, _, svg in rankings)
    data, without_curves = page_data(report, budget_bytes - used)
    if without_curves:
        notes.append(f"histograms and ROC curves of {without_curves} cells are left out to keep the page small")
    environment = Environment(
        loader=PackageLoader("oodkit.report", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = _data_uri
    found = origins(report.records)
    page = environment.get_template("page.html").render(
        report=report,
        notes=notes,
        pictures=pictures,
        rankings=rankings,
        failed=[entry.cell for entry in report.entries if entry.cell.errors],
        origins=found,
        commands=suite_commands(report.records),
        style=style,
        script=script,
        data=data,
        style_hash=_policy_hash(style),
        script_hash=_policy_hash(script),
    )
    # A file name that is no valid text is shown with its odd bytes spelled out.
    return page.encode("utf-8", "backslashreplace").decode("utf-8")


def _fitting(pictures: tuple[PairPictures, ...], room: int) -> tuple[list[PairPictures], int]:
    kept, used = [], 0
    for one in pictures:
        shown = [part for wrong in one.wrong for part in (wrong.picture, wrong.neighbour) if part is not None]
        size = sum(4 * len(part.jpeg) // 3 + 300 for part in shown)
        if used + size <= room:
            kept.append(one)
            used += size
    return kept, used


def _asset(name: str) -> str:
    return resources.files("oodkit.report").joinpath("page", name).read_text(encoding="utf-8")


def _policy_hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _data_uri(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{b64encode(jpeg).decode()}"
