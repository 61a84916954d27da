"""Download a file: resumed, checked, and in its place only when it is whole."""

import errno
import hashlib
from dataclasses import dataclass
from pathlib import Path

from oodkit.data.transfer import Transfer
from oodkit.errors import DownloadFailed


def download(
    url: str,
    to: Path,
    *,
    sha256: str | None = None,
    md5: str | None = None,
    size: int | None = None,
    put_by_hand: str | None = None,
    attempts: int = 5,
    pause_seconds: float = 1.0,
    timeout_seconds: float = 30.0,
) -> Path:
    """Bring a file from the web; a file that is there already is checked and left alone.

    What has come so far lies in `NAME.part` beside it. A cut connection is taken up again where it stopped,
    and so is a later call, if there is a checksum to tell that the halves belong together. One process at a
    time may download to one path.

    Args:
        url: an http or https address; redirects are followed.
        to: the path of the file.
        sha256: its checksum in lower-case hex, or None.
        md5: likewise.
        size: its length in bytes, or None.
        put_by_hand: how to do without the download, as the end of a message; by default how to save it as `to`.
        attempts: how many times in a row a connection may fail without bringing a byte.
        pause_seconds: before the second attempt; doubled each time.
        timeout_seconds: how long a server may be silent.

    Returns:
        `to`.

    Raises:
        DownloadFailed: no network, an error of the server, a web page in place of the file, a wrong length or
            checksum (what was downloaded is removed), or no room; one line that ends with `put_by_hand`.
    """
    wanted = _Wanted(sha256, md5, size)
    advice = put_by_hand or f"save {url} as {to} by other means and run again"
    if to.exists():
        if (wrong := wanted.mismatch(to)) is not None:
            raise DownloadFailed(f"{to} is not the file that was published: {wrong}; remove it, or {advice}")
        return to
    part = to.with_name(f"{to.name}.part")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        if not wanted.has_checksum:
            part.unlink(missing_ok=True)
        Transfer(url, part, size, attempts, pause_seconds, timeout_seconds, advice).run()
        if (wrong := wanted.mismatch(part)) is not None:
            part.unlink()
            raise DownloadFailed(
                f"what {url} brought is not the file that was published: {wrong}; it was removed; {advice}"
            )
        part.replace(to)
    except OSError as error:
        if isinstance(error, DownloadFailed):
            raise
        raise _cannot_write(to, error, advice) from error
    return to


@dataclass(frozen=True)
class _Wanted:
    """What is known about the file that should come."""

    sha256: str | None
    md5: str | None
    size: int | None

    @property
    def has_checksum(self) -> bool:
        return self.sha256 is not None or self.md5 is not None

    def mismatch(self, path: Path) -> str | None:
        """How a file differs from it, or None."""
        size = path.stat().st_size
        if self.size is not None and size != self.size:
            return f"it has {size:,} bytes, not {self.size:,}"
        for algorithm, expected in (("sha256", self.sha256), ("md5", self.md5)):
            if expected is not None and (found := _checksum(path, algorithm)) != expected:
                return f"its {algorithm} is {found}, not {expected}"
        return None


def _checksum(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()


def _cannot_write(to: Path, error: OSError, advice: str) -> DownloadFailed:
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
        return DownloadFailed(f"cannot download {to.name}: the disk is full in {to.parent}; make room and run again")
    return DownloadFailed(f"cannot write {to}: {error.strerror or error}; {advice}")
