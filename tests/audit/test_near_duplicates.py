"""Near-duplicates: planted ones are found, others are not."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps, ImageStat

from oodkit.audit.facts import image_facts
from oodkit.audit.near_duplicates import near_duplicates
from oodkit.audit.perceptual_hash import BITS, near_hashes, perceptual_hash
from oodkit.data import load_dataset

PLANTED = {
    "bytes": lambda image: image,
    "jpeg": lambda image: reopened(image, quality=40),
    "smaller": lambda image: image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC),
    "larger": lambda image: image.resize((image.width * 2, image.height * 2), Image.Resampling.LANCZOS),
    "mirrored": ImageOps.mirror,
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.15),
    "grey": lambda image: image.convert("L"),
    "mirrored jpeg": lambda image: reopened(ImageOps.mirror(image), quality=60),
}


def reopened(image, quality):
    stream = BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(stream)


@pytest.fixture
def folders(tmp_path, photograph):
    """`a` with 40 photographs, `b` with 40 others and one planted copy of each kind."""
    pieces = (photograph(seed, 64, 64) for seed in range(1000))
    seen = (piece for piece in pieces if ImageStat.Stat(piece.convert("L")).stddev[0] > 25)  # sky shows nothing
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(40):
            next(seen).save(tmp_path / name / f"{number}.png")
    for number, (kind, change) in enumerate(PLANTED.items()):
        change(Image.open(tmp_path / "a" / f"{number}.png")).save(tmp_path / "b" / f"copy {kind}.png")
    return tmp_path


def test_planted_copies_are_found_and_nothing_else(folders):
    """Same bytes, re-encoded, resized, mirrored, brightened, without colour: each with the image it was made from."""
    a, b = (load_dataset(str(folders / name)) for name in "ab")
    pairs, cut = near_duplicates(image_facts(a), image_facts(b))
    found = {b.ids[pair.right].removeprefix("copy ").removesuffix(".png"): pair for pair in pairs}
    assert not cut
    copies = {kind: pair for kind, pair in found.items() if kind in PLANTED}
    assert {kind: a.ids[pair.left] for kind, pair in copies.items()} == {
        kind: f"{number}.png" for number, kind in enumerate(PLANTED)
    }
    # Pieces of the same photograph may overlap by chance.
    assert len(pairs) <= len(PLANTED) + 2
    assert {kind for kind, pair in copies.items() if pair.mirrored} == {"mirrored", "mirrored jpeg"}
    assert pairs[0].identical == (pairs[0] == copies["bytes"])
    assert [pair.detail for pair in pairs if not pair.identical] == sorted(
        (pair.detail for pair in pairs if not pair.identical), reverse=True
    )


def test_the_hash_of_a_mirror_image_is_met(photograph):
    """Distance 0 between an image and its mirror image, in either order."""
    thumb = np.asarray(photograph(5, 32, 32).convert("L"))
    a, b = perceptual_hash(thumb[None]), perceptual_hash(thumb[None, :, ::-1])
    assert [(part[0].tolist(), part[2].tolist()) for part in near_hashes(a, b, 0)] == [([0], [0])]
    assert (a != b).any()


def test_all_pairs_in_reach_are_found():
    """As a loop over all pairs has it, in ascending rows."""
    chance = np.random.default_rng(0)
    a, b = (chance.choice([-1.0, 1.0], (n, BITS)).astype(np.float32) for n in (30, 20))
    mirror = np.where(np.arange(64) % 8 % 2 == 1, -1, 1)[1:]
    expected = [
        (i, j, distance)
        for i in range(30)
        for j in range(20)
        if (distance := min((a[i] != b[j]).sum(), (a[i] * mirror != b[j]).sum())) <= 24
    ]
    found = [
        triple for parts in near_hashes(a, b, 24) for triple in zip(*(part.tolist() for part in parts), strict=True)
    ]
    assert found == expected
    assert 0 < len(expected) < 600


def test_features_find_candidates_that_the_hash_misses(facts):
    """Alike by features, but not by pixels: looked at, and not counted; alike by both: counted."""
    a, b = facts(6, 0), facts(5, 1)
    b.thumbs[2] = a.thumbs[4]
    features = np.eye(6, 8, dtype=np.float32), np.eye(5, 8, dtype=np.float32)
    pairs, _ = near_duplicates(a, b, features)
    assert [(pair.left, pair.right) for pair in pairs] == [(4, 2)]


def test_flat_images_are_no_duplicates_but_of_the_same_bytes(facts):
    """A black image correlates with nothing; the same file is a duplicate all the same."""
    a, b = facts(3, 0), facts(3, 1)
    a.thumbs[:], b.thumbs[:] = 0, 0
    b.digests[1] = a.digests[2]
    pairs, _ = near_duplicates(a, b)
    assert [(pair.left, pair.right, pair.identical) for pair in pairs] == [(2, 1, True)]


def test_where_too_many_look_alike_the_nearest_are_looked_at(facts, monkeypatch):
    """Of several copies the most alike is found, and that others were not looked at is told."""
    a, b = facts(1, 0), facts(3, 1)
    b.thumbs[:] = a.thumbs
    b.thumbs[:2, :, :20] = 255 - b.thumbs[:2, :, :20] // 2
    monkeypatch.setattr("oodkit.audit.near_duplicates.RADIUS", BITS)
    monkeypatch.setattr("oodkit.audit.near_duplicates.MOST_CANDIDATES", 1)
    pairs, cut = near_duplicates(a, b)
    assert cut
    assert [pair.right for pair in pairs] == [2]


def test_one_light_on_two_things_is_no_duplicate(facts):
    """Two textures under the same broad shading correlate as a whole, but not in their details."""
    a, b = facts(1, 0), facts(1, 1)
    shading = 60 + 100 * np.outer(np.linspace(0, 1, 32), np.linspace(1, 0, 32))
    for side in (a, b):
        side.thumbs[0] = shading + side.thumbs[0] / 16
    features = np.ones((1, 2), np.float32), np.ones((1, 2), np.float32)
    assert np.corrcoef(a.thumbs[0].ravel(), b.thumbs[0].ravel())[0, 1] > 0.9
    assert near_duplicates(a, b, features) == ([], False)
