"""Copies of flagged images: all are there, nothing is overwritten."""

import os

import pytest

from oodkit.cli.flagged_copies import FlaggedCopies
from oodkit.errors import InvalidInput


@pytest.fixture
def files(tmp_path):
    """Three files of one name in three folders, the last one equal to the first."""
    paths = []
    for folder, content in (("a", b"one"), ("b", b"two"), ("c", b"one")):
        (tmp_path / folder).mkdir()
        paths.append(tmp_path / folder / "x.tar.png")
        paths[-1].write_bytes(content)
    return paths


@pytest.mark.parametrize("links", [True, False])
def test_names_never_collide(files, tmp_path, links, monkeypatch):
    """Other files of a name get a number; equal ones are copied once, also by a second run; no partial file is left."""
    if not links:
        monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError("no links here")))
    target = tmp_path / "deep" / "flagged"
    copies = FlaggedCopies(target)
    for _ in range(2):
        for file in files:
            copies.add(str(file))
    assert {path.name: path.read_bytes() for path in target.iterdir()} == {"x.tar.png": b"one", "x.tar-2.png": b"two"}
    assert copies.copied == 2
    again = FlaggedCopies(target)
    again.add(str(files[1]))
    assert again.copied == 0


def test_files_in_the_folder_are_not_judged(tmp_path):
    """Else a run over the folder above would meet its own copies."""
    target = tmp_path / "flagged"
    files = [str(tmp_path / "a.png"), str(target / "b.png"), str(tmp_path / "flagged.png")]
    assert list(FlaggedCopies(target).others(files)) == [files[0], files[2]]


def test_a_file_is_no_folder(files):
    """One line."""
    with pytest.raises(InvalidInput, match="is a file; name a folder"):
        FlaggedCopies(files[0])
