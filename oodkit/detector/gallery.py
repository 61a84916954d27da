"""Verdicts as one self-contained page of pictures, sorted by score; of many, those that matter."""

import heapq
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import numpy as np

from oodkit.data.files import printable
from oodkit.detector.judging import Verdict
from oodkit.detector.thumbnail import thumbnail
from oodkit.embedding.extraction import ahead
from oodkit.progress import progress

SHOWN = 2_000  # images on a page
ERRORS_SHOWN = 200
_SIDE, _NEAR_SIDE = 128, 64  # pixels of thumbnails
_WORKERS = min(4, os.cpu_count() or 1)


@dataclass
class Gallery:
    """Takes verdicts one by one and keeps a bounded number: half of the lowest scores, half drawn from the others.

    Args:
        shown: how many images the page has at most; with no more than these, it has all.
        seed: of the draw.
    """

    shown: int = SHOWN
    seed: int = 0
    images: int = 0
    flagged: int = 0
    unreadable: int = 0
    errors: list[Verdict] = field(default_factory=list)
    _lowest: list[tuple[float, int, Verdict]] = field(default_factory=list)
    _drawn: list[Verdict] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start the draw."""
        self._most_lowest = (self.shown + 1) // 2
        self._rng, self._passed = np.random.default_rng(self.seed), 0

    def add(self, verdict: Verdict) -> None:
        """Take one more verdict."""
        self.images += 1
        self.flagged += bool(verdict.ood)
        if verdict.error is not None or verdict.score is None:
            self.unreadable += 1
            if len(self.errors) < ERRORS_SHOWN:
                self.errors.append(verdict)
            return
        heapq.heappush(self._lowest, (-verdict.score, -self.images, verdict))
        if len(self._lowest) > self._most_lowest:
            self._draw(heapq.heappop(self._lowest)[2])

    @property
    def lowest(self) -> list[Verdict]:
        """Those of the lowest scores, ascending."""
        return [verdict for *_, verdict in sorted(self._lowest, reverse=True)]

    @property
    def drawn(self) -> list[Verdict]:
        """Those drawn at random from all others, ascending by score."""
        return sorted(self._drawn, key=lambda verdict: verdict.score or 0.0)

    @property
    def others(self) -> int:
        """How many images the draw was from."""
        return self._passed

    def _draw(self, verdict: Verdict) -> None:
        """Each of the others is kept with the same probability, however many they are (Vitter's algorithm R)."""
        self._passed += 1
        most = self.shown - self._most_lowest
        if len(self._drawn) < most:
            self._drawn.append(verdict)
        elif most and (place := int(self._rng.integers(self._passed))) < most:
            self._drawn[place] = verdict

    def write(
        self,
        write: Callable[[str], object],
        title: str,
        facts: Sequence[str],
        fit_contents: Callable[[set[str]], Iterable[tuple[str, bytes]]],
    ) -> None:
        """Write the page, picture by picture.

        Args:
            write: takes text.
            title: of the page.
            facts: paragraphs below the title.
            fit_contents: gives encoded fit images that can be reached, of these ids.
        """
        lowest, drawn = self.lowest, self.drawn
        ids = {near.id for verdict in (*lowest, *drawn) for near in verdict.neighbours}
        write(_HEAD.format(title=escape(title), style=_STYLE))
        write(f"<h1>{escape(title)}</h1>\n")
        for fact in (*facts, self._left_out()):
            write(f"<p>{_text(fact)}</p>\n")
        write(_CHOICE)
        classes: dict[str, str] = {}
        with progress("drawing", len(ids) + len(lowest) + len(drawn), "pictures") as advance:
            write("<style>\n")
            for identifier, picture in ahead(_fit_picture, fit_contents(ids), _WORKERS):
                advance()
                if picture is not None:
                    classes[identifier] = f"f{len(classes)}"
                    write(f'.{classes[identifier]} {{ background-image: url("{picture}"); }}\n')
            write("</style>\n")
            for heading, part in ((None, lowest), (self._rest_heading(), drawn)):
                if not part:
                    continue
                if heading is not None:
                    write(f"<h2>{heading}</h2>\n")
                write('<div class="cards">\n')
                for verdict, picture in ahead(_picture, part, _WORKERS):
                    write(_card(verdict, picture, classes))
                    advance()
                write("</div>\n")
        for row in self._error_rows():
            write(row)
        write("</main></body></html>\n")

    def _left_out(self) -> str:
        readable = self.images - self.unreadable
        if self._passed <= len(self._drawn):
            return f"All {readable:,} readable images are shown, the lowest score first."
        shown = len(self._lowest) + len(self._drawn)
        return (
            f"Of {readable:,} readable images {shown:,} are shown, the lowest score first: the {len(self._lowest):,}"
            f" of lowest score, and {len(self._drawn):,} drawn at random from the other {self._passed:,}. "
            f"{readable - shown:,} are left out."
        )

    def _rest_heading(self) -> str | None:
        if self._passed <= len(self._drawn):
            return None
        return f"{len(self._drawn):,} of the other {self._passed:,}, drawn at random"

    def _error_rows(self) -> Iterator[str]:
        if not self.unreadable:
            return
        images = "image" if self.unreadable == 1 else "images"
        yield f'<h2 id="errors">{self.unreadable:,} {images} cannot be read</h2>\n<ul class="errors">\n'
        for verdict in self.errors:
            yield f"<li>{_text(verdict.error or verdict.path)}</li>\n"
        yield "</ul>\n"
        if self.unreadable > len(self.errors):
            yield f"<p>The first {len(self.errors):,}; {self.unreadable - len(self.errors):,} are left out.</p>\n"


def _picture(verdict: Verdict) -> tuple[Verdict, str | None]:
    try:
        return verdict, thumbnail(Path(verdict.path).read_bytes(), _SIDE)
    except (OSError, ValueError):
        return verdict, None


def _fit_picture(image: tuple[str, bytes]) -> tuple[str, str | None]:
    return image[0], thumbnail(image[1], _NEAR_SIDE)


def _card(verdict: Verdict, picture: str | None, classes: Mapping[str, str]) -> str:
    path, name = _text(verdict.path), _text(verdict.path.replace("\\", "/").rpartition("/")[2])
    kind, word = ("out", "OOD") if verdict.ood else ("in", "in")
    image = f'<img alt="" src="{picture}">' if picture else '<span class="gone">no picture: the file is gone</span>'
    near = "".join(
        f'<li title="{_text(one.id)}, cosine {one.cosine:.3f}">'
        + (f'<span class="near {classes[one.id]}"></span>' if one.id in classes else f"<i>{_text(one.id)}</i>")
        + f"{one.cosine:.2f}</li>"
        for one in verdict.neighbours
    )
    like = f'<ul aria-label="Nearest in-distribution images">{near}</ul>' if near else ""
    return (
        f'<article class="{kind}"><div class="frame">{image}</div><p class="verdict"><b>{word}</b> '
        f"p {verdict.p_value:.4f}<br>score {verdict.score:.6g}</p>"
        f'<p class="path" title="{path}">{name}</p>{like}</article>\n'
    )


def _text(text: str) -> str:
    return escape(printable(text))


_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{style}</style></head>
<body><main>
"""
_CHOICE = """<fieldset><legend class="unseen">Show</legend>
<label><input type="radio" name="show" id="all" checked> all</label>
<label><input type="radio" name="show" id="only-out"> OOD only</label>
<label><input type="radio" name="show" id="only-in"> in only</label>
</fieldset>
"""
_STYLE = """
:root {
  color-scheme: light dark;
  --paper: #fff; --raised: #f4f5f6; --ink: #1b1f23; --quiet: #57606a; --rule: #d5d9de; --out: #a63d00; --in: #005a8c;
}
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171a; --raised: #1f2428; --ink: #e8eaed; --quiet: #a3abb3; --rule: #343a40;
    --out: #f5a35c; --in: #6fbdf0; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
main { max-width: 110rem; margin: 0 auto; padding: 1.25rem clamp(.8rem, 3vw, 2rem) 3rem; }
h1 { font-size: 1.4rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; }
main > p { margin: .3rem 0; max-width: 65rem; color: var(--quiet); overflow-wrap: anywhere; }
fieldset { border: 0; padding: .7rem 0; margin: 0; display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; }
fieldset label { display: flex; gap: .4rem; align-items: center; min-height: 2rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: .7rem; }
article {
  background: var(--raised); border: 1px solid var(--rule); border-radius: 4px; padding: .5rem; min-width: 0;
  content-visibility: auto; contain-intrinsic-size: auto 16rem;
}
article p { margin: .35rem 0 0; }
article.out { border-color: var(--out); }
.frame { height: 8rem; display: flex; align-items: center; justify-content: center; }
.frame img { width: 100%; height: 100%; object-fit: contain; }
.gone { color: var(--quiet); font-size: .8rem; text-align: center; }
.verdict { font-size: .85rem; font-variant-numeric: tabular-nums; }
.out .verdict b { color: var(--out); }
.in .verdict b { color: var(--in); }
.path { font-size: .8rem; color: var(--quiet); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
article ul { list-style: none; margin: .4rem 0 0; padding: 0; display: flex; gap: .3rem; }
article li {
  flex: 1 1 0; min-width: 0; font-size: .72rem; color: var(--quiet); text-align: center; overflow: hidden;
  text-overflow: ellipsis; font-variant-numeric: tabular-nums;
}
article li i { display: block; font-style: normal; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.near { display: block; height: 2.75rem; background: center / contain no-repeat; }
.errors { padding-left: 1.2rem; overflow-wrap: anywhere; }
body:has(#only-out:checked) article.in, body:has(#only-in:checked) article.out { display: none; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
"""
