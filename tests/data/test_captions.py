"""Captions of files, and which of them may be used."""

import json

import pytest

from oodkit.data.captions import captions_of, read_captions
from oodkit.errors import DataNotFound, InvalidInput


def test_a_text_file_has_one_per_line(tmp_path):
    """They belong to no image, so all may be used with any."""
    file = tmp_path / "captions.txt"
    file.write_text("# mine\na red rose\n\na leaf\n")

    captions = read_captions(file)

    assert captions == ["a red rose", "a leaf"]
    assert captions_of(captions, ["train/red/1.png"]) == ["a red rose", "a leaf"]


def test_json_has_lists_by_file_name(tmp_path):
    """Of these the ones of the images that are asked for, found by path or by file name, in the images' order."""
    file = tmp_path / "captions.JSON"
    by_image = {"1.png": ["a rose", "red"], "test/2.png": ["a leaf"], "2.png": ["another leaf"], "3.png": ["sky"]}
    file.write_text(json.dumps(by_image))

    captions = read_captions(file)

    assert captions == by_image
    assert captions_of(captions, ["test/2.png", "test/red/1.png", "4.png"]) == ["a leaf", "a rose", "red"]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("{", InvalidInput, "is no JSON"),
        ('["a rose"]', InvalidInput, "must be {"),
        ('{"1.png": "a rose"}', InvalidInput, "must be {"),
        ('{"1.png": [1]}', InvalidInput, "must be {"),
        ('{"1.png": []}', DataNotFound, "has no captions"),
    ],
)
def test_what_is_no_such_json_is_refused(tmp_path, text, error, message):
    """In one line that says what it must be."""
    file = tmp_path / "captions.json"
    file.write_text(text)
    with pytest.raises(error, match=message) as caught:
        read_captions(file)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    """Whatever it is called."""
    for name in ("captions.txt", "captions.json"):
        with pytest.raises(DataNotFound, match=f"{name} cannot be read"):
            read_captions(tmp_path / name)
