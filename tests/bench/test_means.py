"""Figures over seeds."""

from dataclasses import replace

import pytest

from oodkit.bench.means import means
from oodkit.bench.ranking import columns_of, rank_table
from tests.bench.records import make_record


def test_one_seed_keeps_its_interval():
    """That of the images."""
    (mean,) = means([make_record()])
    assert (mean.auroc, mean.interval, mean.kind) == (0.75, (0.7, 0.8), "images")


def test_several_seeds_have_students_interval():
    """Of 0.7, 0.8 and 0.9: mean 0.8, standard error 0.1 / sqrt(3), times 4.3027."""
    (mean,) = means([make_record(seed=i, auroc=area, params={"seed": i}) for i, area in enumerate((0.7, 0.8, 0.9))])
    assert mean.auroc == pytest.approx(0.8)
    assert mean.interval == (pytest.approx(0.8 - 4.30265 * 0.1 / 3**0.5, abs=1e-5), 1.0)
    assert mean.kind == "seeds"


def test_failed_seeds_do_not_count():
    """With all failed there is no figure."""
    failed = make_record(seed=1, auroc=None, auroc_ci=None, fpr95_in=None, error="no")
    (mean,) = means([make_record(), failed])
    assert (mean.auroc, len(mean.records)) == (0.75, 2)
    (mean,) = means([failed])
    assert (mean.auroc, mean.interval, mean.sample) == (None, None, failed)


def test_other_parameters_are_another_row():
    """Only seeds are averaged."""
    assert len(means([make_record(), make_record(params={"k": 5})])) == 2


def test_ranks_are_of_scorers_that_have_all_pairs():
    """A table of methods and pairs, without those that lack one."""
    records = [
        make_record(scorer=scorer, out=out, auroc=area)
        for scorer, out, area in [
            ("knn", "a", 0.9),
            ("knn", "b", 0.8),
            ("msp", "a", 0.7),
            ("msp", "b", 0.6),
            ("x", "a", 1.0),
        ]
    ]
    assert rank_table(records) == (["knn", "msp"], [[0.9, 0.8], [0.7, 0.6]])


def test_transductive_figures_are_not_ranked():
    """They stand in tables under their own label alone."""
    records = [make_record(scorer=scorer, out=out, params={}) for scorer in ("knn", "semsad") for out in ("a", "b")]
    assert rank_table(records)[0] == ["knn", "semsad"]
    assert rank_table([*records[:2], *(replace(r, params={"transductive": True}) for r in records[2:])])[0] == ["knn"]


def test_configurations_are_methods_and_columns_of_their_own():
    """None is dropped, and none stands for another."""
    records = [
        make_record(params={"k": k}, image_size=size, auroc=k * size / 1024) for k in (1, 5) for size in (32, 64)
    ]
    assert rank_table(records) == (["knn", "knn(k=5)"], [[1 / 32, 1 / 16], [5 / 32, 5 / 16]])
    assert columns_of(records) == "pairs and backbones"
    assert columns_of(records[:1]) == "pairs"


def test_heads_that_were_asked_for_are_no_seeds():
    """Also where the scorer uses none of them."""
    asked = [make_record(provenance={"head_asked": head}) for head in ("probe", "nearest_mean")]
    assert [len(mean.records) for mean in means(asked)] == [1, 1]
