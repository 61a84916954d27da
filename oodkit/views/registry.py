"""The registry of views, as text."""

from oodkit.registry import Entry, Registry

views = Registry(
    "view",
    {
        "identity": Entry("oodkit.views.identity:identity", "the image as it is"),
        "flip": Entry("oodkit.views.flip:flip", "mirrored left to right"),
        "rotate90": Entry("oodkit.views.rotation:rotate90", "turned by 90 degrees counter-clockwise"),
        "rotate180": Entry("oodkit.views.rotation:rotate180", "turned by 180 degrees"),
        "rotate270": Entry("oodkit.views.rotation:rotate270", "turned by 270 degrees counter-clockwise"),
    },
    group="oodkit.views",
)
