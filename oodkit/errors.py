"""Errors a user can act on: one line each, saying what, why and what to do next."""

from collections.abc import Iterable
from difflib import get_close_matches


class OodkitError(Exception):
    """Base of every error that oodkit raises on purpose; the command line prints it and exits with 2."""


class InvalidInput(OodkitError, ValueError):
    """A value that cannot be used: wrong shape, not finite, out of range, contradictory."""


class TooFewSamples(InvalidInput):
    """A method needs more samples than it was given."""


class UnknownName(OodkitError, KeyError):
    """A name that no registry, catalog or file system knows."""

    def __str__(self) -> str:
        """The message, without the quotes that KeyError puts around it."""
        return Exception.__str__(self)


class DataNotFound(OodkitError, FileNotFoundError):
    """A data set, split, folder or file that is not there."""


class UnreadableImage(OodkitError, OSError):
    """An image that cannot be decoded."""


class DownloadFailed(OodkitError, OSError):
    """A download that did not bring what was expected."""


class StoreError(OodkitError, OSError):
    """The embedding store cannot be read or written."""


class WeightsError(OodkitError, RuntimeError):
    """Weights that do not fit the architecture, or that are not the file they should be."""


class DeviceUnavailable(OodkitError, RuntimeError):
    """A device that was asked for and is not there."""


class MissingDependency(OodkitError, ImportError):
    """An optional package that is not installed."""


def nearest_names(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Up to `count` known names that resemble `name`, nearest first, ignoring case."""
    by_lower = {k.lower(): k for k in known}
    matches = get_close_matches(name.lower(), by_lower, n=count, cutoff=0.5)
    return [by_lower[m] for m in matches]


def unknown_name(kind: str, name: str, known: Iterable[str], listing: str) -> UnknownName:
    """The error for a name that is not known: the nearest three names and the command that lists all.

    Args:
        kind: what was looked for, such as "scorer".
        name: what the user typed.
        known: all names there are.
        listing: command that prints them, such as "oodkit list scorers".
    """
    all_names = list(known)
    near = nearest_names(name, all_names)
    hint = f"; did you mean {' or '.join(repr(n) for n in near)}?" if near else ";"
    return UnknownName(f"no {kind} named {name!r}{hint} `{listing}` shows all {len(all_names)}")
