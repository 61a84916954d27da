"""Reports: tables, plots and pages made of benchmark results."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oodkit.report.correlation import Correlation, LinearFit, Point, correlations, plot_correlations
    from oodkit.report.critical_difference import (
        Ranking,
        critical_difference_svg,
        plot_critical_difference,
        rank_methods,
    )
    from oodkit.report.csv_table import to_csv
    from oodkit.report.html_page import to_html
    from oodkit.report.latex import to_latex
    from oodkit.report.markdown import to_markdown
    from oodkit.report.parquet import to_parquet
    from oodkit.report.pictures import find_pictures
    from oodkit.report.report import Report, make_report, with_pictures

__all__ = [
    "Correlation",
    "LinearFit",
    "Point",
    "Ranking",
    "Report",
    "correlations",
    "critical_difference_svg",
    "find_pictures",
    "make_report",
    "plot_correlations",
    "plot_critical_difference",
    "rank_methods",
    "to_csv",
    "to_html",
    "to_latex",
    "to_markdown",
    "to_parquet",
    "with_pictures",
]

_HOMES = {
    "Correlation": "correlation",
    "LinearFit": "correlation",
    "Point": "correlation",
    "Ranking": "critical_difference",
    "Report": "report",
    "correlations": "correlation",
    "critical_difference_svg": "critical_difference",
    "find_pictures": "pictures",
    "make_report": "report",
    "plot_correlations": "correlation",
    "plot_critical_difference": "critical_difference",
    "rank_methods": "critical_difference",
    "to_csv": "csv_table",
    "to_html": "html_page",
    "to_latex": "latex",
    "to_markdown": "markdown",
    "to_parquet": "parquet",
    "with_pictures": "report",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'oodkit.report' has no attribute {name!r}")
    return getattr(import_module(f"oodkit.report.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
