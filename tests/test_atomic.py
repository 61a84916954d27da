"""Files that are whole or not there."""

import pytest

from oodkit.atomic import write_atomically


def test_a_file_is_replaced_as_a_whole(tmp_path):
    """The new content stands, in a folder that is made, and nothing else is left."""
    path = tmp_path / "deep" / "file"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file_and_no_partial_one(tmp_path):
    """What cannot be written changes nothing."""
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with pytest.raises(TypeError):
        write_atomically(path, "text")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
