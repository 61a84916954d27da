"""The grammar of data-set names."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oodkit.data.names import DatasetName
from oodkit.errors import InvalidInput

WORD = st.text(st.characters(codec="utf-8", exclude_characters=":@/\\,\0 ", exclude_categories=["C", "Z"]), min_size=1)
NAME = WORD.filter(lambda w: w[0] not in ".~" and w not in ("files", "hub") and not Path(w).is_dir())
CLASS = st.text(st.characters(codec="utf-8", exclude_characters=",\0", exclude_categories=["C", "Z"]), min_size=1)


@pytest.mark.parametrize(
    ("text", "source", "split", "classes"),
    [
        ("cifar100", "cifar100", None, None),
        ("cifar100:train", "cifar100", "train", None),
        ("digits@0-4", "digits", None, ("0-4",)),
        ("cifar100@apple,bear,10-19", "cifar100", None, ("apple", "bear", "10-19")),
        ("cifar100:train@apple", "cifar100", "train", ("apple",)),
        (" cifar10 @ cat , dog,cat ", "cifar10 ", None, ("cat", "dog")),
        ("places365@a/airfield", "places365", None, ("a/airfield",)),
        ("x@a:b@c", "x", None, ("a:b@c",)),
        ("./photos:test", "./photos", "test", None),
        ("no/such@home/photos", "no/such@home/photos", None, None),
        ("/no/such@home/photos:val@cat", "/no/such@home/photos", "val", ("cat",)),
        ("..", "..", None, None),
        ("~/photos@cat", "~/photos", None, ("cat",)),
        (r"C:\data\photos:train@cat", r"C:\data\photos", "train", ("cat",)),
        ("C:/data/photos", "C:/data/photos", None, None),
        (r"files:C:\lists\a.csv:test", r"files:C:\lists\a.csv", "test", None),
        ("files:list.csv", "files:list.csv", None, None),
        ("files:no/such:dir/list.csv:train@cat", "files:no/such:dir/list.csv", "train", ("cat",)),
        ("hub:owner/name", "hub:owner/name", None, None),
        ("hub:owner/name/plain:train@a/b", "hub:owner/name/plain", "train", ("a/b",)),
    ],
)
def test_a_name_is_source_split_and_classes(
    text: str, source: str, split: str | None, classes: tuple[str, ...] | None
) -> None:
    """NAME[:SPLIT][@CLASSES]; prefixes and drive letters are no splits, spaces and repetitions are dropped."""
    assert DatasetName.parse(text) == DatasetName(source, split, classes)


@pytest.mark.parametrize(
    "text",
    ["", "  ", ":test", "@cat", "cifar10:", "cifar10:a:b", "cifar10@", "cifar10@a,,b", "files:", "hub:", "a\0/b"],
)
def test_what_does_not_fit_the_grammar_is_an_error_of_one_line(text: str) -> None:
    """An empty source, split or class is refused with an example of what to write."""
    with pytest.raises(InvalidInput, match="cifar10") as caught:
        DatasetName.parse(text)
    assert len(str(caught.value).splitlines()) == 1


@given(source=NAME, split=st.none() | WORD, classes=st.none() | st.lists(CLASS, min_size=1, unique=True).map(tuple))
@example(source="digits", split=None, classes=("0-4",))
@example(source="a", split="b", classes=(":", "@"))
def test_what_is_put_together_comes_apart_again(
    source: str, split: str | None, classes: tuple[str, ...] | None
) -> None:
    """Parsing the text of a name gives the name."""
    name = DatasetName(source, split, classes)
    assert DatasetName.parse(str(name)) == name


@given(st.text(alphabet="ab:@/\\,.~ -0C", max_size=20) | st.text(max_size=20))
@example("files:a/b@c,c")
@example("/d/y@ a,a")
def test_any_text_is_refused_or_parses_to_a_fixed_point(text: str) -> None:
    """Whatever is typed, the parsed name prints as text that parses to itself; nothing but InvalidInput is raised."""
    try:
        name = DatasetName.parse(text)
    except InvalidInput:
        return
    assert DatasetName.parse(str(name)) == name


def test_the_longest_beginning_that_exists_is_the_path(tmp_path: Path) -> None:
    """A colon or an at sign in an existing folder belongs to it, also where a shorter path exists."""
    (tmp_path / "me@home:2024" / "a@b").mkdir(parents=True)
    (tmp_path / "me").mkdir()
    root = f"{tmp_path}/me@home:2024"

    assert DatasetName.parse(root) == DatasetName(root)
    assert DatasetName.parse(f"{root}/a@b:train@cat/x") == DatasetName(f"{root}/a@b", "train", ("cat/x",))
    assert DatasetName.parse(f"{root}:train") == DatasetName(root, "train")


def test_a_folder_that_exists_is_a_path_without_a_slash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare name is a folder when there is one of that name here, even with ":" in it; a bare file is not."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "b:c").mkdir()
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)

    assert DatasetName.parse("photos:test").is_folder
    assert DatasetName.parse("b:c:test") == DatasetName("b:c", "test")
    assert not DatasetName.parse("file").is_folder
    assert not DatasetName.parse("cifar10").is_folder


def test_the_list_file_that_exists_is_the_source(tmp_path: Path) -> None:
    """A list whose path holds "@" or ":" is found, and class names may then hold a slash."""
    (tmp_path / "a@b.csv").touch()
    source = f"files:{tmp_path}/a@b.csv"
    assert DatasetName.parse(f"{source}:train@x/y") == DatasetName(source, "train", ("x/y",))


def test_names_are_equal_by_source_split_and_classes() -> None:
    """The same request is equal and hashes alike; another split, or other classes, is not equal."""
    assert len({DatasetName.parse(text) for text in ("a:b@c", " a:b@c", "a:b@c,c")}) == 1
    assert DatasetName.parse("a") != DatasetName.parse("a:test")
    assert DatasetName.parse("a@0") != DatasetName.parse("a@1")


def test_results_are_called_by_source_and_classes() -> None:
    """The split is reported apart from the name."""
    assert DatasetName.parse("digits:all@0-4").without_split == "digits@0-4"


def test_a_text_too_long_for_a_path_is_no_crash() -> None:
    """A name longer than any path is simply one that does not exist."""
    assert DatasetName.parse("/" + "x" * 5000 + ":train").split == "train"
