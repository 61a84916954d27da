from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oodkit.errors import InvalidInput
from oodkit.scorers.parameters import parse


class Everything:
    def __init__(
        self,
        count: int = 1,
        share: float = 0.5,
        flag: bool = False,
        name: str = "a",
        limit: int | None = None,
        size: int | float = 1,
        mode: Literal["mean", "kth"] = "mean",
        names: tuple[str, ...] = ("a",),
        sizes: tuple[int, ...] = (1,),
        anything=None,
    ) -> None: ...


@given(count=st.integers(), share=st.floats(allow_nan=False), flag=st.booleans(), name=st.text())
def test_text_of_a_value_gives_the_value(count, share, flag, name) -> None:
    """What Python prints for a value is read back as that value, in its type."""
    values = {"count": count, "share": share, "flag": flag, "name": name}

    found = parse("x", Everything, {key: str(value) for key, value in values.items()})

    assert found == values
    assert [type(v) for v in found.values()] == [int, float, bool, str]


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("limit", "none", None),
        ("limit", "None", None),
        ("limit", "3", 3),
        ("size", "0.5", 0.5),
        ("mode", "kth", "kth"),
        ("flag", "TRUE", True),
        ("names", "knn, msp", ("knn", "msp")),
        ("sizes", "3", (3,)),
    ],
)
def test_optional_union_literal_and_tuple(key, text, value) -> None:
    """`none` where None is allowed, the first type that fits, one of the words of a Literal, words between commas."""
    assert parse("x", Everything, {key: text}) == {key: value}


@pytest.mark.parametrize(
    ("text", "value"),
    [("5", 5), ("0.1", 0.1), ("True", True), ("false", False), ("None", None), ("(1, 2)", (1, 2)), ("ball_tree",) * 2],
)
def test_without_an_annotation_text_is_what_it_reads_as(text, value) -> None:
    """Other packages' parameters have no types: numbers, true, false, none and literals are those, the rest is text."""
    found = parse("x", Everything, {"anything": text})["anything"]

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("count", "1.5", "x.count must be an integer, got '1.5'"),
        ("count", "none", "x.count must be an integer, got 'none'"),
        ("share", "half", "x.share must be a number, got 'half'"),
        ("flag", "1", "x.flag must be true or false, got '1'"),
        ("limit", "many", "x.limit must be an integer, got 'many'"),
        ("sizes", "1,two", "x.sizes must be an integer, got 'two'"),
        ("mode", "max", "x.mode must be one of mean, kth, got 'max'"),
        ("cuont", "1", "scorer 'x' has no parameter 'cuont'; did you mean 'count'? it takes count, share"),
    ],
)
def test_wrong_text_is_one_clear_line(key, text, message) -> None:
    """A message names scorer, parameter, what it must be and what was given."""
    with pytest.raises(InvalidInput) as caught:
        parse("x", Everything, {key: text})

    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
