"""What the documents say is true: their examples run, their links lead somewhere, their commands can be typed."""

import ast
import importlib
import inspect
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

from oodkit.cli.main import app
from oodkit.registry import Registry

ROOT = Path(__file__).parents[1]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
API = (
    "oodkit",
    "data",
    "detector",
    "serving",
    "backbones",
    "views",
    "embedding",
    "scorers",
    "heads",
    "clustering",
    "attacks",
    "robustness",
    "metrics",
    "evaluation",
    "training",
    "audit",
    "report",
    "testing",
)

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_CODE_SPAN = re.compile(r"`(?P<code>[^`\n]+)`")


@dataclass(frozen=True)
class Block:
    """A fenced block: language, the file that it stands for if it has a title, text, and number of its first line."""

    language: str
    file: str | None
    text: str
    line: int


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        language, _, rest = match["info"].strip().partition(" ")
        title = re.search(r'title="([^"]+)"', rest)
        line = text.count("\n", 0, match.start("body")) + 1
        found.append(Block(language, title[1] if title else None, match["body"], line))
    return found


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def named(pages: list[Path]) -> Any:
    """Parameters for pages, with readable ids."""
    return pytest.mark.parametrize("page", [pytest.param(p, id=p.relative_to(ROOT).as_posix()) for p in pages])


@named(PAGES)
def test_the_page_is_there_and_not_empty(page: Path) -> None:
    """Pages that others count on exist."""
    assert page.read_text(encoding="utf-8").strip()


@named([page for page in PAGES if any(block.language == "python" for block in blocks(page))])
def test_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks with a title are written to that file; the other Python blocks run in order, in that folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    page_blocks = blocks(page)
    for block in page_blocks:
        if block.file is not None:
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
    names: dict[str, Any] = {"__name__": "example"}
    try:
        for block in page_blocks:
            if block.language == "python" and block.file is None:
                code = "\n" * (block.line - 1) + block.text  # so that a traceback shows the page's own lines
                exec(compile(code, str(page), "exec"), names)
        for block in page_blocks:
            if block.file == "pyproject.toml":
                _check_entry_points(block.text, tmp_path)
    finally:
        for module in [sys.modules[name] for name in set(sys.modules) - before]:
            if str(getattr(module, "__file__", "")).startswith(str(tmp_path)):
                del sys.modules[module.__name__]


def _check_entry_points(pyproject: str, folder: Path) -> None:
    """A package that is installed with these entry points is found through the registries."""
    installed = folder / "example-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: example\nVersion: 1.0\n")
    groups = tomllib.loads(pyproject)["project"]["entry-points"]
    lines = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in points.items()) for group, points in groups.items()]
    (installed / "entry_points.txt").write_text("\n".join(lines))
    importlib.invalidate_caches()
    for group, points in groups.items():
        package = importlib.import_module(group)
        registries = [value for value in vars(package).values() if isinstance(value, Registry)]
        assert [registry.group for registry in registries] == [group]
        for name in points:
            assert Registry("example", {}, group).load(name) is not None


@named(PAGES)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link names a file of the repository, and every anchor a heading in it."""
    broken = []
    for match in _LINK.finditer(prose(page)):
        target = match["target"]
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or not file.is_relative_to(ROOT) or (anchor and anchor not in _anchors(file)):
            broken.append(target)
    assert not broken


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ +(.+?) *$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(page: Path) -> Iterator[tuple[int, list[str]]]:
    """The `oodkit` commands in fenced blocks that are shell sessions, with their line numbers."""
    for block in blocks(page):
        if block.language not in ("console", "bash", "sh", "shell", ""):
            continue
        text = block.text.replace("\\\n", "  ")
        for offset, line in enumerate(text.splitlines()):
            for part in line.removeprefix("$ ").split("&&"):
                words = shlex.split(part.partition(" | ")[0], comments=True) if "oodkit" in part else []
                while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                    words.pop(0)
                if words and words[0] == "oodkit":
                    yield block.line + offset, words[1:]


def parse(words: list[str]) -> None:
    """Take a command line apart as the program does, without running it; raises what the program would."""
    command, context = typer.main.get_command(app), None
    name = "oodkit"
    while True:
        context = command.make_context(name, list(words), parent=context)
        inner = getattr(command, "commands", None)
        if inner is None:
            return
        protected = context._protected_args if hasattr(context, "_protected_args") else context.protected_args
        name, *words = [*protected, *context.args]
        command = inner[name]


@named([page for page in PAGES if list(commands(page))])
def test_commands_can_be_typed(page: Path) -> None:
    """Every `oodkit` command in a shell block names a command there is, with options and values that it takes."""
    faults = []
    for line, words in commands(page):
        try:
            parse(words)
        except typer.Exit:
            pass  # --help and --version
        except Exception as error:
            faults.append(f"line {line}: oodkit {shlex.join(words)}: {type(error).__name__} {error}")
    assert not faults


@named(PAGES)
def test_options_in_the_text_exist(page: Path) -> None:
    """Every `--option` that the text names is one of some command's."""
    known = {"--help", "--version"} | {name for command in _all_commands() for name in _options(command)}
    written = {
        word.partition("=")[0]
        for span in _CODE_SPAN.findall(prose(page))
        if not re.match(r"(pip|pytest|mypy|ruff|git|mkdocs)\b", span)
        for word in span.split()
        if word.startswith("--")
    }
    assert written <= known


def _all_commands() -> Iterator[Any]:
    waiting = [typer.main.get_command(app)]
    while waiting:
        command = waiting.pop()
        yield command
        waiting += getattr(command, "commands", {}).values()


def _options(command: Any) -> list[str]:
    return [name for parameter in command.params for name in [*parameter.opts, *parameter.secondary_opts]]


@named(PAGES)
def test_python_names_exist(page: Path) -> None:
    """Python blocks parse, and what they import from oodkit or spell as oodkit.NAME.NAME is there."""
    missing = []
    for block in blocks(page):
        if block.language != "python":
            continue
        for node in ast.walk(ast.parse(block.text)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("oodkit"):
                missing += [f"{node.module}.{a.name}" for a in node.names if not _exists(f"{node.module}.{a.name}")]
            elif isinstance(node, ast.Attribute) and (name := _dotted(node)).startswith("oodkit."):
                missing += [] if _exists(name) else [name]
    assert not missing


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def _exists(dotted: str) -> bool:
    first, *rest = dotted.split(".")
    value: Any = importlib.import_module(first)
    reached = first
    for part in rest:
        reached = f"{reached}.{part}"
        if not hasattr(value, part):
            try:
                value = importlib.import_module(reached)
            except ImportError:
                return False
        else:
            value = getattr(value, part)
    return True


def test_the_api_page_has_every_public_name() -> None:
    """Each function and class that a package exports stands on the page, and nothing that is gone."""
    written = re.findall(r"^::: (\S+)$", (ROOT / "docs" / "api.md").read_text(encoding="utf-8"), re.MULTILINE)
    public = set()
    for name in API:
        package = importlib.import_module(name if name == "oodkit" else f"oodkit.{name}")
        for member in (getattr(package, exported) for exported in package.__all__):
            if inspect.isclass(member) or inspect.isfunction(member):
                public.add(f"{member.__module__}.{member.__qualname__}")
    assert len(written) == len(set(written))
    assert set(written) == public
