"""`oodkit score`."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import oodkit
from oodkit.cli.main import run
from oodkit.cli.score import parse_params
from oodkit.embedding import Store


@pytest.fixture
def words(photo_folder, tiny_name, tmp_path):
    """A command that scores photographs against digits with the small backbone."""
    return [
        "score", "--in", str(photo_folder), "--out", "digits@5-9", "--limit", "30", "--backbone", tiny_name,
        "--device", "cpu", "--cache", str(tmp_path / "cache"),
    ]  # fmt: skip


def test_the_table_has_auroc_and_interval_for_three_scorers(words, capsys):
    """Results on stdout, all else on stderr."""
    assert run(words) == 0
    captured = capsys.readouterr()
    for scorer in ("knn", "mahalanobis", "relative_mahalanobis"):
        assert scorer in captured.out
    assert "95 % interval" in captured.out
    assert "backbone module:" in captured.err
    assert "on cpu" in captured.err


def test_a_narrow_terminal_gets_fewer_columns_and_whole_numbers(words, capsys, monkeypatch):
    """No figure and no name is cut; what is left out is said. Without a terminal nothing is left out."""
    assert run(words) == 0
    assert "AUPR out" in capsys.readouterr().out
    for name, value in {"COLUMNS": "80", "FORCE_COLOR": "1", "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    assert run(words) == 0
    narrow = capsys.readouterr().out
    assert "AUPR out" not in narrow
    assert "--json" in narrow
    assert "relative_mahalanobis" in narrow
    assert "…" not in narrow


def test_json_is_one_object_of_fractions(words, capsys):
    """--json prints what the Python call returns, and nothing else, on stdout."""
    assert run([*words, "--json", "--scorer", "knn", "--param", "knn.k=3"]) == 0
    printed = json.loads(capsys.readouterr().out)
    (result,) = printed["results"]
    assert result["scorer"] == "knn"
    assert result["params"]["k"] == 3
    assert 0 <= result["auroc_ci"][0] <= result["auroc"] <= result["auroc_ci"][1] <= 1
    expected_keys = {
        "out", "scorer", "params", "auroc", "auroc_ci", "aupr_in", "aupr_out", "fpr95_in", "fpr95_out", "n_fit",
        "n_in", "n_out", "seconds",
    }  # fmt: skip
    assert expected_keys <= result.keys()
    assert printed["in"] == words[2]


def test_the_command_gives_what_the_python_call_gives(words, capsys, photo_folder, tiny_name, tmp_path):
    """One function behind both."""
    run([*words, "--json"])
    printed = json.loads(capsys.readouterr().out)
    backbone = oodkit.load_backbone(tiny_name, device="cpu")
    evaluation = oodkit.evaluate(str(photo_folder), "digits@5-9", backbone=backbone, limit=30, cache=tmp_path / "other")
    assert [result["auroc"] for result in printed["results"]] == [result.auroc for result in evaluation.results]


def test_a_second_run_embeds_nothing(words, capsys):
    """The store serves it."""
    run([*words, "--json"])
    assert json.loads(capsys.readouterr().out)["settings"]["images_embedded"] == 70
    run([*words, "--json"])
    assert json.loads(capsys.readouterr().out)["settings"]["images_embedded"] == 0


def test_several_out_sets(words, capsys):
    """--out may be repeated; each has its rows."""
    run([*words, "--out", "digits@0-4", "--json"])
    outs = [result["out"] for result in json.loads(capsys.readouterr().out)["results"]]
    assert outs == ["digits@5-9"] * 3 + ["digits@0-4"] * 3


def test_the_plot_is_drawn(words, tmp_path, capsys):
    """--plot writes an image."""
    assert run([*words, "--plot", str(tmp_path / "plot.png")]) == 0
    assert np.asarray(Image.open(tmp_path / "plot.png")).std() > 10
    assert "plot written" in capsys.readouterr().err


def test_an_unreadable_image_stops_or_is_skipped(words, photo_folder, capsys, caplog):
    """As the user says, never silently."""
    (photo_folder / "train" / "a" / "0.png").write_bytes(b"\x89PNG broken")
    assert run(words) == 2
    assert "0.png" in capsys.readouterr().err
    assert run([*words, "--skip-unreadable", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["settings"]["images_skipped"] == 1
    assert "0.png" in caplog.text


def test_data_sets_under_the_data_root_are_found_by_name(words, photo_folder, capsys):
    """--data-root names the folder that holds NAME/SPLIT/CLASS/FILE."""
    words[2] = photo_folder.name
    assert run([*words, "--data-root", str(photo_folder.parent), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["in"] == "photos"


def test_parameters_are_typed():
    """Text becomes what the scorer declares."""
    assert parse_params(["knn.k=5", "mahalanobis.normalize=true"]) == {
        "knn": {"k": 5},
        "mahalanobis": {"normalize": True},
    }


def test_detectors_of_other_packages(words, capsys):
    """A family's name is a scorer like any other, with its parameters."""
    name = "sklearn:LocalOutlierFactor"
    assert run([*words, "--json", "--scorer", name, "--param", f"{name}.n_neighbors=5"]) == 0
    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert result["scorer"] == name
    assert result["params"] == {"detector": name, "params": {"n_neighbors": 5}}


def test_names_that_look_like_markup_are_printed_as_they_are(words, photograph, tmp_path, capsys):
    """Square brackets in a folder's name."""
    folder = tmp_path / "x[bold]y"
    folder.mkdir()
    for number in range(4):
        photograph(number).save(folder / f"{number}.png")
    words[words.index("digits@5-9")] = str(folder)
    assert run([*words, "--scorer", "knn"]) == 0
    assert "x[bold]y" in capsys.readouterr().out


@pytest.fixture
def colours(tmp_path):
    """A command that scores reds and greens against blues with a small image-text network."""
    for folder, colour in (("in/red", (200, 60, 60)), ("in/green", (60, 200, 60)), ("out", (60, 60, 200))):
        (tmp_path / folder).mkdir(parents=True)
        for number in range(8):
            pixels = np.random.default_rng([number, *colour]).normal(colour, 30, (8, 8, 3)).clip(0, 255)
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / folder / f"{number}.png")
    towers = Path(__file__).parents[1] / "evaluation" / "towers.py"
    return [
        "score", "--in", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--backbone", f"module:{towers}:clip",
        "--device", "cpu", "--json",
    ]  # fmt: skip


def printed(words, capsys):
    """What a command prints as JSON, and on stderr."""
    assert run(words) == 0
    captured = capsys.readouterr()
    return json.loads(captured.out), captured.err


def test_names_captions_and_words_come_from_files(colours, tmp_path, capsys):
    """One per line; the scorers that take them get them."""
    for name, text in {
        "names": "a meadow that is green\na brick that is red\n",
        "captions": "# what there is\na green leaf\na red rose\n",
        "negatives": "blue\tadj\nhouse\tnoun\n",
        "out": "blue\n",
    }.items():
        (tmp_path / f"{name}.txt").write_text(text)
    words = [
        *colours, "--class-names", str(tmp_path / "names.txt"), "--captions", str(tmp_path / "captions.txt"),
        "--negatives", str(tmp_path / "negatives.txt"), "--out-names", str(tmp_path / "out.txt"), "--prompt", "a {}",
        "--prompt", "the {}", "--head", "zero_shot", "--logit-scale",
    ]  # fmt: skip
    for name in ("mcm", "neglabel", "caption", "in_out_names", "msp"):
        words += ["--scorer", name]
    found, notes = printed(words, capsys)
    assert [result["scorer"] for result in found["results"]] == ["mcm", "neglabel", "caption", "in_out_names", "msp"]
    assert found["settings"]["head"] == "zero_shot"
    assert found["settings"]["prompts"] == ["a {}", "the {}"]
    assert found["settings"]["logit_scale"] == 20
    assert "note: head zero_shot: 2 classes, test accuracy 100.0 %" in notes


def test_all_scorers_that_can_run(colours, tmp_path, capsys):
    """The rest is on stderr, with reasons; `all` stands alone."""
    (tmp_path / "words.txt").write_text("blue\nhouse\n")
    found, notes = printed([*colours, "--scorer", "all", "--negatives", str(tmp_path / "words.txt")], capsys)
    ran = {result["scorer"] for result in found["results"]}
    assert {"knn", "msp", "vim", "mcm", "neglabel"} <= ran
    assert "note: caption is left out: it needs captions of in-distribution images; give --captions FILE" in notes
    assert "note: in_out_names is left out: it needs names of the OOD classes" in notes
    assert run([*colours, "--scorer", "all", "--scorer", "knn"]) == 2
    assert "--scorer all stands alone" in capsys.readouterr().err


def test_captions_of_images_come_from_json(colours, tmp_path, capsys):
    """Lists by file name: those of the images that are fitted on are used, and a note says how many."""
    file = tmp_path / "captions.json"
    by_image = {f"{folder}/{number}.png": ["a rose"] for folder in ("red", "green") for number in range(8)}
    file.write_text(json.dumps(by_image))
    found, notes = printed([*colours, "--captions", str(file), "--scorer", "caption"], capsys)
    assert [result["scorer"] for result in found["results"]] == ["caption"]
    assert "captions: 8, those of the 8 fit images alone" in notes


def test_a_perturbation_is_on_record(colours, capsys):
    """In the JSON, in a note, and above the table."""
    words = [*colours, "--scorer", "odin", "--head", "zero_shot", "--perturb", "0.0014"]
    found, notes = printed(words, capsys)
    assert found["settings"]["perturb"] == 0.0014
    assert "note: test and out-images are scored after a step of 0.0014 in pixels of [0, 1], for each scorer" in notes
    words.remove("--json")
    assert run(words) == 0
    assert "perturbed by 0.0014" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--scorer", "caption"], "scorer caption cannot run here: it needs captions"),
        (["--scorer", "msp", "--head", "zeroshot"], "no head named 'zeroshot'; did you mean 'zero_shot'"),
        (["--scorer", "mcm", "--prompt", "a photo"], "has no {} where the class name belongs"),
        (["--scorer", "mcm", "--class-names", "{here}/one.txt"], "1 class names were given, but"),
        (["--scorer", "caption", "--captions", "{here}/none.txt"], "none.txt cannot be read"),
        (["--scorer", "msp", "--head", "backbone"], "has no classifier of its own; choose another --head"),
        (["--scorer", "knn", "--perturb", "-1"], "the perturbation must be a number of at least 0"),
    ],
)
def test_what_cannot_run_is_one_line(colours, tmp_path, capsys, more, message):
    """Exit code 2, and nothing was embedded before it was said."""
    (tmp_path / "one.txt").write_text("red")
    assert run([*colours, *(word.replace("{here}", str(tmp_path)) for word in more)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = [line for line in captured.err.splitlines() if line.startswith("error: ")]
    assert message in line
    with Store() as store:
        assert list(store.spaces()) == []


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--limit", "0"], "--limit must be at least 1 image, got 0"),
        (["--scorer", "knnn"], "no scorer named 'knnn'"),
        (["--head", "prob"], "no head named 'prob'"),
        (["--param", "knn"], "--param must be SCORER.NAME=VALUE"),
        (["--param", "knnn.k=5"], "no scorer named 'knnn'"),
    ],
)
def test_slips_are_told_before_any_library_is_imported(more, message):
    """They cost no more time than --help."""
    program = (
        "import sys\nfrom oodkit.cli.main import run\ncode = run(sys.argv[1:])\n"
        "sys.exit(code if 'torch' not in sys.modules and 'numpy' not in sys.modules else 'libraries were imported')"
    )
    words = [sys.executable, "-c", program, "score", "--in", "digits@0-4", "--out", "digits@5-9", *more]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr


def test_words_of_averaged_views_are_checked_before_anything_is_loaded(capsys, photo_folder):
    """One line each: a view that is none, an empty word, nothing to average."""
    words = ["score", "--in", str(photo_folder), "--out", str(photo_folder), "--backbone", "timm:none_such"]
    for given, expected in (
        (["--average-views", "flip, mild"], "no view named 'mild'; did you mean 'mild1'"),
        (["--average-views", "flip,,mild1"], "a view to average over has no name in 'flip', '', 'mild1'"),
        (["--average-fit-only"], "no views are named; add --average-views V,V"),
    ):
        assert run([*words, *given]) == 2
        captured = capsys.readouterr()
        assert captured.err.startswith("error: ")
        assert expected in captured.err
        assert captured.err.count("\n") == 1
