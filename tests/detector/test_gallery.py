"""The page of pictures: what is on it, in which order, and what is left out."""

import re

import pytest
from PIL import Image

from oodkit.detector.gallery import Gallery
from oodkit.detector.judging import Verdict
from oodkit.detector.neighbours import Neighbour


def page_of(gallery, contents=()):
    """Its text."""
    parts = []
    gallery.write(parts.append, "Verdicts", ["A fact."], lambda ids: [one for one in contents if one[0] in ids])
    return "".join(parts)


def scores_on(page):
    """In their order."""
    return [float(score) for score in re.findall(r"score ([-\d.e+]+)</p>", page)]


@pytest.mark.parametrize("count", [0, 5, 10, 11, 500])
def test_of_many_the_lowest_and_a_sample_are_kept(count):
    """The bound holds; half are the lowest of all; the page says what is left out."""
    gallery = Gallery(shown=10)
    for number in range(count):
        gallery.add(Verdict("gone.png", score=float(number * 7919 % 500), p_value=0.5, ood=False))
    everything = sorted(number * 7919 % 500 for number in range(count))
    shown = [verdict.score for verdict in (*gallery.lowest, *gallery.drawn)]
    assert len(shown) == min(count, 10)
    assert shown == sorted(shown)
    assert [verdict.score for verdict in gallery.lowest] == everything[:5]
    page = page_of(gallery)
    assert scores_on(page) == shown
    if count <= 10:
        assert f"All {count} readable images are shown" in page
    else:
        assert f"5 drawn at random from the other {count - 5}. {count - 10} are left out." in page


def test_each_of_the_others_is_drawn_equally_often():
    """Early or late in the stream, low or high."""
    counts = [0] * 20
    for seed in range(400):
        gallery = Gallery(shown=8, seed=seed)
        for number in range(20):
            gallery.add(Verdict("x", score=float((number * 7 + 3) % 20), p_value=0.5, ood=False))
        for verdict in gallery.drawn:
            counts[int(verdict.score)] += 1
    assert counts[:4] == [0] * 4
    assert min(counts[4:]) > 60  # 100 expected, standard deviation below 9
    assert max(counts[4:]) < 140


def test_pictures_are_inside_and_names_are_escaped(tmp_path):
    """Of the image, and of neighbours whose content can be had; of others the name. No script, no link."""
    path = tmp_path / "<script>alert('x')&.png"
    Image.new("RGB", (300, 200), "red").save(path)
    gallery = Gallery()
    near = (Neighbour("a<b>.png", 0.9), Neighbour("gone.png", 0.8))
    gallery.add(Verdict(str(path), score=1.0, p_value=0.01, ood=True, neighbours=near))
    gallery.add(Verdict("bad.png", error="cannot read <i>bad.png</i>"))
    page = page_of(gallery, [("a<b>.png", path.read_bytes())])
    assert page.count("data:image/jpeg;base64,") == 2
    assert "<script" not in page
    assert "a&lt;b&gt;.png" in page
    assert "gone.png</i>" in page
    assert "1 image cannot be read" in page
    assert "cannot read &lt;i&gt;bad.png&lt;/i&gt;" in page
    assert not re.search(r"(src|href)=\"(?!data:)", page)


def test_a_file_that_is_gone_or_broken_since_has_no_picture(tmp_path):
    """But its row."""
    (tmp_path / "broken.png").write_bytes(b"no image")
    gallery = Gallery()
    for name in ("broken.png", "gone.png"):
        gallery.add(Verdict(str(tmp_path / name), score=1.0, p_value=0.01, ood=True))
    assert page_of(gallery).count("no picture") == 2


def test_errors_are_bounded_too():
    """The first ones are named, the others counted."""
    gallery = Gallery()
    for number in range(250):
        gallery.add(Verdict(f"{number}.png", error=f"cannot read {number}.png"))
    page = page_of(gallery)
    assert page.count("cannot read") == 200
    assert "250 images cannot be read" in page
    assert "The first 200; 50 are left out." in page
