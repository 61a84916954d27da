"""The catalog: every data set that is known by name, a card each, in `cards/`."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from oodkit.data.card import Card
from oodkit.data.card_reader import read_card
from oodkit.errors import unknown_name


class Catalog(Mapping[str, Card]):
    """Names to cards, in alphabetical order; a card is read when it is asked for.

    Args:
        folder: where the cards lie, as NAME.toml.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names = sorted(path.stem for path in folder.glob("*.toml"))
        self._cards: dict[str, Card] = {}

    def __getitem__(self, name: str) -> Card:
        """The card of a name; raises UnknownName with the nearest names."""
        if name not in self._names:
            raise unknown_name("data set", name, self._names, "oodkit list datasets")
        if name not in self._cards:
            self._cards[name] = read_card(self._folder / f"{name}.toml")
        return self._cards[name]

    def __contains__(self, name: object) -> bool:
        """Whether there is a card of this name."""
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        """Names in alphabetical order."""
        return iter(self._names)

    def __len__(self) -> int:
        """How many cards there are."""
        return len(self._names)


catalog = Catalog(Path(__file__).parent / "cards")
