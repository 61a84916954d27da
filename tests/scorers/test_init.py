import subprocess
import sys

import pytest

import oodkit.scorers
from oodkit.errors import InvalidInput, UnknownName
from oodkit.scorers import KNN, create, parse_params, scorers


def test_importing_the_package_imports_nothing_heavy() -> None:
    """The registry is text: neither torch, NumPy nor scikit-learn is imported to list scorers."""
    code = (
        "import sys; from oodkit.scorers import scorers; list(scorers.items());"
        "print([m for m in ('torch', 'sklearn', 'numpy', 'scipy') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"


def test_classes_are_attributes_of_the_package() -> None:
    """`oodkit.scorers.KNN` is the class that the registry names; so for every entry of oodkit itself."""
    for name, entry in scorers.items():
        if entry.package:  # of another package that happens to be installed
            continue
        assert getattr(oodkit.scorers, entry.target.partition(":")[2]) is scorers.load(name)
    assert "KNN" in dir(oodkit.scorers)
    with pytest.raises(AttributeError, match="has no attribute 'KNNN'"):
        _ = oodkit.scorers.KNNN


def test_create_by_name() -> None:
    """`create` makes a scorer with the parameters given, by registry name."""
    scorer = create("knn", k=5)

    assert isinstance(scorer, KNN)
    assert scorer.k == 5


def test_unknown_names_come_with_the_nearest() -> None:
    """An unknown scorer or parameter is one line with the nearest right name."""
    with pytest.raises(UnknownName, match=r"no scorer named 'knnn'; did you mean 'knn' or 'knn_kth'\? `oodkit list"):
        create("knnn")
    with pytest.raises(InvalidInput, match=r"'mahalanobis' has no parameter 'normalise'; did you mean 'normalize'\?"):
        create("mahalanobis", normalise=True)
    with pytest.raises(InvalidInput, match="it takes k"):
        parse_params("knn", {"neighbours": "5"})


def test_parameters_as_text() -> None:
    """Text becomes what the scorer's `__init__` declares."""
    assert parse_params("knn", {"k": "5"}) == {"k": 5}
    assert parse_params("mahalanobis", {"normalize": "True"}) == {"normalize": True}
    with pytest.raises(InvalidInput, match=r"^knn.k must be an integer, got '5.5'$"):
        parse_params("knn", {"k": "5.5"})
