"""The folder of a run."""

import pytest

from oodkit.errors import DataNotFound, InvalidInput
from oodkit.training.folder import TrainingFolder

RUN = {"method": "semsad", "settings": {"epochs": 3, "rate_steps": ((1, 0.2),)}, "seed": 0}


def test_the_same_run_finds_its_folder(tmp_path):
    """Tuples that have become lists are the same."""
    TrainingFolder(tmp_path / "a", RUN).begin()

    again = TrainingFolder(tmp_path / "a", RUN)

    assert not again.finished
    assert again.checkpoint() is None
    with pytest.raises(DataNotFound, match=r"card\.json is missing"):
        _ = again.card


def test_another_run_is_refused_with_what_differs(tmp_path):
    """The first setting that is another one."""
    TrainingFolder(tmp_path / "a", RUN).begin()

    with pytest.raises(InvalidInput, match=r"settings\.epochs is 3 there, 4 here"):
        TrainingFolder(tmp_path / "a", {**RUN, "settings": {"epochs": 4, "rate_steps": [[1, 0.2]]}})


def test_a_folder_of_something_else_is_refused(tmp_path):
    """Nothing is written beside other people's files."""
    (tmp_path / "mine.txt").write_text("x")

    with pytest.raises(InvalidInput, match="holds files, but no training"):
        TrainingFolder(tmp_path, RUN)


def test_a_file_is_no_folder(tmp_path):
    """--to names a file."""
    (tmp_path / "mine.txt").write_text("x")

    with pytest.raises(InvalidInput, match="is a file"):
        TrainingFolder(tmp_path / "mine.txt", RUN)
