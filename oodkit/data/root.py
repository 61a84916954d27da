"""Where copies and downloads of data sets lie."""

import os
from pathlib import Path


def data_root(explicit: str | os.PathLike[str] | None = None) -> Path:
    """The folder that is given, else the one in OODKIT_DATA, else `oodkit/data` in the user's cache folder."""
    chosen = explicit or os.environ.get("OODKIT_DATA")
    if chosen:
        return Path(os.path.expanduser(chosen))  # noqa: PTH111 - no error where there is no home
    return default_data_root()


def default_data_root() -> Path:
    """`oodkit/data` in the user's cache folder, which downloads create."""
    from platformdirs import user_cache_path

    return user_cache_path("oodkit", appauthor=False) / "data"
