"""Files that a person names on the command line: images, folders, globs, and a list on stdin."""

# ruff: noqa: PTH112, PTH207 - glob takes absolute patterns and walks as it goes; os.path says no where pathlib raises

import glob
import itertools
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from oodkit.data.listing import IMAGE_EXTENSIONS, list_folder
from oodkit.errors import DataNotFound, InvalidInput

STDIN = "-"
LONGEST_READ = 1 << 16  # characters


def image_files(words: Sequence[str]) -> Iterator[str]:
    """Paths of images, one after the other; a folder's are found while they are asked for, and never collected.

    Args:
        words: files; folders, taken with all below them; globs, where ** stands for folders at any depth; "-" for a
            list of files on stdin, one a line, or ended by NULs as `find -print0` writes them.

    Raises:
        DataNotFound: a word that names nothing, or nowhere an image.
        InvalidInput: stdin twice.
    """
    if list(words).count(STDIN) > 1:
        raise InvalidInput("- stands for stdin, which can be read once; name it once")
    for word in words:
        if word != STDIN and not os.path.lexists(word) and next(glob.iglob(word, recursive=True), None) is None:
            raise DataNotFound(f"there is no file or folder {word!r}; check the path")
    found = itertools.chain.from_iterable(map(_files, words))
    first = next(found, None)
    if first is None and list(words) == [STDIN]:
        raise DataNotFound("stdin is empty; give a list of image files on it, one a line")
    if first is None:
        raise DataNotFound(f"no images in {', '.join(words)}; extensions that are read: {_extensions()}")
    return itertools.chain([first], found)


def _files(word: str) -> Iterator[str]:
    if word == STDIN:
        yield from filter(None, _listed())
    elif os.path.isdir(word):
        yield from _below(Path(word))
    elif os.path.lexists(word):
        yield word
    else:
        for path in glob.iglob(word, recursive=True):
            if Path(path).suffix.lower() in IMAGE_EXTENSIONS and not os.path.isdir(path):
                yield path


def _listed() -> Iterator[str]:
    """Names on stdin, each as soon as it is whole."""
    text = ""
    while part := sys.stdin.readline(LONGEST_READ):
        text += part
        if "\0" in text:
            *names, text = text.split("\0")
            yield from names
        elif text.endswith("\n"):
            yield text.rstrip("\r\n")
            text = ""
    yield text


def _below(root: Path) -> Iterator[str]:
    """Images at any depth, folder by folder, each by name; links are followed, and no folder is entered twice."""
    waiting, seen = [root], set()
    while waiting:
        folder = waiting.pop()
        info = folder.stat()
        if (info.st_dev, info.st_ino) in seen:
            continue
        seen.add((info.st_dev, info.st_ino))
        listing = list_folder(folder)
        yield from (os.fspath(folder / name) for name in listing.images)
        waiting += [folder / name for name in reversed(listing.folders)]


def _extensions() -> str:
    return " ".join(sorted(IMAGE_EXTENSIONS))
