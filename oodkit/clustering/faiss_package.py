"""The package faiss, which is an extra."""

from typing import Any

from oodkit.errors import MissingDependency


def require_faiss(what: str) -> Any:
    """The module faiss.

    Args:
        what: needs it, for the message.

    Raises:
        MissingDependency: it is not installed.
    """
    try:
        import faiss
    except ImportError as error:
        raise MissingDependency(f"{what} needs the package faiss; pip install 'oodkit-vision[faiss-cpu]'") from error
    return faiss
