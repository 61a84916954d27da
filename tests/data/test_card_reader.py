"""Cards from TOML: what is wrong is named by file and key."""

from pathlib import Path

import pytest

from oodkit.data.card_reader import read_card
from oodkit.errors import InvalidInput
from tests.data.cards import HEAD, write_card

GOOD = """
source = "folder"
notes = ["a trap"]
[splits]
all = 3
[[files]]
url = "https://example.org/a.tgz?download=1"
md5 = "0123456789abcdef0123456789abcdef"
checksum_from = "somebody"
bytes = 10
unpack = { "top/images" = "things" }
"""


def test_a_card_holds_what_was_written(tmp_path: Path) -> None:
    """Every key has its place; the name is the file's."""
    card = write_card(tmp_path, GOOD)

    assert (card.name, card.title, card.license, card.notes) == ("things", "A set", "none stated", ("a trap",))
    assert (dict(card.splits), card.classes, card.class_names, card.download_size) == ({"all": 3}, None, None, 10)
    (file,) = card.files
    assert (file.file_name, file.targets, file.sha256, file.size) == ("a.tgz", ("things",), None, 10)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("notes =", "note =", "unknown key 'note'; did you mean 'notes'?"),
        ("bytes = 10", "size = 10", "files[0]: unknown key 'size'"),
        ("bytes = 10", "bytes = '10'", "files[0]: bytes must be a whole number above 0, not '10'"),
        ("bytes = 10", "bytes = true", "files[0]: bytes must be a whole number above 0, not True"),
        ("all = 3", "all = 0", "splits: all must be a whole number above 0, not 0"),
        ("all = 3", "", "splits is empty"),
        ('notes = ["a trap"]', "notes = 'a trap'", "notes must be a list of texts, not 'a trap'"),
        ('source = "folder"', "", "source is missing"),
        ('source = "folder"', 'source = "attic"', "source must be one of digits, folder, imagenet, lsun, torchvision"),
        ('source = "folder"', 'source = "torchvision"', "torchvision must be there for the source torchvision"),
        ('source = "folder"', 'source = "folder"\nclass_list = "x"', "class_list must be one of"),
        ('source = "folder"', 'source = "folder"\ndefault_split = "x"', "default_split must be one of all, not 'x'"),
        ("abcdef0123", "ABCDEF0123", "files[0]: md5 is not a checksum of 32 hex digits in lower case"),
        ("https://example.org/a", "file:///a", "files[0]: url must begin with http:// or https://"),
        ('checksum_from = "somebody"', "", "files[0]: checksum_from is missing"),
        ('"things" }', '"../things" }', "files[0]: unpack leads out of the data root: '../things'"),
        ('"things" }', '"/things" }', "files[0]: unpack leads out of the data root: '/things'"),
        ('"things" }', "3 }", "files[0]: unpack: top/images must be a text, not 3"),
        ("unpack =", 'keep = "a"\nunpack =', "files[0]: keep and unpack: one of the two must be there, not both"),
        ("bytes = 10", 'bytes = 10\nsplits = ["test"]', "files[0]: splits names a split that the card does not have"),
        ("[splits]", "[splits", "is not a card: "),
    ],
)
def test_what_is_wrong_is_named_by_file_and_key(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    """One line, with the nearest known key where one is unknown."""
    assert old in GOOD
    with pytest.raises(InvalidInput) as caught:
        write_card(tmp_path, GOOD.replace(old, new))

    message = str(caught.value)
    assert message.startswith(str(tmp_path / "things.toml"))
    assert complaint in message
    assert "\n" not in message


@pytest.mark.parametrize("key", ["title", "homepage", "license", "citation", "pixels"])
def test_what_every_card_must_say_cannot_be_left_out(tmp_path: Path, key: str) -> None:
    """Nor be blank."""
    lines = HEAD.splitlines()
    for change in ([], [f'{key} = " "']):
        head = "\n".join([line for line in lines if not line.startswith(key)] + change)

        with pytest.raises(InvalidInput, match=f": {key} (is missing|must be a text, not ' ')$"):
            write_card(tmp_path, GOOD, head=head)


def test_a_card_without_files_must_say_what_to_do(tmp_path: Path) -> None:
    """Otherwise nobody could get the data."""
    body = GOOD[: GOOD.index("[[files]]")]

    with pytest.raises(InvalidInput, match="put_by_hand is missing, and so are files"):
        write_card(tmp_path, body)
    assert write_card(tmp_path, 'put_by_hand = "ask them"\n' + body).put_by_hand == "ask them"


def test_each_split_needs_arguments_for_torchvision(tmp_path: Path) -> None:
    """And there are none for splits that the card does not have."""
    body = GOOD.replace("folder", "torchvision") + '[torchvision]\nclass = "DTD"\n'

    with pytest.raises(InvalidInput, match="torchvision: splits must have arguments for each of: all"):
        write_card(tmp_path, body)
    with pytest.raises(InvalidInput, match="torchvision: splits: unknown key 'some'"):
        write_card(tmp_path, body + "splits.all = [{}]\nsplits.some = [{}]\n")


def test_bytes_that_are_not_text_are_told(tmp_path: Path) -> None:
    """TOML is UTF-8."""
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(InvalidInput, match="is not a card"):
        read_card(tmp_path / "a.toml")
