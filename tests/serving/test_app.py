"""The server's answers: those of `oodkit predict`, and a clear line for everything else."""

import base64
import io
import json
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from urllib.parse import urlsplit

import pytest
from PIL import Image

import oodkit
from oodkit.errors import InvalidInput

pytest.importorskip("oodkit.serving", exc_type=ImportError)

from oodkit.serving import Limits, create_app
from oodkit.serving.server import listen
from tests.serving.calling import form, png, running


@pytest.fixture(scope="module")
def expected(photos):
    """The rows that `oodkit predict --json` prints."""
    rows = [asdict(verdict) for verdict in photos.detector.judge(photos.paths)]
    for row in rows:
        assert row.pop("error") is None
        row["neighbours"] = list(row["neighbours"])
    return rows


def assert_alike(rows, expected):
    """The same rows, with numbers that differ by no more than rounding."""
    assert [_numbers(row) for row in rows] == [pytest.approx(_numbers(row), rel=1e-6, abs=2e-6) for row in expected]
    assert [_words(row) for row in rows] == [_words(row) for row in expected]


def _numbers(row):
    return [row["score"], row["p_value"], *(near["cosine"] for near in row["neighbours"])]


def _words(row):
    return [row["path"], row["ood"], *(near["id"] for near in row["neighbours"])]


def test_the_answer_is_that_of_predict(server, photos, expected):
    """In the order of the files, up to the rounding of products over more or fewer rows at once."""
    status, answer = server.send(*photos.files)
    assert status == 200
    rows = answer.pop("images")
    assert answer == {"threshold": photos.detector.calibration.threshold, "fpr": 0.05}
    assert_alike(rows, expected)
    assert {row["ood"] for row in rows} == {True, False}


def test_json_with_base64_is_the_same(server, photos, expected):
    """A name may be left out, and the number of neighbours chosen."""
    images = [{"data": base64.b64encode(content).decode()} for content in photos.contents]
    images[0]["name"] = "first"
    status, answer = server.json(
        "POST",
        "/predict?neighbours=1",
        body=json.dumps({"images": images}),
        headers={"Content-Type": "application/json"},
    )
    assert status == 200
    names = ["first", *(f"image {place}" for place in range(1, 16))]
    rows = [
        row | {"path": name, "neighbours": row["neighbours"][:1]} for row, name in zip(expected, names, strict=True)
    ]
    assert_alike(answer["images"], rows)


def test_many_callers_each_get_their_own(server, photos, expected):
    """Sixty requests by eight callers at once, of one to four images and as many neighbours, under their own names."""

    def call(number):
        chosen = [(number * 7 + step) % 16 for step in range(1 + number % 4)]
        files = [(f"{number}-{place}", photos.contents[place]) for place in chosen]
        status, answer = server.send(*files, query=f"?neighbours={number % 4}")
        assert status == 200
        rows = [expected[place] | {"path": f"{number}-{place}"} for place in chosen]
        assert_alike(answer["images"], [row | {"neighbours": row["neighbours"][: number % 4]} for row in rows])

    with ThreadPoolExecutor(8) as callers:
        list(callers.map(call, range(60)))


def test_one_image_that_cannot_be_read_refuses_the_request(server, photos):
    """422 with one line that names it, the first of them; nothing is judged."""
    judged = _metric(server, "oodkit_p_value_count")
    broken = [photos.files[0], ("cut.jpg", photos.contents[0][:200]), ("letter.png", b"dear sirs"), ("none.png", b"")]
    status, answer = server.send(*broken)
    assert (status, list(answer)) == (422, ["error"])
    assert answer["error"].startswith("cannot read image 'cut.jpg'")
    assert "\n" not in answer["error"]
    assert _metric(server, "oodkit_p_value_count") == judged


def test_a_decompression_bomb_is_refused(server):
    """A small file of 400 million pixels is refused before it is decoded."""
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    assert len(bomb.getvalue()) < 100_000
    status, answer = server.send(("bomb.png", bomb.getvalue()))
    assert status == 422
    assert "pixels" in answer["error"]


@pytest.mark.parametrize(
    ("body", "kind", "status", "words"),
    [
        (b"{}", "application/json", 400, "images: Field required"),
        (b'{"images": []}', "application/json", 400, "at least 1 item"),
        (b'{"images": [{"data": "###"}]}', "application/json", 400, "the data of 'image 0' is not base64"),
        ('{"images": [{"data": "ä"}]}'.encode(), "application/json", 400, "not base64"),
        (b'{"images": [{"data": "", "nam": "x"}]}', "application/json", 400, "images.0.nam"),
        (b"[" * 100_000, "application/json", 400, "recursion"),
        (b"\xff\xfe", "application/json", 400, "JSON"),
        (b"x", "application/json; charset=utf-8", 400, "JSON"),
        (b"x", "text/plain", 415, "multipart/form-data or application/json, got 'text/plain'"),
        (b"x", "multipart/form-data", 400, "boundary"),
        (b"x", "multipart/form-data; boundary=edge", 400, ""),
        (b"--edge--\r\n", "multipart/form-data; boundary=edge", 400, "form"),
        (
            b'--edge\r\nContent-Disposition: form-data; name="images"\r\n\r\ntext\r\n--edge--\r\n',
            "multipart/form-data; boundary=edge",
            400,
            "no file",
        ),
    ],
)
def test_a_body_that_cannot_be_used_is_one_line(server, body, kind, status, words):
    """It says what is wrong with it."""
    got, answer = server.json("POST", "/predict", body=body, headers={"Content-Type": kind})
    assert (got, list(answer)) == (status, ["error"])
    assert words in answer["error"]
    assert "\n" not in answer["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("GET", "/predict", 405), ("POST", "/predict?neighbours=-1", 422), ("PUT", "/", 405)],
)
def test_other_questions_are_one_line(server, method, path, status):
    """As JSON, like every other refusal."""
    got, answer = server.json(method, path)
    assert (got, list(answer)) == (status, ["error"])


def test_no_more_images_than_allowed(photos):
    """As a form and as JSON."""
    with running(photos.detector, Limits(images=2)) as server:
        assert server.send(*photos.files[:2])[0] == 200
        status, answer = server.send(*photos.files[:3])
        assert (status, answer["error"]) == (422, "a request may bring 2 images; send the others in further ones")
        body = json.dumps({"images": [{"data": ""}] * 3})
        got, _ = server.json("POST", "/predict", body=body, headers={"Content-Type": "application/json"})
        assert got == 422


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_above_the_limit_is_413(photos, announced):
    """Whether its length is announced or it is sent in chunks; the caller sees the answer, and the server goes on."""
    with running(photos.detector, Limits(body_bytes=100_000)) as server:
        body, headers = form([("large.png", bytes(150_000))])
        pieces = iter([body[start : start + 10_000] for start in range(0, len(body), 10_000)])
        status, answer = server.json("POST", "/predict", body=body if announced else pieces, headers=headers)
        assert status == 413
        assert answer["error"].startswith("the body is larger than 100,000 bytes")
        assert server.send(photos.files[0])[0] == 200


def test_a_body_without_an_end_is_not_collected(photos):
    """A caller who sends for ever is answered while it sends."""
    with running(photos.detector, Limits(body_bytes=100_000)) as server:
        place = urlsplit(server.url)
        with socket.create_connection((place.hostname, place.port), timeout=60) as line:
            line.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n")
            line.sendall(b"Content-Type: application/json\r\n\r\n")
            for _ in range(100):
                line.sendall(b"2710\r\n" + bytes(10_000) + b"\r\n")
            assert line.recv(1000).startswith(b"HTTP/1.1 413 ")
        assert server.send(photos.files[0])[0] == 200


def test_a_body_that_does_not_come_is_408(photos):
    """The caller is told, and no longer takes up room."""
    with running(photos.detector, Limits(body_seconds=1)) as server:
        place = urlsplit(server.url)
        with socket.create_connection((place.hostname, place.port), timeout=60) as line:
            line.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n")
            line.sendall(b"Content-Type: application/json\r\n\r\n{")
            assert b"408" in line.recv(1000)
        assert _metric(server, "oodkit_images_inside") == 0


def test_a_full_queue_is_503(photos):
    """With a time to try again; room comes back when the caller that took it is gone."""
    with running(photos.detector, Limits(images=2, queue=2)) as server:
        place = urlsplit(server.url)
        with socket.create_connection((place.hostname, place.port), timeout=60) as line:
            line.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n")
            line.sendall(b"Content-Type: application/json\r\n\r\n{")
            _wait_until(lambda: _metric(server, "oodkit_images_inside") == 1)
            body, headers = form(photos.files[:2])
            status, said, answer = server.ask("POST", "/predict", body=body, headers=headers)
            assert (status, said["Retry-After"]) == (503, "1")
            assert b"try again" in answer
            assert server.send(photos.files[0])[0] == 200
        _wait_until(lambda: _metric(server, "oodkit_images_inside") == 0)
        assert server.send(*photos.files[:2])[0] == 200


def test_callers_who_go_away_hurt_nobody(server, photos):
    """Requests that are cut off anywhere leave no image inside, and the others are answered."""
    body, headers = form(photos.files[:4])
    place = urlsplit(server.url)
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nContent-Type: %s\r\n\r\n" % (
        len(body), headers["Content-Type"].encode(),
    )  # fmt: skip
    whole = head + body
    for end in [len(whole) * step // 20 for step in range(21)]:
        with socket.create_connection((place.hostname, place.port), timeout=60) as line:
            line.sendall(whole[:end])
    assert server.send(*photos.files[:4])[0] == 200
    _wait_until(lambda: _metric(server, "oodkit_images_inside") == 0)


def test_health_says_what_is_served(server, photos):
    """Scorer, backbone, threshold, guarantee and limits."""
    status, health = server.json("GET", "/health")
    assert (status, health["status"]) == (200, "ok")
    assert health["detector"].startswith("KNN() on module:")
    assert health["guarantee"] == photos.detector.calibration.guarantee
    assert health["limits"] == {"body_bytes": 32 * 2**20, "pixels": 50_000_000, "images": 64}


def test_metrics_count_requests_images_and_batches(photos):
    """Errors by status; unknown paths are one, whatever callers think of."""
    with running(photos.detector) as server:
        server.send(*photos.files)
        server.send(("none.png", b""))
        for number in range(3):
            server.ask("GET", f"/made/up/{number}")
        text = _metrics(server)
    assert 'oodkit_requests_total{path="/predict",status="200"} 1.0' in text
    assert 'oodkit_requests_total{path="/predict",status="422"} 1.0' in text
    assert 'oodkit_requests_total{path="other",status="404"} 3.0' in text
    assert 'oodkit_images_total{verdict="ood"}' in text
    assert "oodkit_batch_images_sum 16.0" in text
    assert "oodkit_queue_length 0.0" in text
    assert 'oodkit_request_seconds_bucket{le="+Inf",path="/predict"} 2.0' in text
    assert "made" not in text


def test_the_interface_is_described_without_other_servers(server):
    """The OpenAPI page and all that it loads come from here."""
    status, _, page = server.ask("GET", "/docs")
    assert status == 200
    assert b"//cdn" not in page
    for address in re.findall(rb'(?:src|href)="([^"]+)"', page):
        assert server.ask("GET", address.decode())[0] == 200
    described = server.json("GET", "/openapi.json")[1]["paths"]
    assert set(described) == {"/predict", "/health", "/metrics"}
    assert set(described["/predict"]["post"]["requestBody"]["content"]) == {"multipart/form-data", "application/json"}


def test_a_detector_without_a_threshold_is_not_served(photos):
    """It gives no verdicts."""
    bare = oodkit.Detector(photos.detector.backbone, "knn")
    with pytest.raises(InvalidInput, match="no threshold"):
        create_app(bare)


def test_an_image_that_the_model_cannot_take_is_a_500_of_one_line(photos, monkeypatch):
    """And the images beside it are judged."""
    monkeypatch.setattr(type(photos.detector.backbone), "embed_pixels", _fails_on_white)
    with running(photos.detector, Limits(batch=8, delay_seconds=0.2)) as server, ThreadPoolExecutor(2) as callers:
        white = callers.submit(server.send, ("white.png", png(Image.new("RGB", (20, 20), "white"))))
        other = callers.submit(server.send, photos.files[0])
        status, answer = white.result(60)
        assert status == 500
        assert "too white" in answer["error"]
        assert other.result(60)[0] == 200


def _fails_on_white(backbone, pixels):
    if bool((pixels == 1).flatten(1).all(1).any()):
        raise RuntimeError("too white")
    return pixels.mean((2, 3)).repeat(1, 16)


@pytest.mark.parametrize(
    ("host", "words"),
    [("no.such.host.invalid", "no address is known"), ("192.0.2.1", "no such address"), ("127.0.0.1", "in use")],
)
def test_an_address_that_cannot_be_had_is_one_line(host, words):
    """A name without an address, an address of another machine, a port in use."""
    with listen("127.0.0.1", 0) as taken, pytest.raises(InvalidInput, match=words):
        listen(host, taken.getsockname()[1])


def _metrics(server):
    return server.ask("GET", "/metrics")[2].decode()


def _metric(server, name):
    return float(re.search(rf"^{name} (\S+)$", _metrics(server), re.MULTILINE)[1])


def _wait_until(holds):
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until
        threading.Event().wait(0.02)
