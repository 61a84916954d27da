"""`oodkit fit` and `oodkit predict`, end to end on photographs."""

import csv
import io
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from pyarrow import parquet

from oodkit.cli.main import run
from oodkit.evaluation.versions import library_versions


@pytest.fixture
def folders(tmp_path, photograph):
    """(in, new): a hundred photographs; ten others, ten of noise, all in folders below."""
    for place, (name, count) in enumerate([("in", 100), ("new/photos", 10)]):
        (tmp_path / name).mkdir(parents=True)
        for number in range(count):
            photograph(2000 * place + number).save(tmp_path / name / f"{number:03d}.png")
    (tmp_path / "new" / "noise" / "deep").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(10):
        pixels = rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "new" / "noise" / "deep" / f"{number}.png")
    return tmp_path / "in", tmp_path / "new"


@pytest.fixture
def detector(folders, tiny_name, tmp_path, capsys):
    """The folder of a detector of photographs."""
    target = tmp_path / "detector"
    assert run(["fit", "--in", str(folders[0]), "--backbone", tiny_name, "--to", str(target)]) == 0
    out = capsys.readouterr().out
    assert "at most 5 % of images like these are flagged" in out
    assert "n = 20" in out
    return target


@pytest.fixture
def predicted(detector, tiny_name, capsys):
    """`predicted(*words)`: the JSON that predict prints."""

    def printed(*words, code=0):
        assert run(["predict", str(detector), *map(str, words), "--backbone", tiny_name, "--json"]) == code
        return json.loads(capsys.readouterr().out)

    return printed


def test_noise_is_flagged_and_a_corrupt_file_is_a_row(predicted, folders):
    """A folder is taken with all below; a row has score, p-value, verdict and neighbours, or the error: exit code 1."""
    (folders[1] / "photos" / "broken.png").write_bytes(b"not an image")
    (folders[1] / "notes.txt").write_text("no image")
    found = predicted(folders[1], code=1)
    assert set(found) == {"threshold", "fpr", "images"}
    assert found["fpr"] == 0.05
    rows = {row["path"]: row for row in found["images"]}
    assert len(rows) == 21
    (broken,) = [row for row in rows.values() if "error" in row]
    assert broken["path"].endswith("broken.png")
    assert "not an image of a format" in broken["error"]
    for path, row in rows.items():
        if "error" in row:
            continue
        assert row["ood"] == (row["score"] < found["threshold"]) == (row["p_value"] <= 0.05)
        assert len(row["neighbours"]) == 3
        if "/noise/" in path:
            assert row["ood"]
    assert sum(row.get("ood", False) for path, row in rows.items() if "/photos/" in path) <= 3


def test_files_globs_and_stdin_name_the_same_images(predicted, folders, monkeypatch):
    """However they are named, in their order; a file that is gone is a row."""
    photos = sorted((folders[1] / "photos").glob("*.png"))
    by_file = predicted(*photos)
    by_glob = predicted(folders[1] / "photos" / "00?.png")
    globbed = sorted(by_glob["images"], key=lambda row: row["path"])
    for one, other in zip(by_file["images"], globbed, strict=True):
        assert (one["path"], one["ood"]) == (other["path"], other["ood"])
        assert one["score"] == pytest.approx(other["score"], abs=1e-6)  # float32 sums depend on a row's place
    listed = "\n".join(map(str, [*photos[:2], folders[1] / "gone.png", ""]))
    monkeypatch.setattr("sys.stdin", io.StringIO(listed))
    rows = predicted("-", "--neighbours", "0", code=1)["images"]
    assert [row["path"] for row in rows] == listed.split()
    assert rows[0]["neighbours"] == []
    assert "No such file" in rows[2]["error"]


def test_a_list_ended_by_nuls_is_read_too(predicted, folders, monkeypatch):
    """As `find -print0` writes it, with a name that holds a space."""
    photos = sorted((folders[1] / "noise" / "deep").iterdir())[:2]
    spaced = photos[1].rename(photos[1].with_stem("with space"))
    listed = [str(photos[0]), str(spaced)]
    monkeypatch.setattr("sys.stdin", io.StringIO("\0".join([*listed, ""])))
    assert [row["path"] for row in predicted("-")["images"]] == listed


def test_an_empty_list_is_named(detector, tiny_name, monkeypatch, capsys):
    """One line, and what to give."""
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert run(["predict", str(detector), "-", "--backbone", tiny_name]) == 2
    assert "stdin is empty" in capsys.readouterr().err


def test_images_in_the_folder_of_copies_are_named(detector, folders, tmp_path, tiny_name, capsys):
    """Where all lie there, nothing is judged and no page is written over an older one."""
    page = tmp_path / "page.html"
    page.write_text("older")
    noise = str(folders[1] / "noise")
    words = ["predict", str(detector), noise, "--backbone", tiny_name, "--html", str(page), "--copy-to", noise]
    assert run(words) == 2
    assert f"all images lie in --copy-to {noise}" in capsys.readouterr().err
    assert page.read_text() == "older"
    assert run([*words, str(folders[1])]) == 0
    assert f"images lie in {noise} and are not judged" in capsys.readouterr().err


def test_lines_and_csv(detector, folders, tmp_path, tiny_name, capsys):
    """Without --json a line per image; --csv writes rows that a spreadsheet reads."""
    assert run(["predict", str(detector), str(folders[1] / "noise"), "--backbone", tiny_name]) == 0
    captured = capsys.readouterr()
    assert captured.out.count("OOD") == 10
    assert "10 of 10 images are OOD" in captured.err
    target = tmp_path / "verdicts.csv"
    assert run(["predict", str(detector), str(folders[1]), "--csv", str(target), "-b", tiny_name]) == 0
    assert capsys.readouterr().out == ""
    rows = list(csv.DictReader(target.open()))
    assert len(rows) == 20
    assert {row["ood"] for row in rows if "/noise/" in row["path"]} == {"true"}
    assert float(rows[0]["cosine"]) <= 1.001


def test_fdr_flags_by_all_p_values(predicted, folders):
    """Benjamini-Hochberg: flagged where p <= q i / m for some larger rank; here worked out by hand."""
    (folders[1] / "a.png").write_bytes(b"broken")
    found = predicted(folders[1], "--fdr", "0.3", code=1)
    assert found["fdr"] == 0.3
    rows = [row for row in found["images"] if "error" not in row]
    assert len(found["images"]) == 21
    p = np.array([row["p_value"] for row in rows])
    ranked = np.sort(p)
    passing = ranked[ranked <= 0.3 * np.arange(1, 21) / 20]
    assert [row["ood"] for row in rows] == list(p <= passing.max())
    assert sum(row["ood"] for row in rows) >= 10


def test_parquet_has_all_rows_with_types(detector, folders, tmp_path, tiny_name, monkeypatch):
    """In row groups, as they come; errors beside; a name that is no UTF-8 is escaped."""
    monkeypatch.setattr("oodkit.cli.verdict_files.ROWS_AT_ONCE", 6)
    (folders[1] / "photos" / "broken.png").write_bytes(b"not an image")
    (folders[1] / "photos" / "000.png").rename(os.fsdecode(os.fsencode(folders[1] / "photos") + b"/\xff.png"))
    target = tmp_path / "verdicts.parquet"
    assert run(["predict", str(detector), str(folders[1]), "--parquet", str(target), "-b", tiny_name]) == 1
    table = parquet.read_table(target)
    assert parquet.ParquetFile(target).num_row_groups == 4
    assert table.column_names == ["path", "ood", "p_value", "score", "neighbours", "error"]
    rows = table.to_pylist()
    assert len(rows) == 21
    assert sum(row["error"] is not None for row in rows) == 1
    assert any(row["path"].endswith("\\xff.png") for row in rows)
    assert all(len(row["neighbours"]) == 3 for row in rows if row["error"] is None)


def test_a_page_and_copies(detector, folders, tmp_path, tiny_name, capsys):
    """Of the same verdicts: pictures of new and fit images, flagged files in a folder below the one that is read."""
    page, flagged = tmp_path / "page.html", folders[1] / "flagged"
    words = ["predict", str(detector), str(folders[1]), "-b", tiny_name, "--html", str(page), "--copy-to", str(flagged)]
    for _ in range(2):
        assert run(words) == 0
        captured = capsys.readouterr()
        count = int(re.search(r"(\d+) of 20 images are OOD", captured.err)[1])
        assert len(list(flagged.iterdir())) == count >= 10
        assert captured.out == ""
    text = page.read_text()
    assert text.count("<article") == 20
    assert text.count("background-image") > 3
    assert "in expectation over calibration sets" in text
    assert run([*words, "--html-images", "4"]) == 0
    assert page.read_text().count("<article") == 4


def test_a_folder_whose_fit_images_are_gone_or_changed_gives_names(detector, folders, tmp_path, tiny_name):
    """No picture of another image is shown in the place of a fit image."""
    for path in folders[0].iterdir():
        path.write_bytes((folders[1] / "photos" / "000.png").read_bytes())
    page = tmp_path / "page.html"
    assert run(["predict", str(detector), str(folders[1] / "photos"), "-b", tiny_name, "--html", str(page)]) == 0
    assert "background-image" not in page.read_text()
    assert re.search(r"<i>\d{3}\.png</i>", page.read_text())


def test_an_alarm_over_all_images(detector, folders, tiny_name, capsys):
    """Raised by noise: exit code 1 and a key; photographs raise none."""
    words = ["predict", str(detector), "-b", tiny_name, "--alarm", "0.05", "--json"]
    assert run([*words, str(folders[1] / "noise")]) == 1
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert found["alarm"]["raised"]
    assert found["alarm"]["images"] == 10
    assert "ALARM: this batch differs" in captured.err
    assert run([*words, str(folders[1] / "photos")]) == 0
    captured = capsys.readouterr()
    assert not json.loads(captured.out)["alarm"]["raised"]
    assert "no alarm" in captured.err


def test_images_of_another_kind_are_said_once(detector, tmp_path, photograph, tiny_name, capsys):
    """On stderr and in the JSON."""
    (tmp_path / "large").mkdir()
    for number in range(3):
        photograph(number, 300, 200).convert("L").save(tmp_path / "large" / f"{number}.jpg")
    assert run(["predict", str(detector), str(tmp_path / "large"), "-b", tiny_name, "--json"]) == 0
    captured = capsys.readouterr()
    (note,) = json.loads(captured.out)["notes"]
    assert note.startswith("new images are unlike all of the fit (shorter side 20 px, PNG, colour): 3 of 3 larger")
    assert "3 of 3 JPEG files, 3 of 3 grey" in note
    assert captured.err.count(note) == 1


def test_other_library_versions_are_in_the_json(predicted, folders, monkeypatch):
    """As they are on stderr."""
    versions = library_versions()
    monkeypatch.setattr("oodkit.detector.folder.library_versions", lambda: {**versions, "pillow": "0.1"})
    (note,) = predicted(folders[1] / "photos")["notes"]
    assert note.startswith(f"fitted with pillow {versions['pillow']}, here is 0.1")


def test_a_reader_that_goes_ends_it_quietly(detector, folders, tiny_name):
    """As `predict | head` does: no message but those of the images, no traceback."""
    command = [sys.executable, "-c", "from oodkit.cli.main import main; main()", "predict", str(detector)]
    command += ["-b", tiny_name, "--json", *[str(folders[1] / "noise")] * 30]  # more than a pipe and a buffer hold
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 0


@pytest.mark.parametrize("option", ["--csv", "--parquet", "--html"])
def test_an_interrupted_run_leaves_no_half_file(option, detector, folders, tmp_path, tiny_name, monkeypatch, capsys):
    """An older one stands, and the message says so."""
    target = tmp_path / "old"
    target.write_text("old")

    def interrupted(self, verdict):
        raise KeyboardInterrupt

    monkeypatch.setattr("oodkit.metrics.BatchRanks.add", interrupted)
    assert run(["predict", str(detector), str(folders[1]), "-b", tiny_name, option, str(target)]) == 130
    assert "interrupted; no file was written" in capsys.readouterr().err
    assert target.read_text() == "old"
    assert not list(tmp_path.glob(".*"))


def test_fit_says_what_it_did(folders, tiny_name, tmp_path, capsys):
    """--json; calibration images given apart; a rate of one's own; parameters of the scorer."""
    words = ["--backbone", tiny_name, "--to", str(tmp_path / "d"), "--json", "--scorer", "knn", "--param", "knn.k=2"]
    apart = ["--in", str(folders[0]), "--calibrate-on", str(folders[1] / "photos"), "--fpr", "0.1"]
    assert run(["fit", *apart, *words]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["n"], found["fpr"], found["scorer"]) == (10, 0.1, "KNN(k=2)")
    assert found["flag_rate"][0] == pytest.approx(1 / 11)
    assert found["guarantee"].endswith("n = 10")
    assert "Calibrated on images given apart" in (tmp_path / "d" / "card.md").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fit", "--in", "IN", "--to", "T", "--fpr", "0.01"], "at least 99 calibration images, and 20 % of 100 .* 495"),
        (["fit", "--in", "IN", "--to", "T", "--fpr", "5"], "between 0 and 1"),
        (["fit", "--in", "IN", "--to", "T", "--hold-out", "1"], "share to hold out"),
        (["fit", "--in", "IN", "--to", "NEW"], "holds other things than a detector"),
        (["fit", "--in", "IN", "--to", "T", "--scorer", "knnn"], "did you mean 'knn'"),
        (["fit", "--in", "IN", "--to", "T", "--param", "msp.k=3"], "--param must be knn.NAME=VALUE"),
        (["predict", "T", "NEW"], "no detector in .*; give the folder"),
        (["predict", "DETECTOR", "NEW"], "which is Python code.*--backbone"),
        (["predict", "DETECTOR", "gone.png"], "there is no file or folder 'gone.png'"),
        (["predict", "DETECTOR", "*.jpgg"], "there is no file or folder"),
        (["predict", "DETECTOR", "-", "-"], "can be read once"),
        (["predict", "DETECTOR", "EMPTY"], "no images in"),
        (["predict", "DETECTOR", "NEW", "--fdr", "2"], "--fdr must lie"),
        (["predict", "DETECTOR", "NEW", "--neighbours", "-1"], "--neighbours must be"),
        (["predict", "DETECTOR", "NEW", "--csv", "no/such/file.csv"], "make it first"),
        (["predict", "DETECTOR", "NEW", "--html", "EMPTY"], "is a folder; name a file"),
        (["predict", "DETECTOR", "NEW", "--html-images", "0"], "--html-images must be"),
        (["predict", "DETECTOR", "NEW", "--alarm", "7"], "rate of false alarms must lie"),
        (["predict", "DETECTOR", "NEW", "--copy-to", "NEW/photos/000.png"], "is a file; name a folder"),
    ],
)
def test_mistakes_are_one_line(words, message, detector, folders, tmp_path, tiny_name, capsys):
    """Exit code 2, one line on stderr, nothing on stdout, and no folder is written."""
    (tmp_path / "empty").mkdir()
    places = {
        "IN": folders[0],
        "NEW": folders[1],
        "DETECTOR": detector,
        "T": tmp_path / "t",
        "EMPTY": tmp_path / "empty",
    }
    typed = [str(places.get(word, word)).replace("NEW", str(folders[1])) for word in words]
    if words[0] == "fit":
        typed += ["--backbone", tiny_name]
    assert run(typed) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = [line for line in captured.err.splitlines() if line.startswith("error: ")]
    assert re.search(message, line)
    assert not (tmp_path / "t").exists()
