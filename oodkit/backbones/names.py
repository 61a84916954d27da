"""The grammar of backbone names: FAMILY:MODEL[/WEIGHTS]."""

from dataclasses import dataclass

from oodkit.errors import InvalidInput

FAMILIES = ("open_clip", "timm", "module", "trained")


@dataclass(frozen=True)
class BackboneName:
    """A parsed name.

    Attributes:
        family: one of `FAMILIES`, or None where it was left out.
        model: the family's own name of the model, FILE.py:FACTORY for the family "module", a folder for "trained".
        weights: a tag or a file, or None.
    """

    family: str | None
    model: str
    weights: str | None = None

    @classmethod
    def parse(cls, text: str) -> "BackboneName":
        """Read FAMILY:MODEL[/WEIGHTS]; raises InvalidInput when the model is missing."""
        family, colon, rest = text.partition(":")
        if not colon or family not in FAMILIES:
            family, rest = "", text
        if family in ("module", "trained"):
            model, weights = rest, ""
        else:
            model, _, weights = rest.partition("/")
        if not model:
            raise InvalidInput(f"no model in the backbone name {text!r}; write FAMILY:MODEL or FAMILY:MODEL/WEIGHTS")
        return cls(family or None, model, weights or None)

    def __str__(self) -> str:
        """The name as it is written."""
        prefix = f"{self.family}:" if self.family else ""
        return f"{prefix}{self.model}" + (f"/{self.weights}" if self.weights else "")
