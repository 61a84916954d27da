"""Suites with other backbones, scorers or pairs."""

import pytest

from oodkit.bench.record import Expected
from oodkit.bench.selection import select
from oodkit.bench.suite import BackboneChoice, ExpectedFigure, ScorerChoice
from oodkit.errors import InvalidInput, UnknownName


def test_nothing_asked_for_is_the_suite(make_suite):
    """Unchanged."""
    assert select(make_suite()) == make_suite()


def test_pairs_are_kept_in_the_order_of_the_suite(make_suite):
    """Only those that were named."""
    assert [str(pair) for pair in select(make_suite(), pairs=["warm:plain"]).pairs] == ["warm:plain"]
    chosen = select(make_suite(), pairs=["warm:plain", "warm:cold"])
    assert [str(pair) for pair in chosen.pairs] == ["warm:cold", "warm:plain"]


def test_what_the_suite_has_keeps_its_settings(make_suite):
    """Parameters of scorers and sizes of backbones; others have defaults."""
    suite = make_suite(
        scorers=(ScorerChoice("knn", {"k": 5}), ScorerChoice("msp")), backbones=(BackboneChoice("a", 64),)
    )
    chosen = select(suite, scorers=["energy", "knn"], backbones=["b", "a"])
    assert [(choice.name, dict(choice.params)) for choice in chosen.scorers] == [("knn", {"k": 5}), ("energy", {})]
    assert chosen.backbones == (BackboneChoice("a", 64), BackboneChoice("b"))


def test_other_contents_have_no_expected_figures(make_suite):
    """Another limit, size or view makes other figures."""
    suite = make_suite(expected=(ExpectedFigure(Expected(0.5, 0.1), "warm", "cold", "a", "knn"),))
    assert select(suite, scorers=["knn"]).expected == suite.expected
    for change in ({"limit": 5}, {"image_size": 32}, {"view": "flip"}):
        assert select(suite, **change).expected == ()


def test_a_pair_that_the_suite_has_not_is_refused(make_suite):
    """With the nearest."""
    with pytest.raises(InvalidInput, match=r"no pair 'warm:colt' .*did you mean 'warm:cold'"):
        select(make_suite(), pairs=["warm:colt"])


@pytest.mark.parametrize("change", [{"scorers": ["knnn"]}, {"view": "upside"}])
def test_unknown_names_are_refused(make_suite, change):
    """Before anything is loaded."""
    with pytest.raises(UnknownName, match=r"no (scorer|view) named"):
        select(make_suite(), **change)
