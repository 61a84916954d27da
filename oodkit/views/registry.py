"""The registry of views, as text."""

from oodkit.registry import Entry, Registry
from oodkit.views.numbered_names import number_of
from oodkit.views.resolution_names import SMALLEST_SIDE

IDENTITY = "identity"


class ViewRegistry(Registry):
    """Views by name.

    A name `resolutionN` is known for every N, so are draws such as `mild1` by any number, and views one after the other
    such as `resolution32+mild1`; in listings, one name stands for each family.
    """

    def __getitem__(self, name: str) -> Entry:
        """The entry of a name; raises UnknownName with the nearest names."""
        return self._made(name) or super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        """Whether there is a view of this name."""
        return super().__contains__(name) or (isinstance(name, str) and self._made(name) is not None)

    def _made(self, name: str) -> Entry | None:
        if super().__contains__(name):
            return None
        if "+" in name:
            return self._chain(name.split("+"))
        for prefix, (module, summary, lowest) in _FAMILIES.items():
            number = number_of(prefix, name)
            if number is not None and number >= lowest:
                return Entry(f"oodkit.views.{module}:{name}", summary.format(number))
        return None

    def _chain(self, names: list[str]) -> Entry | None:
        if not all(name in self for name in names):
            return None
        packages = dict.fromkeys(package for name in names if (package := self[name].package))
        summary = ", then ".join(self[name].summary for name in names)
        return Entry(f"oodkit.views.chain:{'+'.join(names)}", summary, package=", ".join(packages))


def after(first: str, then: str) -> str:
    """The name of the view `then` of what `first` gives."""
    if first == IDENTITY:
        return then
    return first if then == IDENTITY else f"{first}+{then}"


# Families by the beginning of their names: module, summary, lowest number.
_FAMILIES = {
    "resolution": ("resolution", "shorter side shrunk to {} px", SMALLEST_SIDE),
    "rotate_any": ("rotate_any", "turned by a random angle, draw {}", 1),
    "patches2_": ("permutation", "2 x 2 patches in another order, draw {}", 1),
    "patches4_": ("permutation", "4 x 4 patches in another order, draw {}", 1),
    "pixels": ("permutation", "pixels in another order, draw {}", 1),
    "mild": ("semsad", "random crop of 0.4 to 1 of the area, flip, colours, draw {}", 1),
    "strong": ("semsad", "random crop of 0.08 to 1 of the area, flip, colours, blur, draw {}", 1),
    "global": ("multi_crop", "random crop of 0.4 to 1 of the area, flip, colours, grey, blur, draw {}", 1),
    "local": ("multi_crop", "random crop of 0.15 to 0.4 of the area, flip, colours, grey, blur, draw {}", 1),
}
_SHOWN = {"resolution": 32}  # the number that stands for a family in listings, if not 1

views = ViewRegistry(
    "view",
    {
        IDENTITY: Entry("oodkit.views.identity:identity", "the image as it is"),
        "flip": Entry("oodkit.views.flip:flip", "mirrored left to right"),
        "rotate90": Entry("oodkit.views.rotation:rotate90", "turned by 90 degrees counter-clockwise"),
        "rotate180": Entry("oodkit.views.rotation:rotate180", "turned by 180 degrees"),
        "rotate270": Entry("oodkit.views.rotation:rotate270", "turned by 270 degrees counter-clockwise"),
        **{
            f"{prefix}{(shown := _SHOWN.get(prefix, 1))}": Entry(
                f"oodkit.views.{module}:{prefix}{shown}", f"{summary.format(shown)}; so for any number"
            )
            for prefix, (module, summary, _) in _FAMILIES.items()
        },
    },
    group="oodkit.views",
)
