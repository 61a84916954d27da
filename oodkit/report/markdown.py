"""The report as Markdown: tables, doubts, what failed, and where the figures come from."""

import re

from oodkit.report.origins import Origins, origins, suite_commands
from oodkit.report.report import Report
from oodkit.report.table import Table, TableCell, make_tables, per_cent


def to_markdown(report: Report) -> str:
    """A document of tables in per cent; the best of a column is bold, and ≈ marks those not significantly worse."""
    parts = [f"# {_escaped(report.title)}"]
    parts += [f"**{_escaped(label)}**" for label in report.labels]
    parts += [_escaped(text) for text in report.about]
    if not report.entries:
        parts.append("No cells.")
    for metric in ("auroc", "fpr95_in"):
        tables, doubts = make_tables(report, metric)
        for table in tables:
            parts += [f"## {_escaped(table.caption)}", _table(table)]
        if tables and metric == "auroc":
            parts.append(
                "**Bold**: the best of its column. ≈: not significantly worse than it, by paired DeLong tests with "
                "Holm's rule in each column; where scores of the same images are missing or there are several "
                "seeds, by overlapping 95 % intervals. An interval over seeds is of the fit, not of the images."
            )
        if doubts and metric == "auroc":
            parts.append("Doubts:")
            parts.append("\n".join(f"{number}. {_escaped(doubt)}" for number, doubt in enumerate(doubts, 1)))
    parts += _reported(report)
    failed = [entry.cell for entry in report.entries if entry.cell.errors]
    if failed:
        lines = [
            f"- {_escaped(f'{cell.pair.in_} : {cell.pair.out}, {cell.backbone}, {cell.label}')}: "
            f"{_escaped('; '.join(cell.errors))}"
            for cell in failed
        ]
        parts += ["## Failed", "\n".join(lines)]
    notes = list(dict.fromkeys([*report.notes, *(note for entry in report.entries for note in entry.cell.notes)]))
    if notes:
        parts += ["## Notes", "\n".join(f"- {_escaped(note)}" for note in notes)]
    if report.entries:
        commands = "\n".join(f"    {' '.join(command.split())}" for command in suite_commands(report.records))
        parts += ["## What ran", *([commands] if commands else []), _origins(origins(report.records))]
    parts.append(f"Made {report.made} by oodkit {report.version}.")
    return "\n\n".join(parts) + "\n"


def _table(table: Table) -> str:
    rows = [
        [_escaped(backbone), _escaped(label), *(_cell(cell) for cell in cells)] for backbone, label, cells in table.rows
    ]
    head = [_escaped(name) for name in table.head]
    lines = [head, ["---", "---", *("---:" for _ in head[2:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(cell: TableCell) -> str:
    text = {"best": f"**{cell.text}**", "close": f"≈{cell.text}"}.get(cell.standing, cell.text)
    marks = ", ".join(str(mark) for mark in cell.marks)
    return f"{text} [{marks}]" if marks else text


def _reported(report: Report) -> list[str]:
    lines = []
    for entry in report.entries:
        cell, value = entry.cell, entry.cell.value("auroc")
        for figure in cell.first.reported:
            gap = "" if value is None else f"{100 * (value - figure.value):+.2f}"
            words = [cell.pair.in_, cell.pair.out, cell.backbone, cell.label, per_cent(value), per_cent(figure.value)]
            more = [gap, figure.source, figure.protocol, figure.certainty]
            lines.append("| " + " | ".join(_escaped(word) for word in [*words, *more]) + " |")
    if not lines:
        return []
    head = "| in | out | backbone | scorer | here | published | gap | source | protocol | certainty |"
    rule = "| --- | --- | --- | --- | ---: | ---: | ---: | --- | --- | --- |"
    return ["## Published figures, AUROC in per cent", "\n".join([head, rule, *lines])]


def _origins(found: Origins) -> str:
    lines = [f"- {_escaped(name)}: `{_code(value)}`" for name, value in found.shared]
    lines += [
        f"- {_escaped(name)}: `{_code(value)}` ({count} cells)"
        for name, values in found.differing
        for value, count in values
    ]
    return "\n".join(lines)


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~&$])", r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    """Text between backticks: nothing can be escaped there, so a backtick becomes a quote."""
    return " ".join(text.split()).replace("`", "'")
