"""A web server on this machine that misbehaves on request."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Page:
    """What the server does with one path.

    Attributes:
        body: the file.
        status: of the answer; other than 200 sends no file.
        failures: how many requests get `status` before the file is sent; -1 for all.
        cuts: after how many bytes each request in turn is cut off; later ones are whole.
        always_cut: where every request is cut off.
        ranges: whether it knows about parts of files.
        content_type: what the file is said to be.
        location: where it redirects to.
    """

    body: bytes = b""
    status: int = 200
    failures: int = -1
    cuts: list[int] = field(default_factory=list)
    always_cut: int | None = None
    ranges: bool = True
    content_type: str = "application/octet-stream"
    location: str | None = None


@dataclass
class Web:
    """Pages by path, and what was asked for: path and Range header of each request."""

    address: str
    pages: dict[str, Page]
    requests: list[tuple[str, str | None]]

    def put(self, path: str, page: Page) -> str:
        """Serve a page; returns its address."""
        self.pages[path] = page
        return self.address + path


@contextmanager
def serving() -> Iterator[Web]:
    """Run a server while the block runs."""
    web = Web("", {}, [])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            web.requests.append((self.path, wanted))
            page = web.pages.get(self.path, Page(status=404))
            if page.location is not None:
                self.send_response(302)
                self.send_header("Location", page.location)
                self.end_headers()
                return
            if page.status != 200 and page.failures != 0:
                page.failures -= 1
                self.send_error(page.status)
                return
            match = re.fullmatch(r"bytes=(\d+)-", wanted or "")
            start = int(match[1]) if match and page.ranges else 0
            if start and start >= len(page.body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(page.body)}")
                self.end_headers()
                return
            part = page.body[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(page.body) - 1}/{len(page.body)}")
            self.send_header("Content-Type", page.content_type)
            self.send_header("Content-Length", str(len(part)))
            self.end_headers()
            cut = page.cuts.pop(0) if page.cuts else page.always_cut
            self.wfile.write(part if cut is None else part[:cut])

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
