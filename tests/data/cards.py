"""Cards for tests: written as TOML and read as the catalog's are."""

from pathlib import Path

from oodkit.data.card import Card
from oodkit.data.card_reader import read_card

HEAD = """
title = "A set"
homepage = "https://example.org"
license = "none stated"
citation = "Nobody"
pixels = "3 x 2"
"""


def write_card(folder: Path, body: str, name: str = "things", head: str = HEAD) -> Card:
    """A card of this name, with `body` after the usual keys."""
    file = folder / f"{name}.toml"
    file.write_text(head + body)
    return read_card(file)
