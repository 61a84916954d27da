"""The list of SHA-256 sums that a folder carries, as `sha256sum --check` reads it."""

import hashlib
from pathlib import Path

from oodkit.errors import DataNotFound, InvalidInput

FILE = "SHA256SUMS"


def write_checksums(folder: Path) -> None:
    """List every file in the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / FILE)
    (folder / FILE).write_text(_listing(folder, [path.relative_to(folder).as_posix() for path in files]), "utf-8")


def listed_files(folder: Path) -> list[str]:
    """The files that the folder's list names.

    Raises:
        DataNotFound: there is no list.
        InvalidInput: it is damaged.
    """
    try:
        lines = (folder / FILE).read_text("utf-8").splitlines()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DataNotFound(f"{folder / FILE} is missing; save the detector again") from error
    except UnicodeDecodeError as error:
        raise _changed(folder / FILE) from error
    names = [line[66:] for line in lines]
    if not names or any(".." in name or name.startswith("/") or not name for name in names):
        raise _changed(folder / FILE)
    return names


def check_checksums(folder: Path) -> None:
    """Refuse a folder in which a listed file, or the list itself, is not as it was written.

    Raises:
        DataNotFound: a listed file, or the list, is missing.
        InvalidInput: a file was changed.
    """
    names = listed_files(folder)
    for name in names:
        if not (folder / name).is_file():
            raise DataNotFound(f"{folder / name} is missing; copy the whole folder again, or save the detector again")
    found = (folder / FILE).read_bytes()
    expected = _listing(folder, names).encode()
    if found != expected:
        pairs = zip(names, found.splitlines(), expected.splitlines(), strict=False)
        wrong = next((name for name, old, new in pairs if old != new), FILE)
        raise _changed(folder / wrong)


def _listing(folder: Path, names: list[str]) -> str:
    return "".join(f"{_digest(folder / name)}  {name}\n" for name in names)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _changed(path: Path) -> InvalidInput:
    return InvalidInput(f"{path} is not as it was saved: its SHA-256 differs; save the detector again")
