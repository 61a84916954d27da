"""Clusters of a data set's train images, on painted images of two colours."""

import json

import numpy as np
import pytest
from PIL import Image

from oodkit.clustering.temi import Trainer
from oodkit.errors import InvalidInput
from oodkit.evaluation.clustering import cluster
from oodkit.evaluation.clustering_plot import plot_clusters

FAST = {"heads": 1, "epochs": 5, "warm_up": 1, "neighbours": 5, "learning_rate": 0.005}


@pytest.fixture
def found(painted, network, tmp_path):
    """`found(name, ...)`: clusters of a painted set."""

    def run(name="in", **options):
        return cluster(str(painted / name), backbone=network("plain"), cache=str(tmp_path), **options)

    return run


def test_colours_are_clusters(found):
    """Two colours are two clusters by k-means: every figure is 1, for each seed and in the mean."""
    report = found(runs=2, seed=3)

    assert [run.seed for run in report.runs] == [3, 4]
    for run in report.runs:
        assert run.figures == pytest.approx((1, 1, 1, 1))
        assert (run.used, run.utilisation, sorted(run.test_sizes)) == (2, 1.0, [12, 12])
        assert sum(run.fit_sizes) == report.n_fit == 24
    assert report.mean() == pytest.approx((1, 1, 1, 1))
    assert report.clusters == 2


def test_spherical_kmeans_assigns_by_direction(found):
    """Clusters by cosine are those of the colours too, and settings that are none are one line."""
    assert found(params={"spherical": True}).mean() == pytest.approx((1, 1, 1, 1))
    with pytest.raises(InvalidInput, match="restarts must be an integer of at least 1, got abc"):
        found(params={"restarts": "abc"})
    with pytest.raises(InvalidInput, match="spherical must be True or False, got 'yes'"):
        found(params={"spherical": "yes"})


def test_temi_runs_with_its_settings(found):
    """TEMI takes its settings, and says its loss."""
    report = found(method="temi", params=FAST)

    assert report.params["heads"] == 1
    assert report.params["beta"] == 0.6
    assert np.isfinite(report.runs[0].loss)
    assert report.runs[0].figures.accuracy >= 0.5


def test_runs_that_are_done_are_kept_when_a_later_one_is_killed(found, tmp_path, every_step, monkeypatch):
    """The same figures as without the kill, and only the steps that were missing; nothing is left in the cache."""
    whole, steps = found(method="temi", runs=2, params=FAST), []
    step = Trainer.step

    def failing(self, *arguments, **options):
        steps.append(1)
        if len(steps) == 8:  # the third of the second run
            raise KeyboardInterrupt
        return step(self, *arguments, **options)

    monkeypatch.setattr(Trainer, "step", failing)
    with pytest.raises(KeyboardInterrupt):
        found(method="temi", runs=2, params=FAST)
    assert len(list((tmp_path / "training").iterdir())) == 2
    again = found(method="temi", runs=2, params=FAST)

    assert len(steps) == 11
    assert [run.loss for run in again.runs] == [run.loss for run in whole.runs]
    assert [run.fit_sizes for run in again.runs] == [run.fit_sizes for run in whole.runs]
    assert not (tmp_path / "training").exists()


def test_without_labels_there_are_sizes_alone(found):
    """A flat folder has no figures; the number of clusters must be given, and the halving is said."""
    with pytest.raises(InvalidInput, match="has no labels to count classes by; give the number of clusters"):
        found("flat")
    report = found("flat", clusters=3)

    assert report.runs[0].figures is None
    assert report.mean() is None
    assert sum(report.runs[0].test_sizes) == report.n_test
    assert any("no labels" in note for note in report.notes)


def test_upper_cluster_bound(found):
    """k-means uses every cluster, so the bound is the largest number tried; the curve has all of them."""
    report = found(grid=[4, 2, 8])

    assert report.curve == {2: 1.0, 4: 1.0, 8: 1.0}
    assert report.bound == 8


def test_the_report_as_json(found):
    """It is one document with figures by run, the mean and the curve, and neither arrays nor images."""
    report = json.loads(json.dumps(found(grid=[2]).to_dict()))

    assert report["runs"][0]["accuracy"] == report["mean"]["accuracy"] == 1
    assert report["curve"] == [{"clusters": 2, "utilisation": 1.0}]
    assert "test_clusters" not in report["runs"][0]
    assert report["settings"]["seed"] == 0


def test_what_cannot_be_clustered(found):
    """Too few and too many clusters, unknown methods and settings are one line each, before anything is embedded."""
    for clusters in (1, 0, -1, 25):
        with pytest.raises(InvalidInput, match=r"clusters must be from 2 to 24, the number of fit images of .*, got"):
            found(clusters=clusters)
    with pytest.raises(InvalidInput, match="clusters must be from 2 to 24"):
        found(grid=[2, 25])
    with pytest.raises(InvalidInput, match="method must be one of kmeans, temi, got 'scan'"):
        found(method="scan")
    with pytest.raises(InvalidInput, match="temi has no parameter 'head'; did you mean 'heads'"):
        found(method="temi", params={"head": 3})
    with pytest.raises(InvalidInput, match="kmeans has no parameter 'heads'"):
        found(params={"heads": 3})
    with pytest.raises(InvalidInput, match="heads must be an integer of at least 1, got 'x'"):
        found(method="temi", params={"heads": "x"})
    with pytest.raises(InvalidInput, match="runs must be an integer of at least 1"):
        found(runs=0)


def test_the_picture_has_a_row_per_cluster(found, tmp_path):
    """A picture is written, with and without labels, and shows the images of the clusters."""
    for name, clusters in (("in", 2), ("flat", 3)):
        path = tmp_path / f"{name}.png"
        plot_clusters(found(name, clusters=clusters), path)
        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3).astype(int)
        red = (pixels[:, 0] > 150) & (pixels[:, 1] < 90) & (pixels[:, 2] < 90)
        assert red.mean() > 0.02
