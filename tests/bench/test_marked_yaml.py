"""YAML whose values know their line."""

import pytest

from oodkit.bench.marked_yaml import read_marked_yaml
from oodkit.errors import DataNotFound, InvalidInput


@pytest.fixture
def read(tmp_path):
    """`read(text)`: the file's content."""

    def read_text(text):
        file = tmp_path / "some.yaml"
        file.write_text(text, encoding="utf-8")
        return read_marked_yaml(file)

    return read_text


def test_values_come_in_their_types(read):
    """Text, whole numbers, fractions and lists are what they say."""
    keys = read("name: knn\ncount: 3\nshare: 0.5\nwords: [a, b]\none: a\n").section(
        ("name", "count", "share", "words", "one")
    )
    assert keys["name"].text() == "knn"
    assert keys["count"].whole(1) == 3
    assert keys["share"].fraction() == 0.5
    assert keys["words"].texts() == ("a", "b")
    assert keys["one"].texts() == ("a",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\ncuont: 1\n", r"some.yaml, line 2: no key 'cuont' in the file; did you mean 'count'\?"),
        ("name: a\nzzz: 1\n", "line 2: no key 'zzz' in the file; known: name, count"),
        ("count: 1\n", "line 1: the file has no key 'name'; add it"),
        ("name: a\nname: b\n", "line 2: 'name' stands twice"),
        ("- a\n- b\n", "line 1: the file must be a mapping"),
        ("name: [a\n", "line 2: not YAML: "),
        ("", "is empty"),
    ],
)
def test_wrong_keys_are_named_with_file_line_and_nearest_key(read, text, message):
    """Each is one line that a reader can act on."""
    with pytest.raises(InvalidInput, match=message) as caught:
        read(text).section(("name",), ("count",))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "method", "message"),
    [
        ("[a]", lambda v: v.text(), "line 1: 'x' of the file must be text"),
        ("", lambda v: v.text(), "must be text"),
        ("yes", lambda v: v.whole(0), "must be a whole number of at least 0, got True"),
        ("-1", lambda v: v.whole(0), "must be a whole number of at least 0, got -1"),
        ("87.6", lambda v: v.fraction(), "must be a fraction from 0 to 1, not per cent; got 87.6"),
        ("fp23", lambda v: v.choice(("fp32", "bf16")), "cannot be 'fp23'; did you mean 'fp32'"),
        ("{a: 1}", lambda v: list(v.items()), "must be a list"),
        ("[]", lambda v: list(v.items()), "is empty; name at least one"),
        ("!!python/object:os.system 1", lambda v: v.plain(), "cannot be read"),
    ],
)
def test_values_of_another_type_are_refused(read, value, method, message):
    """With file and line, and what would do; nothing in a file is ever executed."""
    with pytest.raises(InvalidInput, match=message):
        method(read(f"x: {value}\n").section(("x",))["x"])


def test_a_file_that_is_not_there_is_named(tmp_path):
    """With its path."""
    with pytest.raises(DataNotFound, match=r"none\.yaml: No such file"):
        read_marked_yaml(tmp_path / "none.yaml")


def test_a_file_that_is_no_text_is_named(tmp_path):
    """Bytes that are not UTF-8."""
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInput, match="not text in UTF-8"):
        read_marked_yaml(tmp_path / "bytes.yaml")
