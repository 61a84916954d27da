"""`oodkit train`."""

import json

import pytest

from oodkit.cli.main import run


@pytest.fixture
def data(tmp_path, photograph):
    """A data root with `shots`: 12 train and 4 test images."""
    for split, count, first in (("train", 12, 0), ("test", 4, 12)):
        folder = tmp_path / "data" / "shots" / split / "a"
        folder.mkdir(parents=True)
        for number in range(count):
            photograph(first + number, 24, 20).save(folder / f"{number:02}.png")
    return tmp_path / "data"


def _words(data, to, *more):
    return [
        *("train", "semsad", "--in", "shots", "--data-root", str(data), "--to", str(to), "--preset", "small"),
        *("--image-size", "16", "--batch", "6", "--epochs", "1"),
        *("--param", "discriminator_batch=6", "--param", "discriminator_epochs=1", "--param", "patience=0"),
        *more,
    ]


def test_lines_go_to_stderr_and_figures_to_stdout(data, tmp_path, capsys):
    """How it goes, then losses, the figure and the backbone's name."""
    assert run(_words(data, tmp_path / "a", "--out", "digits", "--limit", "12")) == 0

    shown = capsys.readouterr()
    assert "encoder: epoch 1 of 1, loss " in shown.err
    assert "discriminator: 2 steps" in shown.out
    assert "digits: AUROC" in shown.out
    assert f"backbone trained:{tmp_path / 'a'}" in shown.out


def test_json_is_one_document(data, tmp_path, capsys):
    """Folder, backbone, card, notes and judgements."""
    assert run(_words(data, tmp_path / "a", "--json")) == 0

    found = json.loads(capsys.readouterr().out)
    assert found["backbone"] == f"trained:{tmp_path / 'a'}"
    assert found["card"]["method"] == "semsad"
    assert found["judgements"] == []


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--from-scratch", "--backbone", "efficientnet_lite0"), "exclude each other"),
        (("--param", "pool"), "--param must be NAME=VALUE"),
        (("--param", "pools=3"), "did you mean 'pool'"),
        (("--aux", "digits"), "takes no auxiliary set"),
        (("--batch", "13"), "batch=13 needs as many images, got 12"),
    ],
)
def test_what_cannot_be_is_one_line(data, tmp_path, capsys, more, message):
    """Exit code 2, one line, nothing written."""
    assert run(_words(data, tmp_path / "a", *more)) == 2

    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.err.startswith("error: ")
    assert len(shown.err.splitlines()) == 1
    assert not (tmp_path / "a").exists()
