from typing import Literal

import pytest

from oodkit.errors import InvalidInput
from oodkit.scorers.choice import check_choice


def test_a_word_that_is_not_allowed_comes_with_those_that_are() -> None:
    """One of the words passes; anything else is one line with all of them."""
    check_choice("metric", "cosine", Literal["cosine", "euclidean"])
    with pytest.raises(InvalidInput, match=r"^metric must be one of 'cosine', 'euclidean', got 'l1'$"):
        check_choice("metric", "l1", Literal["cosine", "euclidean"])
