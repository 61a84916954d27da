"""The most confidently wrong images, and their nearest neighbours in the store."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from oodkit.bench.record import CellScores
from oodkit.bench.sources import Sources
from oodkit.bench.suite import Suite
from oodkit.data import load_dataset, load_fit_and_test
from oodkit.embedding.shard import Space
from oodkit.embedding.store import Store
from oodkit.report import find_pictures, make_report
from oodkit.report.pictures import LONGEST_SIDE, thumbnail
from oodkit.report.wrong import most_wrong
from tests.report.make import cell_scores, record

IN, OUT = "digits@0-4", "digits@5-9"
SPACE = Space("fingerprint", "fp32", "identity")


def test_out_images_that_score_high_and_in_images_that_score_low():
    """By hand: out/2 (5) beats 3 of 4 in-images; out/0 beats 1.5 of 4; in/0 (0) is below all three out-images."""
    found = most_wrong(cell_scores([0, 3, 4, 6], [3, 1, 5]), 2)

    assert [(one.side, one.id, one.share) for one in found] == [
        ("out", "out/2.png", 0.75),
        ("out", "out/0.png", 1.5 / 4),
        ("in", "in/0.png", 1.0),
        ("in", "in/1.png", 1.5 / 3),
    ]


def test_images_that_any_threshold_gets_right_are_not_wrong():
    """Separated sets have no wrong images."""
    assert most_wrong(cell_scores([4, 5], [1, 2]), 4) == []


@pytest.fixture
def sources():
    return Sources(Suite("", "", "", (), (), ()), None, download=False)


@pytest.fixture
def cell():
    test, out = load_fit_and_test(IN, seed=0).test, load_dataset(OUT)
    scores = CellScores(np.array(test.ids), np.arange(len(test), dtype=float), np.array(out.ids), np.zeros(len(out)))
    scores.out_scores[7] = 1e6
    provenance = {"backbone_fingerprint": SPACE.fingerprint}
    one = record(in_=IN, out=OUT, provenance=provenance)
    return make_report([one]).entries[0].cell, {one.key: scores}


def test_a_neighbour_is_the_fit_image_of_the_largest_cosine(tmp_path, cell, sources):
    """Features that point in a direction of their own find the one fit image that points the same way."""
    best, scores = cell
    fit, out = load_fit_and_test(IN, seed=0).fit, load_dataset(OUT)
    angles = np.linspace(0, 1, len(fit))
    features = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    with Store(tmp_path) as store:
        store.add(SPACE, "tiny", [bytes.fromhex(fit.digest(i)) for i in range(len(fit))], features)
        store.add(SPACE, "tiny", [bytes.fromhex(out.digest(7))], 9 * features[5:6])

    (pictures,), notes = find_pictures([best], scores.__getitem__, sources, str(tmp_path))

    assert notes == []
    first = pictures.wrong[0]
    assert (first.side, first.picture.id, first.picture.label) == ("out", out.ids[7], out.class_names[out.labels[7]])
    assert first.neighbour.id == fit.ids[5]
    assert first.cosine == pytest.approx(1)
    assert all(one.neighbour is None for one in pictures.wrong[1:] if one.picture.id != out.ids[7])


def test_without_a_store_images_stand_alone(tmp_path, cell, sources):
    """A note says why there are no neighbours; no store is made."""
    best, scores = cell

    (pictures,), notes = find_pictures([best], scores.__getitem__, sources, str(tmp_path / "nowhere"))

    assert len(notes) == 1
    assert "no nearest in-distribution images" in notes[0]
    assert len(pictures.wrong) > 0
    assert not (tmp_path / "nowhere").exists()


def test_sets_that_are_not_there_are_a_note(tmp_path, sources):
    """The report goes on without images of that pair."""
    one = record(in_="nothing_of_this_name")
    best = make_report([one]).entries[0].cell

    found, notes = find_pictures([best], {one.key: cell_scores([1], [2])}.__getitem__, sources, str(tmp_path))

    assert found == []
    assert any(note.startswith("no images of nothing_of_this_name : dogs") for note in notes)


def test_thumbnails_are_small_and_carry_no_metadata(photograph):
    """The longer side is at most LONGEST_SIDE pixels, a small image stays as large as it is, and EXIF is gone."""
    large = photograph(1, 300, 200)
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    stream = BytesIO()
    large.save(stream, "JPEG", exif=exif)

    small = Image.open(BytesIO(thumbnail(Image.open(stream))))

    assert max(small.size) == LONGEST_SIDE
    assert not small.getexif()
    assert len(thumbnail(large)) < 8_000
    assert Image.open(BytesIO(thumbnail(photograph(1, 24, 20)))).size == (24, 20)
