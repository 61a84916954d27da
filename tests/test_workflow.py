"""The workflow and the suite in examples/ that users copy into their own repository."""

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from oodkit.bench.suite_file import SuiteFile
from oodkit.cli.main import DONE, run
from tests.test_docs import blocks, parse

ROOT = Path(__file__).parents[1]
WORKFLOW = ROOT / "examples" / "github_workflow.yml"
SUITE = ROOT / "examples" / "own_suite.yaml"
PAGE = ROOT / "docs" / "benchmarks.md"


def steps() -> list[dict[str, Any]]:
    """The steps of the workflow's one job."""
    (job,) = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"].values()
    found: list[dict[str, Any]] = job["steps"]
    return found


def commands() -> list[list[str]]:
    """What its steps run, without the name of the program."""
    lines = [line for step in steps() for line in step.get("run", "").splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("oodkit ")]


def test_every_command_of_the_workflow_can_be_typed() -> None:
    """It checks the demo and a suite of one's own, and reports that one."""
    found = commands()
    for words in found:
        parse(words)
    assert found[0] == ["bench", "--suite", "demo", "--check"]
    assert ["bench", "--file", SUITE.name, "--suite", "mine", "--check"] in found
    assert [words[0] for words in found] == ["bench", "bench", "report"]


def test_a_wrong_option_would_be_seen() -> None:
    """The check above refuses what the program refuses."""
    with pytest.raises(Exception, match="--chek"):
        parse(["bench", "--chek"])


def test_what_is_uploaded_is_what_is_written() -> None:
    """The report is kept, also where the check failed."""
    upload = next(step for step in steps() if "upload-artifact" in step.get("uses", ""))
    written = {word for words in commands() for word in words if word.startswith("report.")}
    assert set(upload["with"]["path"].split()) == written
    assert upload["if"] == "always()"


def test_the_package_that_is_installed_is_this_one() -> None:
    """By the name that the index knows."""
    name = next(line for line in (ROOT / "pyproject.toml").read_text().splitlines() if line.startswith("name = "))
    installs = [step["run"] for step in steps() if step.get("run", "").startswith("pip ")]
    assert installs == [f"pip install {shlex.split(name)[2]}"]


def test_the_suite_to_copy_can_be_planned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With nothing but the install; every cell has an expected figure."""
    places = ["--results", str(tmp_path / "results"), "--cache", str(tmp_path / "cache"), "--device", "cpu"]
    assert run(["bench", "--file", str(SUITE), "--suite", "mine", "--check", "--dry-run", *places]) == DONE
    assert "9 cells (1 pair)" in capsys.readouterr().err
    suite = SuiteFile(SUITE).suite("mine")
    assert {figure.scorer for figure in suite.expected} == {choice.name for choice in suite.scorers}


def test_its_figures_are_those_of_the_demo() -> None:
    """The same cells, so the same figures."""
    own, demo = SuiteFile(SUITE).suite("mine"), SuiteFile().suite("demo")
    assert set(own.expected) <= set(demo.expected)
    assert own.seeds == demo.seeds


def test_the_suite_of_the_page_is_read(tmp_path: Path) -> None:
    """All keys that the page shows."""
    (block,) = [block for block in blocks(PAGE) if block.file == "mine.yaml"]
    (tmp_path / "mine.yaml").write_text(block.text, encoding="utf-8")
    suite = SuiteFile(tmp_path / "mine.yaml").suite("mine")
    assert [pair.group for pair in suite.pairs] == ["near", "far"]
    assert (suite.seeds, len(suite.expected), len(suite.sets)) == ((0, 1, 2), 2, 1)


def test_every_suite_that_comes_with_the_install_is_named_on_the_page() -> None:
    """And its doubts are those that the program words."""
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in SuiteFile().names if f"`{name}`" not in text] == []
    files = ("audit/doubts.py", "metrics/figure_doubts.py")
    wording = "".join((ROOT / "oodkit" / file).read_text(encoding="utf-8") for file in files)
    rows = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ") and "---" not in line]
    assert len(rows) > 5
    assert [row for row in rows[1:] if row.removeprefix("... alone ") not in wording and "separates" not in row] == []
