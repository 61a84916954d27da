"""Every scorer has a page, and it says what its entry and docstring say."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from oodkit.scorers import scorers

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "scorers"


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_scorer_pages", ROOT / "tools" / "make_scorer_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_registered_scorer_has_a_page() -> None:
    """A name without a page, or a page without a name, fails; third parties have pages of their own."""
    names = {name for name, entry in scorers.items() if not entry.package}

    assert {page.stem for page in PAGES.glob("*.md")} == {*names, "index"}


def test_pages_are_up_to_date(maker) -> None:
    """Pages are what `python tools/make_scorer_pages.py` writes."""
    stale = [name for name, text in maker.pages().items() if (PAGES / name).read_text(encoding="utf-8") != text]

    assert not stale, "run python tools/make_scorer_pages.py"


def test_a_docstring_becomes_sections(maker) -> None:
    """Parameters are a list, formulas a block, notes the deviations."""
    page = maker.pages()["gen.md"]

    assert "- **gamma** (float, default 0.1):\n  Exponent" in page
    assert "```text\nscore = -" in page
    assert "\n## Deviations\n" in page
