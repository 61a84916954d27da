"""New images of another size, format or colour than all that a detector was fitted on: said once."""

import warnings

import pytest

import oodkit
from oodkit.data.kind import Kind
from oodkit.detector.kinds import Differences, Kinds

PHOTOS = Kinds.of([Kind(32, "PNG", False), Kind(64, "PNG", False)])


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Kind(32, "PNG", False), None),
        (Kind(127, "PNG", False), None),
        (Kind(17, "PNG", False), None),
        (Kind(48, None, None), None),
        (Kind(4000, "PNG", False), "1 of 1 larger (shorter side 4,000 px)"),
        (Kind(16, "PNG", False), "1 of 1 smaller"),
        (Kind(48, "JPEG", False), "1 of 1 JPEG files"),
        (Kind(48, "PNG", True), "1 of 1 grey"),
    ],
)
def test_what_counts_as_another_kind(kind, words):
    """Half or twice the side of all, a format that none had, grey where all have colour."""
    found = Differences(PHOTOS)
    found.add(kind)
    note = found.note()
    assert (note is None) if words is None else (words in note and "shorter side 32-64 px, PNG, colour" in note)


def test_counts_are_over_all_images():
    """And colour is said of images beside a grey fit; pixels without files have neither format nor colour."""
    found = Differences(Kinds.of([Kind(32, "PNG", True)]))
    for kind in (Kind(32, "PNG", True), Kind(90, "PNG", False), Kind(100, "PNG", False)):
        found.add(kind)
    assert "2 of 3 larger, 2 of 3 in colour (shorter side 32-100 px)" in found.note()
    pixels = Differences(Kinds.of([Kind(8, None, None)]))
    pixels.add(Kind(8, "JPEG", True))
    assert pixels.note() is None


def test_python_warns_once_a_call(many_photos, tiny_name, photograph, tmp_path):
    """Of large JPEGs beside small PNGs; the folder that is saved remembers; images like those of the fit pass."""
    detector = oodkit.Detector(tiny_name).fit(many_photos).calibrate(fpr=0.1)
    detector.save(tmp_path / "d")
    large = [tmp_path / f"{number}.jpg" for number in range(3)]
    for number, path in enumerate(large):
        photograph(number, 300, 200).save(path)
    for one in (detector, oodkit.Detector.load(tmp_path / "d", backbone=tiny_name)):
        with pytest.warns(UserWarning, match="3 of 3 larger, 3 of 3 JPEG files") as caught:
            one.predict(large)
        assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        detector.score(many_photos)
