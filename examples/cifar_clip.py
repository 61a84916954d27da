"""A tiny CLIP for CIFAR-10 as a backbone: an example of bringing your own module with a text tower.

    OODKIT_WEIGHTS=DIR oodkit score --in cifar10 --out gtsrb --scorer mcm --backbone module:examples/cifar_clip.py:clip

DIR holds `clip_cifar10_char.safetensors`: an image and a text transformer that were trained together on the captions
"An image of {class}" of CIFAR-10, under torch's own key names. The text tower reads bytes, so it has no vocabulary.
The feature is the image tower's output before the projection to the joint space, which has 64 dimensions.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from oodkit.backbones import Network, from_module

IMAGE_WIDTH, TEXT_WIDTH, JOINT_WIDTH = 64, 32, 64
TEXT_LENGTH = 32


def clip() -> Network:
    """The network with both towers."""
    return from_module(
        Clip(),
        image_size=32,
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        state_dict=Path(os.environ.get("OODKIT_WEIGHTS", ".")) / "clip_cifar10_char.safetensors",
        project="project",
        encode_text="encode_text",
        logit_scale=17.9,
    )


class Clip(nn.Module):
    """Both towers; as a module it is the image tower up to its projection."""

    def __init__(self) -> None:
        super().__init__()
        self.visual = ImageTower()
        self.text = TextTower()
        self.logit_scale = nn.Parameter(torch.zeros(()))

    def forward(self, pixels: Tensor) -> Tensor:  # (B, 3, 32, 32) -> (B, 64)
        return self.visual(pixels)

    def project(self, features: Tensor) -> Tensor:  # (B, 64) -> (B, 64)
        return features @ self.visual.proj

    def encode_text(self, texts: Sequence[str]) -> Tensor:  # -> (T, 64)
        return self.text(tokens_of(texts))


class ImageTower(nn.Module):
    """A vision transformer over 4x4 patches; its first token is the feature."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, IMAGE_WIDTH, 4, stride=4)
        self.class_embedding = nn.Parameter(torch.zeros(1, 1, IMAGE_WIDTH))
        self.positional_embedding = nn.Parameter(torch.zeros(1, 65, IMAGE_WIDTH))
        self.layers = transformer(IMAGE_WIDTH)
        self.proj = nn.Parameter(torch.zeros(IMAGE_WIDTH, JOINT_WIDTH))

    def forward(self, pixels: Tensor) -> Tensor:
        patches = self.conv1(pixels).flatten(2).transpose(1, 2)  # (B, 64, width)
        first = self.class_embedding.expand(len(pixels), -1, -1)
        tokens = torch.cat([first, patches], dim=1) + self.positional_embedding
        for layer in self.layers:
            tokens = layer(tokens)
        return tokens[:, 0]


class TextTower(nn.Module):
    """A transformer over bytes; the token of the end byte is projected to the joint space."""

    def __init__(self) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(256, TEXT_WIDTH)
        self.positional_embedding = nn.Parameter(torch.zeros(1, TEXT_LENGTH, TEXT_WIDTH))
        self.layers = transformer(TEXT_WIDTH)
        self.proj = nn.Parameter(torch.zeros(TEXT_WIDTH, JOINT_WIDTH))

    def forward(self, tokens: Tensor) -> Tensor:  # (T, 32) bytes
        padding = tokens == 0
        rows = self.token_embedding(tokens) + self.positional_embedding
        for layer in self.layers:
            rows = layer(rows, src_key_padding_mask=padding)
        last = (~padding).sum(dim=1) - 1
        return rows[torch.arange(len(rows)), last] @ self.proj


def transformer(width: int) -> nn.ModuleList:
    """Four layers of torch's own kind, each normalising before it computes."""
    return nn.ModuleList(
        nn.TransformerEncoderLayer(width, 8, 4 * width, dropout=0, activation="gelu", batch_first=True, norm_first=True)
        for _ in range(4)
    )


def tokens_of(texts: Sequence[str]) -> Tensor:
    """(T, 32) bytes of each text between a start and an end byte, cut or filled up with zeros."""
    rows = [list(f"\x02{text}\x03".encode())[:TEXT_LENGTH] for text in texts]
    return torch.tensor([row + [0] * (TEXT_LENGTH - len(row)) for row in rows])
