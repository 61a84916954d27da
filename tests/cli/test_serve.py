"""`oodkit serve`: starts, answers, stops without losing an answer, and says in a line why it cannot."""

import os
import signal
import socket
import sys
import threading
import time
import urllib.request

import pytest

from oodkit.cli.main import run

pytest.importorskip("oodkit.serving", exc_type=ImportError)

from tests.serving.calling import form


@pytest.fixture
def folder(tmp_path, photograph, tiny_name, capsys):
    """A saved detector."""
    (tmp_path / "in").mkdir()
    for number in range(100):
        photograph(number).save(tmp_path / "in" / f"{number}.png")
    saved = str(tmp_path / "detector")
    assert run(["fit", "--in", str(tmp_path / "in"), "--backbone", tiny_name, "--to", saved]) == 0
    capsys.readouterr()
    return saved


@pytest.fixture
def port():
    """A port that was free just now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@pytest.mark.parametrize(
    ("number", "code", "said"), [(signal.SIGTERM, 0, ""), (signal.SIGINT, 130, "requests in flight were answered")]
)
def test_a_signal_stops_it_after_the_answers_in_flight(folder, port, tiny_name, capsys, number, code, said):
    """A request whose body is under way is answered in full; nobody new is let in; the exit code is that of a stop."""
    answers = []

    def call():
        _wait_until(lambda: _answers(port))
        body, headers = form([("one.png", b"no image")])
        with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
            head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
            line.sendall(f"{head}Content-Type: {headers['Content-Type']}\r\n\r\n".encode() + body[:30])
            _wait_until(lambda: b"oodkit_images_inside 1.0" in _get(port, "metrics"))
            os.kill(os.getpid(), number)
            _wait_until(lambda: not _answers(port))
            line.sendall(body[30:])
            answers.append(b"".join(iter(lambda: line.recv(10_000), b"")))

    caller = threading.Thread(target=call)
    caller.start()
    assert run(["serve", folder, "--port", str(port), "--backbone", tiny_name]) == code
    caller.join()
    assert answers[0].startswith(b"HTTP/1.1 422 ")
    assert b"not an image" in answers[0]
    printed = capsys.readouterr()
    assert printed.out == f"http://127.0.0.1:{port}\n"
    assert said in printed.err
    assert "Traceback" not in printed.err
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_second_ctrl_c_does_not_wait(folder, port, tiny_name, capsys):
    """The request in flight is told so, and nobody sees a traceback."""
    answers = []

    def call():
        _wait_until(lambda: _answers(port))
        with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
            line.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n")
            line.sendall(b"Content-Type: application/json\r\n\r\n{")
            _wait_until(lambda: b"oodkit_images_inside 1.0" in _get(port, "metrics"))
            os.kill(os.getpid(), signal.SIGINT)
            _wait_until(lambda: not _answers(port))
            os.kill(os.getpid(), signal.SIGINT)
            answers.append(line.recv(10_000))

    caller = threading.Thread(target=call)
    caller.start()
    assert run(["serve", folder, "--port", str(port), "--backbone", tiny_name]) == 130
    caller.join()
    assert answers[0].startswith(b"HTTP/1.1 503 ")
    said = capsys.readouterr().err
    assert "requests in flight were dropped" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere", "--port", "0"], "no detector in nowhere"),
        (["nowhere", "--port", "70000"], "--port must lie between 0 and 65535, got 70000"),
        (["nowhere", "--max-images", "0"], "the limit images must be at least 1, got 0"),
        (["nowhere", "--max-images", "300"], "a queue of 256 images never has room for a request of 300"),
        (["nowhere", "--port", "0", "--host", "no.such.host.invalid"], "no address is known"),
    ],
)
def test_what_cannot_be_served_is_one_line(words, said, capsys):
    """Exit code 2, and nothing listens."""
    assert run(["serve", *words]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert printed.err.count("\n") == 1


def test_a_port_in_use_is_one_line(folder, tiny_name, capsys):
    """It says what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(["serve", folder, "--port", str(port), "--backbone", tiny_name]) == 2
    assert f"cannot listen on port {port} of 127.0.0.1: it is in use; choose another" in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install(monkeypatch, capsys):
    """One line with the command."""
    for name in [name for name in sys.modules if name.startswith("oodkit.serving")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert run(["serve", "nowhere"]) == 2
    assert capsys.readouterr().err == "error: serving needs the package 'uvicorn'; pip install 'oodkit-vision[serve]'\n"


def _get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=60) as answer:
        return answer.read()


def _answers(port):
    try:
        _get(port, "health")
    except OSError:
        return False
    return True


def _wait_until(holds):
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until
        threading.Event().wait(0.02)
