"""`oodkit cache`."""

import json

import pytest

from oodkit.cli.main import run


@pytest.fixture
def cache(photo_folder, tiny_name, tmp_path, capsys):
    """A store with twenty embeddings."""
    folder = tmp_path / "cache"
    assert run(["embed", f"{photo_folder}:test", "--backbone", tiny_name, "--cache", str(folder)]) == 0
    capsys.readouterr()
    return folder


def test_info_says_what_is_there(cache, tiny_name, capsys):
    """Folder, size, and images by backbone."""
    assert run(["cache", "info", "--cache", str(cache), "--json"]) == 0
    info = json.loads(capsys.readouterr().out)
    assert info["folder"] == str(cache)
    assert [(space["backbone"], space["numerics"], space["images"]) for space in info["spaces"]] == [
        (tiny_name, "fp32", 20)
    ]
    run(["cache", "info", "--cache", str(cache)])
    assert "20 images" in capsys.readouterr().out


def test_verify_exits_1_when_something_is_damaged(cache, capsys):
    """0 for a sound store, 1 for one with a damaged shard, 0 again afterwards."""
    assert run(["cache", "verify", "--cache", str(cache)]) == 0
    shard = next((cache / "shards").rglob("*.safetensors"))
    shard.write_bytes(shard.read_bytes()[:100])
    assert run(["cache", "verify", "--cache", str(cache)]) == 1
    assert "1 damaged" in capsys.readouterr().out
    assert run(["cache", "verify", "--cache", str(cache)]) == 0


def test_prune_deletes_a_backbone(cache, tiny_name, capsys):
    """--backbone frees its space."""
    assert run(["cache", "prune", "--cache", str(cache), "--backbone", tiny_name]) == 0
    assert "1 shards deleted" in capsys.readouterr().out
    run(["cache", "info", "--cache", str(cache), "--json"])
    assert json.loads(capsys.readouterr().out)["spaces"] == []
