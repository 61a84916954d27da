"""Loss and gradient of TEMI's student heads, written out: a few products, in memory that is used again."""

from typing import NamedTuple

import torch
from torch import Tensor

from oodkit.clustering.temi_heads import CODE, HIDDEN, TEMPERATURE, Heads
from oodkit.clustering.workspace import Workspace

LEAST_NORM = 1e-12


def teacher_step(heads: Heads, x: Tensor, memory: Workspace) -> Tensor:
    """Log-probabilities (H, R, C) of rows (R, D), as `Heads.log_probabilities` gives them."""
    logits = _forward(heads, x, memory).logits.to(heads.last.dtype)
    return torch.log_softmax(logits, dim=2, out=memory("teacher", *logits.shape, like=heads.last))


def student_step(
    heads: Heads,
    x: Tensor,
    log_teacher: Tensor,
    weights: Tensor,
    log_share: Tensor,
    beta: float,
    memory: Workspace,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss of each head, and the gradient of their mean by the heads' parameters.

    With q_s the student's and q_t the teacher's probabilities and q the shares, the gradient of a pair's loss by the
    logits z is weight * beta / temperature * (q_s - r), with r = softmax(beta (log q_s + log q_t) - log q).

    Args:
        heads: H students.
        x: (R, D) rows; products are taken in its dtype.
        log_teacher: (H, R, C) log-probabilities of the other row of each pair by the teachers.
        weights: (1, R) or (H, R) of the pairs.
        log_share: (H, C).
        beta: exponent of the loss.
        memory: where large tensors are made; the gradients lie there too.

    Returns:
        (H,) losses and the gradients by name.
    """
    count, rows, _ = log_teacher.shape
    made = _forward(heads, x, memory)
    before, hidden, code, narrow, norms = made.before, made.hidden, made.code, made.narrow, made.norms
    student = memory("student", *made.logits.shape, like=log_share)
    torch.log_softmax(made.logits.to(heads.last.dtype), dim=2, out=student)

    joint = memory("joint", *student.shape, like=log_share)
    torch.add(student, log_teacher, out=joint)
    joint.mul_(beta).sub_(log_share[:, None, :])
    gains = joint.logsumexp(dim=2, keepdim=True)  # (H, R, 1): minus the loss of each row
    losses = -(weights * gains[:, :, 0]).mean(dim=1)
    slope = student.exp_().sub_(joint.sub_(gains).exp_())
    slope.mul_((weights * (beta / (count * rows)))[:, :, None])  # by the logits, in units of the temperature

    by_logits = made.logits.copy_(slope)
    found = {}
    by_directions = torch.bmm(narrow.transpose(1, 2), by_logits).to(heads.last.dtype) / TEMPERATURE
    found["gain"] = (by_directions * made.units).sum(dim=1, keepdim=True)
    by_units = by_directions.mul_(heads.gain)
    found["last"] = by_units.sub_(made.units * (by_units * made.units).sum(dim=1, keepdim=True)).div_(made.lengths)
    raw = torch.bmm(by_logits, made.directions.transpose(1, 2), out=memory("raw", *code.shape, like=x))
    by_code = memory("by code", *code.shape, like=code).copy_(raw)
    along = torch.mul(by_code, code, out=memory("product", *code.shape, like=code)).sum(dim=2, keepdim=True)
    by_code = by_code.sub_(code.mul_(along)).div_(norms)
    narrow.copy_(by_code)
    found["second_bias"] = by_code.sum(dim=1, keepdim=True)
    found["second"] = torch.bmm(hidden.transpose(1, 2), narrow).to(heads.last.dtype)
    wide = memory("wide", count, rows, HIDDEN, like=x)
    hidden.copy_(torch.bmm(narrow, made.second.transpose(1, 2), out=wide))
    torch.ops.aten.gelu_backward.grad_input(memory("hidden", *before.shape, like=x), before, grad_input=before)
    found["first_bias"] = before.sum(dim=0, dtype=heads.last.dtype)
    found["first"] = torch.mm(x.T, before).to(heads.last.dtype)
    return losses, found


class _Forward(NamedTuple):
    """What the layers make on the way.

    Attributes:
        before: (R, H * HIDDEN) what the first layer gives; hidden: (H, R, HIDDEN) after GELU.
        second: (H, HIDDEN, CODE) the second layer, in the dtype of the rows.
        code: (H, R, CODE) of length 1, and the lengths it had, norms: (H, R, 1); narrow: in the rows' dtype.
        units: (H, CODE, C) directions, and the lengths they had; directions: scaled, in the rows' dtype.
        logits: (H, R, C) in the rows' dtype.
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


def _forward(heads: Heads, x: Tensor, memory: Workspace) -> _Forward:
    rows, (count, _, clusters), dtype = len(x), heads.last.shape, x.dtype
    before = memory("before", rows, count * HIDDEN, like=x)
    torch.addmm(heads.first_bias.to(dtype), x, heads.first.to(dtype), out=before)
    hidden = torch.ops.aten.gelu.out(before, out=memory("hidden", *before.shape, like=x))
    hidden = hidden.view(rows, count, HIDDEN).transpose(0, 1)
    second = heads.second.to(dtype)
    raw = memory("raw", count, rows, CODE, like=x)
    torch.baddbmm(heads.second_bias.to(dtype), hidden, second, out=raw)
    code = memory("code", *raw.shape, like=heads.second).copy_(raw)
    norms = torch.linalg.vector_norm(code, dim=2, keepdim=True).clamp_min_(LEAST_NORM)
    code.div_(norms)
    narrow = memory("narrow", *raw.shape, like=x).copy_(code)
    lengths = torch.linalg.vector_norm(heads.last, dim=1, keepdim=True).clamp_min(LEAST_NORM)
    units = heads.last / lengths
    directions = (units * (heads.gain / TEMPERATURE)).to(dtype)
    logits = torch.bmm(narrow, directions, out=memory("logits", count, rows, clusters, like=x))
    return _Forward(before, hidden, second, code, norms, narrow, units, lengths, directions, logits)
