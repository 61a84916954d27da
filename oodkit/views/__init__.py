"""Views: deterministic transforms of an image before its backbone's preprocessing, by name."""

from typing import TYPE_CHECKING

from oodkit.views.registry import views

if TYPE_CHECKING:
    from oodkit.views.view import View

__all__ = ["load_view", "views"]


def load_view(name: str) -> "View":
    """The view of a name; raises UnknownName with the nearest names."""
    view: View = views.load(name)
    return view
