"""The registry of attacks, as text."""

from oodkit.attacks.entries import ENTRIES
from oodkit.registry import Registry

TORCHATTACKS = "torchattacks:"

attacks = Registry("attack", ENTRIES, group="oodkit.attacks")
