"""Results of a benchmark as tables of text."""

from collections.abc import Sequence
from itertools import groupby
from statistics import fmean

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from oodkit.bench.checking import Comparison
from oodkit.bench.labels import BackboneLabels, scorer_label
from oodkit.bench.means import Mean, means
from oodkit.bench.record import Record
from oodkit.bench.suite import Suite
from oodkit.cli.whole_table import whole_console


def print_means(suite: Suite, records: Sequence[Record]) -> None:
    """A table per in-set and backbone: out-sets, scorers, AUROC over seeds, published figures, doubts."""
    console = whole_console()
    labels = BackboneLabels(records)
    for (in_, backbone), group in groupby(means(records), key=lambda mean: (mean.sample.in_, labels.of(mean.sample))):
        rows = list(group)
        sample = next((row.sample for row in rows if row.sample.error is None), rows[0].sample)
        settings = [word for word in (f"{sample.image_size} px", sample.precision) if word not in backbone]
        table = _table(
            f"in: {in_} ({sample.n_fit:,} fit, {sample.n_in:,} test), {', '.join([backbone, *settings])}",
            f"suite {suite.name}; per cent; 95 % interval: by DeLong, of the draw of images; with several seeds over "
            "seeds of the fit, not of the images; FPR95 with in-images as positives; letters: doubts below",
            ("out", "n out", "scorer"),
            ("seeds", "AUROC", "95 % interval", "FPR95", "reported", "doubts"),
        )
        letters: dict[str, str] = {}
        for out, of_out in groupby(rows, key=lambda mean: mean.sample.out):
            for place, row in enumerate(of_out):
                first = ("", "") if place else (escape(out), f"{row.sample.n_out:,}" if row.sample.n_out else "")
                table.add_row(*first, escape(scorer_label(row.sample)), *_cells(row, letters))
        whole_console(table, names=3).print(table)
        for line, letter in letters.items():
            console.print(f"  {letter}: {escape(line)}", highlight=False, soft_wrap=True)
    _print_errors(console, records, labels)
    if suite.about:
        console.print(escape(suite.about), highlight=False, soft_wrap=True)


def print_group_means(suite: Suite, records: Sequence[Record]) -> None:
    """A table of unweighted means over the sets of each group, beside published ones, where the suite has groups."""
    groups = list(dict.fromkeys(pair.group for pair in suite.pairs if pair.group))
    rows: dict[tuple[str, str, str, str], list[float]] = {}
    counts: dict[tuple[str, str], int] = {}
    for pair in suite.pairs:
        counts[pair.in_, pair.group or ""] = counts.get((pair.in_, pair.group or ""), 0) + 1
    labels = BackboneLabels(records)
    scorers: dict[str, str] = {}
    for mean in means(records):
        group = mean.sample.provenance.get("group")
        if group and mean.auroc is not None:
            scorer = scorer_label(mean.sample)
            scorers[scorer] = mean.sample.scorer
            place = (mean.sample.in_, labels.of(mean.sample), scorer, group)
            rows.setdefault(place, []).append(mean.auroc)
    whole = {place: values for place, values in rows.items() if len(values) == counts[place[0], place[3]] > 1}
    if not whole:
        return
    table = _table("means over the sets of a group, AUROC in per cent", "", ("in", "backbone", "scorer"), tuple(groups))
    for in_, backbone, scorer in dict.fromkeys(place[:3] for place in whole):
        cells = []
        for group in groups:
            values = whole.get((in_, backbone, scorer, group))
            reported = [
                f"{100 * figure.reported.value:.2f}"
                for figure in suite.reported
                if (figure.in_, figure.group, figure.reported.scorer) == (in_, group, scorers[scorer])
            ]
            text = "" if values is None else f"{100 * fmean(values):.2f}"
            cells.append(text + (f" (reported {', '.join(reported)})" if reported else ""))
        table.add_row(escape(in_), escape(backbone), escape(scorer), *cells)
    whole_console(table, names=3).print(table)


def print_check(rows: Sequence[Comparison]) -> None:
    """A table of what was expected and found, misses first."""
    counting = [row for row in rows if row.counts]
    table = _table(
        f"check: {sum(row.holds for row in counting)} of {len(counting)} figures are reproduced"
        + (f", {len(rows) - len(counting)} not compared" if len(counting) < len(rows) else ""),
        "AUROC in per cent",
        ("in", "out", "backbone", "scorer"),
        ("expected", "found", "difference", "tolerance", ""),
    )
    for row in sorted(rows, key=lambda row: not row.missed):
        if row.found is None:
            found, difference = row.reason, ""
        else:
            found, difference = f"{100 * row.found:.2f}", f"{100 * (row.found - row.expected):+.2f}"
        verdict = "MISS" if row.missed else "ok" if row.counts else ""
        table.add_row(
            *map(escape, _named(row)),
            f"{100 * row.expected:.2f}",
            escape(found),
            difference,
            f"{100 * row.tolerance:.2f}",
            verdict,
        )
    whole_console(table, names=4).print(table)


def _named(row: Comparison) -> tuple[str, ...]:
    """In-set, out-set, backbone and scorer with what the suite sets of them."""
    in_, out, backbone, scorer = row.name
    size, precision, head = (row.settings.get(name) for name in ("image_size", "precision", "head"))
    more = [f"{size} px" if size else "", precision if precision != "fp32" else "", f"head {head}" if head else ""]
    params = ", ".join(f"{name}={value}" for name, value in row.settings.get("params", {}).items())
    return in_, out, ", ".join(filter(None, [backbone, *more])), f"{scorer}({params})" if params else scorer


def _cells(row: Mean, letters: dict[str, str]) -> tuple[str, ...]:
    sample = row.sample
    doubts = dict.fromkeys(line for record in row.records for line in record.doubts)
    kinds = dict.fromkeys(map(_kind, doubts))
    marks = [letters.setdefault(kind, _letter(len(letters))) for kind in kinds]
    if row.auroc is None:
        return str(len(row.records)), "failed", "", "", "", ""
    interval = "" if row.interval is None else "{:.2f} - {:.2f}".format(*(100 * end for end in row.interval))
    fpr = "" if row.fpr95_in is None else f"{100 * row.fpr95_in:.2f}"
    return (
        str(len(row.records)),
        f"{100 * row.auroc:.2f}",
        interval,
        fpr,
        ", ".join(f"{100 * figure.value:.2f}" for figure in sample.reported),
        " ".join(marks),
    )


def _kind(doubt: str) -> str:
    """A doubt without the numbers that differ from row to row."""
    head, found, _ = doubt.partition(" separates the pair ")
    return f"{head} separates the pair as well, or nearly" if found else doubt.partition(": the 95 %")[0]


def _letter(number: int) -> str:
    return chr(ord("a") + number) if number < 26 else f"{chr(ord('a') + number // 26 - 1)}{chr(ord('a') + number % 26)}"


def _print_errors(console: Console, records: Sequence[Record], labels: BackboneLabels) -> None:
    for record in records:
        if record.error is not None:
            name = f"{record.in_} -> {record.out}, {labels.of(record)}, {scorer_label(record)}, seed {record.seed}"
            console.print(f"failed: {escape(name)}: {escape(record.error)}", highlight=False, soft_wrap=True)


def _table(title: str, caption: str, left: Sequence[str], right: Sequence[str]) -> Table:
    table = Table(
        title=escape(title),
        caption=escape(caption) or None,
        box=box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
    )
    for heading in left:
        table.add_column(heading, overflow="fold")
    for heading in right:
        table.add_column(heading, justify="right", no_wrap=True)
    return table
