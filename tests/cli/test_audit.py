"""The command `oodkit audit`."""

import json

import pytest

from oodkit.cli.main import run
from oodkit.data.left_out import read_left_out


@pytest.fixture
def other(photo_folder, tmp_path, photograph):
    """An out-set of 12 photographs, one of them a mirrored test image of the in-set."""
    folder = tmp_path / "other" / "b"
    folder.mkdir(parents=True)
    for number in range(11):
        photograph(5000 + number, 40, 40).save(folder / f"{number}.jpg")
    from PIL import Image, ImageOps

    ImageOps.mirror(Image.open(photo_folder / "test" / "a" / "4.png")).save(folder / "copy.png")
    return folder.parent


def test_it_prints_what_misleads(photo_folder, other, capsys):
    """Baselines, duplicates and shared names on stdout."""
    assert run(["audit", "--in", str(photo_folder), "--out", str(other)]) == 0
    said = capsys.readouterr().out
    assert "width" in said
    assert "learned_pixels" in said
    assert "test images with near-duplicates in the out-set: 1:" in said
    assert "b/copy.png" in said
    assert "mirrored" in said
    assert "shared class names: b" in said


def test_json_is_one_document(photo_folder, other, capsys):
    """With the resolution that was used."""
    words = ["audit", "--in", str(photo_folder), "--out", str(other), "--source-resolution", "16", "--json"]
    assert run(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["source_resolution"] == 16
    assert found["n_in"] == 20
    assert {pair["other_id"] for pair in found["in_out"]} == {"b/copy.png"}


def test_it_writes_page_pictures_and_a_list(photo_folder, other, tmp_path, capsys):
    """The list names both images of the pair by content."""
    page, pictures, listed = tmp_path / "audit.html", tmp_path / "new" / "pictures", tmp_path / "list.csv"
    words = ["audit", "--in", str(photo_folder), "--out", str(other), "--html", str(page)]
    assert run([*words, "--pictures", str(pictures), "--exclude", str(listed)]) == 0
    assert "<h1>" in page.read_text(encoding="utf-8")
    assert [path.name for path in pictures.iterdir()] == ["in_out.png"]
    assert len(read_left_out(listed)) == 2
    assert "2 images listed" in capsys.readouterr().err


def test_limit_and_errors(photo_folder, other, tmp_path, capsys):
    """At most N images of each set; what cannot be written or made sense of is one line."""
    words = ["audit", "--in", str(photo_folder), "--out", str(other)]
    assert run([*words, "--limit", "5"]) == 0
    assert "(5 test, 5 fit)" in capsys.readouterr().out
    for bad, said in (
        (["--html", str(tmp_path / "no" / "page.html")], "No such file"),
        (["--source-resolution", "1"], "from 4"),
        (["--limit", "0"], "at least 1"),
    ):
        assert run([*words, *bad]) == 2
        message = capsys.readouterr().err.strip().splitlines()[-1]
        assert message.startswith("error: ")
        assert said in message


def test_a_score_leaves_out_what_an_audit_lists(photo_folder, other, tiny_name, tmp_path, capsys):
    """The list goes from one command to the other; the table says which resolution was used."""
    listed = tmp_path / "list.csv"
    sets = ["--in", str(photo_folder), "--out", str(other)]
    assert run(["audit", *sets, "--exclude", str(listed)]) == 0
    scoring = ["score", *sets, "--backbone", tiny_name, "--scorer", "knn", "--leave-out", str(listed)]
    capsys.readouterr()
    assert run([*scoring, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(result["n_in"], result["n_out"]) for result in found["results"]] == [(19, 11)]
    assert run([*scoring, "--source-resolution", "16"]) == 0
    assert "shrunk to 16 px first" in capsys.readouterr().out
