"""Plots of an evaluation."""

import numpy as np
import pytest
from PIL import Image

from oodkit.errors import InvalidInput
from oodkit.evaluation import Evaluation, Result, plot_evaluation


@pytest.fixture
def evaluation() -> Evaluation:
    rng = np.random.default_rng(0)
    common = {"params": {}, "aupr_in": 0.9, "aupr_out": 0.9, "fpr95_in": 0.2, "fpr95_out": 0.2, "detection_error": 0.1}
    counts = {"n_fit": 10, "n_in": 100, "n_out": 80, "seconds": {}}
    results = tuple(
        Result(out=out, scorer=scorer, auroc=0.9, auroc_ci=(0.8, 0.95), **common, **counts)
        for out in ("noise", "digits")
        for scorer in ("knn", "constant")
    )
    scores = {
        "knn": {"photos": rng.normal(1, 1, 100), "noise": rng.normal(-1, 1, 80), "digits": rng.normal(0, 1, 80)},
        "constant": {"photos": np.zeros(100), "noise": np.zeros(80), "digits": np.zeros(80)},
    }
    return Evaluation("photos", "net", results, {"image_size": 16}, {}, scores=scores)


def test_a_png_with_a_row_per_out_set(evaluation, tmp_path):
    """Two out-sets, two scorers and the ROC: an image with colours on white; constant scores do no harm."""
    plot_evaluation(evaluation, tmp_path / "plot.png")
    pixels = np.asarray(Image.open(tmp_path / "plot.png").convert("RGB"))
    assert pixels.shape[1] > pixels.shape[0]
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 50


@pytest.mark.parametrize(("name", "message"), [("plot.txt", "end the file name in .png"), ("no/plot.png", "no folder")])
def test_where_nothing_can_be_drawn(evaluation, tmp_path, name, message):
    """Checked before any work is done."""
    with pytest.raises(InvalidInput, match=message):
        plot_evaluation(evaluation, tmp_path / name)
