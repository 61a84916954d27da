"""The page in headless Chromium: images in, verdicts out, by pointer, keyboard and clipboard."""

import time
from pathlib import Path

import pytest

pytest.importorskip("oodkit.serving", exc_type=ImportError)

from tests.report.chromium import Chromium, find_chromium
from tests.serving.calling import running

PROGRAM = find_chromium()
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium is installed; OODKIT_CHROMIUM can name one")

HOSTILE = "<img src=x onerror=alert(1)>&amp;.png"
TEXT = "document.getElementById('{}').innerText"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Chromium(PROGRAM, tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture
def opened(browser, server):
    browser.view(1280, 900)
    browser.open(f"{server.url}/")
    _wait_until(browser, "document.getElementById('guarantee').innerText !== ''")
    yield browser
    assert [text for text in browser.complaints() if "responded with a status of 422" not in text] == []
    assert all(url.startswith((server.url, "blob:")) for url in browser.requests())


def _choose(browser, paths):
    """Give files to the input, as its dialogue does."""
    found = browser.send("Runtime.evaluate", expression="document.getElementById('files')")["result"]["objectId"]
    browser.send("DOM.setFileInputFiles", files=[str(path) for path in paths], objectId=found)


def _wait_until(browser, expression):
    until = time.monotonic() + 60
    while not browser.run(expression):
        assert time.monotonic() < until, browser.run("document.body.innerText")
        time.sleep(0.05)


def _done(browser, count):
    _wait_until(browser, f"document.getElementById('status').innerText.startsWith('{count} of {count} done')")


def test_it_says_what_it_serves(opened, photos):
    """Scorer and backbone, limits, and the guarantee."""
    assert opened.run(TEXT.format("about")).startswith("KNN() on module:")
    assert opened.run(TEXT.format("hint")) == "Up to 32 MB and 50 megapixels each."
    assert photos.detector.calibration.guarantee in opened.run(TEXT.format("guarantee"))


def test_images_that_are_chosen_get_verdicts(opened, server, photos):
    """Those of the server, with score, p-value and neighbours; the newest is on top."""
    _choose(opened, photos.paths)
    _done(opened, 16)
    rows = opened.run("[...document.querySelectorAll('#list > li')].map(row => row.innerText)")
    _, answer = server.send(*photos.files)
    assert len(rows) == 16
    for row, image in zip(rows[::-1], answer["images"], strict=True):
        lines = row.split("\n")
        assert lines[0] == Path(image["path"]).name
        assert ("flagged as OOD" in row) == image["ood"] != ("not flagged" in row)
        assert ("p-value" in lines, "score" in lines, "most like" in lines) == (True, True, True)
        assert image["neighbours"][0]["id"] in row
    flagged = sum(image["ood"] for image in answer["images"])
    assert f"16 of 16 done: {flagged} flagged" == opened.run(TEXT.format("status"))


def test_what_is_no_image_is_said_beside_the_others(opened, photos, tmp_path):
    """Its row has the server's line, as text whatever its name is."""
    hostile = tmp_path / HOSTILE.replace("/", "")
    hostile.write_bytes(b"no image")
    _choose(opened, [photos.paths[0], hostile])
    _done(opened, 2)
    assert opened.run("document.querySelector('#list > li .name').innerText") == hostile.name
    assert "cannot read image" in opened.run("document.querySelector('#list > li .fault').innerText")
    assert opened.run("document.querySelectorAll('#list .verdict').length") == 1
    assert "1 not judged" in opened.run(TEXT.format("status"))


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_images_can_be_dropped_and_pasted(opened, event):
    """Anywhere on the page."""
    kind, field = {"drop": ("DragEvent", "dataTransfer"), "paste": ("ClipboardEvent", "clipboardData")}[event]
    opened.run(
        "(async () => { const canvas = new OffscreenCanvas(20, 20); canvas.getContext('2d').fillRect(0, 0, 9, 20);"
        "const held = new DataTransfer();"
        "held.items.add(new File([await canvas.convertToBlob()], 'made.png', {type: 'image/png'}));"
        f"document.body.dispatchEvent(new {kind}('{event}', {{{field}: held, bubbles: true, cancelable: true}})); }})()"
    )
    _done(opened, 1)
    assert opened.run("document.querySelectorAll('#list .verdict').length") == 1


def test_clearing_leaves_nothing(opened, photos):
    """Neither rows nor counts, and the next image is the first."""
    _choose(opened, photos.paths[:3])
    _done(opened, 3)
    opened.run("document.getElementById('clear').click()")
    assert opened.run("document.getElementById('results').hidden")
    assert opened.run("document.activeElement.id") == "files"
    _choose(opened, photos.paths[:1])
    _done(opened, 1)


def test_it_can_be_used_by_keyboard_and_read_aloud(opened):
    """The input takes the focus, has a name and a description; news are announced."""
    tree = opened.send("Accessibility.getFullAXTree")["nodes"]
    named = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in tree if not node["ignored"]]
    assert any("Choose images" in name for _, name in named)
    assert opened.run("document.getElementById('status').getAttribute('role')") == "status"
    opened.run("document.getElementById('files').focus()")
    assert opened.run("getComputedStyle(document.getElementById('drop')).outlineStyle") in ("solid", "none")
    assert opened.run("document.documentElement.lang") == "en"


@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_a_phone(opened, photos, dark):
    """Nothing is cut off at 360 pixels, in either scheme."""
    opened.view(360, 740, phone=True, dark=dark)
    _choose(opened, photos.paths[:2])
    _done(opened, 2)
    assert opened.run("document.documentElement.scrollWidth <= innerWidth")
    shade = opened.run("getComputedStyle(document.body).backgroundColor")
    assert (shade == "rgb(255, 255, 255)") is not dark


def test_a_server_that_is_gone_is_said(browser, photos):
    """In the image's row."""
    with running(photos.detector) as caller:
        browser.open(f"{caller.url}/")
        _wait_until(browser, "document.getElementById('guarantee').innerText !== ''")
    _choose(browser, photos.paths[:1])
    _done(browser, 1)
    assert browser.run("document.querySelector('.fault').innerText") == "the server does not answer"
