"""Outlier and density estimators of other packages, found by the name of their class."""

import inspect
import re
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from oodkit.errors import InvalidInput, UnknownName, nearest_names

# Its score of a row is drawn at random.
_NOT_REPEATABLE = {"BernoulliRBM"}
# Of series, graphs, sound or text instead of features.
_OTHER_DATA = ("ts_", "pyg_", "audio_", "embedding")
_PYOD_CLASS = re.compile(r"^class (\w+)\(Base(?:DeepLearning)?Detector\)", re.MULTILINE)


def third_party_class(name: str) -> type:
    """The class behind "sklearn:NAME" or "pyod:NAME".

    Raises:
        UnknownName: the package has no such detector; the message has the nearest names.
        InvalidInput: the detector learns from labelled outliers.
        ModuleNotFoundError: the package, or one that the detector needs, is not installed.
    """
    package, _, class_name = name.partition(":")
    return _sklearn_class(class_name) if package == "sklearn" else _pyod_class(class_name)


def _sklearn_class(name: str) -> type:
    from sklearn.utils import all_estimators

    classes = {
        class_name: cls
        for class_name, cls in all_estimators()
        if hasattr(cls, "score_samples") and class_name not in _NOT_REPEATABLE and not _required(cls)
    }
    if name not in classes:
        raise _unknown("sklearn", name, classes)
    found: type = classes[name]
    return found


def _pyod_class(name: str) -> type:
    if find_spec("pyod") is None:
        raise ModuleNotFoundError("No module named 'pyod'", name="pyod")
    modules = _pyod_modules()
    if name not in modules:
        raise _unknown("pyod", name, modules)
    cls: type = getattr(import_module(f"pyod.models.{modules[name]}"), name)
    if inspect.signature(cls.fit).parameters["y"].default is inspect.Parameter.empty:  # type: ignore[attr-defined]
        raise InvalidInput(f"pyod:{name} learns from labelled outliers, and a scorer is given none; choose another")
    return cls


def _pyod_modules() -> dict[str, str]:
    """Class names to module names, read from the files: importing them all needs packages that may be missing."""
    spec = find_spec("pyod.models")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    found: dict[str, str] = {}
    for path in sorted(Path(spec.submodule_search_locations[0]).glob("*.py")):
        if not path.name.startswith(_OTHER_DATA):
            for name in _PYOD_CLASS.findall(path.read_text(encoding="utf-8")):
                found.setdefault(name, path.stem)
    return {name: module for name, module in found.items() if not name.startswith("Base")}


def _required(cls: type) -> bool:
    """Whether there are parameters without a default, such as the estimator inside a search."""
    parameters = inspect.signature(cls).parameters.values()
    return any(p.default is p.empty and p.kind is not p.VAR_KEYWORD for p in parameters)


def _unknown(package: str, name: str, known: Iterable[str]) -> UnknownName:
    names = sorted(known)
    near = [f"{package}:{other}" for other in nearest_names(name, names)]
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"it has {', '.join(names)}"
    return UnknownName(f"{package} has no outlier or density estimator {name!r}; {hint}")
