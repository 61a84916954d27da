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


def test_shards_together_are_the_whole(photo_folder, tiny_name, tmp_path, capsys):
    """--shard 1/2 and 2/2 embed each image once; then there is nothing left to do."""
    common = ["embed", f"{photo_folder}:test", "--backbone", tiny_name, "--cache", str(tmp_path / "c"), "--json"]
    computed = []
    for more in (["--shard", "1/2"], ["--shard", "2/2"], []):
        assert run([*common, *more]) == 0
        (row,) = json.loads(capsys.readouterr().out)["sets"]
        computed.append((row["images"], row["computed"]))
    assert computed[0][0] + computed[1][0] == 20
    assert [images == made for images, made in computed[:2]] == [True, True]
    assert computed[2] == (20, 0)


def test_what_cannot_be_run_is_one_line(photo_folder, tiny_name, capsys, monkeypatch):
    """A part that is none, workers without an engine that has them, an engine that is not installed."""
    common = ["embed", f"{photo_folder}:test", "--backbone", tiny_name]
    assert run([*common, "--shard", "3/2"]) == 2
    assert "--shard must be I/N with 1 <= I <= N, such as 1/4, got '3/2'" in capsys.readouterr().err
    assert run([*common, "--workers", "2"]) == 2
    assert "--workers is for --engine ray" in capsys.readouterr().err
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert run([*common, "--engine", "ray"]) == 2
    assert "--engine ray needs the package ray; pip install 'oodkit-vision[ray]'" in capsys.readouterr().err
