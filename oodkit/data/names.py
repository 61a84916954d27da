"""The names of data sets as users type them: `NAME[:SPLIT][@CLASSES]`."""

# ruff: noqa: PTH110, PTH111, PTH112, PTH113 - os.path says no where pathlib raises: a name too long, a home that is not there

import os
import re
from dataclasses import dataclass

from oodkit.errors import InvalidInput

FILES_PREFIX = "files:"
HUB_PREFIX = "hub:"

_TAIL = re.compile(r"(?::(?P<split>[^:@/\\,\s]+))?(?:@(?P<classes>.*))?", re.DOTALL)
_DRIVE = re.compile(r"[A-Za-z]:[/\\]")


@dataclass(frozen=True)
class DatasetName:
    r"""A parsed name. Two are equal when they ask for the same classes of the same split of the same source.

    A source with "/" or "\" in it, with "." or "~" first, or that is an existing folder, is a folder. A path may
    hold ":" and "@": the longest beginning of the text that exists is the path. Where none exists, only what
    follows the path's last separator is taken apart. A class name may hold anything but a comma.

    Attributes:
        source: a name of the catalog, a folder, `files:LIST.csv` or `hub:OWNER/NAME`.
        split: the split that was named, or None.
        classes: the classes as written, each once: names, indices and ranges; None for all.
    """

    source: str
    split: str | None = None
    classes: tuple[str, ...] | None = None

    @classmethod
    def parse(cls, text: str) -> "DatasetName":
        """Take a name apart; `str()` puts it together again.

        Raises:
            InvalidInput: no source, or an empty split or class.
        """
        stripped = text.strip()
        cut = _source_length(stripped)
        tail = _TAIL.fullmatch(stripped, cut)
        name = cls(stripped[:cut], tail["split"] if tail else None)
        if tail is None or not name._is_whole or "\0" in text:
            raise InvalidInput(
                f"not a name of a data set: {text!r}; write NAME[:SPLIT][@CLASSES], as in cifar10:test@cat,dog"
            )
        if tail["classes"] is None:
            return name
        classes = [item.strip() for item in tail["classes"].split(",")]
        if "" in classes:
            raise InvalidInput(f"an empty class in {text!r}; write classes as in digits@0-4 or cifar10@cat,dog")
        return cls(name.source, name.split, tuple(dict.fromkeys(classes)))

    def __str__(self) -> str:
        """The name as it is typed."""
        split = "" if self.split is None else f":{self.split}"
        classes = "" if self.classes is None else f"@{','.join(self.classes)}"
        return f"{self.source}{split}{classes}"

    @property
    def without_split(self) -> str:
        """Source and classes: what results call the data set."""
        return str(DatasetName(self.source, None, self.classes))

    @property
    def is_files(self) -> bool:
        """Whether the source is a list of files."""
        return self.source.startswith(FILES_PREFIX)

    @property
    def is_hub(self) -> bool:
        """Whether the source is a data set of the Hugging Face hub."""
        return self.source.startswith(HUB_PREFIX)

    @property
    def is_folder(self) -> bool:
        """Whether the source is a path by its form, or a folder that exists."""
        return not (self.is_files or self.is_hub) and (_is_path(self.source) or os.path.isdir(self.source))

    @property
    def _is_whole(self) -> bool:
        if self.is_files or self.is_hub:
            return not self.source.endswith(":")
        return self.source != "" and (self.is_folder or not {":", "@"} & set(self.source))


def _source_length(text: str) -> int:
    """Where the source ends and `[:SPLIT][@CLASSES]` begins."""
    prefix = next((p for p in (FILES_PREFIX, HUB_PREFIX) if text.startswith(p)), "")
    drive = _DRIVE.match(text, len(prefix))
    start = drive.end() if drive else len(prefix)
    ends = [i for i in range(start, len(text)) if text[i] in ":@" and _TAIL.fullmatch(text, i)] + [len(text)]
    if prefix != HUB_PREFIX:
        for end in reversed(ends):
            if _exists(text[len(prefix) : end], wants_file=prefix == FILES_PREFIX):
                return end
    if prefix == FILES_PREFIX or (prefix == "" and _is_path(text[: ends[0]])):
        after_folders = max(text.rfind("/"), text.rfind("\\")) + 1
        return next(end for end in ends if end >= after_folders)
    return ends[0]


def _exists(path: str, wants_file: bool) -> bool:
    path = os.path.expanduser(path)
    if wants_file:
        return os.path.isfile(path)
    return os.path.exists(path) if _is_path(path) else os.path.isdir(path)


def _is_path(source: str) -> bool:
    return source.startswith((".", "~")) or "/" in source or "\\" in source
