"""Copies of flagged images in one folder: nothing is overwritten, and no two names collide."""

import filecmp
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from oodkit.errors import InvalidInput


class FlaggedCopies:
    """Copies files into a folder by their names, with -2, -3 and so on where another file has the name.

    A file that is there already under its name, byte by byte, is not copied again.

    Args:
        folder: is made if it is not there.

    Attributes:
        copied: files so far.
        passed_over: files so far that `others` left out.

    Raises:
        InvalidInput: it is a file.
    """

    def __init__(self, folder: Path) -> None:
        if folder.exists() and not folder.is_dir():
            raise InvalidInput(f"--copy-to {folder} is a file; name a folder")
        self._folder, self.copied, self.passed_over = folder, 0, 0

    def others(self, files: Iterable[str]) -> Iterator[str]:
        """Those files that are not in the folder, which may lie below one that is being read."""
        inside = os.path.join(os.path.realpath(self._folder), "")  # noqa: PTH118 - called for every file
        for file in files:
            if os.path.realpath(file).startswith(inside):
                self.passed_over += 1
            else:
                yield file

    def add(self, file: str) -> None:
        """Copy a file, whole or not at all.

        Raises:
            OSError: it cannot be read or written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        source = Path(file)
        made = self._folder / f".{source.name[:100]}.{secrets.token_hex(8)}.partial"
        number = 1
        try:
            shutil.copy2(source, made)
            while True:
                target = self._folder / (f"{source.stem}-{number}{source.suffix}" if number > 1 else source.name)
                try:
                    _name(made, target)
                except FileExistsError:
                    if target.is_file() and filecmp.cmp(made, target, shallow=False):
                        return
                    number += 1
                    continue
                self.copied += 1
                return
        finally:
            made.unlink(missing_ok=True)


def _name(made: Path, target: Path) -> None:
    """Give a file its name unless there is one of that name."""
    try:
        os.link(made, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        with target.open("xb") as claimed:
            claimed.close()
        made.replace(target)
