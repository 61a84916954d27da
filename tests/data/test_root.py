"""Where copies of data sets are looked for."""

from pathlib import Path

import pytest

from oodkit.data.root import data_root


def test_the_folder_given_comes_before_the_variable_before_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--data-root, then OODKIT_DATA, then the user's cache folder; an empty variable is none."""
    monkeypatch.setenv("OODKIT_DATA", str(tmp_path / "variable"))
    assert data_root(tmp_path / "given") == tmp_path / "given"
    assert data_root() == tmp_path / "variable"
    monkeypatch.setenv("OODKIT_DATA", "")
    assert data_root().parts[-2:] == ("oodkit", "data") or data_root().name == "data"


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As shells have it, in the variable too, where no shell expands it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("OODKIT_DATA", "~/images")
    assert data_root() == tmp_path / "images"
