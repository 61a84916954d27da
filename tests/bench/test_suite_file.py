"""Suites from files: the shipped one holds what it says, and wrong ones are refused with file and line."""

import json
from pathlib import Path

import pytest

from oodkit.bench.record import Expected
from oodkit.bench.suite import BackboneChoice, Pair, ScorerChoice
from oodkit.bench.suite_file import SuiteFile, default_file
from oodkit.data.catalog import catalog
from oodkit.errors import InvalidInput, UnknownName

TOP = Path(__file__).parents[2]
SMALL = """
sets:
  mine: {get: "from a shelf"}
suites:
  own:
    title: A suite of one's own
    pairs:
      - {in: digits@0-4, out: [digits@5-9, mine]}
    backbones: [efficientnet_lite0]
    scorers: [knn]
"""


@pytest.fixture
def read(tmp_path):
    """`read(old, new)`: the small file's suite, with one thing changed."""

    def changed(old="", new=""):
        assert old in SMALL
        file = tmp_path / "own.yaml"
        file.write_text(SMALL.replace(old, new) if old else SMALL, encoding="utf-8")
        return SuiteFile(file, data_root=tmp_path).suite("own")

    return changed


@pytest.fixture(scope="module")
def shipped():
    """The file that comes with oodkit."""
    return SuiteFile()


def test_the_shipped_file_stands_at_the_top_of_the_repository():
    """And is part of the wheel, beside the module that reads it."""
    assert default_file() == TOP / "benchmarks.yaml"
    assert '"benchmarks.yaml" = "oodkit/bench/benchmarks.yaml"' in (TOP / "pyproject.toml").read_text(encoding="utf-8")


def test_every_shipped_suite_can_be_read(shipped):
    """All names, scorers, sets and figures in it are known."""
    assert {"demo", "ci", "paper18", "imagenet", "openood-cifar10", "openood-cifar100", "openood-imagenet"} <= set(
        shipped.names
    )
    for name in shipped.names:
        assert shipped.suite(name).title


@pytest.mark.parametrize("name", ["paper18", "paper18_csi", "paper18_texture"])
def test_the_paper_has_eighteen_pairs_and_says_that_the_list_is_reconstructed(shipped, name):
    """So do its alternatives; CIFAR-100 against CIFAR-10 is one of them."""
    suite = shipped.suite(name)
    assert len(suite.pairs) == len({str(pair) for pair in suite.pairs}) == 18
    assert "Reconstructed list" in suite.about
    assert "cifar100:cifar10" in [str(pair) for pair in suite.pairs]


def test_the_figure_of_the_paper_belongs_to_its_pair_and_scorer(shipped):
    """87.6 is a 1-NN figure; 97.4, whose scorer is not stated, belongs to no row."""
    suite = shipped.suite("paper18")
    pair = suite.pairs[0]
    assert [figure.value for figure in suite.reported_for(pair, "knn")] == [0.876, 0.8355]
    assert all(figure.value != 0.974 for name in ("knn", "msp", "energy") for figure in suite.reported_for(pair, name))
    assert suite.reported_for(Pair("cifar10", "cifar100"), "knn") == ()
    assert any(figure.reported.value == 0.974 for figure in suite.reported)


def test_the_demo_needs_nothing_but_the_install(shipped):
    """Only digits and the bundled backbone."""
    suite = shipped.suite("demo")
    assert all(pair.in_.startswith("digits@") and pair.out.startswith("digits@") for pair in suite.pairs)
    assert [choice.name for choice in suite.backbones] == ["efficientnet_lite0"]


def test_ci_has_at_least_twelve_scorers_and_the_expected_figures_of_the_docs(shipped):
    """Where the documentation has a figure for a cell, the suite expects that."""
    suite = shipped.suite("ci")
    assert len(suite.scorers) >= 12
    titles = {
        "efficientnet_lite0": "Bundled EfficientNet-Lite0 at 128 px, a linear probe as the head",
        "module:examples/cifar_densenet.py:cifar100": "CIFAR-100 DenseNet, its own classifier",
    }
    docs = {
        (row["in"], row["backbone"], row["out"], row["scorer"]): row["auroc"]
        for row in json.loads((TOP / "docs" / "results.json").read_text(encoding="utf-8"))
    }
    found = [
        (figure.expected.value, docs[name])
        for figure in suite.expected
        if (name := (figure.in_, titles[figure.backbone], figure.out, figure.scorer)) in docs
    ]
    assert len(found) == 200
    assert [value for value, _ in found] == pytest.approx([value for _, value in found], abs=6e-5)


def test_out_sets_of_openood_are_read_from_its_lists(shipped):
    """Near, far and shifted groups, each set a list below the data root."""
    for name in ("openood-cifar10", "openood-cifar100", "openood-imagenet"):
        suite = shipped.suite(name)
        assert {"near", "far"} <= {pair.group for pair in suite.pairs}
        assert all(suite.sets[side].lists for pair in suite.pairs for side in (pair.in_, pair.out))
        assert not set(suite.sets) & set(catalog)


def test_a_small_file_is_read(read):
    """Pairs in order; what is left out has its default."""
    suite = read()
    assert [str(pair) for pair in suite.pairs] == ["digits@0-4:digits@5-9", "digits@0-4:mine"]
    assert (suite.seeds, suite.view, suite.limit, suite.about) == ((0,), "identity", None, "")
    assert suite.sets["mine"].get == "from a shelf"
    assert suite.scorers[0].where.endswith("own.yaml, line 10")


def test_parameters_and_settings_are_read(read):
    """Of scorers and of backbones."""
    suite = read("[knn]", "[{name: knn, params: {k: 5}}, all]")
    assert suite.scorers[0].params == {"k": 5}
    assert suite.scorers[1].name == "all"
    (choice,) = read(
        "[efficientnet_lite0]",
        "[{name: efficientnet_lite0, image_size: 64, precision: bf16, head: probe, in: [digits@0-4]}]",
    ).backbones
    assert (choice.image_size, choice.precision, choice.head, choice.in_sets) == (64, "bf16", "probe", ("digits@0-4",))


def test_expected_figures_are_one_per_out_set_and_scorer(read):
    """A scorer may have a tolerance of its own."""
    suite = read(
        "    scorers: [knn]\n",
        "    scorers: [knn, msp]\n    expected:\n      - in: digits@0-4\n        backbone: efficientnet_lite0\n"
        "        outs: [digits@5-9, mine]\n        tolerance: 0.01\n        tolerances: {msp: 0.1}\n"
        "        auroc:\n          knn: [0.8, 0.7]\n          msp: [0.6, 0.5]\n",
    )
    (backbone,), (knn, msp) = suite.backbones, suite.scorers
    assert suite.expected_for(suite.pairs[1], backbone, knn) == Expected(0.7, 0.01)
    assert suite.expected_for(suite.pairs[0], backbone, msp) == Expected(0.6, 0.1)
    assert suite.expected_for(suite.pairs[0], BackboneChoice("other"), msp) is None


def figure(backbone="backbone: efficientnet_lite0", auroc="{knn: 0.5}"):
    """A section with one expected figure, which stands on line 11 of the file."""
    return f"    expected: [{{in: digits@0-4, {backbone}, outs: [digits@5-9], tolerance: 0.1, auroc: {auroc}}}]\n"


def test_a_figure_belongs_to_one_configuration(read):
    """Which of two image sizes and of two parameters it is of, it says itself."""
    suite = read(
        "    backbones: [efficientnet_lite0]\n    scorers: [knn]\n",
        "    backbones: [{name: efficientnet_lite0, image_size: 32}, efficientnet_lite0]\n"
        "    scorers: [{name: knn, params: {k: 5}}, knn]\n"
        + figure("backbone: efficientnet_lite0, image_size: null, params: {k: 5}"),
    )
    pair, (small, own), (five, one) = suite.pairs[0], suite.backbones, suite.scorers
    assert suite.expected_for(pair, own, five) == Expected(0.5, 0.1)
    for backbone, scorer in [(small, five), (small, one), (own, one)]:
        assert suite.expected_for(pair, backbone, scorer) is None


@pytest.mark.parametrize(
    ("lists", "where", "message"),
    [
        (
            "[{name: efficientnet_lite0, image_size: 64}, efficientnet_lite0]\n    scorers: [knn]\n",
            {},
            "line 11: backbone 'efficientnet_lite0' stands in this suite 2 times; say which: image_size: 64; "
            "image_size: null",
        ),
        (
            "[efficientnet_lite0]\n    scorers: [knn, {name: knn, params: {k: 5}}]\n",
            {},
            "line 11: scorer 'knn' stands in this suite 2 times; say which, beside `outs`: "
            "params: {} or params: {k: 5}",
        ),
        (
            "[efficientnet_lite0]\n    scorers: [knn]\n",
            {"backbone": "backbone: efficientnet_lite0, image_size: 64"},
            "line 11: backbone 'efficientnet_lite0' does not stand in this suite with image_size: 64",
        ),
        (
            "[efficientnet_lite0]\n    scorers: [knn]\n",
            {"backbone": "backbone: efficientnet_lite0, params: {k: 5}"},
            "line 11: scorer 'knn' does not stand in this suite with these params",
        ),
    ],
)
def test_a_figure_that_could_be_of_several_configurations_is_refused(read, lists, where, message):
    """With file and line, and what tells them apart; so is one of a configuration that is not there."""
    with pytest.raises(InvalidInput) as caught:
        read("[efficientnet_lite0]\n    scorers: [knn]\n", lists + figure(**where))
    assert message in str(caught.value)


def test_figures_of_scorers_that_all_brings_are_of_their_defaults(read):
    """Every registered scorer may be expected then."""
    suite = read("    scorers: [knn]\n", "    scorers: [all]\n" + figure(auroc="{gen: 0.5}"))
    assert suite.expected_for(suite.pairs[0], suite.backbones[0], ScorerChoice("gen")) == Expected(0.5, 0.1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    pairs:", "    pares:", "line 7: no key 'pares' in 'own' of 'suites' of the file; did you mean 'pairs'"),
        ("mine]}", "mien]}", "line 8: no data set named 'mien'; did you mean 'mine'"),
        ("digits@5-9", "'@1'", "line 8: not a name of a data set"),
        ("[knn]", "[knnn]", "line 10: no scorer named 'knnn'; did you mean 'knn'"),
        ("[knn]", "[{name: knn, params: {kk: 5}}]", "line 10: .*kk"),
        ("[knn]", "[knn, msp, knn]", "line 10: 'knn' stands twice, with the same settings"),
        (
            "[knn]",
            "[knn]\n" + figure(auroc="{msp: 0.5}"),
            "line 11: a figure of scorer 'msp', which this suite does not",
        ),
        ("[knn]", "[{name: vim, params: {dim: abc}}]", "line 10: vim.dim must be a whole number or null, got 'abc'"),
        (
            "[knn]",
            "[{name: vim, params: {dim: -3}}]",
            "line 10: scorer 'vim': dim=-3 is out of range whatever the data",
        ),
        ("[efficientnet_lite0]", "[efficientnet_lite00]", "line 9: no backbone named 'efficientnet_lite00'; did you"),
        (
            "[efficientnet_lite0]",
            "[{name: efficientnet_lite0, in: [digits@0-5]}]",
            "line 9: 'digits@0-5' is no in-set of this suite, so the backbone would not run; did you mean 'digits@0-4'",
        ),
        ("digits@5-9", "digits@5-19", "line 8: .*19"),
        ("digits@0-4", "'digits:trian'", "line 8: digits.* has no split 'trian'; it has: all"),
        ("mine]}", "'cifar10:trian']}", "line 8: cifar10.* has no split 'trian'; it has: train, test"),
        ("mine]}", "cifar10@catt]}", "line 8: .*'catt'.*did you mean 'cat'"),
        (
            "digits@5-9, mine]}",
            "digits@5-8]}\n    expected: [{in: digits@0-4, backbone: efficientnet_lite00, outs: [digits@5-9], "
            "tolerance: 0.1, auroc: {knn: [0.5]}}]",
            "line 9: no pair digits@0-4:digits@5-9 in this suite; did you mean",
        ),
        (
            "[knn]",
            "[knn]\n    expected: [{in: digits@0-4, backbone: efficientnet_lite0, outs: [mine], tolerance: 0.1, "
            "tolerances: {knnn: 0.2}, auroc: {knn: 0.5}}]",
            "line 11: a tolerance of 'knnn', of which no figure is expected here; did you mean 'knn'",
        ),
        (
            "[knn]",
            "[knn]\n    reported: [{in: digits@0-4, backbone: efficientnet_lite1, outs: [mine], source: a, "
            "protocol: b, certainty: sighted, auroc: {knn: 0.5}}]",
            "line 11: no backbone named 'efficientnet_lite1'; did you mean",
        ),
        ("mine]}", "digits@5-9]}", "line 8: the pair digits@0-4:digits@5-9 stands twice"),
        ("[knn]", "[knn]\n    seeds: [-1]", "line 11: .*whole number of at least 0"),
        ("[knn]", "[knn]\n    view: upside", "line 11: no view named 'upside'"),
        (
            "[knn]",
            "[knn]\n    expected: [{in: digits@0-4, backbone: efficientnet_lite0, outs: [digits@5-8], tolerance: 0.1, "
            "auroc: {knn: [0.5]}}]",
            "line 11: no pair digits@0-4:digits@5-8 in this suite; did you mean 'digits@0-4:digits@5-9'",
        ),
        (
            "[knn]",
            "[knn]\n    expected: [{in: digits@0-4, backbone: efficientnet_lite0, outs: [mine], tolerance: 0.1, "
            "auroc: {knn: [0.5, 0.6]}}]",
            "line 11: .*2 figures for 1 columns",
        ),
        ('{get: "from a shelf"}', "{get: a, images: b}", "line 3: .*needs both `images` and `lists`"),
    ],
)
def test_what_is_wrong_is_said_with_file_line_and_nearest_name(read, old, new, message):
    """Before anything runs, in one line."""
    with pytest.raises(InvalidInput, match=message) as caught:
        read(old, new)
    assert "own.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("typo", ["digits@5-19", "'digits:trian'"])
def test_a_mistake_in_a_pair_is_said_of_its_line_and_not_of_its_figures(read, typo):
    """Pairs and backbones are read before what is expected of them."""
    figures = "    scorers: [knn]\n" + figure()
    with pytest.raises(InvalidInput, match="line 8: "):
        read(
            "digits@5-9, mine]}\n    backbones: [efficientnet_lite0]\n    scorers: [knn]\n",
            f"{typo}]}}\n    backbones: [efficientnet_lite0]\n{figures}",
        )
    with pytest.raises(InvalidInput, match="line 9: no backbone"):
        read("[efficientnet_lite0]\n    scorers: [knn]\n", f"[efficientnet_lite00]\n{figures}")


def test_a_suite_that_is_not_there_is_refused(shipped):
    """With the nearest names."""
    with pytest.raises(UnknownName, match=r"no suite named 'paper19' in .*benchmarks\.yaml; did you mean 'paper18'"):
        shipped.suite("paper19")
