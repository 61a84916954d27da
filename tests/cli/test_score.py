"""`oodkit score`."""

import json

import numpy as np
import pytest
from PIL import Image

import oodkit
from oodkit.cli.main import run
from oodkit.cli.score import parse_params


@pytest.fixture
def words(photo_folder, tiny_name, tmp_path):
    """A command that scores photographs against digits with the small backbone."""
    return [
        "score", "--in", str(photo_folder), "--out", "digits@5-9", "--limit", "30", "--backbone", tiny_name,
        "--device", "cpu", "--cache", str(tmp_path / "cache"),
    ]  # fmt: skip


def test_the_table_has_auroc_and_interval_for_three_scorers(words, capsys):
    """Results on stdout, all else on stderr."""
    assert run(words) == 0
    captured = capsys.readouterr()
    for scorer in ("knn", "mahalanobis", "relative_mahalanobis"):
        assert scorer in captured.out
    assert "95 % interval" in captured.out
    assert "backbone module:" in captured.err
    assert "on cpu" in captured.err


def test_json_is_one_object_of_fractions(words, capsys):
    """--json prints what the Python call returns, and nothing else, on stdout."""
    assert run([*words, "--json", "--scorer", "knn", "--param", "knn.k=3"]) == 0
    printed = json.loads(capsys.readouterr().out)
    (result,) = printed["results"]
    assert result["scorer"] == "knn"
    assert result["params"] == {"k": 3}
    assert 0 <= result["auroc_ci"][0] <= result["auroc"] <= result["auroc_ci"][1] <= 1
    expected_keys = {
        "out", "scorer", "params", "auroc", "auroc_ci", "aupr_in", "aupr_out", "fpr95_in", "fpr95_out", "n_fit",
        "n_in", "n_out", "seconds",
    }  # fmt: skip
    assert expected_keys <= result.keys()
    assert printed["in"] == words[2]


def test_the_command_gives_what_the_python_call_gives(words, capsys, photo_folder, tiny_name, tmp_path):
    """One function behind both."""
    run([*words, "--json"])
    printed = json.loads(capsys.readouterr().out)
    backbone = oodkit.load_backbone(tiny_name, device="cpu")
    evaluation = oodkit.evaluate(str(photo_folder), "digits@5-9", backbone=backbone, limit=30, cache=tmp_path / "other")
    assert [result["auroc"] for result in printed["results"]] == [result.auroc for result in evaluation.results]


def test_a_second_run_embeds_nothing(words, capsys):
    """The store serves it."""
    run([*words, "--json"])
    assert json.loads(capsys.readouterr().out)["settings"]["images_embedded"] == 70
    run([*words, "--json"])
    assert json.loads(capsys.readouterr().out)["settings"]["images_embedded"] == 0


def test_several_out_sets(words, capsys):
    """--out may be repeated; each has its rows."""
    run([*words, "--out", "digits@0-4", "--json"])
    outs = [result["out"] for result in json.loads(capsys.readouterr().out)["results"]]
    assert outs == ["digits@5-9"] * 3 + ["digits@0-4"] * 3


def test_the_plot_is_drawn(words, tmp_path, capsys):
    """--plot writes an image."""
    assert run([*words, "--plot", str(tmp_path / "plot.png")]) == 0
    assert np.asarray(Image.open(tmp_path / "plot.png")).std() > 10
    assert "plot written" in capsys.readouterr().err


def test_an_unreadable_image_stops_or_is_skipped(words, photo_folder, capsys, caplog):
    """As the user says, never silently."""
    (photo_folder / "train" / "a" / "0.png").write_bytes(b"\x89PNG broken")
    assert run(words) == 2
    assert "0.png" in capsys.readouterr().err
    assert run([*words, "--skip-unreadable", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["settings"]["images_skipped"] == 1
    assert "0.png" in caplog.text


def test_data_sets_under_the_data_root_are_found_by_name(words, photo_folder, capsys):
    """--data-root names the folder that holds NAME/SPLIT/CLASS/FILE."""
    words[2] = photo_folder.name
    assert run([*words, "--data-root", str(photo_folder.parent), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["in"] == "photos"


def test_parameters_are_typed():
    """Text becomes what the scorer declares."""
    assert parse_params(["knn.k=5", "mahalanobis.normalize=true"]) == {
        "knn": {"k": 5},
        "mahalanobis": {"normalize": True},
    }


def test_detectors_of_other_packages(words, capsys):
    """A family's name is a scorer like any other, with its parameters."""
    name = "sklearn:LocalOutlierFactor"
    assert run([*words, "--json", "--scorer", name, "--param", f"{name}.n_neighbors=5"]) == 0
    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert result["scorer"] == name
    assert result["params"] == {"detector": name, "params": {"n_neighbors": 5}}


def test_names_that_look_like_markup_are_printed_as_they_are(words, photograph, tmp_path, capsys):
    """Square brackets in a folder's name."""
    folder = tmp_path / "x[bold]y"
    folder.mkdir()
    for number in range(4):
        photograph(number).save(folder / f"{number}.png")
    words[words.index("digits@5-9")] = str(folder)
    assert run([*words, "--scorer", "knn"]) == 0
    assert "x[bold]y" in capsys.readouterr().out
