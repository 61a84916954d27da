"""NAME=VALUE words."""

import pytest

from oodkit.cli.settings_words import setting_texts, setting_values
from oodkit.errors import InvalidInput


def test_values_are_what_they_are_written_as():
    """Numbers, flags and null; all else is text, equals signs in it included."""
    words = ["heads=8", "beta=0.6", "fast=true", "pool=null", "weighting=wpmi", "note=a=b"]
    expected = {"heads": 8, "beta": 0.6, "fast": True, "pool": None, "weighting": "wpmi", "note": "a=b"}

    assert setting_values(words, "heads=8") == expected
    assert setting_texts(words[:2], "heads=8") == {"heads": "8", "beta": "0.6"}


@pytest.mark.parametrize("word", ["heads", "=8", ""])
def test_another_form_is_answered_with_an_example(word):
    """In one line."""
    with pytest.raises(InvalidInput, match="must be NAME=VALUE, such as heads=8, got"):
        setting_values([word], "heads=8")
