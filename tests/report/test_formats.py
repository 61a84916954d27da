"""CSV, Parquet, Markdown and LaTeX from a fixed list of records."""

import csv
import json
import re
from io import BytesIO, StringIO

import pyarrow.parquet as pq
import pytest

from oodkit.bench.record import Expected, Reported
from oodkit.report import make_report, to_csv, to_latex, to_markdown, to_parquet
from oodkit.report.latex import escaped
from oodkit.report.origins import origins, suite_commands
from tests.report.make import HOSTILE, record

RECORDS = [
    record(auroc=0.98765432101, auroc_ci=(0.98, 0.99), doubts=("the interval is 1.4 points",)),
    record(scorer="msp", params={}, auroc=0.98, auroc_ci=(0.97, 0.985), doubts=("the interval is 2.6 points",)),
    record(scorer="energy", params={}, auroc=0.5, auroc_ci=(0.4, 0.6), notes=("no assumption",)),
    record(out="cars", error="no image can be read"),
    record(
        out="cars",
        scorer="msp",
        params={},
        auroc=0.75,
        reported=(Reported(0.8, "Somebody, 2023", "Table 1", "sighted"),),
        expected=Expected(0.75, 0.001),
    ),
]


def test_csv_has_every_digit_and_empty_places():
    """Figures are fractions as they were measured; None is empty; lists are JSON."""
    rows = list(csv.DictReader(StringIO(to_csv(RECORDS))))

    assert len(rows) == 5
    assert float(rows[0]["auroc"]) == 0.98765432101
    assert (rows[0]["auroc_low"], rows[0]["auroc_high"]) == ("0.98", "0.99")
    assert (rows[3]["auroc"], rows[3]["error"]) == ("", "no image can be read")
    assert json.loads(rows[0]["doubts"]) == ["the interval is 1.4 points"]
    assert json.loads(rows[4]["reported"])[0]["value"] == 0.8
    assert (rows[4]["expected"], rows[4]["tolerance"]) == ("0.75", "0.001")


def test_csv_keeps_hostile_names_and_disarms_formulas():
    """Quotes and line breaks come back as they went in; what a spreadsheet would run begins with an apostrophe."""
    (row,) = csv.DictReader(StringIO(to_csv([record(out=HOSTILE, in_='=HYPERLINK("x")')])))

    assert row["out"] == HOSTILE
    assert row["in"] == '\'=HYPERLINK("x")'


def test_parquet_has_types():
    """Whole numbers, double precision, texts; missing figures are null."""
    table = pq.read_table(BytesIO(to_parquet(RECORDS)))

    assert [str(table.schema.field(name).type) for name in ("n_in", "auroc", "out")] == ["int64", "double", "string"]
    assert table["auroc"].to_pylist() == [0.98765432101, 0.98, 0.5, None, 0.75]


def test_markdown_shows_the_best_bold_and_the_close_marked():
    """By hand: 98.77 is best, 98.00 overlaps it, 50.00 does not; the failed cell says so."""
    text = to_markdown(make_report(RECORDS))

    assert "| tiny | knn | **98.77** [1] | failed |" in text
    assert "| tiny | msp | ≈98.00 [1] | **75.00** |" in text
    assert "| tiny | energy | 50.00 |  |" in text
    assert "1. the interval is 1.4 to 2.6 points" in text
    assert "- cats : cars, tiny, knn: no image can be read" in text
    assert "| cats | cars | tiny | msp | 75.00 | 80.00 | \\-5.00 |" in text.replace("| -5.00 |", "| \\-5.00 |")
    assert "- versions torch: `2.6.0`" in text


def test_markdown_keeps_a_table_a_table():
    """A name with bars, line breaks and tags stays one escaped cell."""
    text = to_markdown(make_report([record(out=HOSTILE, backbone="a|b")]))

    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in tables} == {4}
    assert "<script>" not in text.replace("\\<", "")
    assert "a\\|b" in text


def test_latex_has_tabulars_with_marks_and_footnotes():
    """Bold best, underlined close, superscript doubts, booktabs rules."""
    text = to_latex(make_report(RECORDS))

    assert r"\textbf{98.77}\textsuperscript{1} & failed \\" in text
    assert r"\underline{98.00}\textsuperscript{1} & \textbf{75.00} \\" in text
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == 2


@pytest.mark.parametrize(
    ("text", "set_as"),
    [
        ("a_b & 5 %", r"a\_b \& 5 \%"),
        (r"\input{x}", r"\textbackslash{}input\{x\}"),
        ("[x] ~^$#", r"{[}x] \textasciitilde{}\textasciicircum{}\$\#"),
        ("two\nlines\x07", "two lines"),
        ("ünï", "ünï"),
    ],
)
def test_latex_sets_names_as_they_are(text, set_as):
    """Every sign that means something to LaTeX is escaped; control characters are left out."""
    assert escaped(text) == set_as


def test_latex_comments_stay_on_their_line():
    """A title with a line break cannot begin a command."""
    text = to_latex(make_report([record(provenance={"about": "a\nb"})], title="x\n\\input{y}"))

    head = text[: text.index("\\begin")]
    assert all(line.startswith("%") or not line for line in head.splitlines())
    assert "% a b" in head


def test_latex_of_hostile_names_has_balanced_braces():
    """Escaped braces aside, what opens is closed."""
    text = re.sub(r"\\[{}]", "", to_latex(make_report([record(out=HOSTILE, backbone=HOSTILE, doubts=(HOSTILE,))])))

    assert text.count("{") == text.count("}")


def test_no_records_are_an_empty_report_in_every_format():
    """A head, no rows, no error."""
    report = make_report([])

    assert to_csv([]).count("\n") == 1
    assert pq.read_table(BytesIO(to_parquet([]))).num_rows == 0
    assert "No cells." in to_markdown(report)
    assert "% no cells" in to_latex(report)


def test_origins_part_what_is_shared_from_what_differs():
    """A value that all records have is told once; the others with their counts."""
    given = [
        record(provenance={"versions": {"torch": "2.6"}, "images": "a", "limit": None}),
        record(provenance={"versions": {"torch": "2.6"}, "images": "b", "only": 1}, out="cars"),
    ]

    found = origins(given)

    assert found.shared == (("versions torch", "2.6"),)
    assert found.differing == (("images", (("a", 1), ("b", 1))), ("only", (("1", 1),)))


def test_the_command_of_a_suite_is_that_of_its_cells_without_their_choice():
    """Options that all cells share stay; where they differ, the suite's own settings count."""
    start = "oodkit bench --suite ci"
    one = record(provenance={"command": f"{start} --pair 'a b:c' --backbone x --scorer knn --limit 5"})
    two = record(out="d", provenance={"command": f"{start} --pair a:d --backbone x --scorer knn --limit 5"})
    other = record(out="e", provenance={"command": f"{start} --pair a:e --backbone y --scorer knn --image-size 32"})

    assert suite_commands([one, two]) == [f"{start} --limit 5"]
    assert suite_commands([one, two, other]) == [start]
    assert suite_commands([record(provenance={})]) == []


def test_the_command_of_a_suite_names_its_file():
    """Also where its cells were run with different settings."""
    start = "oodkit bench --file '/a b/own.yaml' --suite mine"
    one = record(suite="mine", provenance={"command": f"{start} --pair a:b --backbone x --scorer knn --limit 5"})
    two = record(suite="mine", provenance={"command": f"{start} --pair a:c --backbone x --scorer knn"})

    assert suite_commands([one]) == [f"{start} --limit 5"]
    assert suite_commands([one, two]) == [start]
