"""Downloads: resumed, checked, in their place only when whole, and one clear line when not."""

import hashlib
import socket
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oodkit.data.download import download
from oodkit.errors import DownloadFailed
from tests.data.web import Page, Web, serving

BODY = bytes(range(256)) * 20
SHA256 = hashlib.sha256(BODY).hexdigest()
MD5 = hashlib.md5(BODY).hexdigest()


def fails(url: str, to: Path, **options: object) -> str:
    """The message of a download that must fail: one line that says what to do by hand."""
    with pytest.raises(DownloadFailed) as caught:
        download(url, to, put_by_hand="BY HAND", pause_seconds=0, **options)  # type: ignore[arg-type]
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith("BY HAND")
    return message


def part_of(to: Path) -> Path:
    return to.with_name(f"{to.name}.part")


def test_a_file_is_brought_and_nothing_else_is_left(web: Web, tmp_path: Path) -> None:
    """The file lies in its place, in a folder that was made for it, without a `.part` beside it."""
    to = tmp_path / "new" / "file.bin"

    assert download(web.put("/a", Page(BODY)), to, sha256=SHA256, md5=MD5, size=len(BODY)) == to

    assert to.read_bytes() == BODY
    assert list(to.parent.iterdir()) == [to]


def test_a_file_that_is_there_is_checked_and_not_asked_for(web: Web, tmp_path: Path) -> None:
    """No request is made for a file with the right checksum."""
    to = tmp_path / "file.bin"
    to.write_bytes(BODY)

    download(web.put("/a", Page(BODY)), to, sha256=SHA256)

    assert web.requests == []


def test_a_file_that_is_there_and_wrong_is_kept_and_reported(web: Web, tmp_path: Path) -> None:
    """It may be the user's own: it is not overwritten."""
    to = tmp_path / "file.bin"
    to.write_bytes(b"mine")

    message = fails(web.put("/a", Page(BODY)), to, md5=MD5)

    assert f"{to} is not the file that was published: its md5 is" in message
    assert to.read_bytes() == b"mine"


def test_a_killed_download_goes_on_where_it_stopped(web: Web, tmp_path: Path) -> None:
    """With a checksum, only the rest is asked for."""
    to = tmp_path / "file.bin"
    part_of(to).write_bytes(BODY[:1000])

    download(web.put("/a", Page(BODY)), to, sha256=SHA256)

    assert to.read_bytes() == BODY
    assert web.requests == [("/a", "bytes=1000-")]


def test_a_download_that_was_whole_but_not_renamed_is_not_made_again(web: Web, tmp_path: Path) -> None:
    """Whether its length is known beforehand or the server says that there is no more (416)."""
    for name, size in (("known", len(BODY)), ("unknown", None)):
        to = tmp_path / name
        part_of(to).write_bytes(BODY)

        download(web.put("/a", Page(BODY)), to, sha256=SHA256, size=size)

        assert to.read_bytes() == BODY
    assert web.requests == [("/a", f"bytes={len(BODY)}-")]


def test_without_a_checksum_halves_of_two_calls_are_not_joined(web: Web, tmp_path: Path) -> None:
    """Nothing could tell that they belong together."""
    to = tmp_path / "file.bin"
    part_of(to).write_bytes(b"of another file")

    download(web.put("/a", Page(BODY)), to)

    assert to.read_bytes() == BODY
    assert web.requests == [("/a", None)]


def test_a_part_that_is_longer_than_the_file_is_started_again(web: Web, tmp_path: Path) -> None:
    """The server answers 416; the part was of another file."""
    to = tmp_path / "file.bin"
    part_of(to).write_bytes(BODY + b"more")

    download(web.put("/a", Page(BODY)), to, sha256=SHA256, pause_seconds=0)

    assert to.read_bytes() == BODY


def test_a_server_without_ranges_starts_again(web: Web, tmp_path: Path) -> None:
    """A whole answer to a question for the rest replaces what there is."""
    to = tmp_path / "file.bin"
    part_of(to).write_bytes(BODY[:1000])

    download(web.put("/a", Page(BODY, ranges=False)), to, sha256=SHA256)

    assert to.read_bytes() == BODY


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=400).map(lambda tail: b"\0" + tail),  # no web page
    cuts=st.lists(st.integers(0, 100), max_size=4),
    had=st.integers(0, 100),
    ranges=st.booleans(),
)
def test_however_often_it_is_cut_the_bytes_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, body: bytes, cuts: list[int], had: int, ranges: bool
) -> None:
    """Whatever was there before and wherever connections break, the file is the published one."""
    to = tmp_path_factory.mktemp("cut") / "file.bin"
    part_of(to).write_bytes(body[:had])

    with serving() as web:
        url = web.put("/a", Page(body, cuts=cuts, ranges=ranges))
        download(url, to, sha256=hashlib.sha256(body).hexdigest(), attempts=6, pause_seconds=0)

    assert to.read_bytes() == body


def test_a_connection_that_never_gets_further_is_given_up(web: Web, tmp_path: Path) -> None:
    """A body shorter than announced is an error, never a file; what came stays for another try."""
    to = tmp_path / "file.bin"
    url = web.put("/a", Page(BODY, always_cut=100, ranges=False))

    message = fails(url, to, sha256=SHA256, attempts=3)

    assert "the connection broke off after 100 of 5,120 bytes, 3 times in a row" in message
    assert not to.exists()
    assert part_of(to).stat().st_size == 100


def test_a_wrong_checksum_removes_the_file(web: Web, tmp_path: Path) -> None:
    """So that the next run does not take it for the whole one, nor go on with it."""
    to = tmp_path / "file.bin"

    message = fails(web.put("/a", Page(b"changed")), to, sha256=SHA256)

    assert f"its sha256 is {hashlib.sha256(b'changed').hexdigest()}, not {SHA256}; it was removed" in message
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_length_is_not_even_begun(web: Web, tmp_path: Path) -> None:
    """The announced length is compared with the published one first."""
    message = fails(web.put("/a", Page(BODY)), tmp_path / "file.bin", size=7)

    assert "the server has a file of 5,120 bytes, not of 7: it was changed" in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "page",
    [
        Page(b"<p>Sign in</p>", content_type="text/html; charset=utf-8"),
        Page(b"\n <!DOCTYPE html><html>Quota exceeded</html>"),
        Page(b"<HTML>moved</HTML>", content_type="application/x-gzip"),
    ],
)
def test_a_web_page_in_place_of_the_file_is_told(web: Web, tmp_path: Path, page: Page) -> None:
    """By what the server calls it or by how it begins; with and without a checksum."""
    for options in ({}, {"sha256": SHA256}):
        message = fails(web.put("/a", page), tmp_path / "file.bin", **options)

        assert "the server sends a web page in place of the file" in message
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "wants a login (HTTP 401)"),
        (403, "refuses access (HTTP 403)"),
        (404, "has no such file (HTTP 404)"),
        (410, "no longer has the file (HTTP 410)"),
        (418, "answers with an error (HTTP 418"),
    ],
)
def test_an_error_of_the_server_is_final(web: Web, tmp_path: Path, status: int, words: str) -> None:
    """It is not asked again."""
    assert words in fails(web.put("/a", Page(BODY, status=status)), tmp_path / "file.bin")
    assert len(web.requests) == 1


def test_a_busy_server_is_asked_again(web: Web, tmp_path: Path) -> None:
    """429 and 5xx may pass."""
    for status in (429, 503):
        to = tmp_path / str(status)

        download(web.put("/a", Page(BODY, status=status, failures=2)), to, sha256=SHA256, pause_seconds=0)

        assert to.read_bytes() == BODY


def test_a_server_that_stays_broken_is_given_up(web: Web, tmp_path: Path) -> None:
    """After as many attempts as were asked for."""
    message = fails(web.put("/a", Page(BODY, status=500)), tmp_path / "file.bin", attempts=3)

    assert "the server is busy or broken (HTTP 500), 3 times in a row" in message
    assert len(web.requests) == 3


def test_a_redirect_is_followed(web: Web, tmp_path: Path) -> None:
    """Also when going on with a download."""
    web.put("/new", Page(BODY))
    to = tmp_path / "file.bin"
    part_of(to).write_bytes(BODY[:99])

    download(web.put("/old", Page(location="/new")), to, sha256=SHA256)

    assert to.read_bytes() == BODY
    assert web.requests[-1] == ("/new", "bytes=99-")


@pytest.mark.parametrize("where", ["/a", "file:///etc/hostname"])
def test_a_redirect_cannot_lead_to_a_local_file(web: Web, tmp_path: Path, where: str) -> None:
    """Nor round in circles."""
    fails(web.put("/a", Page(location=where)), tmp_path / "file.bin")


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/a", "nothing"])
def test_other_addresses_than_http_are_refused(tmp_path: Path, url: str) -> None:
    """Nothing is read from this machine."""
    assert "only http and https addresses" in fails(url, tmp_path / "file.bin")


def test_no_server_is_told_at_once(tmp_path: Path) -> None:
    """Waiting would only keep from the user that there is no network."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    message = fails(f"http://127.0.0.1:{port}/a", tmp_path / "file.bin")

    assert "no connection (Connection refused)" in message


def test_an_unknown_host_is_told(tmp_path: Path) -> None:
    """As with no network at all: `.invalid` never resolves."""
    assert "no connection (" in fails("http://nowhere.invalid/a", tmp_path / "file.bin")


def test_a_silent_server_is_given_up(tmp_path: Path) -> None:
    """It takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a"

        message = fails(url, tmp_path / "file.bin", timeout_seconds=0.05, attempts=2)

    assert "no answer in time" in message


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a device that is always full")
def test_a_full_disk_is_told(web: Web, tmp_path: Path) -> None:
    """One line, and no file."""
    to = tmp_path / "file.bin"
    part_of(to).symlink_to("/dev/full")

    with pytest.raises(
        DownloadFailed, match=r"^cannot download file\.bin: the disk is full in .*; make room"
    ) as caught:
        download(web.put("/a", Page(BODY)), to, md5=MD5)

    assert "\n" not in str(caught.value)
    assert not to.exists()


def test_a_place_that_cannot_be_written_is_told(web: Web, tmp_path: Path) -> None:
    """A folder that cannot be made."""
    (tmp_path / "file").write_text("in the way")

    message = fails(web.put("/a", Page(BODY)), tmp_path / "file" / "x.bin")

    assert message.startswith(f"cannot write {tmp_path / 'file' / 'x.bin'}: ")


def test_without_advice_the_message_says_where_to_save_it(web: Web, tmp_path: Path) -> None:
    """The address and the path are enough to do it by hand."""
    to = tmp_path / "file.bin"
    url = web.put("/a", Page(status=404))

    with pytest.raises(DownloadFailed, match=f"save {url} as {to} by other means and run again$"):
        download(url, to)
