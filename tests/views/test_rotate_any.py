"""Rotation by any angle."""

import torch

from oodkit.views import load_view
from oodkit.views.drawn import generator_of, uniform


def test_the_corners_are_black_and_the_centre_stays():
    """One grey level stays that at the centre; shape is kept; some corner is black at an angle far from a quarter."""
    grey = torch.full((3, 33, 33), 90, dtype=torch.uint8)
    for number in range(1, 6):
        seen = load_view(f"rotate_any{number}").apply(grey)
        angle = uniform(0, 360, generator_of(f"rotate_any{number}", grey)) % 90
        assert seen.shape == grey.shape
        assert (seen[:, 10:23, 10:23] == 90).all()
        assert bool((seen[:, 0, 0] == 0).all()) == (3 < angle < 87)


def test_a_quarter_turn_moves_the_bright_side():
    """The image turns counter-clockwise: the right half is at the top after a quarter turn."""
    from oodkit.views import rotate_any

    half = torch.zeros(3, 16, 16, dtype=torch.uint8)
    half[:, :, 8:] = 200
    found = {}
    for number in range(1, 40):
        angle = uniform(0, 360, generator_of(f"rotate_any{number}", half))
        found[angle] = getattr(rotate_any, f"rotate_any{number}").apply(half)
    nearest = min(found, key=lambda angle: abs(angle - 90))
    assert abs(nearest - 90) < 20
    assert found[nearest][:, 3, 6:10].min() == 200
    assert found[nearest][:, 12, 6:10].max() == 0
