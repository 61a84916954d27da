"""Free captions of images: a text file, or a JSON file that says which image each belongs to."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from oodkit.data.words import read_lines
from oodkit.errors import DataNotFound, InvalidInput

# Captions of no image in particular, or the captions of each image by its file name.
Captions = Sequence[str] | Mapping[str, Sequence[str]]


def read_captions(file: str | Path) -> Captions:
    """Captions of a UTF-8 file: one per line, or `{"FILE NAME": ["CAPTION", ...], ...}` where it ends in .json.

    Raises:
        DataNotFound: no such file, or nothing in it.
        InvalidInput: the file is not text, or no such JSON.
    """
    path = Path(file).expanduser()
    if path.suffix.lower() != ".json":
        return read_lines(path)
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DataNotFound(f"the file {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InvalidInput(f"the file {path} is no JSON ({' '.join(str(error).split())}); mend it") from error
    if not isinstance(found, dict) or not all(_are_texts(captions) for captions in found.values()):
        raise InvalidInput(f'the file {path} must be {{"FILE NAME": ["CAPTION", ...], ...}}; write it so')
    if not any(found.values()):
        raise DataNotFound(f"the file {path} has no captions; write at least one")
    return found


def captions_of(captions: Captions, images: Iterable[str]) -> list[str]:
    """The captions that may be used with images: all that belong to no image, else those of these images alone.

    Args:
        captions: as `read_captions` gives them.
        images: ids of the images that are fitted on: paths, of which the file name alone may stand in the captions.
    """
    if not isinstance(captions, Mapping):
        return list(captions)
    found = (captions.get(image, captions.get(PurePosixPath(image).name, ())) for image in images)
    return [caption for of_image in found for caption in of_image]


def _are_texts(captions: object) -> bool:
    return isinstance(captions, list) and all(isinstance(caption, str) for caption in captions)
