import json

import numpy as np
import pytest
import torch

import oodkit.scorers
from oodkit.errors import DataNotFound, InvalidInput
from oodkit.scorers import KNN, Mahalanobis, saving
from oodkit.scorers.saving import load_state, save_state

LEARNED = {
    "bank_": torch.arange(6, dtype=torch.bfloat16).reshape(2, 3).T,
    "counts_": np.array([[1, 2]], dtype=np.int32),
    "names_": np.array(["a", "b"], dtype=object),
    "share_": 0.1 + 0.2,
    "count_": 3,
    "scale_": None,
    "notes_": ["one", "two"],
}


def test_everything_comes_back_as_it_was(tmp_path) -> None:
    """Tensors, arrays, names, numbers, text and None come back in their type, bit for bit."""
    save_state(tmp_path / "new" / "folder", "m:C", {"k": 5}, LEARNED)

    parameters, learned = load_state(tmp_path / "new" / "folder", "m:C")

    assert parameters == {"k": 5}
    assert learned.keys() == LEARNED.keys()
    for name, value in LEARNED.items():
        assert type(learned[name]) is type(value)
        if isinstance(value, torch.Tensor):
            assert torch.equal(learned[name], value)
        else:
            np.testing.assert_array_equal(learned[name], value)
    assert learned["counts_"].dtype == np.int32


def test_saving_again_replaces_and_leaves_no_rest(tmp_path) -> None:
    """The folder holds one scorer: two files, whatever was there before."""
    KNN().fit(np.eye(3)).save(tmp_path)
    KNN(k=2).fit(np.eye(4)).save(tmp_path)

    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".safetensors"]
    assert KNN.load(tmp_path).k == 2


@pytest.mark.parametrize("stage", range(3))
def test_an_interrupted_write_leaves_the_old_scorer(tmp_path, monkeypatch, stage) -> None:
    """Whenever a write breaks off, the folder still holds the scorer that was there."""
    KNN().fit(np.eye(3)).save(tmp_path)
    calls = []

    def breaks(*args, original=(saving._put, saving.save_file)[stage == 2]):
        calls.append(1)
        if stage == 2 or len(calls) > stage:
            raise KeyboardInterrupt
        return original(*args)

    monkeypatch.setattr(saving, "save_file" if stage == 2 else "_put", breaks)
    with pytest.raises(KeyboardInterrupt):
        KNN(k=2).fit(np.eye(4)).save(tmp_path)

    assert KNN.load(tmp_path).k == 1
    assert not list(tmp_path.glob("writing-*"))


def test_damage_is_noticed(tmp_path) -> None:
    """A flipped byte, a missing or cut file, broken JSON and an unknown format are each said, never loaded."""
    KNN().fit(np.eye(3)).save(tmp_path)
    (tensors,) = tmp_path.glob("*.safetensors")
    description = tmp_path / "scorer.json"
    whole, text = tensors.read_bytes(), description.read_text()

    for damaged in (whole[:-1] + bytes([whole[-1] ^ 1]), whole[: len(whole) // 2], b""):
        tensors.write_bytes(damaged)
        with pytest.raises(InvalidInput, match="damaged"):
            KNN.load(tmp_path)
    tensors.unlink()
    with pytest.raises(InvalidInput, match="missing or damaged"):
        KNN.load(tmp_path)
    for broken in ("", "{", "[]", "{}"):
        description.write_text(broken)
        with pytest.raises(InvalidInput, match=r"scorer.json is damaged"):
            KNN.load(tmp_path)
    description.write_text(json.dumps({**json.loads(text), "format": 99}))
    with pytest.raises(InvalidInput, match="format 99"):
        KNN.load(tmp_path)


def test_what_is_neither_array_number_nor_text_is_refused(tmp_path) -> None:
    """Nothing is pickled: an object, or a number JSON has no word for, cannot be saved, and leaves no rest."""
    for value in (object(), float("nan"), {1, 2}):
        with pytest.raises(InvalidInput, match="m:C cannot be saved"):
            save_state(tmp_path, "m:C", {}, {"thing_": value})
    assert not list(tmp_path.glob("writing-*"))
    with pytest.raises(DataNotFound):
        load_state(tmp_path, "m:C")


def test_tensors_that_share_memory(tmp_path) -> None:
    """Two names for one tensor, or parts of one, are written as they are and read back apart."""
    whole = torch.arange(6.0)
    learned = {"a_": whole, "b_": whole, "part_": whole[2:]}

    save_state(tmp_path, "m:C", {"names": ("x", "y")}, learned)

    parameters, found = load_state(tmp_path, "m:C")
    assert parameters == {"names": ("x", "y")}
    assert all(torch.equal(found[name], tensor) for name, tensor in learned.items())


def test_registered_scorers_load_by_folder_alone(tmp_path) -> None:
    """`oodkit.scorers.load` finds the class in the registry; what is not registered is never imported."""
    rows, labels = np.random.default_rng(0).standard_normal((40, 3)), np.arange(40) % 2
    saved = Mahalanobis(normalize=True).fit(rows, labels)
    saved.save(tmp_path)

    loaded = oodkit.scorers.load(tmp_path)

    assert isinstance(loaded, Mahalanobis)
    np.testing.assert_array_equal(loaded.score_samples(rows), saved.score_samples(rows))
    description = tmp_path / "scorer.json"
    description.write_text(description.read_text().replace("oodkit.scorers.mahalanobis:Mahalanobis", "evil:Thing"))
    with pytest.raises(InvalidInput, match="holds a evil:Thing, which is not registered"):
        oodkit.scorers.load(tmp_path)
