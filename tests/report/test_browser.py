"""The page in headless Chromium: it loads, sorts, filters and draws, and asks nobody for anything."""

import time

import pytest

from oodkit.report import make_report, to_html
from tests.report.chromium import Chromium, find_chromium
from tests.report.make import HOSTILE, benchmark, record

PROGRAM = find_chromium()
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium is installed; OODKIT_CHROMIUM can name one")

AUROC = "Number(row.cells[4].innerText.match(/[0-9]+[.][0-9]+/)?.[0] ?? NaN)"
ROWS = "[...document.querySelectorAll('#table tbody tr:not(.detail)')]"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Chromium(PROGRAM, tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    records, scores = benchmark(pairs=4, scorers=("knn", "msp", "energy", "vim"), backbones=2)
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(to_html(make_report(records, scores.__getitem__)), encoding="utf-8")
    return path


@pytest.fixture
def opened(browser, page):
    browser.view(1280, 900)
    browser.open(page)
    yield browser
    assert browser.complaints() == []
    assert browser.requests() == [page.as_uri()]


def _sort(browser, title):
    browser.run(f"[...document.querySelectorAll('#table thead button')].find(b => b.innerText === '{title}').click()")


def _choose(browser, select, text):
    browser.run(
        f"(() => {{ const s = document.getElementById('{select}');"
        f"s.value = [...s.options].find(o => o.text === '{text}').value;"
        "s.dispatchEvent(new Event('input', {bubbles: true})); s.dispatchEvent(new Event('change')); })()"
    )


def test_it_sorts_by_figures_and_says_so(opened):
    """The first click puts the best first, the second the worst; a failed cell is last both times."""
    _sort(opened, "AUROC")
    down = opened.run(f"{ROWS}.map(row => {AUROC})")
    assert opened.run("document.querySelector('#table th[aria-sort]').innerText.trim()") == "AUROC"
    assert opened.run("document.querySelector('#table th[aria-sort]').ariaSort") == "descending"
    _sort(opened, "AUROC")
    up = opened.run(f"{ROWS}.map(row => {AUROC})")

    assert down[:-1] == sorted(down[:-1], reverse=True)
    assert up[:-1] == sorted(up[:-1])
    assert down[-1] is up[-1] is None
    assert len(down) == 32


def test_it_filters_by_name_word_and_standing(opened):
    """Eight cells of vim, four of them on net1; the failed one has its own choice; clearing brings all back."""
    _choose(opened, "filter-s", "vim")
    assert opened.run(f"{ROWS}.length") == 8
    _choose(opened, "filter-b", "net1")
    assert opened.run(f"{ROWS}.length") == 4
    assert opened.run("document.getElementById('status').innerText") == "1\N{EN DASH}4 of 4 cells"
    opened.run("document.querySelector('#filters button[type=reset]').click()")
    opened.run("new Promise(done => setTimeout(done, 20))")
    assert opened.run(f"{ROWS}.length") == 32
    _choose(opened, "filter-show", "failed")
    assert opened.run(f"{ROWS}.map(row => row.cells[4].innerText.trim())") == ["failed"]


def test_it_marks_the_best_of_each_pair(opened):
    """One bold figure per pair, read out as the best."""
    _choose(opened, "filter-show", "best and not worse")

    assert opened.run("document.querySelectorAll('#table .best').length") == 4
    assert opened.run(f"{ROWS}.every(row => /best/.test(row.cells[4].textContent))")


def test_intervals_show_on_demand(opened):
    """They are hidden until they are asked for."""
    shown = "getComputedStyle(document.querySelector('#table .range')).display"
    assert opened.run(shown) == "none"
    opened.run("document.getElementById('intervals').click()")
    assert opened.run(shown) == "block"


def test_a_row_opens_to_curves_and_facts(opened):
    """A histogram, a ROC curve and the facts; closing takes them away."""
    opened.run("document.querySelector('#table .toggle').click()")
    drawings = "[...document.querySelectorAll('.detail svg')].map(s => s.getAttribute('aria-label').split(' ')[0])"
    assert opened.run(drawings) == ["Histograms", "ROC"]
    assert opened.run("document.querySelectorAll('.detail path').length") >= 5
    assert opened.run("document.querySelector('#table .toggle').ariaExpanded") == "true"
    assert "mean colour alone" in opened.run("document.querySelector('.detail').innerText")
    opened.run("document.querySelector('#table .toggle').click()")
    assert opened.run("document.querySelectorAll('.detail').length") == 0


def test_the_overview_is_coloured_by_figure(opened):
    """A cell per scorer and pair, the stronger colour for the higher figure; all backbones at once on demand."""
    cells = "[...document.querySelectorAll('#map-table tbody td')]"
    assert opened.run(f"{cells}.length") == 4 * 5
    assert opened.run("document.querySelectorAll('#map-table th[scope=colgroup]').length") == 2
    assert opened.run(f"new Set({cells}.map(cell => getComputedStyle(cell).backgroundColor)).size") > 5
    _choose(opened, "map-backbone", "all")
    assert opened.run(f"{cells}.length") == 8 * 5
    _choose(opened, "map-metric", "FPR95")
    assert "FPR95" in opened.run("document.querySelector('#map-table caption').innerText")


def test_it_is_readable_by_a_screen_reader(opened):
    """Tables have captions, heads a scope, controls a label, drawings a name, and the page a language."""
    assert opened.run("[...document.querySelectorAll('table')].every(t => t.caption.innerText.trim())")
    assert opened.run("[...document.querySelectorAll('th')].every(h => h.scope)")
    assert opened.run("[...document.querySelectorAll('input, select')].every(c => c.labels.length)")
    assert opened.run(
        "[...document.querySelectorAll('svg')].every(s => s.ariaLabel && s.getAttribute('role') === 'img')"
    )
    assert opened.run("[...document.querySelectorAll('#table thead th')].every(h => h.querySelector('button'))")
    assert opened.run("document.documentElement.lang") == "en"
    assert opened.run("new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size") == opened.run(
        "document.querySelectorAll('[id]').length"
    )


@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_needs_no_sideways_scrolling(opened, dark):
    """Tables scroll inside themselves; text has contrast against its ground in the light and in the dark."""
    opened.view(390, 844, phone=True, dark=dark)
    opened.run("document.querySelector('#table .toggle').click()")

    assert opened.run("document.documentElement.scrollWidth") <= 390
    assert opened.run(_CONTRAST) > 4.5


# The smallest contrast between text and the ground of the page, by WCAG's formula, over all colours of texts.
_CONTRAST = """(() => {
  const light = (css) => {
    const linear = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = css.match(/[0-9.]+/g).map(v => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = light(getComputedStyle(document.body).backgroundColor);
  return Math.min(...[...document.querySelectorAll('p, th, td, h1, h2, a, dt, dd, label, figcaption b')].map(e => {
    const text = light(getComputedStyle(e).color);
    return (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
  }));
})()"""


def test_names_full_of_markup_are_shown_as_text(browser, tmp_path):
    """Nothing of them runs, not even in what a row opens to."""
    path = tmp_path / "hostile.html"
    given = [
        record(
            in_=HOSTILE, out=HOSTILE, backbone=HOSTILE, scorer=HOSTILE, doubts=(HOSTILE,), provenance={HOSTILE: HOSTILE}
        )
    ]
    path.write_text(to_html(make_report(given)), encoding="utf-8")
    browser.view(1280, 900)

    browser.open(path)
    browser.run("document.querySelector('#table .toggle').click()")

    assert browser.run("document.querySelectorAll('script').length") == 2
    assert "<script>alert" in browser.run("document.querySelector('#table .toggle').innerText")
    assert browser.complaints() == []


def test_an_empty_report_opens(browser, tmp_path):
    """No cells, no errors."""
    path = tmp_path / "empty.html"
    path.write_text(to_html(make_report([])), encoding="utf-8")

    browser.open(path)

    assert browser.complaints() == []


def test_ten_thousand_rows_open_sort_and_filter_at_once(browser, tmp_path):
    """Only the rows of a page are drawn; the times are measured here and told where they are long."""
    given = [
        record(
            out=f"out{pair}",
            backbone=f"net{net}",
            scorer=f"s{place}",
            params={},
            auroc=0.5 + (7 * place + pair) % 97 / 200,
        )
        for pair in range(20)
        for net in range(10)
        for place in range(50)
    ]
    path = tmp_path / "large.html"
    path.write_text(to_html(make_report(given)), encoding="utf-8")
    browser.view(1280, 900)

    seconds = {"open": browser.open(path)}
    for title in ("AUROC", "Scorer"):
        started = time.monotonic()
        _sort(browser, title)
        browser.run("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        seconds[f"sort by {title}"] = time.monotonic() - started
    started = time.monotonic()
    _choose(browser, "filter-s", "s7")
    seconds["filter"] = time.monotonic() - started

    assert browser.run("document.getElementById('status').innerText").startswith("1\N{EN DASH}100 of 200 cells")
    assert browser.run(f"{ROWS}.length") == 100
    assert browser.complaints() == []
    print(seconds)  # noqa: T201 - shown by -s; a busy machine must not fail a test
