"""Images that are left out of a count."""

import numpy as np
import pytest

from oodkit import evaluate
from oodkit.backbones import load_backbone
from oodkit.data import load_dataset
from oodkit.errors import InvalidInput


@pytest.fixture
def sets(photo_folder, tmp_path, photograph):
    folder = tmp_path / "out"
    folder.mkdir()
    for number in range(8):
        photograph(900 + number).save(folder / f"{number}.png")
    return str(photo_folder), str(folder)


@pytest.mark.parametrize("perturb", [None, 0.0])
def test_what_is_listed_is_neither_tested_nor_scored(sets, tiny_name, perturb):
    """Scores of the other images stay as they were; the fit keeps every image; it is counted and said."""
    in_, out = sets
    arguments = {"backbone": load_backbone(tiny_name, device="cpu"), "scorers": "knn", "perturb": perturb}
    test, fit, other = load_dataset(in_), load_dataset(f"{in_}:train"), load_dataset(out)
    listed = [test.digest(2), test.digest(7), other.digest(0), fit.digest(4)]

    whole, part = evaluate(in_, out, **arguments), evaluate(in_, out, **arguments, leave_out=listed)

    result = part.results[0]
    assert (result.n_fit, result.n_in, result.n_out) == (20, 18, 7)
    np.testing.assert_allclose(part.scores["knn"][in_], np.delete(whole.scores["knn"][in_], [2, 7]), atol=1e-6)
    np.testing.assert_allclose(part.scores["knn"][out], whole.scores["knn"][out][1:], atol=1e-6)
    assert part.settings["left_out"] == 3
    assert f"2 of 20 images of {in_} are left out, as listed" in part.notes
    assert whole.settings["left_out"] == 0


def test_a_set_that_is_listed_whole_is_refused(sets, tiny_name):
    """Nothing would be left to measure."""
    in_, out = sets
    other = load_dataset(out)
    with pytest.raises(InvalidInput, match="all images of"):
        evaluate(in_, out, backbone=tiny_name, scorers="knn", leave_out=[other.digest(i) for i in range(8)])
