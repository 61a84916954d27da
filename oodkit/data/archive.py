"""Unpack archives that strangers made: nothing is written outside the folder."""

import gzip
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath

from oodkit.errors import InvalidInput
from oodkit.progress import progress

_DAMAGED = (EOFError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a tar (plain or compressed), zip or gz file into a folder; its content says which it is.

    Args:
        archive: the file.
        folder: where to; made if it is missing.

    Raises:
        InvalidInput: not an archive, damaged, or with a member that is a device, lies outside or is a link to
            the outside; one line that names the member. What came before it may have been written to `folder`.
        OSError: as from writing files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        if tarfile.is_tarfile(archive):  # first: a tar that ends with a zip looks like a zip
            _unpack_tar(archive, folder)
        elif zipfile.is_zipfile(archive):
            _unpack_zip(archive, folder)
        elif _begins_with(archive, b"\x1f\x8b"):
            _unpack_gz(archive, folder)
        else:
            raise InvalidInput(f"{archive} is not an archive (tar, zip or gz); remove it and run again")
    except (*_DAMAGED, NotImplementedError) as error:
        raise InvalidInput(f"{archive} is damaged or cut off ({error}); remove it and run again") from error


def _unpack_tar(archive: Path, folder: Path) -> None:
    if not hasattr(tarfile, "data_filter"):
        raise InvalidInput("archives are unpacked safely by Python 3.11.4 and later only; update Python")
    links: list[tarfile.TarInfo] = []
    with tarfile.open(archive, "r:*") as tar, progress(f"unpacking {archive.name}", None, "files") as advance:
        for member in tar:
            _refuse_outside(member.name, archive)
            try:
                tarfile.data_filter(member, str(folder))
            except tarfile.FilterError as error:
                raise _refused(archive, member.name, str(error)) from error
            if member.issym() or member.islnk():
                links.append(member)  # made last, so that nothing is ever written through one
            else:
                tar.extract(member, folder, filter="data")
                advance()
        for member in links:
            _make_link(tar, member, folder, archive)


def _make_link(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, archive: Path) -> None:
    path = folder / member.name
    if any(parent.is_symlink() for parent in path.parents if parent.is_relative_to(folder)):
        raise _refused(archive, member.name, "it is a link below a link")
    tar.extract(member, folder, filter="data")
    if not path.resolve().is_relative_to(folder.resolve()):  # older Pythons let some through
        path.unlink()
        raise _refused(archive, member.name, "it is a link to the outside")


def _unpack_zip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as zipped:
        members = zipped.infolist()
        for member in members:
            _refuse_outside(member.filename, archive)
            if stat.S_ISLNK(member.external_attr >> 16):
                raise _refused(archive, member.filename, "it is a link")
            if member.flag_bits & 1:
                raise _refused(archive, member.filename, "it is encrypted")
        with progress(f"unpacking {archive.name}", len(members), "files") as advance:
            for member in members:
                zipped.extract(member, folder)
                advance()


def _unpack_gz(archive: Path, folder: Path) -> None:
    with gzip.open(archive, "rb") as packed, (folder / archive.stem).open("xb") as file:
        shutil.copyfileobj(packed, file)


def _refuse_outside(name: str, archive: Path) -> None:
    # Both kinds of paths, so that an archive means the same on every system.
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    if posix.is_absolute() or windows.drive or windows.root or ".." in posix.parts or ".." in windows.parts:
        raise _refused(archive, name, "it lies outside the archive")


def _refused(archive: Path, member: str, why: str) -> InvalidInput:
    reason = why.splitlines()[0] if why else "it is not a plain file"
    return InvalidInput(f"{archive} holds {member!r}, which is not unpacked: {reason}; do not trust this file")


def _begins_with(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic
