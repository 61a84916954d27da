"""The page as text: whole in itself, safe against names, within its budget."""

import json
import re
from html.parser import HTMLParser

from oodkit.bench.record import Reported
from oodkit.report import make_report, to_html, with_pictures
from oodkit.report.pictures import PairPictures, Picture, Wrong
from tests.report.make import HOSTILE, benchmark, record


class _Reader(HTMLParser):
    """Tags with their attributes, and the texts of scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._in_script = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._in_script = tag == "script"

    def handle_endtag(self, tag):
        self._in_script = False

    def handle_data(self, data):
        if self._in_script:
            self.scripts.append(data)


def _data(page: str):
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])


def test_nothing_is_asked_of_another_place():
    """No address but data in the page, links within it and names of XML; the policy forbids the rest."""
    records, scores = benchmark()
    reader = _Reader(to_html(make_report(records, scores.__getitem__)))

    for tag, attributes in reader.tags:
        for name in ("src", "href", "action"):
            assert (attributes.get(name) or "#").startswith(("#", "data:")), (tag, attributes)
    policy = next(a["content"] for tag, a in reader.tags if tag == "meta" and "http-equiv" in a)
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy


def test_names_are_text_wherever_they_stand():
    """A name full of markup adds no element and ends no script."""
    cells = [
        record(in_=HOSTILE, out=HOSTILE, backbone=HOSTILE, scorer=HOSTILE, doubts=(HOSTILE,), notes=(HOSTILE,)),
        record(out=HOSTILE, error=HOSTILE, provenance={HOSTILE: HOSTILE, "command": HOSTILE, "about": HOSTILE}),
        record(reported=(Reported(0.5, HOSTILE, HOSTILE, "sighted"),)),
    ]
    picture = Picture(HOSTILE, HOSTILE, b"jpeg")
    report = make_report(cells, title=HOSTILE)
    wrong = Wrong("out", 0.5, picture, picture, 0.25)
    page = to_html(with_pictures(report, [PairPictures(report.pairs[0], report.entries[0].cell, (wrong,))], [HOSTILE]))

    reader = _Reader(page)

    assert sum(tag == "script" for tag, _ in reader.tags) == 2
    assert HOSTILE in _data(page)["texts"]


def test_a_file_name_that_is_no_text_is_spelled_out():
    """A lone surrogate, as Python reads odd bytes, does not stop the report."""
    page = to_html(make_report([record(out="a\udce4b", error="a\udce4b")]))

    assert "\\udce4" in page
    page.encode()


def test_figures_that_are_missing_are_null():
    """The data are JSON that every browser reads."""
    page = to_html(make_report([record(error="no"), record(out="cars", auroc_ci=None)]))

    rows = _data(page)["rows"]
    assert rows[0]["m"] == [None] * 7
    assert rows[1]["c"] == [None, None]


def test_curves_and_pictures_give_way_to_the_budget():
    """Rows always stay; what is left out is said; the best of each pair keep their curves longest."""
    records, scores = benchmark(pairs=4, scorers=[f"s{i}" for i in range(30)])
    report = make_report(records, scores.__getitem__)
    picture = Picture("x", None, bytes(100_000))
    pictures = [
        PairPictures(pair, report.entries[0].cell, (Wrong("in", 0.5, picture, None, None),)) for pair in report.pairs
    ]
    report = with_pictures(report, pictures, [])

    whole, small = to_html(report), to_html(report, budget_bytes=165_000)

    assert len(_data(whole)["curves"]) == len(scores)
    data = _data(small)
    assert len(small) < 165_000
    assert 0 < len(data["curves"]) < len(scores)
    assert len(data["rows"]) == len(records)
    best = {number for number, entry in enumerate(report.entries) if entry.overall.standing == "best"}
    assert best <= set(map(int, data["curves"]))
    assert "ROC curves of" in small
    assert "images of 4 pairs are left out" in small


def test_ten_thousand_cells_with_scores_stay_under_five_megabytes():
    """The budget holds for the largest report there is a promise for."""
    records = [
        record(out=f"out{pair}", backbone=f"net{net}", scorer=f"s{place}", params={}, auroc=0.5 + place / 100)
        for pair in range(20)
        for net in range(10)
        for place in range(50)
    ]
    assert len(to_html(make_report(records)).encode()) < 5_000_000


def test_an_empty_report_is_a_page():
    """It says what to do."""
    assert "oodkit bench" in to_html(make_report([]))


def test_the_label_of_the_suite_stands_in_the_title():
    """A reconstructed list is named so where nobody can miss it."""
    page = to_html(make_report([record(provenance={"about": "Reconstructed list: inferred from code."})]))

    assert '<span class="label">reconstructed list</span>' in page
    assert "inferred from code" in page
