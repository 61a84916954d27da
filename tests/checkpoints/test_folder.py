"""The folder that checkpoints are kept in."""

import contextlib
import logging

import pytest
import torch

from oodkit.checkpoints import Checkpoints, State, checkpoints_in, checkpoints_of

ROWS = torch.arange(12.0).view(4, 3)


def a_state(step):
    return State({"step": step}, {"x": torch.full((2,), float(step))})


def killed(folder, step, *, kind="temi", settings=None, rows=ROWS):
    """A training that gets as far as a step."""
    with contextlib.suppress(KeyboardInterrupt), checkpoints_in(folder):
        checkpoints_of(kind, settings or {"seed": 0}, rows).offer(lambda: a_state(step))
        raise KeyboardInterrupt


def found(folder, *, kind="temi", settings=None, rows=ROWS):
    """Where the next run finds it."""
    with checkpoints_in(folder):
        last = checkpoints_of(kind, settings or {"seed": 0}, rows).last(a_state(0))
    return None if last is None else last.words["step"]


def test_a_killed_training_is_found_again_and_gone_once_the_block_ends_well(tmp_path, every_step):
    """The step that it was at; nothing, not even the folder, remains afterwards."""
    killed(tmp_path / "training", 5)
    assert found(tmp_path / "training") == 5
    assert not (tmp_path / "training").exists()


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "semsad"},
        {"settings": {"seed": 1}},
        {"rows": ROWS + torch.tensor([0, 0, 1e-6])},
        {"rows": ROWS.view(3, 4)},
        {"rows": ROWS.double()},
        {"rows": ROWS.flip(0)},
        {"rows": None},
    ],
)
def test_another_training_begins_at_its_beginning(tmp_path, every_step, other):
    """Another method, setting, number, shape, type or order of rows; and the first is still there."""
    killed(tmp_path, 5)
    assert found(tmp_path, **other) is None
    assert found(tmp_path) == 5


def test_what_decides_is_the_rows_not_how_they_lie(tmp_path, every_step):
    """A transposed copy with the same numbers is the same training."""
    killed(tmp_path, 5)
    assert found(tmp_path, rows=ROWS.T.contiguous().T) == 5


def test_an_inner_block_keeps_what_the_outer_one_needs(tmp_path, every_step):
    """The first of two trainings is done; a kill during the second loses neither."""
    with contextlib.suppress(KeyboardInterrupt), checkpoints_in(tmp_path):
        with checkpoints_in(tmp_path / "other"):
            checkpoints_of("temi", {"seed": 0}, ROWS).offer(lambda: a_state(9))
        raise KeyboardInterrupt
    assert found(tmp_path) == 9


def test_without_a_block_nothing_is_kept(tmp_path, every_step, monkeypatch):
    """No file appears."""
    monkeypatch.chdir(tmp_path)
    checkpoints = checkpoints_of("temi", {}, ROWS)
    checkpoints.offer(lambda: a_state(1))
    assert checkpoints.last(a_state(0)) is None
    assert list(tmp_path.iterdir()) == []


def test_checkpoints_are_written_now_and_then(tmp_path):
    """Not after every step: the first is due after some seconds."""
    checkpoints = Checkpoints(tmp_path / "c")
    checkpoints.offer(lambda: a_state(1))
    assert checkpoints.last(a_state(0)) is None


def test_a_damaged_checkpoint_costs_a_warning(tmp_path, every_step, caplog):
    """The training begins again."""
    killed(tmp_path, 5)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-1])
    with caplog.at_level(logging.WARNING):
        assert found(tmp_path) is None
    assert "a training starts again" in caplog.text


def test_one_changed_number_costs_a_warning(tmp_path, every_step, caplog):
    """A whole file with another number in it is not gone on from."""
    killed(tmp_path, 5)
    (file,) = tmp_path.iterdir()
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        assert found(tmp_path) is None
    assert "is not as it was written" in caplog.text


def test_a_checkpoint_of_another_form_costs_a_warning(tmp_path, every_step, caplog):
    """Another shape, or another tensor."""
    for first in (State({}, {"x": torch.zeros(3)}), State({}, {"y": torch.zeros(2)})):
        killed(tmp_path, 5)
        with caplog.at_level(logging.WARNING), checkpoints_in(tmp_path):
            assert checkpoints_of("temi", {"seed": 0}, ROWS).last(first) is None
        assert "is of another form" in caplog.text
        caplog.clear()


def test_another_number_of_threads_is_another_training(tmp_path, every_step):
    """Sums of products may differ there."""
    killed(tmp_path, 5)
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        assert found(tmp_path) is None
    finally:
        torch.set_num_threads(threads)
    assert found(tmp_path) == 5


def test_a_folder_that_cannot_be_written_costs_a_warning(tmp_path, every_step, caplog):
    """One, however many steps follow."""
    (tmp_path / "file").write_text("no folder")
    with caplog.at_level(logging.WARNING), checkpoints_in(tmp_path / "file"):
        checkpoints = checkpoints_of("temi", {}, ROWS)
        checkpoints.offer(lambda: a_state(1))
        checkpoints.offer(lambda: a_state(2))
    assert caplog.text.count("no checkpoints are kept") == 1
