"""`oodkit cluster`."""

import csv
import json

import pytest

from oodkit.cli.main import run


@pytest.fixture
def words(photo_folder, tiny_name, tmp_path):
    """A command that clusters photographs with the small backbone."""
    return [
        "cluster", "--in", str(photo_folder), "--limit", "40", "--clusters", "3", "--backbone", tiny_name,
        "--device", "cpu", "--cache", str(tmp_path / "cache"),
    ]  # fmt: skip


def test_the_table_has_the_figures_of_each_seed_and_their_mean(words, capsys):
    """Results on stdout, all else on stderr."""
    assert run([*words, "--runs", "2", "--bound", "2,4"]) == 0
    captured = capsys.readouterr()
    for word in ("accuracy", "NMI", "AMI", "ARI", "mean", "3 clusters by kmeans", "upper cluster bound: 4"):
        assert word in captured.out
    assert "backbone module:" in captured.err


def test_json_is_one_object(words, capsys):
    """--json prints one document and nothing else on stdout; settings of the method arrive as numbers."""
    settings = ["--method", "temi", "--param", "heads=1", "--param", "epochs=2", "--param", "weighting=wpmi"]
    assert run([*words, *settings, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)

    assert printed["method"] == "temi"
    assert (printed["params"]["heads"], printed["params"]["weighting"]) == (1, "wpmi")
    assert len(printed["runs"][0]["test_sizes"]) == 3


def test_a_picture_is_written(words, tmp_path, capsys):
    """--plot writes a picture, and says so on stderr."""
    assert run([*words, "--plot", str(tmp_path / "clusters.png")]) == 0
    assert (tmp_path / "clusters.png").stat().st_size > 10_000
    assert "plot written to" in capsys.readouterr().err


def test_clusters_of_all_images_are_written(words, tmp_path, capsys):
    """A row per run and image, of which the sizes in the report can be counted."""
    assert run([*words, "--runs", "2", "--assignments", str(tmp_path / "clusters.csv"), "--json"]) == 0
    captured = capsys.readouterr()
    report = json.loads(captured.out)
    with (tmp_path / "clusters.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    assert "clusters written to" in captured.err
    assert len(rows) == 2 * (report["n_fit"] + report["n_test"])
    for one in report["runs"]:
        for part in ("fit", "test"):
            found = [row for row in rows if (row["seed"], row["part"]) == (str(one["seed"]), part)]
            sizes = [sum(row["cluster"] == str(cluster) for row in found) for cluster in range(3)]
            assert sizes == one[f"{part}_sizes"]
            assert len({row["image"] for row in found}) == len(found)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (["--clusters", "1"], "clusters must be from 2 to"),
        (["--clusters", "100000"], "clusters must be from 2 to"),
        (["--param", "heads"], "--param must be NAME=VALUE, such as heads=8, got 'heads'"),
        (["--param", "heads=8"], "kmeans has no parameter 'heads'"),
        (["--bound", "2;3"], "--bound must be numbers with commas between"),
        (["--plot", "clusters.doc"], "end the file name in .png"),
        (["--assignments", "."], "--assignments . is a folder; name a file in it"),
        (["--method", "temi", "--param", "beta=0.5"], "beta must be above 0.5"),
        (["--method", "temi", "--param", "learning_rate=1e30"], "the loss is no longer finite at step"),
    ],
)
def test_what_cannot_be_done_is_one_line(words, more, expected, capsys):
    """Exit code 2 and one line."""
    assert run([*words, *more]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert expected in error
