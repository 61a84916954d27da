"""Embedding texts through a small module with a text tower."""

import numpy as np
import pytest
import torch
from torch import nn

from oodkit.backbones import Backbone, from_module
from oodkit.embedding import Store, embed_texts, texts
from oodkit.errors import InvalidInput, StoreError

NAMES = ["a cat", "a dog", "a cat", "eine Kuh"]


class TwoTowers(nn.Module):
    """The mean colour of an image, and how often letters stand in a text."""

    def __init__(self, factor: float = 1.0) -> None:
        super().__init__()
        self.letters = nn.Linear(26, 3, bias=False)
        with torch.no_grad():
            self.letters.weight.copy_(factor * torch.arange(78).view(3, 26).sin())

    def forward(self, pixels):
        return pixels.mean(dim=(2, 3))

    def encode_text(self, texts):
        counts = [[text.count(chr(97 + i)) for i in range(26)] for text in texts]
        if any("explode" in text for text in texts):
            raise RuntimeError("too hot")
        rows = self.letters(torch.tensor(counts, dtype=torch.float32))
        return rows * torch.tensor([[float("nan")] if "nothing" in text else [1.0] for text in texts])


class Counted(Backbone):
    """Keeps what its text tower was given."""

    def embed_text(self, texts):
        self.batches = [*getattr(self, "batches", []), list(texts)]
        return super().embed_text(texts)


def two_towers(factor: float = 1.0) -> Counted:
    network = from_module(TwoTowers(factor), image_size=8, mean=(0, 0, 0), std=(1, 1, 1), encode_text="encode_text")
    return Counted.of("towers", network, device="cpu")


def test_embeddings_are_those_of_the_text_tower(tmp_path):
    """Row i is text i, in float32, also for texts that stand there twice."""
    found = embed_texts(NAMES, two_towers(), cache=tmp_path)

    np.testing.assert_allclose(found, TwoTowers().encode_text(NAMES).detach(), rtol=1e-6)
    assert found.dtype == np.float32


def test_a_text_is_embedded_once(tmp_path):
    """In whatever list it turns up; only new ones go through the tower, in batches."""
    backbone = two_towers()
    first = embed_texts(NAMES, backbone, cache=tmp_path)
    again = embed_texts([*NAMES[::-1], "a hen", "a fox", "an owl"], backbone, cache=tmp_path, batch_size=2)

    assert backbone.batches == [["a cat", "a dog", "eine Kuh"], ["a hen", "a fox"], ["an owl"]]
    np.testing.assert_array_equal(again[:4], first[::-1])


def test_other_weights_never_share_an_entry(tmp_path):
    """Nor do the text towers of two networks whose image towers are the same."""
    one, two = embed_texts(NAMES, two_towers(), cache=tmp_path), embed_texts(NAMES, two_towers(2), cache=tmp_path)

    np.testing.assert_allclose(two, 2 * one, rtol=1e-6)


def test_what_was_written_before_an_interruption_is_kept(tmp_path, monkeypatch):
    """Shard by shard: the next call goes on where the last one stopped."""
    monkeypatch.setattr(texts, "TEXTS_PER_SHARD", 2)
    words, backbone = ["a", "b", "c", "explode", "e"], two_towers()
    with pytest.raises(InvalidInput):
        embed_texts(words, backbone, cache=tmp_path)
    backbone.batches = []

    embed_texts(["a", "b", "e"], backbone, cache=tmp_path)

    assert backbone.batches == [["e"]]


def test_a_damaged_shard_is_made_again(tmp_path):
    """Its texts are embedded anew."""
    backbone = two_towers()
    first = embed_texts(NAMES, backbone, cache=tmp_path)
    for shard in tmp_path.rglob("*.safetensors"):
        shard.write_bytes(b"damaged")

    np.testing.assert_array_equal(embed_texts(NAMES, backbone, cache=tmp_path), first)


def test_texts_lie_apart_from_images(tmp_path):
    """In a space of their own, which `cache info` lists."""
    embed_texts(NAMES, two_towers(), cache=tmp_path)

    with Store(tmp_path) as store:
        assert [space[:4] for space in store.spaces()] == [("towers", "fp32", "(text)", 3)]


def test_a_store_that_cannot_be_written_says_what_it_lacks(tmp_path, monkeypatch):
    """What it has is read; what it has not is an error."""
    backbone = two_towers()
    first = embed_texts(NAMES, backbone, cache=tmp_path)
    monkeypatch.setattr(Store, "read_only", property(lambda store: True))

    np.testing.assert_array_equal(embed_texts(NAMES, backbone, cache=tmp_path), first)
    with pytest.raises(StoreError, match="read-only and lacks embeddings of 1 texts"):
        embed_texts([*NAMES, "a hen"], backbone, cache=tmp_path)


def test_what_cannot_be_embedded_is_refused(tmp_path, tiny_name):
    """One line each: no texts, an empty one, no text tower, a tower that fails or gives NaN."""
    for nothing, message in (
        ([], "no texts"),
        ("a cat", "a list of texts"),
        (["a", " "], "text 1 is empty"),
        ([3], "text 0 is empty or no text"),
    ):
        with pytest.raises(InvalidInput, match=message):
            embed_texts(nothing, two_towers(), cache=tmp_path)
    with pytest.raises(InvalidInput, match=r"fails on 2 texts from 'a' on \(RuntimeError: too hot"):
        embed_texts(["a", "explode"], two_towers(), cache=tmp_path)
    with pytest.raises(InvalidInput, match="gives NaN or infinity for 'nothing'"):
        embed_texts(["a", "nothing"], two_towers(), cache=tmp_path)
    with pytest.raises(InvalidInput, match="has no text tower"):
        embed_texts(["a"], tiny_name, cache=tmp_path)
