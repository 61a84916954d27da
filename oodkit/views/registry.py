"""The registry of views, as text."""

from oodkit.registry import Entry, Registry
from oodkit.views.resolution_names import side_of_name


class ViewRegistry(Registry):
    """Views by name; a name `resolutionN` is known for every N, though one of them stands for all in listings."""

    def __getitem__(self, name: str) -> Entry:
        """The entry of a name; raises UnknownName with the nearest names."""
        side = side_of_name(name)
        if side is None or super().__contains__(name):
            return super().__getitem__(name)
        return Entry(f"oodkit.views.resolution:{name}", f"shorter side shrunk to {side} px")

    def __contains__(self, name: object) -> bool:
        """Whether there is a view of this name."""
        return super().__contains__(name) or (isinstance(name, str) and side_of_name(name) is not None)


views = ViewRegistry(
    "view",
    {
        "identity": Entry("oodkit.views.identity:identity", "the image as it is"),
        "flip": Entry("oodkit.views.flip:flip", "mirrored left to right"),
        "resolution32": Entry("oodkit.views.resolution:resolution32", "shorter side shrunk to 32 px; so for any N"),
        "rotate90": Entry("oodkit.views.rotation:rotate90", "turned by 90 degrees counter-clockwise"),
        "rotate180": Entry("oodkit.views.rotation:rotate180", "turned by 180 degrees"),
        "rotate270": Entry("oodkit.views.rotation:rotate270", "turned by 270 degrees counter-clockwise"),
    },
    group="oodkit.views",
)
