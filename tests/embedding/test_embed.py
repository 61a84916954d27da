"""Embedding data sets through a small real backbone."""

import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from oodkit.backbones import Backbone, from_module, load_backbone
from oodkit.data import load_dataset
from oodkit.data.image_list import as_image_set
from oodkit.embedding import Store, embed
from oodkit.embedding.embed import _Run
from oodkit.errors import DataNotFound, InvalidInput, UnreadableImage
from oodkit.views import load_view


@pytest.fixture
def backbone(tiny_name):
    return load_backbone(tiny_name, device="cpu")


def test_features_are_those_of_the_backbone(photo_folder, backbone, tmp_path):
    """Row i is the backbone's feature of image i; ids, labels and names come along."""
    images = load_dataset(f"{photo_folder}:test")
    embedded = embed(images, backbone, cache=tmp_path / "cache")
    alone = np.concatenate([backbone.embed_images([images.open(i)]).numpy() for i in range(len(images))])
    np.testing.assert_allclose(embedded.features, alone, rtol=1e-5, atol=1e-6)
    assert embedded.features.dtype == np.float32
    assert embedded.ids == tuple(images.ids)
    assert embedded.labels.tolist() == [0] * 10 + [1] * 10
    assert embedded.computed == 20


def test_an_image_is_embedded_once(photo_folder, backbone, tmp_path):
    """In another subset, order or folder it is read from the store."""
    cache = tmp_path / "cache"
    images = load_dataset(f"{photo_folder}:test")
    whole = embed(images, backbone, cache=cache)
    part = embed(images.subset([7, 3, 3, 19]), backbone, cache=cache)
    assert part.computed == 0
    np.testing.assert_array_equal(part.features, whole.features[[7, 3, 3, 19]])
    flat = tmp_path / "elsewhere"
    flat.mkdir()
    (flat / "renamed.png").write_bytes(images.read(5))
    moved = embed(str(flat), backbone, cache=cache)
    assert moved.computed == 0
    np.testing.assert_array_equal(moved.features, whole.features[[5]])


def test_a_changed_image_is_embedded_again(photo_folder, backbone, tmp_path, photograph):
    """Content decides, not the name."""
    cache = tmp_path / "cache"
    embed(f"{photo_folder}:test", backbone, cache=cache)
    photograph(999).save(photo_folder / "test" / "a" / "3.png")
    again = embed(f"{photo_folder}:test", backbone, cache=cache)
    assert again.computed == 1


def test_other_weights_precision_size_or_view_never_share_an_entry(photo_folder, tiny_file, tmp_path):
    """Two backbones under one user's name would collide in a store keyed by names; here nothing does."""
    cache, name = tmp_path / "cache", f"{photo_folder}:test"
    first = embed(name, load_backbone(f"module:{tiny_file}:tiny", device="cpu"), cache=cache)
    others = [
        embed(name, load_backbone(f"module:{tiny_file}:other_weights", device="cpu"), cache=cache),
        embed(name, load_backbone(f"module:{tiny_file}:tiny", device="cpu", precision="bf16"), cache=cache),
        embed(name, load_backbone(f"module:{tiny_file}:tiny", device="cpu", image_size=24), cache=cache),
        embed(name, load_backbone(f"module:{tiny_file}:tiny", device="cpu"), view="rotate90", cache=cache),
    ]
    for other in others:
        assert other.computed == 20
        assert not np.array_equal(other.features, first.features)


def test_half_precision_is_stored_as_it_is(photo_folder, tiny_name, tmp_path):
    """fp16 features are float16; bf16 ones are float32, which holds them exactly."""
    for precision, dtype in (("fp16", np.float16), ("bf16", np.float32)):
        backbone = load_backbone(tiny_name, device="cpu", precision=precision)
        assert embed(f"{photo_folder}:test", backbone, cache=tmp_path / "c").features.dtype == dtype


def test_an_unreadable_image_stops_the_run_by_name(photo_folder, backbone, tmp_path):
    """Never silently: the message names the file; what was embedded is kept."""
    (photo_folder / "test" / "b" / "9.png").write_bytes(b"")
    with pytest.raises(UnreadableImage, match=r"9\.png"):
        embed(f"{photo_folder}:test", backbone, cache=tmp_path / "cache")
    with Store(tmp_path / "cache") as store:
        assert sum(row[3] for row in store.spaces()) == 16


def test_unreadable_images_are_skipped_and_counted_on_request(photo_folder, backbone, tmp_path, caplog):
    """Named, counted, and left out of ids, labels and features, in every run."""
    (photo_folder / "test" / "a" / "0.png").write_bytes(b"<html>")
    for computed in (19, 0):
        embedded = embed(f"{photo_folder}:test", backbone, cache=tmp_path / "cache", skip_unreadable=True)
        assert (len(embedded), embedded.computed) == (19, computed)
        assert [name.rpartition("/")[2] for name in embedded.skipped] == ["0.png"]
        assert "1 unreadable images" in caplog.text
        caplog.clear()


def test_nothing_readable_is_an_error(tmp_path, backbone):
    """A set of which nothing is left has no embeddings."""
    folder = tmp_path / "bad"
    folder.mkdir()
    (folder / "x.png").write_bytes(b"")
    with pytest.raises(DataNotFound, match="none of the 1 images"):
        embed(str(folder), backbone, cache=tmp_path / "cache", skip_unreadable=True)


def test_a_damaged_shard_is_made_again(photo_folder, backbone, tmp_path, caplog):
    """The run notices, reports, embeds again, and gives the same bytes."""
    cache = tmp_path / "cache"
    first = embed(f"{photo_folder}:test", backbone, cache=cache)
    for path in (cache / "shards").rglob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:-7])
    again = embed(f"{photo_folder}:test", backbone, cache=cache)
    np.testing.assert_array_equal(again.features, first.features)
    assert "damaged" in caplog.text


def test_the_features_do_not_depend_on_the_number_of_workers(photo_folder, tiny_name, tmp_path):
    """One thread or four: the same bytes."""
    code = (
        "import sys, torch; torch.set_num_threads(int(sys.argv[1])); import oodkit; "
        "b = oodkit.load_backbone(sys.argv[2], device='cpu'); "
        "oodkit.embed(sys.argv[3], b, cache=sys.argv[4]).save(sys.argv[5])"
    )
    for threads in ("1", "4"):
        subprocess.run(
            [
                sys.executable,
                "-c",
                code,
                threads,
                tiny_name,
                f"{photo_folder}:train",
                str(tmp_path / threads),
                str(tmp_path / f"{threads}.safetensors"),
            ],
            check=True,
        )
    assert (tmp_path / "1.safetensors").read_bytes() == (tmp_path / "4.safetensors").read_bytes()


def test_parts_together_are_the_whole(tmp_path, backbone, photograph):
    """Three parts, in any order, make bit for bit what one run makes; each returns its own images, none twice."""
    folder = tmp_path / "some"
    folder.mkdir()
    for number in range(70):
        photograph(number, 40, 40).save(folder / f"{number:04d}.bmp")
    whole = embed(str(folder), backbone, cache=tmp_path / "whole")

    parts = [embed(str(folder), backbone, cache=tmp_path / "parts", shard=(i, 3)) for i in (3, 1, 2)]

    assert sorted(name for part in parts for name in part.ids) == sorted(whole.ids)
    assert [part.computed for part in parts] == [len(part) for part in parts]
    together = embed(str(folder), backbone, cache=tmp_path / "parts")
    assert together.computed == 0
    np.testing.assert_array_equal(together.features, whole.features)
    np.testing.assert_array_equal(parts[0].features, whole.features[np.isin(whole.ids, parts[0].ids)])


def test_more_parts_than_batches(photo_folder, backbone, tmp_path):
    """A part without images is no error, as a scheduler starts as many as it likes; a part that is none is one."""
    empty = embed(f"{photo_folder}:test", backbone, cache=tmp_path / "cache", shard=(9, 9))

    assert empty.features.shape == (0, 48)
    assert empty.ids == ()
    assert empty.digests.shape == (0, 32)
    for shard in ((0, 2), (3, 2)):
        with pytest.raises(InvalidInput, match=r"shard must be \(i, n\) with 1 <= i <= n, got"):
            embed(f"{photo_folder}:test", backbone, cache=tmp_path / "cache", shard=shard)
    with pytest.raises(InvalidInput, match="engine must be one of local, ray, got 'rey'"):
        embed(f"{photo_folder}:test", backbone, cache=tmp_path / "cache", engine="rey")


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(tmp_path, tiny_name, photograph):
    """kill -9 at several moments, then the same call: byte for byte what an undisturbed run gives."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(1300):
        photograph(number, 40, 40).save(folder / f"{number:04d}.bmp")
    code = (
        "import sys, oodkit; b = oodkit.load_backbone(sys.argv[1], device='cpu'); "
        "e = oodkit.embed(sys.argv[2], b, cache=sys.argv[3]); e.save(sys.argv[4]); print(e.computed)"
    )

    def command(cache: str) -> list[str]:
        return [
            sys.executable,
            "-c",
            code,
            tiny_name,
            str(folder),
            str(tmp_path / cache),
            str(tmp_path / f"{cache}.out"),
        ]

    subprocess.run(command("whole"), check=True, capture_output=True)
    shards = tmp_path / "killed" / "shards"
    for wanted in (1, 2):
        process = subprocess.Popen(command("killed"), stdout=subprocess.DEVNULL)
        while process.poll() is None and len(list(shards.rglob("*.safetensors"))) < wanted:
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    last = subprocess.run(command("killed"), check=True, capture_output=True, text=True)
    assert int(last.stdout) < 1300
    assert (tmp_path / "killed.out").read_bytes() == (tmp_path / "whole.out").read_bytes()


READ_ONLY = """
import sys
from oodkit.backbones import load_backbone
from oodkit.embedding import embed
from oodkit.errors import StoreError

photos, name, cache = sys.argv[1:]
backbone = load_backbone(name, device="cpu")
assert len(embed(f"{photos}:test", backbone, cache=cache)) == 20
try:
    embed(f"{photos}:train", backbone, cache=cache)
except StoreError as error:
    print(error)
"""


def test_a_read_only_store_is_read_and_says_what_it_lacks(photo_folder, backbone, tiny_name, tmp_path):
    """A full cache that may not be written to serves; a lacking one is a clear line."""
    command = [sys.executable, "-c", READ_ONLY, str(photo_folder), tiny_name, str(tmp_path / "cache")]
    if hasattr(os, "getuid") and os.getuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root may write anywhere")
        command = ["setpriv", "--bounding-set=-dac_override", *command]
    cache = tmp_path / "cache"
    embed(f"{photo_folder}:test", backbone, cache=cache)
    for path in [cache, *cache.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    finally:
        for path in [cache, *cache.rglob("*")]:
            path.chmod(0o755)
    assert "read-only" in done.stdout
    assert done.stdout.count("\n") == 1


def test_pillow_images_are_embedded_like_files(backbone, photograph, tmp_path):
    """An image at hand and its lossless file give the same features."""
    image = photograph(8)
    image.save(tmp_path / "x.png")
    both = embed(as_image_set([image, tmp_path / "x.png"]), backbone, cache=tmp_path / "cache")
    np.testing.assert_array_equal(both.features[0], both.features[1])


class Misshapen(torch.nn.Module):
    """Gives maps, or NaN, or fails, as it is told."""

    def __init__(self, fault):
        super().__init__()
        self.fault = fault

    def forward(self, pixels):
        if self.fault == "fails":
            raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
        return pixels if self.fault == "maps" else pixels.mean(dim=(2, 3)) * float("nan")


@pytest.mark.parametrize(
    ("fault", "message"), [("maps", r"must give features \(B, D\)"), ("nan", "NaN"), ("fails", "mat1 and mat2")]
)
def test_what_is_no_feature_is_never_stored(photo_folder, tmp_path, fault, message):
    """Maps, NaN and failures are one line, and the store stays empty."""
    half = (0.5, 0.5, 0.5)
    broken = Backbone.of("broken", from_module(Misshapen(fault), image_size=16, mean=half, std=half), device="cpu")
    with pytest.raises(InvalidInput, match=message):
        embed(f"{photo_folder}:test", broken, cache=tmp_path / "cache")
    with Store(tmp_path / "cache") as store:
        assert store.spaces() == []


def test_a_file_that_changes_while_it_is_read_is_stored_as_what_it_is(photo_folder, backbone, tmp_path, photograph):
    """A digest taken before is not believed: features always belong to the bytes that were decoded."""
    cache, path = tmp_path / "cache", photo_folder / "test" / "a" / "0.png"
    for image in photo_folder.rglob("*.png"):
        os.utime(image, (1, 1))
    images = load_dataset(f"{photo_folder}:test")
    with Store(cache) as store:
        run = _Run(images, backbone, load_view("identity"), store, False, None)
        run.digests = [bytes.fromhex(images.digest(i)) for i in range(len(images))]
        old = path.read_bytes()
        photograph(4242).save(path)
        changed = run.embeddings()
    expected = backbone.embed_images([photograph(4242)]).numpy()
    np.testing.assert_allclose(changed.features[:1], expected, rtol=1e-5, atol=1e-6)
    path.write_bytes(old)
    again = embed(f"{photo_folder}:test", backbone, cache=cache)
    assert again.computed == 1
    np.testing.assert_allclose(
        again.features[:1], backbone.embed_images([images.open(0)]).numpy(), rtol=1e-5, atol=1e-6
    )


def test_a_set_that_is_stored_whole_needs_no_backbone(backbone, tiny_name, tmp_path):
    """Sets without files are known by content, so a second run loads no weights."""
    embed("digits@0", backbone, cache=tmp_path / "cache")
    fresh = load_backbone(tiny_name, device="cpu")
    assert embed("digits@0", fresh, cache=tmp_path / "cache").computed == 0
    assert "_module" not in vars(fresh)
