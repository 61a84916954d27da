"""`oodkit fit`: classes, clusters, and the choice of scorer and backbone."""

import json
import re

import pytest

import oodkit
from oodkit.cli.main import run


@pytest.fixture
def classes(tmp_path, photograph):
    """A folder of two classes, sixty photographs each."""
    for place, name in enumerate("ab"):
        (tmp_path / "in" / name).mkdir(parents=True)
        for number in range(60):
            photograph(1000 * place + 2 * number + place).save(tmp_path / "in" / name / f"{number:03d}.png")
    return tmp_path / "in"


def test_auto_prints_the_comparison_and_keeps_it(classes, tiny_name, tmp_path, capsys):
    """A row per candidate, with its spread; what was left out; the winner is the detector, and the card has it all."""
    target = tmp_path / "d"
    words = ["--scorer", "auto", "--candidates", "knn, pca,energy", "--param", "knn.k=2", "--fpr", "0.1"]
    assert run(["fit", "--in", str(classes / "a"), "--backbone", tiny_name, "--to", str(target), *words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    comparison = found["comparison"]
    assert comparison["groups"] == "10 k-means clusters"
    assert comparison["caution"].startswith("a proxy")
    assert {one["scorer"] for one in comparison["candidates"]} <= {"KNN(k=2)", "PCA()", "Energy()"}
    assert found["scorer"] == comparison["candidates"][0]["scorer"]
    assert run(["fit", "--in", str(classes), "--backbone", tiny_name, "--to", str(target), *words]) == 0
    captured = capsys.readouterr()
    out = captured.out
    assert f"the detector that was in {target} is replaced" in captured.err
    assert f"judge images with: oodkit predict {target} IMAGES..." in captured.err
    assert "2 classes of 96 images, 2 folds" in out
    assert all(words in out for words in ("KNN(k=2)", "PCA()", "stood in for OOD images"))
    card = (target / "card.md").read_text()
    assert "## How it was chosen" in card
    assert oodkit.Detector.load(target, backbone=tiny_name).origin.comparison.groups == "2 classes"


def test_views_are_averaged_into_the_fit(classes, tiny_name, tmp_path, capsys):
    """The detector says so in its card; a view that is none is one line, and nothing is written."""
    words = ["fit", "--in", str(classes), "--backbone", tiny_name, "--to", str(tmp_path / "d")]
    assert run([*words, "--average-views", "flip,rotate90"]) == 0
    assert "and of its views flip, rotate90" in (tmp_path / "d" / "card.md").read_text()
    capsys.readouterr()
    words[-1] = str(tmp_path / "other")
    assert run([*words, "--average-views", "flop"]) == 2
    assert "flip" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_several_backbones_are_compared(classes, tiny_file, tmp_path, capsys):
    """With one scorer too."""
    names = [f"module:{tiny_file}:{factory}" for factory in ("tiny", "other_weights")]
    words = ["--backbone", names[0], "--backbone", names[1], "--scorer", "mahalanobis", "--json"]
    assert run(["fit", "--in", str(classes), "--to", str(tmp_path / "d"), *words]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {one["scorer"] for one in found["comparison"]["candidates"]} == {"Mahalanobis()"}
    assert found["backbone"] == found["comparison"]["candidates"][0]["backbone"]
    assert found["classes"] == "2 of the images"


def test_labels_and_clusters(classes, tiny_name, tmp_path, capsys):
    """Either gives a scorer its classes; labels that it does not take are said to be of no use."""
    words = ["--backbone", tiny_name, "--to", str(tmp_path / "d"), "--json"]
    assert run(["fit", "--in", str(classes / "a"), *words, "--scorer", "prototypes", "--clusters", "3"]) == 2
    assert "at least 95 images" in capsys.readouterr().err
    more = ["--hold-out", "0.4", "--scorer", "prototypes"]
    assert run(["fit", "--in", str(classes / "a"), *words, *more, "--clusters", "3"]) == 0
    assert json.loads(capsys.readouterr().out)["classes"] == "3 k-means clusters of the features"
    assert run(["fit", "--in", str(classes), *words, "--labels"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["classes"] is None
    assert "note: labels are not used: KNN takes no classes" in captured.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--labels"], "--labels needs classes, and .* has none: use a folder per class"),
        (["--labels", "--clusters", "3"], "--labels and --clusters exclude each other"),
        (["--clusters", "1"], "--clusters must be 2 or more"),
        (["--clusters", "200"], "60 images cannot be 200 clusters"),
        (["--candidates", "knn"], "--candidates belongs to --scorer auto"),
        (["--scorer", "auto", "--candidates", "knnn"], "did you mean 'knn'"),
        (["--scorer", "auto", "--candidates", "knn", "--param", "pca.dim=2"], "--param must be knn.NAME=VALUE"),
        (["--scorer", "prototypes"], "it needs class labels"),
    ],
)
def test_mistakes_are_one_line(words, message, classes, tiny_name, tmp_path, capsys):
    """Exit code 2, and nothing is written."""
    target = tmp_path / "d"
    basic = ["--in", str(classes / "a"), "--backbone", tiny_name, "--to", str(target), "--hold-out", "0.4"]
    assert run(["fit", *basic, *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = [line for line in captured.err.splitlines() if line.startswith("error: ")]
    assert re.search(message, line)
    assert not target.exists()
