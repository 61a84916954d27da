"""Seeds of random draws."""

import torch

from oodkit.training.draws import drawing, generator_of, seed_of


def test_names_and_numbers_make_other_seeds():
    """1, 23 and 12, 3 are not the same."""
    assert len({seed_of(1, 23), seed_of(12, 3), seed_of(1, 23, 0), seed_of("1", 24)}) == 4
    assert generator_of(0, "a").initial_seed() == seed_of(0, "a")


def test_the_global_generator_is_put_back():
    """What is drawn inside repeats; outside, nothing has happened."""
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    with drawing(0, "x"):
        first = torch.rand(3)
    with drawing(0, "x"):
        again = torch.rand(3)

    assert torch.equal(first, again)
    assert torch.equal(torch.rand(2), expected)
