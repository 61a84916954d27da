"""`oodkit report` on a folder of results."""

import pytest

from oodkit.bench.results import Results
from oodkit.cli.main import DONE, UNUSABLE, run
from tests.report.make import benchmark, record


@pytest.fixture
def results(tmp_path):
    records, scores = benchmark(pairs=2)
    folder = tmp_path / "results"
    with Results(folder) as stored:
        for record in records:
            stored.add(record, scores.get(record.key))
    return folder


def test_each_format_is_a_file(tmp_path, results, capsys):
    """All five at once; a line on stderr tells each file and its size; stdout stays empty."""
    names = {"html": "r.html", "md": "r.md", "csv": "r.csv", "latex": "r.tex", "parquet": "r.parquet"}
    options = [word for name, file in names.items() for word in (f"--{name}", str(tmp_path / file))]

    assert run(["report", "--results", str(results), *options]) == DONE

    captured = capsys.readouterr()
    assert captured.out == ""
    assert all((tmp_path / file).stat().st_size > 500 and f"{file} written" in captured.err for file in names.values())


def test_without_a_file_it_prints_markdown(results, capsys):
    """The table of the terminal is the same one."""
    assert run(["report", "--results", str(results), "--suite", "ci"]) == DONE

    assert "AUROC in per cent" in capsys.readouterr().out


def test_the_correlation_is_printed_and_drawn(tmp_path, capsys):
    """R² of each pair on stdout, and what too few backbones say."""
    with Results(tmp_path / "results") as stored:
        for place, auroc in enumerate((0.6, 0.7, 0.8, 0.85)):
            provenance = {"knn_accuracy": 0.5 + 0.1 * place}
            stored.add(record(backbone=f"b{place}", auroc=auroc, provenance=provenance), None)
            if place < 2:
                stored.add(record(backbone=f"b{place}", out="mice", provenance=provenance), None)
    plot = tmp_path / "plot.png"

    assert run(["report", "--results", str(tmp_path / "results"), "--correlation", str(plot)]) == DONE

    printed = capsys.readouterr().out
    assert "cats -> dogs\n  b0 (other): accuracy 50.00 %, AUROC 60.00 %" in printed
    assert "other, 4 backbones: R² 0.9" in printed
    assert "other, 2 backbones: no R², fewer than 3 points always lie on a line" in printed
    assert plot.stat().st_size > 2000
    assert run(["report", "--results", str(tmp_path / "results"), "--correlation", "plot.txt"]) == UNUSABLE


def test_the_order_is_that_of_the_suite(tmp_path, capsys):
    """Pairs and scorers stand as the file lists them, not by the alphabet."""
    suites = tmp_path / "suites.yaml"
    sets = "".join(f"  {name}: {{get: here}}\n" for name in ("cats", "mice", "dogs"))
    suites.write_text(
        f"sets:\n{sets}suites:\n  ci:\n    title: A list\n    pairs:\n      - {{in: cats, out: [mice, dogs]}}\n"
        "    backbones: [efficientnet_lite0]\n    scorers: [msp, knn]\n"
    )
    with Results(tmp_path / "results") as stored:
        for out in ("dogs", "mice"):
            for scorer in ("knn", "msp"):
                stored.add(record(out=out, scorer=scorer, params={}), None)

    assert run(["report", "--results", str(tmp_path / "results"), "--file", str(suites)]) == DONE

    table = capsys.readouterr().out
    assert "| backbone | scorer | mice | dogs |" in table
    assert table.index("| tiny | msp |") < table.index("| tiny | knn")


def test_a_suite_of_the_file_gives_the_title(tmp_path, results, capsys):
    """`--file` names suites of one's own."""
    suites = tmp_path / "suites.yaml"
    suites.write_text(
        "suites:\n  ci:\n    title: A list\n    pairs:\n      - {in: digits@0-4, out: digits@5-9}\n"
        "    backbones: [efficientnet_lite0]\n    scorers: [knn]\n"
    )

    assert run(["report", "--results", str(results), "--file", str(suites)]) == DONE

    assert "# ci: A list" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--suite", "cj"], "no results of suite 'cj'"),
        (["--html", "nowhere/x.html"], "make it first"),
        (["--html", "."], "is a folder"),
        (["--md", "x", "--csv", "x"], "two formats"),
    ],
)
def test_what_cannot_be_written_is_one_line(results, monkeypatch, capsys, tmp_path, words, message):
    """Exit 2, one line, and nothing is written."""
    monkeypatch.chdir(tmp_path)

    assert run(["report", "--results", str(results), *words]) == UNUSABLE

    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_no_results_is_one_line(tmp_path, capsys):
    """It says which command makes them, and makes no folder."""
    assert run(["report", "--results", str(tmp_path / "none")]) == UNUSABLE

    assert "oodkit bench" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
