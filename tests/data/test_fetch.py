"""From a card to files below the data root: once, whole or not at all."""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from oodkit.data.card import Card
from oodkit.data.fetch import fetch
from oodkit.data.locks import exclusive
from oodkit.errors import DataNotFound, DownloadFailed, InvalidInput
from tests.data.cards import write_card
from tests.data.pictures import write_pictures
from tests.data.web import Page, Web


def archive_of(folder: Path) -> bytes:
    """A tar.gz that holds a folder `top` with what is in `folder`."""
    path = folder.with_suffix(".tgz")
    with tarfile.open(path, "w:gz") as tar:
        tar.add(folder, "top")
    return path.read_bytes()


@pytest.fixture
def body(tmp_path: Path) -> bytes:
    """An archive with three images of two classes, and labels."""
    write_pictures(tmp_path / "made", ["images/ant/1.png", "images/ant/2.png", "images/bee/1.png"])
    (tmp_path / "made/labels.txt").write_text("labels")
    return archive_of(tmp_path / "made")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The data root."""
    return tmp_path / "root"


def card_of(folder: Path, url: str, body: bytes, unpack: str = '"top/images" = "things"', more: str = "") -> Card:
    checksum = hashlib.sha256(body).hexdigest()
    file = f'url = "{url}"\nsha256 = "{checksum}"\nchecksum_from = "here"\nunpack = {{ {unpack} }}\n{more}'
    return write_card(folder, f'source = "folder"\n[splits]\ntrain = 1\ntest = 2\n[[files]]\n{file}')


def tree(root: Path) -> list[str]:
    """All files, without the lock."""
    paths = (path for path in root.rglob("*") if path.is_file() and path.name != ".lock")
    return sorted(path.relative_to(root).as_posix() for path in paths)


IMAGES = ["things/ant/1.png", "things/ant/2.png", "things/bee/1.png"]


def test_an_archive_is_brought_unpacked_and_removed(web: Web, tmp_path: Path, root: Path, body: bytes) -> None:
    """Only what the card names is kept; asked again, nothing is done."""
    card = card_of(tmp_path, web.put("/a.tgz", Page(body)), body)

    for _ in range(2):
        fetch(card, "test", root, allowed=True)

        assert tree(root) == IMAGES
    assert len(web.requests) == 1


def test_an_archive_put_there_by_hand_is_used_and_kept(web: Web, tmp_path: Path, root: Path, body: bytes) -> None:
    """Without a download being allowed or made."""
    card = card_of(tmp_path, web.put("/a.tgz", Page(body)), body)
    with pytest.raises(DataNotFound) as caught:
        fetch(card, "test", root, allowed=False)
    assert str(caught.value) == (
        f"things is not in {root} and may not be downloaded; save {card.files[0].url} as "
        f"{root}/downloads/things/a.tgz by other means, or put the images as {root}/things/SPLIT/CLASS/FILE, "
        "and run again"
    )
    assert not root.exists()

    (root / "downloads/things").mkdir(parents=True)
    (root / "downloads/things/a.tgz").write_bytes(body)
    fetch(card, "test", root, allowed=False)

    assert tree(root) == ["downloads/things/a.tgz", *IMAGES]
    assert web.requests == []


def test_a_wrong_archive_put_there_by_hand_is_told(web: Web, tmp_path: Path, root: Path, body: bytes) -> None:
    """By its checksum, before anything is unpacked."""
    card = card_of(tmp_path, web.put("/a.tgz", Page(body)), body)
    (root / "downloads/things").mkdir(parents=True)
    (root / "downloads/things/a.tgz").write_bytes(body + b"!")

    with pytest.raises(DownloadFailed, match=r"a\.tgz is not the file that was published: its sha256 is"):
        fetch(card, "test", root, allowed=False)

    assert tree(root) == ["downloads/things/a.tgz"]


def test_files_of_other_splits_are_not_brought(web: Web, tmp_path: Path, root: Path) -> None:
    """And a file that is no archive is kept where the card says."""
    files = "".join(
        f'[[files]]\nurl = "{web.put(f"/{split}.mat", Page(split.encode()))}"\nchecksum_from = "no"\n'
        f'splits = ["{split}"]\nkeep = "torchvision/{split}.mat"\n'
        for split in ("train", "test")
    )
    card = write_card(tmp_path, 'source = "folder"\n[splits]\ntrain = 1\ntest = 2\n' + files)

    fetch(card, "test", root, allowed=True)

    assert tree(root) == ["torchvision/test.mat"]


def test_what_is_there_already_stays(web: Web, tmp_path: Path, root: Path, body: bytes) -> None:
    """Of several folders from one archive, those that are missing are added."""
    unpack = '"top/images" = "torchvision/things/images", "top/labels.txt" = "torchvision/things/labels.txt"'
    card = card_of(tmp_path, web.put("/a.tgz", Page(body)), body, unpack)
    (root / "torchvision/things").mkdir(parents=True)
    (root / "torchvision/things/labels.txt").write_text("mine")

    fetch(card, "test", root, allowed=True)

    assert tree(root / "torchvision/things") == [
        "images/ant/1.png",
        "images/ant/2.png",
        "images/bee/1.png",
        "labels.txt",
    ]
    assert (root / "torchvision/things/labels.txt").read_text() == "mine"


def test_torchvisions_folder_may_be_a_link(web: Web, tmp_path: Path, root: Path, body: bytes) -> None:
    """To where somebody has their torchvision data sets already."""
    (tmp_path / "elsewhere").mkdir()
    root.mkdir()
    (root / "torchvision").symlink_to(tmp_path / "elsewhere")
    card = card_of(tmp_path, web.put("/a.tgz", Page(body)), body, '"top/images" = "torchvision/things/images"')

    fetch(card, "test", root, allowed=True)

    assert (tmp_path / "elsewhere/things/images/bee/1.png").is_file()


def test_another_layout_than_the_cards_is_told(web: Web, tmp_path: Path, root: Path, body: bytes) -> None:
    """With what there is; the archive stays, for a look."""
    card = card_of(tmp_path, web.put("/a.tgz", Page(body)), body, '"top/pictures" = "things"')

    with pytest.raises(DataNotFound, match=r"a\.tgz does not hold 'top/pictures', but: top; is it another file"):
        fetch(card, "test", root, allowed=True)

    assert tree(root) == ["downloads/things/a.tgz"]


def test_a_hostile_archive_leaves_nothing(web: Web, tmp_path: Path, root: Path) -> None:
    """Not even the members before the hostile one."""
    with tarfile.open(tmp_path / "evil.tgz", "w:gz") as tar:
        for name in ("top/images/ant/1.png", "../../../evil"):
            tar.addfile(tarfile.TarInfo(name))
    body = (tmp_path / "evil.tgz").read_bytes()
    card = card_of(tmp_path, web.put("/a.tgz", Page(body)), body)

    with pytest.raises(InvalidInput, match="lies outside"):
        fetch(card, "test", root, allowed=True)

    assert tree(root) == ["downloads/things/a.tgz"]


def die(unpacked: Path, card: Card) -> None:
    """End the process at once, in the middle of unpacking, the first time."""
    flag = unpacked.parents[2] / "died"
    if not flag.exists():
        flag.touch()
        os._exit(9)


def test_a_killed_unpacking_is_made_again(web: Web, tmp_path: Path, root: Path, body: bytes) -> None:
    """What it left is never taken for the data set, and is cleared away."""
    card = card_of(tmp_path, web.put("/a.tgz", Page(body)), body, more='arrange = "tests.data.test_fetch:die"\n')
    code = (
        "import sys; from pathlib import Path; from oodkit.data.card_reader import read_card;"
        "from oodkit.data.fetch import fetch; fetch(read_card(Path(sys.argv[1])), 'test', Path(sys.argv[2]), True)"
    )

    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path / "things.toml"), str(root)], check=False)
    assert killed.returncode == 9
    assert not (root / "things").exists()
    assert list(root.glob(".*.unpacking"))

    fetch(card, "test", root, allowed=True)

    assert [path for path in tree(root) if path.startswith("things/")] == IMAGES
    assert list(root.glob(".*.unpacking")) == []


def test_two_processes_bring_it_once(web: Web, tmp_path: Path, root: Path, body: bytes) -> None:
    """Whoever comes second waits, and finds the work done."""
    card_of(tmp_path, web.put("/a.tgz", Page(body)), body)
    code = (
        "import sys; from pathlib import Path; from oodkit.data.card_reader import read_card;"
        "from oodkit.data.fetch import fetch; card = read_card(Path(sys.argv[1])); print('ready', flush=True);"
        "fetch(card, 'test', Path(sys.argv[2]), True)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "things.toml"), str(root)]
    (root / "downloads/things").mkdir(parents=True)

    with exclusive(root / "downloads/things/.lock"):  # as if another process were about it
        waiting = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert waiting.stdout is not None
        waiting.stdout.readline()
        time.sleep(0.3)
        requests_while_locked = list(web.requests)
        shutil.copytree(tmp_path / "made/images", root / "things")

    assert waiting.wait() == 0
    waiting.stdout.close()
    assert requests_while_locked == web.requests == []
    assert tree(root) == IMAGES


def test_a_data_root_that_cannot_be_written_is_told(web: Web, tmp_path: Path, body: bytes) -> None:
    """One line with another choice."""
    (tmp_path / "file").write_text("in the way")
    card = card_of(tmp_path, web.put("/a.tgz", Page(body)), body)

    with pytest.raises(DownloadFailed, match="choose another data root with --data-root or OODKIT_DATA") as caught:
        fetch(card, "test", tmp_path / "file", allowed=True)

    assert "\n" not in str(caught.value)
