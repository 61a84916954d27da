"""The page of pictures in a browser."""

import pytest
from PIL import Image

from oodkit.detector.gallery import Gallery
from oodkit.detector.judging import Verdict
from tests.report.chromium import Chromium, find_chromium

PROGRAM = find_chromium()


@pytest.mark.skipif(PROGRAM is None, reason="no Chromium here")
def test_it_opens_whole_fits_a_phone_and_can_be_narrowed_down(tmp_path):
    """No complaint, no request but for the page itself, nothing wider than the window; OOD only, in only."""
    image, page = tmp_path / "a.png", tmp_path / "page.html"
    Image.new("RGB", (300, 200), "teal").save(image)
    gallery = Gallery()
    for number in range(30):
        gallery.add(Verdict(str(image), score=float(number), p_value=0.5, ood=number < 12))
    gallery.add(Verdict("x" * 300 + ".png", error=f"cannot read {'x' * 300}.png"))
    with page.open("w", encoding="utf-8") as file:
        gallery.write(file.write, "Verdicts", ["A fact."], lambda ids: [])
    visible = "[...document.querySelectorAll('article')].filter(card => card.offsetParent).length"
    with Chromium(PROGRAM, tmp_path / "profile") as browser:
        for phone in (False, True):
            browser.view(390 if phone else 1280, 844, phone=phone, dark=phone)
            browser.open(page)
            assert browser.run("document.documentElement.scrollWidth <= innerWidth")
            assert browser.run("[...document.images].every(image => image.naturalWidth === 128)")
            counts = []
            for name in ("all", "only-out", "only-in"):
                browser.run(f"document.querySelector('#{name}').click()")
                counts.append(browser.run(visible))
            assert counts == [30, 12, 18]
            assert browser.complaints() == []
            assert browser.requests() == [page.as_uri()]
