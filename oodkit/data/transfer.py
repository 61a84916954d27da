"""Bytes from a web server into a file, going on where a connection broke off."""

import os
import shutil
import ssl
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import BinaryIO

from oodkit.errors import DownloadFailed
from oodkit.progress import Advance, progress

_CHUNK_BYTES = 1 << 20
_HTML = (b"<!doctype html", b"<html")
_STATUS = {
    401: "wants a login (HTTP 401)",
    403: "refuses access (HTTP 403)",
    404: "has no such file (HTTP 404)",
    410: "no longer has the file (HTTP 410)",
}


class _Retry(Exception):
    """The connection failed in a way that may pass; the text says how."""


@dataclass
class Transfer:
    """One file's way into `part`, over as many connections as it takes; nothing is checked but its length.

    Attributes:
        url: where it comes from.
        part: where it goes; what is there already is taken for its beginning.
        size: its length in bytes, or None.
        attempts: how many times in a row a connection may fail without bringing a byte.
        pause_seconds: before the second attempt; doubled each time.
        timeout_seconds: how long the server may be silent.
        advice: the end of every message.
    """

    url: str
    part: Path
    size: int | None
    attempts: int
    pause_seconds: float
    timeout_seconds: float
    advice: str
    validator: str | None = None  # ETag or date of the file that `part` is the beginning of
    advance: Advance | None = None

    def run(self) -> None:
        """Fill `part`.

        Raises:
            DownloadFailed: it cannot be had; the message says why.
            OSError: as from writing `part`.
        """
        failures, furthest = 0, -1
        with ExitStack() as bar:
            while True:
                try:
                    self._connect(bar)
                except _Retry as problem:
                    here = self._length()
                    failures = 1 if here > furthest else failures + 1
                    furthest = max(furthest, here)
                    if failures >= self.attempts:
                        raise self._failed(f"{problem}, {self.attempts} times in a row") from problem
                    time.sleep(self.pause_seconds * 2 ** (failures - 1))
                else:
                    return

    def _connect(self, bar: ExitStack) -> None:
        start = self._length()
        if self.size is not None and start == self.size:
            return
        if self.size is not None and start > self.size:
            self.part.unlink()
            start = 0
        try:
            response = self._request(start)
        except urllib.error.HTTPError as error:
            self._http_error(error, start)
        except urllib.error.URLError as error:
            raise self._network_error(error.reason) from error
        except (HTTPException, OSError) as error:
            raise _Retry(f"the connection broke off ({_reason(error)})") from error
        else:
            with response:
                self._receive(response, start, bar)

    def _request(self, start: int) -> HTTPResponse:
        headers = {"User-Agent": "oodkit", "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
            if self.validator is not None:
                headers["If-Range"] = self.validator
        if not self.url.startswith(("http://", "https://")):
            raise self._failed("only http and https addresses are downloaded")
        request = urllib.request.Request(self.url, headers=headers)
        response: HTTPResponse = urllib.request.urlopen(request, timeout=self.timeout_seconds)
        return response

    def _receive(self, response: HTTPResponse, start: int, bar: ExitStack) -> None:
        resumed = response.status == 206 and _range_start(response) == start
        if response.status == 206 and not resumed:
            self.part.unlink(missing_ok=True)
            raise _Retry("the server sends another part than was asked for")
        if not resumed:
            self._advance(-start)
            start = 0
        length = response.headers.get("Content-Length")
        total = start + int(length) if length is not None and length.isdecimal() else self.size
        head = _read(response)
        if not resumed:
            self._refuse_page(response, head)
        if total is not None and self.size is not None and total != self.size:
            raise self._failed(f"the server has a file of {total:,} bytes, not of {self.size:,}: it was changed")
        self.validator = _validator(response)
        self._need_room(total, start)
        self._show(bar, total, start)
        with self.part.open("ab" if resumed else "wb") as file:
            self._copy(response, file, head)
        if total is not None and self._length() < total:
            raise _Retry(f"the connection broke off after {self._length():,} of {total:,} bytes")

    def _copy(self, response: HTTPResponse, file: BinaryIO, head: bytes) -> None:
        chunk = head
        while chunk:
            file.write(chunk)
            self._advance(len(chunk))
            chunk = _read(response)
        file.flush()
        os.fsync(file.fileno())

    def _refuse_page(self, response: HTTPResponse, head: bytes) -> None:
        is_page = head[:512].lstrip().lower().startswith(_HTML)
        if is_page or response.headers.get_content_type() == "text/html":
            raise self._failed("the server sends a web page in place of the file")

    def _need_room(self, total: int | None, start: int) -> None:
        free = shutil.disk_usage(self.part.parent).free
        if total is not None and total - start > free:
            raise self._failed(f"{total - start:,} more bytes are needed and {free:,} are free in {self.part.parent}")

    def _http_error(self, error: urllib.error.HTTPError, start: int) -> None:
        with error:
            if error.code == 416 and start:
                # Beyond the end: either it is all here, or `part` is of another file. The checksum decides.
                if error.headers.get("Content-Range") == f"bytes */{start}":
                    return
                self.part.unlink()
                self._advance(-start)
                raise _Retry("the server cannot go on where the download stopped (HTTP 416)") from error
            if error.code == 429 or error.code >= 500:
                raise _Retry(f"the server is busy or broken (HTTP {error.code})") from error
            what = _STATUS.get(error.code, f"answers with an error (HTTP {error.code}: {_reason(error.reason)})")
            raise self._failed(f"the server {what}") from error

    def _network_error(self, reason: object) -> Exception:
        if isinstance(reason, ssl.SSLCertVerificationError):
            return self._failed(f"the server's certificate is not valid ({reason.verify_message})")
        what = f"no connection ({_reason(reason)})"
        # At the very beginning, waiting would only keep from the user that there is no network.
        return self._failed(what) if self.advance is None else _Retry(what)

    def _show(self, bar: ExitStack, total: int | None, start: int) -> None:
        if self.advance is None:
            self.advance = bar.enter_context(progress(f"downloading {self.part.stem}", total, "bytes"))
            self._advance(start)

    def _advance(self, count: int) -> None:
        if self.advance is not None and count:
            self.advance(count)

    def _length(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _failed(self, why: str) -> DownloadFailed:
        return DownloadFailed(f"cannot download {self.url}: {why}; {self.advice}")


def _read(response: HTTPResponse) -> bytes:
    try:
        return response.read(_CHUNK_BYTES)
    except (HTTPException, OSError) as error:  # told apart from errors of writing, which are of OSError too
        raise _Retry(f"the connection broke off ({_reason(error)})") from error


def _range_start(response: HTTPResponse) -> int | None:
    unit, _, rest = response.headers.get("Content-Range", "").partition(" ")
    first = rest.partition("-")[0]
    return int(first) if unit == "bytes" and first.isdecimal() else None


def _validator(response: HTTPResponse) -> str | None:
    etag = response.headers.get("ETag")
    if etag is not None and not etag.startswith("W/"):  # a weak one may not be used with ranges
        return etag
    return response.headers.get("Last-Modified")


def _reason(error: object) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())
