from importlib.resources import files

import pytest

from oodkit.data.words import read_words, wordnet_words
from oodkit.errors import DataNotFound, InvalidInput


def test_the_stock_list_has_wordnet_s_nouns_and_adjectives():
    """Tens of thousands of different words of two kinds, with spaces and without marks."""
    words = wordnet_words()
    kind_of = dict(zip(words.words, words.kinds, strict=True))

    assert len(kind_of) == len(words) > 60_000
    assert kind_of["dog"] == kind_of["ice cream"] == kind_of["aquarium"] == "noun"
    assert kind_of["able"] == kind_of["galore"] == "adj"
    assert set(words.kinds) == {"noun", "adj"}
    assert not any("_" in word or "(" in word or not word.strip() for word in words.words)


def test_the_licence_of_the_stock_list_comes_with_it():
    """WordNet's licence asks for its text and copyright in all copies."""
    text = files("oodkit.data").joinpath("word_lists", "WORDNET_LICENSE").read_text(encoding="utf-8")

    assert "Princeton University" in text
    assert "Permission to use, copy, modify and distribute" in text


def test_a_file_has_one_word_per_line_and_kinds_where_wanted(tmp_path):
    """After a tab or a comma; a comma before anything else belongs to the word; comments and repeats are left out."""
    file = tmp_path / "words.txt"
    file.write_text("# mine\nhot dog\tnoun\n\nred,adj\nParis, France\nred\tnoun\n  blue  \n", encoding="utf-8")

    words = read_words(file)

    assert words.words == ("hot dog", "red", "Paris, France", "blue")
    assert words.kinds == ("noun", "adj", "", "")


def test_class_names_can_be_left_out(tmp_path):
    """In whatever case, with underscores or spaces."""
    file = tmp_path / "words.txt"
    file.write_text("Hot dog\nsea\n")

    assert read_words(file).without(["hot_dog", "bear"]).words == ("sea",)


def test_what_is_no_word_list_is_refused(tmp_path):
    """No file, an empty one, one that is not text, another word where the kind belongs."""
    file = tmp_path / "words.txt"
    with pytest.raises(DataNotFound, match=r"words.txt cannot be read: No such file"):
        read_words(file)
    file.write_text("\n# nothing\n")
    with pytest.raises(DataNotFound, match="is empty; write one word per line"):
        read_words(file)
    file.write_text("run\tverb\n")
    with pytest.raises(InvalidInput, match=r"line 1 of .*words.txt is 'run.*verb'"):
        read_words(file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInput, match="is not UTF-8"):
        read_words(file)
