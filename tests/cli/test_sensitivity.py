"""`oodkit sensitivity`."""

import json

import pytest

from oodkit.cli.main import run


@pytest.fixture
def words(photo_folder, tiny_name, tmp_path):
    """A command that compares two transformations of photographs with the small backbone."""
    return [
        "sensitivity", "--in", str(photo_folder), "--limit", "40", "--shifts", "rotate90,pixels",
        "--param", "epochs=1", "--param", "weak_views=1", "--backbone", tiny_name, "--device", "cpu",
        "--cache", str(tmp_path / "cache"),
    ]  # fmt: skip


def test_the_table_ranks_transformations(words, capsys):
    """Results on stdout, all else on stderr."""
    assert run(words) == 0
    captured = capsys.readouterr()
    for word in ("proxy", "probe", "rotate90", "pixels", "held out"):
        assert word in captured.out
    assert "backbone module:" in captured.err


def test_json_is_one_object(words, capsys):
    """--json prints one document and nothing else on stdout."""
    assert run([*words, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert {one["shift"] for one in printed["candidates"]} == {"rotate90", "pixels"}
    assert printed["params"] == {"epochs": 1, "weak_views": 1}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (["--shifts", "pixels"], "pixels has no other transformation"),
        (["--shifts", "rotate45,pixels"], "shift must be one of"),
        (["--param", "epochs"], "--param must be NAME=VALUE, such as epochs=10, got 'epochs'"),
        (["--param", "epoch=1"], "did you mean 'epochs'"),
        (["--held-out", "2"], "held_out must be a share between 0 and 1"),
    ],
)
def test_what_cannot_be_done_is_one_line(words, more, expected, capsys):
    """Exit code 2 and one line."""
    assert run([*words, *more]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert expected in error
