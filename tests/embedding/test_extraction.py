"""Batches on their way through a backbone."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from oodkit.backbones import Backbone, Network, Preprocessing, from_module
from oodkit.data.image_list import as_image_set
from oodkit.embedding.extraction import Extraction, default_batch_size, features_of
from oodkit.views import load_view


class Noting(nn.Module):
    """Mean colour; keeps the shapes and thread counts that it was called with."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[int, int]] = []

    def forward(self, pixels: Tensor) -> Tensor:
        self.seen.append((len(pixels), torch.get_num_threads()))
        return pixels.mean(dim=(2, 3))


def _backbone(module: nn.Module) -> Backbone:
    half = (0.5, 0.5, 0.5)
    network = Network(module, Preprocessing(size=16, resize=16, mean=half, std=half), architecture="noting")
    return Backbone.of("module:noting", network, device="cpu", take=True)


def _extraction(backbone: Backbone, photograph: Callable[[int], object], count: int) -> Extraction:
    images = as_image_set([photograph(seed) for seed in range(count)])
    return Extraction(
        images, [None] * count, lambda digests: np.zeros(len(digests), bool), backbone, load_view("identity"), 4
    )


def test_batches_come_in_order_whatever_finishes_first(photograph):
    """Row i of a batch is the features of its i-th image."""
    backbone = _backbone(Noting())
    extraction = _extraction(backbone, photograph, 10)
    batches = list(extraction.run([range(0, 4), range(4, 8), range(8, 10)]))
    assert [list(batch.positions) for batch in batches] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    expected = torch.cat([backbone.embed_images([photograph(seed)]) for seed in range(10)])
    np.testing.assert_allclose(np.concatenate([batch.features for batch in batches]), expected, atol=1e-6)


def test_each_batch_is_computed_with_one_thread_and_the_caller_keeps_its_own(photograph):
    """The digits do not depend on the number of cores, and nothing is set behind the caller."""
    module = Noting()
    before = torch.get_num_threads()
    list(_extraction(_backbone(module), photograph, 8).run([range(0, 4), range(4, 8)]))
    assert module.seen == [(4, 1), (4, 1)]
    assert torch.get_num_threads() == before


def test_a_compiled_backbone_gets_batches_of_one_size(photograph):
    """Another number of images would be compiled anew; the filling leaves no trace in the features."""
    module = Noting()
    backbone = _backbone(module)
    backbone.compile = True
    backbone.__dict__["_forward"] = module  # what is run, without the compiler's minute
    batches = list(_extraction(backbone, photograph, 6).run([range(0, 4), range(4, 6)]))
    assert {rows for rows, _ in module.seen} == {4}
    assert [len(batch.features) for batch in batches] == [4, 2]
    last = backbone.preprocessing.fit([torch.from_numpy(np.array(photograph(5))).permute(2, 0, 1)])
    np.testing.assert_allclose(batches[1].features[1:], features_of(backbone, last), atol=1e-6)


@pytest.mark.parametrize(("size", "fp32", "bf16"), [(32, 16, 32), (128, 16, 32), (224, 4, 8), (1024, 1, 1)])
def test_batches_are_sized_by_pixels_and_precision_alone(size, fp32, bf16):
    """Never by the number of cores: it would show in the last digits."""
    network = from_module(Noting(), image_size=size, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    sizes = [default_batch_size(Backbone.of("x", network, device="cpu", precision=p)) for p in ("fp32", "bf16")]
    assert sizes == [fp32, bf16]
