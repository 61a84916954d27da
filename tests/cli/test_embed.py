"""`oodkit embed`."""

import json

from oodkit.cli.main import run


def test_every_split_is_embedded_or_the_one_that_is_named(photo_folder, tiny_name, tmp_path, capsys):
    """NAME stands for all its splits, NAME:SPLIT for one; a second run embeds nothing."""
    common = ["--backbone", tiny_name, "--cache", str(tmp_path / "cache"), "--json"]
    assert run(["embed", str(photo_folder), *common]) == 0
    sets = json.loads(capsys.readouterr().out)["sets"]
    assert sorted((row["split"], row["images"], row["computed"]) for row in sets) == [
        ("test", 20, 20),
        ("train", 20, 20),
    ]
    run(["embed", f"{photo_folder}:test", *common])
    (row,) = json.loads(capsys.readouterr().out)["sets"]
    assert (row["split"], row["computed"], row["dim"]) == ("test", 0, 48)


def test_a_view_is_embedded_beside_the_image(photo_folder, tiny_name, tmp_path, capsys):
    """--view is part of the key."""
    for view in ("identity", "rotate90"):
        run(["embed", f"{photo_folder}:test", "--view", view, "--backbone", tiny_name, "--cache", str(tmp_path / "c")])
        assert "20 embedded now" in capsys.readouterr().out
