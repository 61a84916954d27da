"""Write one page per registered scorer, from its entry, its docstring and the measured results.

Run: python tools/make_scorer_pages.py
"""

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path

from oodkit.registry import Entry
from oodkit.scorers import Need, Scorer, scorers

DOCS = Path(__file__).parents[1] / "docs"
PAGES = DOCS / "scorers"
RESULTS = DOCS / "results.json"

_SHAPES = {
    Need.LABELS: "`labels` (N,) integers",
    Need.HEAD: "`head` weight (C, D) and bias (C,)",
    Need.TEXT: "`text` (C, D) class text embeddings",
    Need.OUT_TEXT: "`out_text` (M, D) text embeddings of OOD names",
    Need.CAPTIONS: "`captions` (M, D) text embeddings",
    Need.NEGATIVES: "`negatives` (M, D) embeddings",
    Need.VIEWS: "`views` (V, N, D) features of the views that `view_names()` lists",
    Need.AUX: "`aux` (A, D) features of an auxiliary set",
}


def main() -> None:
    """Write all pages."""
    PAGES.mkdir(exist_ok=True)
    for name, text in pages().items():
        (PAGES / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """File name to content: a page per scorer and `index.md`."""
    measured = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
    own = {name: entry for name, entry in scorers.items() if not entry.package}
    found = {f"{name}.md": page(name, entry, measured) for name, entry in own.items()}
    return {"index.md": index(own | dict(scorers.families)), **found}


def index(entries: dict[str, Entry]) -> str:
    """The list of all scorers."""
    lines = [
        "# Scorers",
        "",
        "Higher scores mean more in-distribution. `oodkit list scorers` prints this list, with what each one costs.",
        "Results of all of them on the same images: [results](../results.md).",
        "",
        "| name | score | needs | source |",
        "| --- | --- | --- | --- |",
    ]
    for name, entry in entries.items():
        link = f"[`{name}`]({name}.md)" if ":" not in name else f"`{name}`"
        lines.append(f"| {link} | {entry.summary} | {entry.needs or 'features'} | {entry.source} |")
    return "\n".join(lines) + "\n"


def page(name: str, entry: Entry, measured: list[dict[str, str | float]]) -> str:
    """The page of one scorer."""
    cls: type[Scorer] = scorers.load(name)
    facts = {
        "needs": entry.needs or "features alone",
        "shapes": _shapes(cls()),
        "cost of a fit": entry.cost,
        "gradients": "yes" if cls().differentiable else "no: `score_tensor` refuses",
        "source": entry.source,
        "class": f"`oodkit.scorers.{cls.__name__}`",
    }
    lines = [f"# {name}", "", f"{entry.summary[:1].upper()}{entry.summary[1:]}.", "", "| | |", "| --- | --- |"]
    lines += [f"| {key} | {value} |" for key, value in facts.items()]
    lines += ["", "```console", f"$ oodkit score --in cifar100 --out cifar10 --scorer {name}", "```", ""]
    lines += _body(inspect.getdoc(cls) or "")
    rows = [row for row in measured if row["scorer"] == name]
    if rows:
        lines += ["", "## Measured", "", "AUROC in per cent, default parameters; [all results](../results.md).", ""]
        lines += _measured(rows)
    return "\n".join(lines).rstrip() + "\n"


def _shapes(scorer: Scorer) -> str:
    features = "logits (N, C)" if Need.LOGITS in scorer.needs else "features (N, D)"
    needed = [_SHAPES[need] for need in Need if need in scorer.needs and need is not Need.LOGITS]
    optional = [f"{_SHAPES[need]} (optional)" for need in Need if need in scorer.optional]
    return ", ".join([features, *needed, *optional]) + "; scores (N,)"


def _body(docstring: str) -> Iterator[str]:
    """A NumPy-style docstring as Markdown."""
    lines = docstring.splitlines()
    section = ""
    position = 0
    while position < len(lines):
        line, after = lines[position], lines[position + 1] if position + 1 < len(lines) else ""
        if line and re.fullmatch("-{3,}", after):
            section = line
            yield from (f"## {'Deviations' if section == 'Notes' else section}", "")
            position += 2
            continue
        if section in ("Parameters", "Attributes", "Raises"):
            yield from _definition(line)
        elif line.startswith("    ") and not (position and lines[position - 1].startswith("    ")):
            yield from ("```text", line[4:])
        else:
            yield line[4:] if line.startswith("    ") else line
        if section not in ("Parameters", "Attributes", "Raises") and line.startswith("    "):
            following = next((later for later in lines[position + 1 :] if later), "")
            if not following.startswith("    "):
                yield "```"
        position += 1


def _definition(line: str) -> Iterator[str]:
    if line.startswith("    "):
        yield line.strip().join(("  ", ""))
    elif line:
        name, colon, kind = line.partition(" : ")
        yield f"- **{name}**{f' ({kind})' if colon else ''}:"
    else:
        yield ""


def _measured(rows: list[dict[str, str | float]]) -> Iterator[str]:
    outs = list(dict.fromkeys(str(row["out"]) for row in rows))
    yield f"| in-set, backbone | {' | '.join(outs)} |"
    yield f"| --- | {' | '.join('---:' for _ in outs)} |"
    for in_, backbone in dict.fromkeys((row["in"], row["backbone"]) for row in rows):
        cells = {row["out"]: row["auroc"] for row in rows if (row["in"], row["backbone"]) == (in_, backbone)}
        shown = [f"{100 * float(cells[out]):.2f}" if out in cells else "" for out in outs]
        yield f"| {in_}, {backbone} | {' | '.join(shown)} |"


if __name__ == "__main__":
    main()
