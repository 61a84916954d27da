"""Numbers that change from step to step."""

import pytest

from oodkit.training.schedules import cosine, stepped, warm_cosine


def test_the_rate_rises_in_a_line_and_falls_along_a_cosine():
    """0 at first, the peak after the rise, half-way between peak and end in the middle of the fall."""
    rates = [warm_cosine(step, 30, 10, peak=2.0, last=0.0) for step in (0, 5, 10, 20)]

    assert rates == pytest.approx([0, 1, 2, 1])


def test_without_a_rise_the_first_step_has_the_peak():
    """Zero steps of rise."""
    assert warm_cosine(0, 4, 0, peak=3.0, last=1.0) == 3


def test_half_a_cosine_goes_from_the_first_to_the_last():
    """Ends and middle."""
    assert [cosine(step, 4, 0.04, 0.4) for step in (0, 2, 4)] == pytest.approx([0.04, 0.22, 0.4])


def test_steps_have_the_last_factor_that_is_reached():
    """Up to epoch 199 the value, then 0.2 and 0.01 of it, as in the published schedule of pairs."""
    steps = ((200, 0.2), (500, 0.01))

    assert [stepped(epoch, 1.0, steps) for epoch in (0, 199, 200, 499, 500)] == [1, 1, 0.2, 0.2, 0.01]
