"""A process that listens: an address, an application, and a stop that loses no answer."""

import errno
import logging
import signal
import socket
from types import FrameType
from typing import NamedTuple

import uvicorn
from fastapi import FastAPI

from oodkit.errors import InvalidInput
from oodkit.serving.limits import Limits

BACKLOG = 128


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections; they wait until `answer` takes them.

    Args:
        host: an address of this machine, or a name of one.
        port: 0 for any that is free.

    Raises:
        InvalidInput: the port is in use or not allowed, or the host is none of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        opened = socket.socket(family, kind, protocol)
    except (socket.gaierror, UnicodeError) as error:
        raise InvalidInput(f"no address is known for host {host!r}; 127.0.0.1 is this machine alone") from error
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(BACKLOG)
    except OSError as error:
        opened.close()
        raise InvalidInput(f"cannot listen on port {port} of {host}: {_why(error)}") from error
    return opened


def address_of(opened: socket.socket) -> str:
    """The URL under which a socket is reached."""
    host, port = opened.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Stop(NamedTuple):
    """What ended a server.

    Attributes:
        by_ctrl_c: rather than SIGTERM.
        at_once: a second Ctrl-C did not wait for the requests in flight.
    """

    by_ctrl_c: bool
    at_once: bool


def answer(app: FastAPI, opened: socket.socket, limits: Limits) -> Stop:
    """Answer requests until SIGTERM or Ctrl-C; then finish those in flight. A second Ctrl-C does not wait for them.

    Args:
        app: what answers.
        opened: as `listen` gives it; it is closed in the end.
        limits: how long to wait in the end.
    """
    server = _Server(
        uvicorn.Config(
            app,
            log_level="error",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=limits.stop_seconds,
        )
    )
    stopped: list[int] = []

    def remember(number: int, _: FrameType | None) -> None:
        stopped.append(number)
        server.should_exit = True

    # They come here before uvicorn listens to them, and again when it has stopped: it raises them with these handlers.
    kinds = (signal.SIGINT, signal.SIGTERM)
    before = {kind: signal.signal(kind, remember) for kind in kinds}
    try:
        server.run(sockets=[opened])
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
    return Stop(signal.SIGINT in stopped, server.force_exit)


class _Server(uvicorn.Server):
    """uvicorn's, which does not complain of the requests that it was told to drop."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal."""
        super().handle_exit(sig, frame)
        if self.force_exit:
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)


def _why(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "it is in use; choose another with --port, or 0 for any that is free"
    if error.errno == errno.EACCES:
        return "it is not allowed; choose one from 1024 on"
    if error.errno == errno.EADDRNOTAVAIL:
        return "this machine has no such address"
    return error.strerror or str(error)
