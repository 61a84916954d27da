"""Views one after the other: `resolution32+mild1` is `mild1` of the image at 32 px."""

from functools import reduce

from oodkit.views.registry import views
from oodkit.views.view import View


def __getattr__(name: str) -> View:
    """The view of a name with a plus sign in it."""
    if "+" not in name:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    steps: list[View] = [views.load(step) for step in name.split("+")]
    return View(name, lambda pixels: reduce(lambda seen, step: step.apply(seen), steps, pixels))
