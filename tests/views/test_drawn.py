"""Views that draw at random."""

import pytest
import torch

from oodkit.errors import UnknownName
from oodkit.views import load_view, views
from oodkit.views.drawn import generator_of

FAMILIES = ["rotate_any", "patches2_", "patches4_", "pixels", "mild", "strong", "global", "local"]
IMAGE = torch.randint(256, (3, 24, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("family", FAMILIES)
def test_draws_differ_by_number_and_repeat_by_name(family):
    """Each number is another draw, each name the same one again; the global generator is not touched."""
    state = torch.get_rng_state()
    first, second = (load_view(f"{family}{number}").apply(IMAGE) for number in (1, 20))
    assert torch.equal(first, load_view(f"{family}1").apply(IMAGE.clone()))
    assert first.shape != second.shape or not torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_draw_depends_on_name_pixels_and_shape():
    """Another value, shape or name is another seed; memory layout is not."""
    seed = generator_of("mild1", IMAGE).initial_seed()
    other = IMAGE.clone()
    other[0, 0, 0] ^= 1
    assert generator_of("mild1", IMAGE.clone()).initial_seed() == seed
    assert generator_of("mild1", IMAGE.transpose(1, 2).contiguous().transpose(1, 2)).initial_seed() == seed
    assert generator_of("mild1", other).initial_seed() != seed
    assert generator_of("mild1", IMAGE.view(3, 32, 24)).initial_seed() != seed
    assert generator_of("mild2", IMAGE).initial_seed() != seed


@pytest.mark.parametrize("name", ["mild", "mild0", "mild01", "mild-1", "mild123456", "patches2", "patches3_1"])
def test_other_names_are_no_draws(name):
    """A draw's number is from 1 to 99,999, written one way."""
    assert name not in views
    with pytest.raises(UnknownName):
        load_view(name)
