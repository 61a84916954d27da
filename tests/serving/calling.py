"""A server in a thread, and a caller that knows HTTP and nothing of the server."""

import http.client
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import uvicorn
from PIL import Image

from oodkit.serving import Limits, create_app
from oodkit.serving.server import address_of, listen


@dataclass
class Caller:
    """Asks a server."""

    url: str

    def ask(self, method, path, body=None, headers=None):
        """Status, headers and body of the answer."""
        place = urlsplit(self.url)
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def json(self, *words, **more):
        """Status and what the JSON of the answer says."""
        status, _, body = self.ask(*words, **more)
        return status, json.loads(body)

    def send(self, *files, query=""):
        """Status and answer of `(name, bytes)` sent as a form."""
        body, headers = form(files)
        return self.json("POST", f"/predict{query}", body=body, headers=headers)


def form(files):
    """Body and headers of a form with these `(name, bytes)`."""
    parts = [
        b'--edge\r\nContent-Disposition: form-data; name="images"; filename="%s"\r\n\r\n%s\r\n' % (name.encode(), data)
        for name, data in files
    ]
    return b"".join(parts) + b"--edge--\r\n", {"Content-Type": "multipart/form-data; boundary=edge"}


@contextmanager
def running(detector, limits=None) -> Iterator[Caller]:
    """A server on a free port while the block runs."""
    bounds = limits or Limits()
    opened = listen("127.0.0.1", 0)
    app = create_app(detector, bounds)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, log_level="error", timeout_graceful_shutdown=10))
    thread = threading.Thread(target=server.run, args=([opened],))
    caller = Caller(address_of(opened))
    thread.start()
    try:
        assert caller.json("GET", "/health")[0] == 200
        yield caller
    finally:
        server.should_exit = True
        thread.join()


def png(image: Image.Image) -> bytes:
    """The file of an image."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
