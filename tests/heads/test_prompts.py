import numpy as np
import pytest

from oodkit.errors import InvalidInput
from oodkit.heads import PROMPT_ENSEMBLE, SINGLE_PROMPT, LinearHead
from oodkit.heads.prompts import fill_prompts


def test_every_prompt_gets_every_name():
    """A list per class; names stand as they are, or with spaces for underscores where that is asked for."""
    names = ["aquarium_fish", "bear"]

    assert fill_prompts(names, ["a {}", "{}s, {}"]) == [
        ["a aquarium_fish", "aquarium_fishs, aquarium_fish"],
        ["a bear", "bears, bear"],
    ]
    assert fill_prompts(names, SINGLE_PROMPT, clean_names=True)[0] == ["a photo of a aquarium fish."]
    assert len(fill_prompts(names, PROMPT_ENSEMBLE)[1]) == 5


def test_what_gives_no_sentence_per_class_is_refused():
    """A template without {}, no prompts or names, empty names and names for two classes; braces in names are fine."""
    with pytest.raises(InvalidInput, match=r"'a photo' has no \{\}"):
        fill_prompts(["a"], ["a photo"])
    with pytest.raises(InvalidInput, match="prompts must be a list of texts"):
        fill_prompts(["a"], "a photo of a {}.")
    with pytest.raises(InvalidInput, match="no prompts"):
        fill_prompts(["a"], [])
    with pytest.raises(InvalidInput, match="no class names"):
        fill_prompts([], SINGLE_PROMPT)
    with pytest.raises(InvalidInput, match="class name 1 is empty"):
        fill_prompts(["a", "_"], SINGLE_PROMPT, clean_names=True)
    with pytest.raises(InvalidInput, match=r"1 class names stand for several classes \('crane'"):
        fill_prompts(["crane", "bear", "crane"], SINGLE_PROMPT)
    assert fill_prompts(["{x}", "{}"], ["a {}"]) == [["a {x}"], ["a {}"]]


@pytest.mark.parametrize("names", ["cat", None, 3, [1, 2], ["cat", None], b"cat"])
def test_class_names_are_a_list_of_texts(names):
    """A text alone would be taken apart into letters; anything that is no text is refused in one line."""
    for take in (
        lambda: fill_prompts(names, ["a photo of a {}."]),
        lambda: fill_prompts(["cat"], names),
        *([] if names is None else [lambda: LinearHead(np.eye(3), None, names)]),
    ):
        with pytest.raises(InvalidInput, match=r"^(class names|prompts) must be (a list of )?texts, ") as caught:
            take()
        assert "\n" not in str(caught.value)
