"""What makes two backbones the same."""

import torch

from oodkit.backbones import Preprocessing
from oodkit.backbones.fingerprint import backbone_fingerprint, weights_digest

PREPROCESSING = Preprocessing(size=8, resize=8, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


def test_the_digest_does_not_depend_on_the_order_of_tensors():
    """A state dict is a set of named tensors."""
    a, b = torch.arange(3.0), torch.ones(2, 2)
    assert weights_digest({"a": a, "b": b}) == weights_digest({"b": b, "a": a})


def test_the_digest_tells_values_names_shapes_and_types_apart():
    """Anything that changes what is computed changes the digest."""
    base = torch.zeros(4)
    variants = [
        {"a": base},
        {"b": base},
        {"a": base.view(2, 2)},
        {"a": base.double()},
        {"a": base.int()},
        {"a": torch.tensor([0.0, 0.0, 0.0, -0.0])},
        {"a": base, "b": torch.zeros(0)},
    ]
    assert len({weights_digest(state) for state in variants}) == len(variants)


def test_non_contiguous_tensors_are_read_by_value():
    """A transposed view has the digest of its copy."""
    matrix = torch.arange(6.0).view(2, 3)
    assert weights_digest({"a": matrix.t()}) == weights_digest({"a": matrix.t().contiguous()})


def test_preprocessing_and_architecture_are_part_of_the_fingerprint():
    """The same weights at another size, or read from another layer, are another backbone."""
    prints = {
        backbone_fingerprint("net pooled", "w", PREPROCESSING),
        backbone_fingerprint("net tokens", "w", PREPROCESSING),
        backbone_fingerprint("net pooled", "v", PREPROCESSING),
        backbone_fingerprint("net pooled", "w", PREPROCESSING.at_size(16)),
    }
    assert len(prints) == 4
