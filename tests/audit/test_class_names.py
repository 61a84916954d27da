"""Shared class names."""

import pytest

from oodkit.audit.class_names import SharedClass, shared_classes


@pytest.mark.parametrize(
    ("a", "b", "how"),
    [
        ("Apple", "apple", "same"),
        ("pickup_truck", "pickup truck", "same"),
        ("hot-dog", "hotdog", "same"),
        ("n02129165_lion", "lion", "same"),
        ("tench, Tinca tinca", "tench", "same"),
        ("roses", "rose", "plural"),
        ("Berries", "berry", "plural"),
        ("wolves", "wolf", "plural"),
        ("wine glasses", "wine_glasses", "same"),
        ("matches", "match", "plural"),
        ("automobile", "cars", "synonym"),
        ("couches", "sofa", "synonym"),
    ],
)
def test_names_of_one_class(a, b, how):
    """Case, underscores, numbers in front and plurals do not count; a few synonyms are certain."""
    assert shared_classes([a], [b]) == (SharedClass(a, b, how),)


@pytest.mark.parametrize(
    ("a", "b"), [("truck", "pickup truck"), ("bus", "bu"), ("grass", "gras"), ("sea", "seal"), ("", "")]
)
def test_names_of_different_classes(a, b):
    """Related is not the same, and not every s is a plural."""
    assert shared_classes([a], [b]) == ()


def test_every_pair_is_listed():
    """In the order of the in-classes."""
    assert [(pair.in_, pair.out) for pair in shared_classes(["car", "dog"], ["dogs", "automobile", "car"])] == [
        ("car", "automobile"),
        ("car", "car"),
        ("dog", "dogs"),
    ]
