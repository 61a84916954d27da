"""Errors are one line with the nearest right name."""

import pytest

from oodkit import errors
from oodkit.errors import OodkitError, nearest_names, unknown_name


def test_nearest_names_ignore_case_and_keep_spelling():
    """'VIT-b-23' is near 'ViT-B-32'."""
    assert nearest_names("VIT-b-23", ["ViT-B-32", "RN50"]) == ["ViT-B-32"]


def test_nothing_near_gives_no_hint():
    """An error does not guess wildly."""
    message = str(unknown_name("scorer", "qqqqqq", ["knn", "vim"], "oodkit list scorers"))
    assert message == "no scorer named 'qqqqqq'; `oodkit list scorers` shows all 2"


@pytest.mark.parametrize(
    ("name", "standard"),
    [
        ("InvalidInput", ValueError),
        ("UnknownName", LookupError),
        ("DataNotFound", FileNotFoundError),
        ("StoreError", OSError),
        ("MissingDependency", ImportError),
    ],
)
def test_errors_are_what_python_would_raise_too(name, standard):
    """Callers may catch the standard class or ours."""
    cls = getattr(errors, name)
    assert issubclass(cls, OodkitError)
    assert issubclass(cls, standard)
    assert str(cls("one line")) == "one line"
