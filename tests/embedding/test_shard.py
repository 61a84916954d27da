"""Shards say themselves what they hold."""

import hashlib

import numpy as np
import pytest

from oodkit.embedding.shard import CorruptShard, Space, encode_shard, read_contents, read_features

SPACE = Space("fingerprint", "fp32", "identity")
DIGESTS = [hashlib.sha256(bytes([i])).digest() for i in range(3)]
FEATURES = np.arange(6, dtype=np.float32).reshape(3, 2)


@pytest.fixture
def shard(tmp_path):
    data = encode_shard(SPACE, "net", DIGESTS, FEATURES)
    path = tmp_path / "shard.safetensors"
    path.write_bytes(data)
    return path, hashlib.sha256(data).hexdigest()


def test_what_is_written_is_read(shard):
    """Features, digests and space come back."""
    path, checksum = shard
    np.testing.assert_array_equal(read_features(path, checksum), FEATURES)
    assert read_contents(path) == (SPACE, "net", DIGESTS)


@pytest.mark.parametrize("spoil", [lambda data: data[:-1], lambda data: b"", lambda data: data[:-1] + b"\xff"])
def test_a_changed_byte_or_a_missing_one_is_found(shard, spoil):
    """Truncated, emptied and altered files are never read as features."""
    path, checksum = shard
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(CorruptShard, match="checksum differs"):
        read_features(path, checksum)


def test_a_file_that_is_gone_is_corrupt(tmp_path):
    """The index may name what somebody deleted."""
    with pytest.raises(CorruptShard, match="cannot be read"):
        read_features(tmp_path / "gone", "0")


def test_every_part_of_a_space_counts():
    """Fingerprint, numerics and view each make another key."""
    keys = {SPACE.key, Space("other", "fp32", "identity").key, Space("fingerprint", "bf16", "identity").key}
    assert len(keys | {Space("fingerprint", "fp32", "flip").key}) == 4
