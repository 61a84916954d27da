"""The files of a card, brought below the data root and unpacked, each in one step that leaves no halves."""

import errno
import shutil
from importlib import import_module
from pathlib import Path

from oodkit.data.archive import unpack
from oodkit.data.card import Card, RemoteFile
from oodkit.data.download import download
from oodkit.data.locks import exclusive
from oodkit.errors import DataNotFound, DownloadFailed


def fetch(card: Card, split: str, data_root: Path, allowed: bool) -> None:
    """See that what a split needs is below the data root.

    Downloaded archives lie in `downloads/NAME/` until they are unpacked. A file that was put there by hand is
    checked, used and kept.

    Args:
        card: the data set.
        split: one of its splits.
        data_root: folder with copies and downloads.
        allowed: whether to download what is missing.

    Raises:
        DataNotFound: something is missing and may not be downloaded, or an archive does not hold it.
        DownloadFailed: the download failed, or there is no room to unpack.
        InvalidInput: an archive that is damaged, or that nobody should trust.
    """
    missing = _missing(card, split, data_root)
    if not missing:
        return
    if not allowed and not all(_place(file, card, data_root).exists() for file in missing):
        raise DataNotFound(
            f"{card.name} is not in {data_root} and may not be downloaded; {_by_hand(missing, card, data_root)}"
        )
    downloads = data_root / "downloads" / card.name
    try:
        downloads.mkdir(parents=True, exist_ok=True)
        with exclusive(downloads / ".lock"):
            for file in _missing(card, split, data_root):  # again: another process may have brought it meanwhile
                _bring(file, card, data_root)
    except OSError as error:
        if isinstance(error, DownloadFailed | DataNotFound):
            raise
        raise _cannot_write(card, data_root, error) from error


def _missing(card: Card, split: str, data_root: Path) -> list[RemoteFile]:
    needed = [file for file in card.files if file.splits is None or split in file.splits]
    return [file for file in needed if not all((data_root / target).exists() for target in file.targets)]


def _place(file: RemoteFile, card: Card, data_root: Path) -> Path:
    return data_root / (file.keep or f"downloads/{card.name}/{file.file_name}")


def _by_hand(files: list[RemoteFile], card: Card, data_root: Path) -> str:
    saving = " and ".join(f"{file.url} as {_place(file, card, data_root)}" for file in files)
    copy = data_root / card.name / "SPLIT" / "CLASS" / "FILE"
    return f"save {saving} by other means, or put the images as {copy}, and run again"


def _bring(file: RemoteFile, card: Card, data_root: Path) -> None:
    to = _place(file, card, data_root)
    was_there = to.exists()
    advice = _by_hand([file], card, data_root)
    download(file.url, to, sha256=file.sha256, md5=file.md5, size=file.size, put_by_hand=advice)
    if file.unpack:
        _unpack(file, to, card, data_root)
        if not was_there:
            to.unlink()


def _unpack(file: RemoteFile, archive: Path, card: Card, data_root: Path) -> None:
    # torchvision's folder may be a link to another disk, across which nothing can be renamed.
    home = "torchvision" if all(target.startswith("torchvision/") for target in file.targets) else "."
    base = data_root / home
    base.mkdir(parents=True, exist_ok=True)
    temporary = base / f".{card.name}.unpacking"
    shutil.rmtree(temporary, ignore_errors=True)  # of a run that was killed: the lock is ours
    try:
        unpacked, tree = temporary / "unpacked", temporary / "tree"
        unpack(archive, unpacked)
        if file.arrange is not None:
            module, _, function = file.arrange.partition(":")
            getattr(import_module(module), function)(unpacked, card)
        for member, target in file.unpack.items():
            if not (unpacked / member).exists():
                found = ", ".join(sorted(path.name for path in unpacked.iterdir())[:5])
                raise DataNotFound(f"{archive} does not hold {member!r}, but: {found}; is it another file?")
            place = tree / Path(target).relative_to(home)
            place.parent.mkdir(parents=True, exist_ok=True)
            (unpacked / member).rename(place)
        _publish(tree, base)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _publish(tree: Path, base: Path) -> None:
    """Move what is in `tree` into `base`, the largest whole folders at once; what is there already stays."""
    for path in sorted(tree.iterdir()):
        there = base / path.name
        if not there.exists():
            path.rename(there)
        elif path.is_dir() and there.is_dir():
            _publish(path, there)


def _cannot_write(card: Card, data_root: Path, error: OSError) -> DownloadFailed:
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
        return DownloadFailed(f"cannot unpack {card.name}: the disk is full in {data_root}; make room and run again")
    where = error.filename or data_root
    return DownloadFailed(
        f"cannot bring {card.name} below {data_root}: {error.strerror or error} ({where}); "
        "choose another data root with --data-root or OODKIT_DATA"
    )
