"""The network of pairs and its training."""

import pytest
import torch

from oodkit.checkpoints import Checkpoints
from oodkit.errors import InvalidInput
from oodkit.scorers.discriminator import Discriminator, train_discriminator

SETTINGS = {"epochs": 10, "steps": 20, "patience": 3, "learning_rate": 1e-2, "weight_decay": 0.0}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def trained(draw, held_out=None, seed=0, checkpoints=None, **changed):
    held_out = draw(generator(100)) if held_out is None else held_out
    discriminator = Discriminator.drawn(2, 16, generator(seed))
    settings = {**SETTINGS, **changed}
    losses = train_discriminator(
        discriminator,
        draw,
        held_out,
        generator=generator(seed),
        checkpoints=checkpoints or Checkpoints(None),
        **settings,
    )
    return discriminator, losses


def same_or_not(generator, count=128):
    """Positive pairs lie together, negative ones anywhere."""
    u, other = (torch.randn(count, 2, generator=generator) for _ in range(2))
    return (u, u + 0.1 * torch.randn(count, 2, generator=generator)), (u, other)


def alike(generator, count=256):
    """Positive and negative pairs of one distribution."""
    return tuple(tuple(torch.randn(count, 2, generator=generator) for _ in range(2)) for _ in range(2))


def test_it_begins_without_knowledge():
    """The output is 0 for all pairs, so the loss is that of z = 0."""
    fresh = Discriminator.drawn(2, 16, generator())
    (u, v), _ = same_or_not(generator(1))
    assert torch.equal(fresh.log_odds(u, v), torch.zeros(len(u)))


def test_it_learns_what_tells_pairs_apart():
    """The loss falls below 2 log 2, and close pairs get higher log-odds than far ones."""
    discriminator, losses = trained(same_or_not)
    (u, v), (_, other) = same_or_not(generator(5))
    assert losses[-1] < 0.9
    assert (discriminator.log_odds(u, v) > discriminator.log_odds(u, other)).float().mean() > 0.9
    assert not discriminator.weight1.requires_grad


@pytest.mark.parametrize("step", [7, 40, 41])
def test_a_training_that_was_killed_ends_as_one_that_never_stopped(tmp_path, every_step, step):
    """Interrupted within an epoch, at the end of one and after it: the same losses and weights, bit for bit."""
    whole, losses = trained(same_or_not)
    draws, again = iter(range(step)), []

    def failing(generator):
        if next(draws, None) is None:
            raise KeyboardInterrupt
        return same_or_not(generator)

    held_out = same_or_not(generator(100))
    with pytest.raises(KeyboardInterrupt):
        trained(failing, held_out, checkpoints=Checkpoints(tmp_path / "c"))
    resumed, found = trained(
        lambda generator: again.append(1) or same_or_not(generator), held_out, checkpoints=Checkpoints(tmp_path / "c")
    )

    assert len(again) == SETTINGS["steps"] * len(losses) - step
    assert found == losses
    for name, part in vars(whole).items():
        assert torch.equal(vars(resumed)[name], part)


def test_pairs_that_do_not_differ_teach_nothing():
    """p+ = p-: log-odds stay near 0 and the loss near 2 log 2."""
    discriminator, losses = trained(alike, learning_rate=1e-3)
    (u, v), _ = alike(generator(9))
    assert discriminator.log_odds(u, v).abs().mean() < 0.25
    assert losses[-1] == pytest.approx(1.386294, abs=0.05)


def test_places_of_a_pair_differ():
    """z(u, v) is another number than z(v, u)."""
    discriminator, _ = trained(same_or_not, epochs=1)
    (u, v), _ = same_or_not(generator(2))
    assert (discriminator.log_odds(u, v) - discriminator.log_odds(v, u)).abs().max() > 1e-3


def test_a_pair_is_judged_alone_unless_statistics_are_of_the_batch():
    """Layer normalisation knows no other pairs; batch statistics do."""
    discriminator, _ = trained(same_or_not, epochs=1)
    (u, v), (_, w) = same_or_not(generator(3))
    whole = discriminator.log_odds(u, v)
    parts = torch.cat([discriminator.log_odds(u[i : i + 7], v[i : i + 7]) for i in range(0, len(u), 7)])
    torch.testing.assert_close(parts, whole, atol=1e-6, rtol=0)
    both = discriminator.log_odds(torch.cat([u, u]), torch.cat([v, 5 * w]), batch_statistics=True)[: len(u)]
    assert (both - discriminator.log_odds(u, v, batch_statistics=True)).abs().max() > 1e-2
    alone = discriminator.log_odds(u[:1], v[:1], batch_statistics=True)
    assert alone.isfinite().all()


@pytest.mark.parametrize("batch_statistics", [False, True])
def test_gradients_of_log_odds(batch_statistics):
    """As finite differences of float64 say, to rows and through the loss to weights."""
    discriminator, _ = trained(same_or_not, epochs=1)
    (u, v), _ = same_or_not(generator(4), 4)
    u, v = u.double().requires_grad_(True), v.double().requires_grad_(True)
    assert torch.autograd.gradcheck(lambda a, b: discriminator.log_odds(a, b, batch_statistics), (u, v))
    weights = [part.double().requires_grad_(True) for part in vars(discriminator).values()]
    assert torch.autograd.gradcheck(lambda *w: Discriminator(*w).log_odds(u.detach(), v.detach()), weights)


def test_the_same_seed_gives_the_same_network():
    """Bit for bit, and the global generator is not touched."""
    state = torch.get_rng_state()
    first, losses = trained(same_or_not, epochs=2)
    second, again = trained(same_or_not, epochs=2)
    assert losses == again
    assert all(torch.equal(a, b) for a, b in zip(vars(first).values(), vars(second).values(), strict=True))
    assert torch.equal(torch.get_rng_state(), state)
    assert trained(same_or_not, epochs=2, seed=1)[1] != losses


def test_training_stops_where_held_out_pairs_get_no_better():
    """What is learned by heart does not help: the weights are those of the best epoch."""
    few = same_or_not(generator(6), 8)
    held_out = alike(generator(7), 64)
    discriminator, losses = trained(lambda _: few, held_out, epochs=50, steps=10)
    best = losses.index(min(losses))
    assert len(losses) == best + 1 + SETTINGS["patience"] < 50
    with torch.no_grad():
        z = [discriminator.log_odds(*pairs) for pairs in held_out]
    from oodkit.scorers.pair_loss import pair_loss

    assert float(pair_loss(z[0], z[1], 1)) == pytest.approx(min(losses), abs=1e-6)


def test_a_loss_that_is_no_number_stops_with_step_and_settings():
    """One line."""

    def broken(generator):
        positive, (u, v) = same_or_not(generator)
        return positive, (u, v * torch.nan)

    line = r"^the loss is nan at step {} of 200 \(learning_rate=0\.01, weight_decay=0\): lower learning_rate$"
    with pytest.raises(InvalidInput, match=line.format(1)):
        trained(broken)
    with pytest.raises(InvalidInput, match=line.format(20)):
        trained(same_or_not, held_out=broken(generator()))
