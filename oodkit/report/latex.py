r"""Tables for a paper: LaTeX with booktabs, to be read by \input."""

from oodkit.report.report import Report
from oodkit.report.table import Table, TableCell, make_tables

_SIGNS = {
    "\\": r"\textbackslash{}",
    "[": "{[}",  # at the start of a line it would be an option of the line break before it
    "*": "{*}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "'": r"\textquotesingle{}",
    '"': r"\textquotedbl{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}


def to_latex(report: Report) -> str:
    r"""Tables of AUROC and FPR95 per in-set; the best of a column is bold, those not significantly worse underlined.

    Needs booktabs, and textcomp and a T1 or Unicode font for quotation marks.
    """
    parts = [
        f"% {_comment(report.title)}, made {report.made} by oodkit {report.version}; needs \\usepackage{{booktabs}}"
    ]
    parts += [f"% {_comment(text)}" for text in report.about]
    if not report.entries:
        parts.append("% no cells")
    for metric in ("auroc", "fpr95_in"):
        tables, doubts = make_tables(report, metric)
        parts += [_table(table, report, metric, doubts) for table in tables]
    return "\n\n".join(parts) + "\n"


def _table(table: Table, report: Report, metric: str, doubts: list[str]) -> str:
    label = " ".join(f"({escaped(label)})" for label in report.labels)
    caption = f"{escaped(table.caption)}. {label}".strip()
    if metric == "auroc":
        caption += (
            " Bold: best of its column; underlined: not significantly worse (paired DeLong tests with Holm's rule, or "
            "overlapping intervals; those over seeds are of the fit, not of the images)."
        )
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{caption}}}",
        rf"\begin{{tabular}}{{ll{'r' * (len(table.head) - 2)}}}",
        r"\toprule",
        " & ".join(escaped(name) for name in table.head) + r" \\",
        r"\midrule",
    ]
    for backbone, scorer, cells in table.rows:
        lines.append(" & ".join([escaped(backbone), escaped(scorer), *(_cell(cell) for cell in cells)]) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}"]
    marks = sorted({mark for _, _, cells in table.rows for cell in cells for mark in cell.marks})
    if marks:
        listed = r" \\ ".join(rf"\textsuperscript{{{mark}}} {escaped(doubts[mark - 1])}" for mark in marks)
        lines.append(rf"\par\smallskip\begin{{minipage}}{{\linewidth}}\footnotesize {listed}\end{{minipage}}")
    lines.append(r"\end{table}")
    return "\n".join(lines)


def _cell(cell: TableCell) -> str:
    text = {"best": rf"\textbf{{{cell.text}}}", "close": rf"\underline{{{cell.text}}}"}.get(cell.standing, cell.text)
    marks = ",".join(str(mark) for mark in cell.marks)
    return rf"{text}\textsuperscript{{{marks}}}" if marks else text


def escaped(text: str) -> str:
    """Text that LaTeX sets as it is, on one line; control characters are left out."""
    return "".join(_SIGNS.get(sign, sign) for sign in " ".join(text.split()) if sign.isprintable())


def _comment(text: str) -> str:
    return "".join(sign for sign in " ".join(text.split()) if sign.isprintable())
