"""A network that sees colours, with the parts that a test wants; `module:FILE:FACTORY` names it, so it stands alone."""

import torch
from torch import nn

from oodkit.backbones import from_module

COLOURS = ("red", "green", "blue")


class Colours(nn.Module):
    """Mean and spread of each colour; texts lie where the colours lie that they name."""

    def __init__(self, classes: int = 0) -> None:
        super().__init__()
        self.fc = nn.Linear(6, classes) if classes else nn.Identity()
        if classes:
            with torch.no_grad():
                self.fc.weight.copy_(5 * torch.eye(classes, 6))
                self.fc.bias.zero_()

    def forward(self, pixels):
        return self.fc(torch.cat([pixels.mean(dim=(2, 3)), pixels.std(dim=(2, 3))], dim=1))

    def project(self, features):
        colour = features[:, :3]
        return colour - colour.mean(dim=1, keepdim=True)

    def encode_text(self, texts):
        letters = torch.tensor([[text.lower().count(chr(97 + i)) for i in range(26)] for text in texts]).float()
        named = torch.tensor([[colour in text for colour in COLOURS] for text in texts]).float()
        return 5 * (named - named.mean(dim=1, keepdim=True)) + 0.05 * letters @ torch.arange(78).view(26, 3).sin()


def _network(classes, **parts):
    constants = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}
    return from_module(Colours(classes), image_size=8, **constants, **parts)


def plain():
    """Features alone."""
    return _network(0)


def two_classes():
    """A classifier of red and green."""
    return _network(2, classifier="fc")


def five_classes():
    """A classifier of five classes, of which no test has a set."""
    return _network(5, classifier="fc")


def clip():
    """A joint image-text space, and a logit scale."""
    return _network(0, project="project", encode_text="encode_text", logit_scale=20.0)


def clip_without_scale():
    """A joint image-text space."""
    return _network(0, project="project", encode_text="encode_text")
