"""Loss and gradient of TEMI's student heads, written out: a few products, for as many heads at once as fit a cache."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import gelu

from oodkit.clustering.products import product
from oodkit.clustering.temi_heads import CODE, HIDDEN, TEMPERATURE, Heads

LEAST_NORM = 1e-12
CACHE_BYTES = 2**23  # of what heads make on the way, on a CPU: memory beyond its caches costs more than the products


def head_parts(heads: Heads, x: Tensor) -> Iterator[slice]:
    """Which heads are computed at once for rows (R, D): all of them on a GPU."""
    count, _, clusters = heads.last.shape
    size = count
    if x.device.type == "cpu":
        of_one = len(x) * (2 * HIDDEN + 2 * CODE + 2 * clusters) * x.element_size()
        size = max(1, min(count, CACHE_BYTES // max(1, of_one)))
    for start in range(0, count, size):
        yield slice(start, start + size)


class Taught(NamedTuple):
    """What H teachers say of the first and the second rows of B pairs.

    Attributes:
        log_probabilities: (H, 2 B, C).
        shares: (H, C) mean probabilities.
        agreements: (H, B) how likely both rows of a pair are of one cluster.
    """

    log_probabilities: Tensor
    shares: Tensor
    agreements: Tensor


def teacher_step(heads: Heads, x: Tensor) -> Taught:
    """What teachers say of rows (2 B, D), as `Heads.log_probabilities` and `agreement` give it."""
    (count, _, clusters), half, like = heads.last.shape, len(x) // 2, heads.last
    found = Taught(
        like.new_empty(count, len(x), clusters), like.new_empty(count, clusters), like.new_empty(count, half)
    )
    for part in head_parts(heads, x):
        logits = _forward(heads.part(part), x).logits.to(like.dtype)
        torch.log_softmax(logits, dim=2, out=found.log_probabilities[part])
        probabilities = found.log_probabilities[part].exp()
        torch.mean(probabilities, dim=1, out=found.shares[part])
        torch.sum(probabilities[:, :half].mul_(probabilities[:, half:]), dim=2, out=found.agreements[part])
    return found


def student_step(
    heads: Heads, x: Tensor, log_teacher: Tensor, weights: Tensor, log_share: Tensor, beta: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss of each head, and the gradient of their mean by the heads' parameters.

    With q_s the student's and q_t the teacher's probabilities and q the shares, the gradient of a pair's loss by the
    logits z is weight * beta / temperature * (q_s - r), with r = softmax(beta (log q_s + log q_t) - log q).

    Args:
        heads: H students.
        x: (2 B, D) first rows and second rows of B pairs; products are taken in its dtype.
        log_teacher: (H, 2 B, C) log-probabilities of these rows by the teachers.
        weights: (1, B) or (H, B) of the pairs.
        log_share: (H, C).
        beta: exponent of the loss.

    Returns:
        (H,) losses and the gradients by name.
    """
    found = {name: torch.empty_like(tensor) for name, tensor in heads.tensors().items()}
    slopes = Heads(**found)
    losses = log_share.new_empty(len(log_share))
    every = weights.expand(len(log_share), -1)
    turned = torch.cat([x.T, x.new_ones(1, len(x))])
    for part in head_parts(heads, x):
        losses[part] = _student_part(
            heads.part(part),
            x,
            turned,
            log_teacher[part],
            every[part],
            log_share[part],
            beta,
            len(losses),
            slopes.part(part),
        )
    return losses, found


def _student_part(
    heads: Heads,
    x: Tensor,
    turned: Tensor,
    log_teacher: Tensor,
    weights: Tensor,
    log_share: Tensor,
    beta: float,
    count: int,
    slopes: Heads,
) -> Tensor:
    """Losses of some of `count` heads; their gradients are written to `slopes`."""
    rows, half, exact = len(x), len(x) // 2, heads.last.dtype
    made = _forward(heads, x)
    student = made.logits.to(exact).log_softmax(dim=2)
    joint = torch.empty_like(student)
    torch.add(student[:, :half], log_teacher[:, half:], out=joint[:, :half])
    torch.add(student[:, half:], log_teacher[:, :half], out=joint[:, half:])
    joint.mul_(beta).sub_(log_share[:, None, :])
    best = joint.log_softmax(dim=2)
    gains = joint[:, :, :1] - best[:, :, :1]  # (h, 2 B, 1): minus the loss of each row
    both = weights.repeat(1, 2)
    slope = student.exp_().sub_(best.exp_())
    slope.mul_((both * (beta / (count * rows)))[:, :, None])  # by the logits, in units of the temperature
    _backward(heads, turned, made, slope.to(x.dtype), slopes)
    return -(both * gains[:, :, 0]).mean(dim=1)


def _backward(heads: Heads, turned: Tensor, made: "_Forward", by_logits: Tensor, slopes: Heads) -> None:
    """From the gradient by the logits, (h, R, C) in units of the temperature, and the rows and ones, (D + 1, R)."""
    exact, code = heads.last.dtype, made.code
    by_directions = product(made.narrow.transpose(1, 2), by_logits).to(exact).div_(TEMPERATURE)
    torch.sum(by_directions * made.units, dim=1, keepdim=True, out=slopes.gain)
    by_units = by_directions.mul_(heads.gain)
    along = (by_units * made.units).sum(dim=1, keepdim=True)
    torch.div(by_units.addcmul_(made.units, along, value=-1), made.lengths, out=slopes.last)
    by_code = product(by_logits, made.directions.transpose(1, 2)).to(exact)
    by_code.addcmul_(code, (by_code * code).sum(dim=2, keepdim=True), value=-1).div_(made.norms)
    torch.sum(by_code, dim=1, keepdim=True, out=slopes.second_bias)
    narrow = by_code.to(turned.dtype)
    slopes.second.copy_(product(made.hidden.transpose(1, 2), narrow))
    by_hidden = product(narrow, made.second.transpose(1, 2))
    by_before = torch.ops.aten.gelu_backward(by_hidden, made.before)
    by_first = product(turned, by_before)
    slopes.first.copy_(by_first[:, :-1])
    slopes.first_bias.copy_(by_first[:, -1:])


class _Forward(NamedTuple):
    """What the layers make on the way.

    Attributes:
        before: (h, R, HIDDEN) what the first layer gives; hidden: the same after GELU.
        second: (h, HIDDEN, CODE) the second layer, in the dtype of the rows.
        code: (h, R, CODE) of length 1, and the lengths it had, norms: (h, R, 1); narrow: in the rows' dtype.
        units: (h, CODE, C) directions, and the lengths they had; directions: scaled, in the rows' dtype.
        logits: (h, R, C) in the rows' dtype.
    """

    before: Tensor
    hidden: Tensor
    second: Tensor
    code: Tensor
    norms: Tensor
    narrow: Tensor
    units: Tensor
    lengths: Tensor
    directions: Tensor
    logits: Tensor


def _forward(heads: Heads, x: Tensor) -> _Forward:
    dtype, exact = x.dtype, heads.last.dtype
    before = product(x, heads.first.to(dtype), heads.first_bias.to(dtype))
    hidden = gelu(before)
    second = heads.second.to(dtype)
    code = product(hidden, second, heads.second_bias.to(dtype)).to(exact)
    norms = torch.linalg.vector_norm(code, dim=2, keepdim=True).clamp_min_(LEAST_NORM)
    code.div_(norms)
    narrow = code.to(dtype)
    lengths = torch.linalg.vector_norm(heads.last, dim=1, keepdim=True).clamp_min(LEAST_NORM)
    units = heads.last / lengths
    directions = (units * (heads.gain / TEMPERATURE)).to(dtype)
    return _Forward(
        before, hidden, second, code, norms, narrow, units, lengths, directions, product(narrow, directions)
    )
