"""Names of the views that features are averaged over, checked before anything is embedded."""

from collections.abc import Sequence

from oodkit.errors import InvalidInput
from oodkit.views.registry import IDENTITY, views


def check_average(names: str | Sequence[str], fit_only: bool = False) -> tuple[str, ...]:
    """Names of the views that images are averaged over besides themselves, checked.

    Args:
        names: of views, or the name of one.
        fit_only: whether only images that are fitted are averaged.

    Raises:
        UnknownName: no such view; the message has the nearest names.
        InvalidInput: a view twice, or the image as it is, which is always in; or fit images alone and no view.
    """
    if fit_only and not names:
        raise InvalidInput("fit images alone are to be averaged, and no views are named; add --average-views V,V")
    names = (names,) if isinstance(names, str) else tuple(names)
    if "" in names:
        raise InvalidInput(f"a view to average over has no name in {', '.join(map(repr, names))}; leave it out")
    for name in names:
        _ = views[name]
    if IDENTITY in names:
        raise InvalidInput(f"the image as it is always counts in an average; leave {IDENTITY} out")
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise InvalidInput(f"the view {twice[0]} is named twice to average over; name it once")
    return names
