"""Mean ranks, their critical difference, and its diagram."""

from xml.etree import ElementTree

import pytest
from PIL import Image

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.report import Ranking, critical_difference_svg, make_report, plot_critical_difference, rank_methods
from oodkit.report.ranking import rank_backbones
from tests.report.make import HOSTILE, record


def test_ranks_are_sorted_and_the_difference_is_nemenyis():
    """On two pairs a is first twice; q(0.05, 3) = 2.343, so CD = 2.343 sqrt(3 * 4 / (6 * 2)) = 2.343."""
    ranking = rank_methods(["b", "c", "a"], [[0.8, 0.6], [0.7, 0.7], [0.9, 0.9]])

    assert ranking.names == ("a", "b", "c")
    assert ranking.ranks == (1.0, 2.5, 2.5)
    assert ranking.critical_difference == pytest.approx(2.343, abs=1e-3)


def test_groups_are_the_largest_runs_that_ranks_do_not_tell_apart():
    """Ranks 1, 2, 3, 5 with a difference of 1.5: {1, 2}, {2, 3}; 5 stands alone, and no run lies in another."""
    assert Ranking(("a", "b", "c", "d"), (1, 2, 3, 5), 1.5, 4).groups == [(0, 1), (1, 2)]
    assert Ranking(("a", "b"), (1, 2), 1.0, 4).groups == []  # a difference as large as the critical one counts
    assert Ranking(("a", "b", "c"), (1, 2, 3), 9.0, 2).groups == [(0, 2)]


@pytest.mark.parametrize("table", [[[0.9, 0.8]], [[0.9], [0.8]]])
def test_too_few_to_rank(table):
    """One method or one pair has no ranks to compare."""
    with pytest.raises(TooFewSamples, match="at least 2 methods and 2 pairs"):
        rank_methods(["a", "b"][: len(table)], table)


def test_the_diagram_is_xml_that_names_each_method_whatever_its_name():
    """Every name is a text of the drawing, and the drawing says in words what it shows."""
    ranking = rank_methods([HOSTILE, "b", "c"], [[3, 3], [2, 2], [1, 1]])

    root = ElementTree.fromstring(critical_difference_svg(ranking))

    texts = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert any(HOSTILE.split("\n")[0] in text for text in texts)
    assert "Mean ranks over 2 pairs" in root.attrib["aria-label"]


@pytest.mark.parametrize("count", [2, 3, 40])
def test_the_diagram_has_a_line_for_each_method(tmp_path, count):
    """Any number of methods is drawn, as SVG and as PNG."""
    ranking = rank_methods([f"method {i}" for i in range(count)], [[i, i] for i in range(count)])

    plot_critical_difference(ranking, tmp_path / "ranks.png")
    plot_critical_difference(ranking, tmp_path / "ranks.svg")

    assert Image.open(tmp_path / "ranks.png").width > 700
    assert (tmp_path / "ranks.svg").read_text().count("method ") == 2 * count


def test_an_unknown_ending_is_refused(tmp_path):
    """The message names those that can be drawn."""
    with pytest.raises(InvalidInput, match=r"\.svg, \.png or \.pdf"):
        plot_critical_difference(rank_methods(["a", "b"], [[1, 1], [0, 0]]), tmp_path / "ranks.gif")


def test_backbones_rank_the_methods_that_have_every_pair():
    """A method that failed on a pair is named instead; a pair on which all failed does not count."""
    given = [
        record(scorer=scorer, params={}, out=out, auroc=value, error="no" if out == "none" else None)
        for out in ("p", "q", "none")
        for scorer, value in (("a", 0.9), ("b", 0.8), ("c", 0.7))
        if (scorer, out) != ("c", "q")
    ]

    (found,) = rank_backbones(make_report(given))

    assert found.ranking.names == ("a", "b")
    assert found.ranking.pairs == 2
    assert found.left_out == ("c",)
