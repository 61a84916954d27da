import math
from fractions import Fraction
from typing import Literal

import numpy as np
import pytest

from oodkit.errors import InvalidInput
from oodkit.scorers.checks import (
    check_choice,
    check_flag,
    check_integer,
    check_number,
    check_percentile,
    check_positive,
    check_seed,
)

NO_NUMBER = [None, "x", "3", math.nan, math.inf, -math.inf, [3], (), {}, np.ones((3, 40)), 1j, True, object, 10**400]


@pytest.mark.parametrize("good", [3, 3.0, np.int64(3), np.float32(3), Fraction(3)])
def test_whole_numbers_of_any_type_become_integers(good) -> None:
    """Of Python and of NumPy."""
    found = check_integer("k", good, 1)

    assert found == 3
    assert type(found) is int
    assert check_integer("k", good, 3, 3) == 3


@pytest.mark.parametrize("bad", [*NO_NUMBER[:-1], 0, -1, 2.5, np.float64(2.5)])
def test_what_is_no_integer_in_the_range_is_one_line(bad) -> None:
    """Text, NaN, lists and fractions are as wrong as a number below the range; long values are cut."""
    with pytest.raises(InvalidInput, match=r"^k must be an integer of at least 1, got .{1,63}$"):
        check_integer("k", bad, 1)


def test_a_range_is_told_with_its_reason() -> None:
    """Both ends are allowed and named."""
    assert check_integer("dim", 0, 0, 4) == 0
    assert check_integer("dim", 4, 0, 4) == 4
    with pytest.raises(InvalidInput, match=r"^dim must be an integer from 0 to 4, the width, got 5$"):
        check_integer("dim", 5, 0, 4, "the width")
    with pytest.raises(InvalidInput, match=r"^dim must be an integer from 0 to 4, got '5'$"):
        check_integer("dim", "5", 0, 4)


@pytest.mark.parametrize("bad", [*NO_NUMBER, 0, -1.0])
def test_what_is_no_positive_number_is_one_line(bad) -> None:
    """The smallest positive number passes."""
    check_positive("gamma", 1e-300)
    check_positive("gamma", np.float16(3))
    with pytest.raises(InvalidInput, match=r"^gamma must be a positive number, got .{1,63}$"):
        check_positive("gamma", bad)


@pytest.mark.parametrize("bad", [*NO_NUMBER, -0.1, 100.5])
def test_percentiles_are_from_0_to_100(bad) -> None:
    """Both ends pass."""
    check_percentile("lower", 0)
    check_percentile("lower", 100.0)
    with pytest.raises(InvalidInput, match=r"^lower must be a percentile from 0 to 100, got .{1,63}$"):
        check_percentile("lower", bad)


def test_a_number_of_a_kind() -> None:
    """What the kind does not allow is refused in its words."""
    check_number("share", 0.5, "a share", lambda share: 0 < share < 1)
    with pytest.raises(InvalidInput, match=r"^share must be a share, got 1$"):
        check_number("share", 1, "a share", lambda share: 0 < share < 1)


@pytest.mark.parametrize("bad", [-1, 2**32, 0.5, None, "x"])
def test_seeds_are_those_that_every_generator_takes(bad) -> None:
    """From 0 to 2^32 - 1."""
    assert check_seed(2**32 - 1) == 2**32 - 1
    with pytest.raises(InvalidInput, match=r"^seed must be an integer from 0 to 4294967295, got "):
        check_seed(bad)


@pytest.mark.parametrize("bad", [None, "x", 1, math.nan])
def test_flags_are_true_or_false(bad) -> None:
    """NumPy's as well; nothing else is taken for one."""
    check_flag("normalize", np.bool_(True))
    with pytest.raises(InvalidInput, match=r"^normalize must be True or False, got "):
        check_flag("normalize", bad)


@pytest.mark.parametrize(("bad", "shown"), [("l1", "'l1'"), (None, "None"), (3, "3"), (np.zeros(2), r"array.*")])
def test_a_word_that_is_not_allowed_comes_with_those_that_are(bad, shown) -> None:
    """One of the words passes; anything else is one line with all of them."""
    check_choice("metric", "cosine", Literal["cosine", "euclidean"])
    with pytest.raises(InvalidInput, match=rf"^metric must be one of 'cosine', 'euclidean', got {shown}$"):
        check_choice("metric", bad, Literal["cosine", "euclidean"])
