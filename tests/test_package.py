"""The package as it is installed: what the wheel holds, what it depends on, what importing it costs."""

import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import grimp
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import oodkit

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
HEAVY = ("PIL", "matplotlib", "numpy", "open_clip", "scipy", "sklearn", "timm", "torch", "torchvision")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel and a source archive, built from this tree."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    """The wheel."""
    (path,) = built.glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    """What the wheel says about itself."""
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    return Parser().parsestr(wheel.read(name).decode())


def test_the_wheel_holds_the_whole_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    """Every module, card and class list, the marker of typed packages, the suites; no tests, nothing else."""
    held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    there = (path for path in (ROOT / "oodkit").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    assert held == {path.relative_to(ROOT).as_posix() for path in there} | {"oodkit/bench/benchmarks.yaml"}
    assert "oodkit/py.typed" in held
    assert "oodkit/data/cards/digits.toml" in held
    assert "oodkit/data/cards/classes/cifar100.txt" in held


def test_the_wheel_works_where_it_is_unpacked(built: Path, wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """Version, command and catalog come from the wheel alone."""
    wheel.extractall(tmp_path)
    program = (
        "import json, oodkit, oodkit.data.catalog as c\n"
        "from importlib.metadata import entry_points\n"
        "command = entry_points(group='console_scripts')['oodkit'].value\n"
        "print(json.dumps([oodkit.__file__, oodkit.__version__, command, c.catalog['digits'].class_names]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    file, version, command, names = json.loads(done.stdout)
    assert Path(file).is_relative_to(tmp_path)
    assert version == PROJECT["version"]
    assert command == "oodkit.cli.main:main"
    assert names == list("0123456789")


def test_metadata(metadata: Message) -> None:
    """The distribution is called oodkit-vision, since `oodkit` is another package on the index."""
    assert metadata["Name"] == "oodkit-vision"
    assert metadata["Version"] == PROJECT["version"]
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata.get_all("License-File") == ["LICENSE"]
    assert set(metadata.get_all("Provides-Extra", [])) >= {"attacks", "docs", "faiss-cpu", "faiss-gpu", "hub", "test"}
    assert metadata["Description-Content-Type"] == "text/markdown"


def test_the_source_archive_can_be_tested(built: Path) -> None:
    """Tests, documents and what they read travel with it."""
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "constraints.txt"}
    wanted |= {"tests/conftest.py", "docs/architecture.md", "oodkit/py.typed"}
    assert wanted <= held


@cache
def _imports() -> set[str]:
    """Top-level names of other people's packages that some module of oodkit imports, at once or when it is used."""
    graph = grimp.build_graph("oodkit", include_external_packages=True, cache_dir=None)
    tops = {name.partition(".")[0] for name in graph.modules} - {"oodkit"}
    return tops - set(sys.stdlib_module_names)


def _requirements(*groups: str) -> dict[str, Requirement]:
    """Requirements by normal name: the base's, and those of the extras that are named."""
    lines = [*PROJECT["dependencies"], *(line for group in groups for line in PROJECT["optional-dependencies"][group])]
    return {canonicalize_name(Requirement(line).name): Requirement(line) for line in lines}


_all_distributions = cache(packages_distributions)


def _distributions(imported: str) -> set[str]:
    return {canonicalize_name(name) for name in _all_distributions().get(imported, [imported])}


def test_what_is_imported_is_declared() -> None:
    """Nothing works only because another package happens to bring it."""
    declared = set(_requirements(*PROJECT["optional-dependencies"]))
    undeclared = {name for name in _imports() if not _distributions(name) & declared}
    assert not undeclared


def test_what_is_declared_is_imported() -> None:
    """The base install brings nothing that oodkit does not use."""
    used = {distribution for name in _imports() for distribution in _distributions(name)}
    assert set(_requirements()) <= used


def test_every_dependency_has_a_lower_bound() -> None:
    """Of the base and of every extra, so that the oldest versions can be tested."""
    requirements = _requirements(*PROJECT["optional-dependencies"]).values()
    unbounded = [str(r) for r in requirements if not any(part.operator in (">=", "==") for part in r.specifier)]
    assert not unbounded


def test_constraints_fit_the_requirements() -> None:
    """constraints.txt pins what the base and the tests ask for, within their bounds, and names no host."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pinned = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, version = re.fullmatch(r"([\w.\-]+)==([\w.+\-]+)", line).groups()  # type: ignore[union-attr]
            pinned[canonicalize_name(name)] = version
    requirements = _requirements("test")
    assert set(requirements) <= set(pinned)
    assert [name for name, r in requirements.items() if not r.specifier.contains(pinned[name])] == []
    assert "://" not in text


def test_the_version_is_the_same_everywhere() -> None:
    """CITATION.cff and CHANGELOG.md name the version of pyproject.toml."""
    assert f"\nversion: {PROJECT['version']}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert PROJECT["version"] in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def _imported_by(program: str, **environment: str) -> set[str]:
    """Which of the heavy packages a fresh interpreter has imported at the end of a program."""
    code = (
        "import sys\nsys.argv = ['oodkit', *sys.argv[1:]]\ntry:\n"
        + "".join(f"    {line}\n" for line in program.splitlines())
        + "except SystemExit as end:\n    assert not end.code, end.code\n"
        + f"print(*(name for name in {HEAVY} if name in sys.modules), sep=',', file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return set(filter(None, done.stderr.strip().split(",")))


def test_importing_the_package_is_quick() -> None:
    """`import oodkit`, its version and the names it offers need the standard library only."""
    assert _imported_by("import oodkit\ndir(oodkit)\noodkit.__version__") == set()


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["score", "--help"], ["list", "scorers"]])
def test_help_and_version_import_no_array_library(words: list[str]) -> None:
    """Nor Pillow, nor a plotting library: what is typed most often answers at once."""
    program = f"import sys\nsys.argv[1:] = {words}\nfrom oodkit.cli.main import main\nmain()"
    assert _imported_by(program) == set()


@pytest.mark.parametrize(
    "line", ["oodkit sc", "oodkit score --scorer k", "oodkit score --in ci", "oodkit embed --view r"]
)
def test_completion_imports_no_array_library(line: str) -> None:
    """The shell waits for it at every press of the key."""
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1), "_OODKIT_COMPLETE": "complete_bash"}
    assert _imported_by("from oodkit.cli.main import main\nmain()", **asked) == set()


def test_every_lazy_name_is_there() -> None:
    """What `__all__` promises can be had, and nothing else is invented."""
    for name in oodkit.__all__:
        assert getattr(oodkit, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'evaluat'"):
        _ = oodkit.evaluat
