"""`oodkit bench` and `oodkit compare`."""

import json
import re
import shlex
from pathlib import Path

import pytest

from oodkit.cli.main import run
from tests.bench.conftest import TOWERS, paint

SUITE = """
suites:
  colours:
    title: Colours
    about: Made of paint.
    pairs:
      - {{in: warm, out: [cold, plain], group: far}}
    backbones: ["{towers}:two_classes"]
    scorers: [knn, msp, energy]
{more}
"""


@pytest.fixture
def words(tmp_path):
    """`words(more)`: a command that runs a small suite over painted images."""
    root = tmp_path / "root"
    for seed, (name, colour) in enumerate(
        [
            ("warm/train/red", "red"),
            ("warm/train/green", "green"),
            ("warm/test/red", "red"),
            ("cold", "blue"),
            ("plain", "grey"),
        ]
    ):
        paint(root / name, colour, 8, seed)

    def command(*options, more=""):
        file = tmp_path / "own.yaml"
        file.write_text(SUITE.format(towers=TOWERS, more=more), encoding="utf-8")
        places = ["--data-root", str(root), "--cache", str(tmp_path / "cache"), "--results", str(tmp_path / "results")]
        return ["bench", "--file", str(file), "--suite", "colours", "--device", "cpu", *places, *options]

    return command


def expected(value):
    return (
        f'    expected: [{{in: warm, backbone: "{TOWERS}:two_classes", outs: [cold], tolerance: 0.01, '
        f"auroc: {{knn: [{value}]}}}}]"
    )


def test_the_table_is_on_stdout_and_the_plan_on_stderr(words, capsys):
    """With what the suite says of itself; run again, all is there already and the table is the same."""
    assert run(words()) == 0
    first = capsys.readouterr()
    assert (
        "6 cells (2 pairs), 0 of them done; 40 distinct images; 0 embeddings stored, 40 to compute, about" in first.err
    )
    assert "6 run, 0 there already, 0 failed; 40 images embedded" in first.err
    for word in ("knn", "msp", "energy", "cold", "plain", "Made of paint.", "95 % interval"):
        assert word in first.out
    assert run(words()) == 0
    second = capsys.readouterr()
    assert "0 run, 6 there already" in second.err
    assert second.out == first.out


def test_json_is_one_document(words, capsys):
    """Plan, records and comparisons."""
    assert run(words("--json", "--check", more=expected(1.0))) == 0
    printed = json.loads(capsys.readouterr().out)
    assert len(printed["records"]) == 6
    assert printed["plan"]["cells"] == 6
    assert [row["holds"] for row in printed["check"]] == [True]


def test_a_missed_figure_is_exit_code_1(words, capsys):
    """With a row that says by how much."""
    assert run(words("--check", more=expected(0.25))) == 1
    printed = capsys.readouterr().out
    assert "0 of 1 figures are reproduced" in printed
    assert "MISS" in printed
    assert "+75.00" in printed


def test_a_part_compares_what_it_has_all_seeds_of(words, capsys):
    """What it has not is neither reproduced nor missed; if that is all, it says so. Exit code as without --check."""
    more = "    limit: 6\n    seeds: [0, 1]\n" + expected(0.25)
    assert run(words("--check", "--shard", "1/2", more=more)) == 0
    captured = capsys.readouterr()
    assert "0 of 0 figures are reproduced, 1 not compared" in captured.out
    assert "not all seeds here" in captured.out
    assert "MISS" not in captured.out
    assert "nothing could be compared" in captured.err


def test_a_check_of_nothing_is_refused_before_anything_runs(words, capsys):
    """Exit code 2."""
    assert run(words("--check")) == 2
    assert "has no expected figures" in capsys.readouterr().err


def test_a_dry_run_shows_the_plan_and_makes_nothing(words, capsys, tmp_path):
    """No table, no results."""
    assert run(words("--dry-run", "--json")) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["to_embed"] == 40
    assert not (tmp_path / "results").exists()


def test_missing_sets_are_all_named_and_can_be_skipped(words, capsys):
    """Exit code 2 without --skip-missing; with it the rest runs, and the exit code is 1."""
    file = Path(words()[2])
    text = file.read_text(encoding="utf-8").replace("[cold, plain]", "[cold, svhn, mnist]")
    command = words()
    file.write_text(text, encoding="utf-8")
    assert run(command) == 2
    said = capsys.readouterr().err
    assert "missing: svhn: " in said
    assert "missing: mnist: " in said
    assert "error: 2 of the things that suite colours needs are not there: svhn, mnist" in said
    assert run([*command, "--skip-missing"]) == 1
    captured = capsys.readouterr()
    assert "skipped, since a set is missing: warm:svhn" in captured.err
    assert "cold" in captured.out


def test_a_failing_cell_is_a_row_and_exit_code_1(words, capsys):
    """The others have figures."""
    command = words()
    file = Path(command[2])
    text = file.read_text(encoding="utf-8").replace("[knn, msp, energy]", "[{name: knn, params: {k: 999}}, msp]")
    file.write_text(text, encoding="utf-8")
    assert run(command) == 1
    captured = capsys.readouterr()
    assert "failed: warm -> cold" in captured.out
    assert "2 failed" in captured.err


def test_scorers_pairs_and_backbones_can_be_chosen(words, capsys):
    """In place of the suite's."""
    other = f"{TOWERS}:five_classes"
    assert run(words("--scorer", "pca", "--pair", "warm:plain", "--backbone", other, "--json")) == 0
    (record,) = json.loads(capsys.readouterr().out)["records"]
    assert (record["scorer"], record["out"], record["backbone"].endswith("five_classes")) == ("pca", "plain", True)


def test_a_run_without_any_cell_is_no_success(words, capsys):
    """Exit code 2, also of a dry run."""
    for more in ([], ["--dry-run"]):
        assert run(words("--shard", "5/5", *more)) == 2
        assert "error: nothing to run in suite colours: all 6 cells are of other parts: take fewer" in (
            capsys.readouterr().err
        )


def test_shards_together_are_the_whole(words, capsys):
    """Each process runs its part; then all is there."""
    for part in ("1/2", "2/2"):
        assert run(words("--shard", part)) == 0
    capsys.readouterr()
    assert run(words()) == 0
    assert "0 run, 6 there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--shard", "3/2"], "--shard must be I/N"),
        (["--suite", "colour"], "no suite named 'colour' in .*own.yaml; did you mean 'colours'"),
        (["--scorer", "knnn"], "no scorer named 'knnn'"),
        (["--pair", "warm:colt"], "did you mean 'warm:cold'"),
    ],
)
def test_what_cannot_be_used_is_one_line(words, capsys, options, message):
    """Exit code 2."""
    assert run(words(*options)) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    assert re.search(message, said)


def test_the_command_of_a_cell_runs_it_again_as_written(words, capsys, tmp_path):
    """With head, precision and parameters of the user's own suite, from any folder; the same contents are found."""
    places = words("--json")
    file = Path(places[2])
    text = file.read_text(encoding="utf-8")
    text = text.replace(
        f'["{TOWERS}:two_classes"]', f'[{{name: "{TOWERS}:two_classes", head: probe, precision: bf16}}]'
    )
    file.write_text(text.replace("[knn, msp, energy]", "[{name: pca, params: {components: 2}}, msp]"), encoding="utf-8")
    assert run(places) == 0
    records = json.loads(capsys.readouterr().out)["records"]
    assert len(records) == 4
    for record in records:
        program, *command = shlex.split(record["provenance"]["command"])
        assert program == "oodkit"
        assert run([*command, *places[places.index("--device") :]]) == 0
        captured = capsys.readouterr()
        assert "1 cells: 0 run, 1 there already" in captured.err
        assert [again["key"] for again in json.loads(captured.out)["records"]] == [record["key"]]


def test_an_image_size_of_the_command_line_is_part_of_the_command(words, capsys):
    """That of the suite is not: its file says it."""
    assert run(words("--json", "--scorer", "knn", "--image-size", "8")) == 0
    for record in json.loads(capsys.readouterr().out)["records"]:
        assert record["provenance"]["command"].endswith("--image-size 8")


def test_two_scorers_are_compared(words, capsys, tmp_path):
    """With paired tests, the smallest detectable difference and mean ranks."""
    assert run(words()) == 0
    capsys.readouterr()
    results = ["--results", str(tmp_path / "results")]
    assert run(["compare", "knn", "msp", *results, "--plot", str(tmp_path / "ranks.svg")]) == 0
    printed = capsys.readouterr().out
    for word in ("A: knn, B: msp", "detectable", "Holm", "mean ranks over 2 pairs", "critical difference"):
        assert word in printed
    assert (tmp_path / "ranks.svg").read_text(encoding="utf-8").startswith("<svg")
    assert run(["compare", "knn", "msp", *results, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["cells"]) == 2


def test_two_folders_are_compared(words, capsys, tmp_path):
    """A run against itself differs in nothing."""
    assert run(words()) == 0
    capsys.readouterr()
    folder = str(tmp_path / "results")
    assert run(["compare", folder, folder, "--json"]) == 0
    cells = json.loads(capsys.readouterr().out)["cells"]
    assert [cell["difference"] for cell in cells] == [0.0] * 6
    assert run(["compare", folder, folder, "--plot", "x.svg"]) == 2
