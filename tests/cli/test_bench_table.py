"""Tables of `oodkit bench` and `oodkit compare` in terminals of any width."""

import io
from dataclasses import replace

import pytest
from rich.console import Console
from rich.table import Table

from oodkit.bench.checking import Comparison
from oodkit.bench.suite import BackboneChoice, Pair, ScorerChoice, Suite
from oodkit.cli import whole_table
from oodkit.cli.bench_table import print_check, print_group_means, print_means
from oodkit.cli.whole_table import whole_console
from tests.bench.records import make_record

SUITE = Suite(
    "own",
    "Own",
    "",
    (Pair("digits@0-4", "digits@5-9", "near"), Pair("digits@0-4", "other", "near")),
    (BackboneChoice("efficientnet_lite0"),),
    (ScorerChoice("knn"),),
)


def test_configurations_have_tables_and_rows_of_their_own(capsys):
    """Parameters in the row, what tells backbones apart in the title; so have their means over groups."""
    records = [
        make_record(params={"k": k}, image_size=size, out=out, auroc=(k + size) / 100, provenance={"group": "near"})
        for k in (1, 5)
        for size in (32, 64)
        for out in ("digits@5-9", "other")
    ]
    print_means(SUITE, records)
    print_group_means(SUITE, records)
    printed = capsys.readouterr().out
    for size in (32, 64):
        assert f"efficientnet_lite0, {size} px, fp32" in printed
        for k in (1, 5):
            assert printed.count(f"{k + size:.2f}") == 3
    assert printed.count("knn(k=5)") == 6
    assert "over seeds of the fit, not of the images" in " ".join(printed.split())


def test_a_check_says_which_configuration_it_is_of(capsys):
    """And what is not compared is neither ok nor missed."""
    settings = {"image_size": 64, "precision": "bf16", "head": "probe", "params": {"k": 5}}
    row = Comparison(("in", "out", "backbone", "knn"), 0.5, 0.1, 0.5, settings=settings)
    part = replace(row, found=None, reason="not all seeds here", counts=False)
    print_check([row, part])
    printed = capsys.readouterr().out
    assert "1 of 1 figures are reproduced, 1 not compared" in printed
    assert "backbone, 64 px, bf16, head probe" in printed
    assert "knn(k=5)" in printed
    assert ("MISS" in printed, printed.count(" ok")) == (False, 1)


@pytest.mark.parametrize("width", [20, 80, 160])
def test_numbers_are_never_cut(monkeypatch, width):
    """Names are folded; a terminal that is narrower still wraps the lines itself."""
    stream = io.StringIO()

    def console(**given):
        return Console(file=stream, force_terminal=True, color_system=None, **{"width": width, **given})

    monkeypatch.setattr(whole_table, "Console", console)
    table = Table()
    table.add_column("name", overflow="fold")
    for _ in range(8):
        table.add_column("number", justify="right", no_wrap=True)
    table.add_row("module:a/path/that/is/long.py:factory" * 5, *["+12.34 - +56.78"] * 8)
    whole_console(table, names=1).print(table)
    assert stream.getvalue().count("+12.34 - +56.78") == 8
    assert "…" not in stream.getvalue()
