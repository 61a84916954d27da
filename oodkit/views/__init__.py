"""Views: deterministic transforms of an image before its backbone's preprocessing, by name."""

from typing import TYPE_CHECKING

from oodkit.errors import InvalidInput
from oodkit.views.registry import IDENTITY, after, views
from oodkit.views.resolution_names import resolution_view

if TYPE_CHECKING:
    from oodkit.views.view import View

__all__ = ["IDENTITY", "after", "load_view", "resolution_view", "views"]


def load_view(name: str) -> "View":
    """The view of a name.

    Raises:
        UnknownName: no such view; the message has the nearest names.
        InvalidInput: a view of another package calls itself by another name, under which its embeddings would be kept.
    """
    view: View = views.load(name)
    if view.name != name:
        raise InvalidInput(f"the view registered as {name!r} calls itself {view.name!r}; its package must use one name")
    return view
