"""The pseudo-label probe (Adaloglou et al., 2023): a linear probe on the labels that a zero-shot head gives."""

from dataclasses import dataclass, fields
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from oodkit.errors import InvalidInput
from oodkit.heads.linear import LinearHead, names_of
from oodkit.heads.probe import fit_probe
from oodkit.scorers.rows import as_labels, as_tensor, check_finite


@dataclass(frozen=True, eq=False)
class PseudoLabelProbe(LinearHead):
    """A probe, and how good the labels were that it learned from.

    Attributes:
        pseudo_label_accuracy: share of pseudo-labels that are the true ones, or None where these are not known.
    """

    pseudo_label_accuracy: float | None = None


def fit_pseudo_label_probe(
    features: Any, pseudo_labels: Any, *, true_labels: Any = None, **settings: Any
) -> PseudoLabelProbe:
    """Train a probe on pseudo-labels: hard ones, all of them, whatever their confidence.

    With the true labels as pseudo-labels the result is `fit_probe`'s, bit for bit.

    Args:
        features: (N, D) as for `fit_probe`.
        pseudo_labels: (N,) integers, or (N, C) logits of a zero-shot head, whose largest decides.
        true_labels: (N,) integers, to report the pseudo-labels' accuracy; training does not see them.
        **settings: as for `fit_probe`; with logits, `classes` is their number where it is not given.

    Raises:
        InvalidInput, TooFewSamples: as `fit_probe`; or logits and classes that differ in number.
    """
    count = len(as_tensor(features, "features"))
    labels, classes = _hard_labels(pseudo_labels)
    if classes is not None:
        given = settings.get("classes")
        settings["classes"] = classes if given is None else given
        number = classes if given is None else given if isinstance(given, Real) else len(names_of(given))
        if number != classes:
            raise InvalidInput(f"the zero-shot logits are of {classes} classes, but {number} classes were given")
    head = fit_probe(features, labels, **settings)
    accuracy = None
    notes = head.notes
    if true_labels is not None:
        pseudo = as_labels(labels, count)
        accuracy = float((pseudo == as_labels(true_labels, count)).double().mean())
        notes = (*notes, f"pseudo-label accuracy {100 * accuracy:.1f} %")
    values = {field.name: getattr(head, field.name) for field in fields(LinearHead)}
    return PseudoLabelProbe(**{**values, "notes": notes}, pseudo_label_accuracy=accuracy)


def _hard_labels(pseudo_labels: Any) -> tuple[NDArray[Any], int | None]:
    """Labels (N,), and the number of classes where logits say it."""
    array = pseudo_labels.detach().cpu().numpy() if isinstance(pseudo_labels, Tensor) else np.asarray(pseudo_labels)
    if array.ndim != 2:
        return array, None
    logits = as_tensor(array, "zero-shot logits")
    check_finite(logits, "zero-shot logits")
    return logits.argmax(dim=1).numpy(), logits.shape[1]
