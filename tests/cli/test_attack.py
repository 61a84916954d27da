"""`oodkit attack` and `oodkit robust`."""

import json

import numpy as np
import pytest
from PIL import Image

from oodkit.cli.main import run


@pytest.fixture
def words(photo_folder, tiny_name):
    """What both commands share."""
    return ["--in", str(photo_folder), "--backbone", tiny_name, "--device", "cpu"]


@pytest.fixture
def noise(tmp_path):
    """Four images of noise."""
    folder = tmp_path / "noise"
    folder.mkdir()
    for i in range(4):
        pixels = np.random.default_rng(i).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    return str(folder)


def test_a_set_is_made_and_scored_like_any_other(words, noise, tmp_path, capsys):
    """The folder serves as an out-set, whose images then score higher than they did."""
    made = tmp_path / "set"
    options = ["--images", noise, "--attack", "pgd", "--eps", "16/255", "--steps", "8", "--to", str(made)]
    assert run(["attack", *words, *options, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert len(printed["images"]) == 4
    assert printed["settings"]["attack"].startswith("PGD(ball=LInf(16/255), steps=8")

    assert run(["attack", *words, *options, "--image-size", "16"]) == 0
    printed = capsys.readouterr()
    assert "score before" in printed.out
    assert "attack PGD(ball=LInf(16/255), steps=8" in printed.err
    assert "resized" not in printed.err
    assert run(["score", *words, "--out", str(made), "--out", noise, "--scorer", "knn", "--json"]) == 0
    attacked, clean = json.loads(capsys.readouterr().out)["results"]
    assert attacked["auroc"] < clean["auroc"]


def test_figures_under_attack(words, noise, tmp_path, capsys):
    """A row per attack, radius and side, as text, JSON and picture."""
    options = ["--out", noise, "--attack", "fgsm", "--attack", "pgd", "--steps", "4", "--eps", "8/255", "--side", "out"]
    picture = tmp_path / "curve.png"
    assert run(["robust", *words, *options, "--plot", str(picture)]) == 0
    text = capsys.readouterr().out
    for word in ("clean", "fgsm", "pgd", "worst", "8/255", "KNN()"):
        assert word in text
    assert picture.exists()
    assert run(["robust", *words, *options, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["results"]) == 4


def test_feature_matching_shows_what_its_targets_are_worth(words, noise, tmp_path, capsys):
    """Four AUROCs: clean and attacked, with and without the target images among the fit images."""
    options = ["--images", noise, "--attack", "feature_matching", "--steps", "60", "--to", str(tmp_path / "set")]
    options += ["--param", "feature_matching.learning_rate=0.02", "--param", "knn.k=2"]
    assert run(["attack", *words, *options, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    found = printed["auroc"]
    assert "k=2" in printed["settings"]["scorer"]
    assert found["attacked"] < found["clean"]
    assert found["attacked"] <= found["attacked_without_targets"]

    assert run(["attack", *words, *options]) == 0
    assert "fitted on fit images that are no targets: clean" in capsys.readouterr().out


def test_resized_images_are_named(words, noise, tmp_path, capsys):
    """A radius is meant at the backbone's input size, which is said where images have another."""
    large = tmp_path / "large"
    large.mkdir()
    Image.new("RGB", (40, 30)).save(large / "a.png")
    assert run(["attack", *words, "--images", str(large), "--attack", "fgsm", "--to", str(tmp_path / "set")]) == 0
    assert "(a.png is 40 x 30): eps is meant at that size" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--eps", "8"], "8 grey levels are 8/255"),
        (["--attack", "pdg"], "pgd"),
        (["--attack", "torchattacks:AutoAttack"], "returns the clean image"),
        (["--scorer", "sklearn:IsolationForest"], "use the attack square"),
        (["--param", "pgd.step=3"], "did you mean 'steps'"),
        (["--norm", "l3"], "one of linf, l2"),
        (["--direction", "up"], "out2in or in2out"),
        (["--param", "kn.k=3"], "begins with knn or pgd and a dot"),
        (["--param", "knn.kk=3"], "did you mean 'k'"),
    ],
)
def test_what_cannot_be_used_is_one_line(words, noise, tmp_path, capsys, extra, message):
    """Exit code 2, and what to do instead."""
    assert run(["attack", *words, "--images", noise, "--to", str(tmp_path / "set"), *extra]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert message in error
