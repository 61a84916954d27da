"""Lists of images to leave out."""

import pytest

from oodkit.data.left_out import read_left_out, write_left_out
from oodkit.errors import DataNotFound, InvalidInput

HASHES = ["0" * 64, "ab" * 32]


def test_what_is_written_is_read(tmp_path):
    """Hashes only: sets and ids are for people."""
    file = tmp_path / "list.csv"
    assert write_left_out(file, [(HASHES[0], "in", 'a "b", c'), (HASHES[1], "out", "d")]) == 2
    assert file.read_text().startswith("sha256,set,id\n" + HASHES[0])
    assert read_left_out(file) == set(HASHES)


def test_an_empty_list_leaves_nothing_out(tmp_path):
    """As an audit without near-duplicates writes it."""
    write_left_out(tmp_path / "list.csv", [])
    assert read_left_out(tmp_path / "list.csv") == frozenset()


def test_a_list_by_hand(tmp_path):
    """One hash per line, in either case, with comments."""
    (tmp_path / "list.txt").write_text(f"# mine\n\n{HASHES[1].upper()}\n")
    assert read_left_out(tmp_path / "list.txt") == {HASHES[1]}


def test_what_is_no_hash_is_refused_with_its_line(tmp_path):
    """An id in the first column would leave nothing out unseen."""
    (tmp_path / "list.csv").write_text(f"{HASHES[0]}\ntest/a/1.png\n")
    with pytest.raises(InvalidInput, match="line 2"):
        read_left_out(tmp_path / "list.csv")
    with pytest.raises(DataNotFound, match="nowhere"):
        read_left_out(tmp_path / "nowhere.csv")
