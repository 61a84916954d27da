"""Parameters that are wrong whatever the data, and those that only the data can refuse."""

import pytest

from oodkit.bench.parameters import check_params
from oodkit.errors import InvalidInput
from oodkit.scorers import scorers


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("knn", {"k": "five"}, "knn.k must be a whole number, got 'five'"),
        ("knn", {"k": 1.5}, "knn.k must be a whole number, got 1.5"),
        ("knn", {"k": 0}, "k must be an integer of at least 1"),
        ("vim", {"dim": "abc"}, "vim.dim must be a whole number or null"),
        ("vim", {"dim": -3}, "^scorer 'vim': dim=-3 is out of range whatever the data$"),
        ("react", {"percentile": 150.0}, "percentile must be a percentile from 0 to 100"),
        ("msp", {"temperature": "1e-3"}, "msp.temperature must be a number"),
        ("msp", {"temperature": -1}, "temperature must be a positive number"),
        ("pca", {"normalize": "yes"}, "pca.normalize must be true or false"),
        ("mahalanobis", {"covariance": "shard"}, "one of shared, per_class"),
    ],
)
def test_a_wrong_parameter_is_refused_without_data(name, params, message):
    """By the type that the scorer declares, or by a fit to made-up rows."""
    with pytest.raises(InvalidInput, match=message):
        check_params(name, params)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("knn", {"k": 10_000}),
        ("vim", {"dim": 4096}),
        ("vim", {"dim": None}),
        ("pca", {"variance": 0.5, "components": 500}),
        ("react", {"percentile": 95}),
        ("sklearn:LocalOutlierFactor", {"n_neighbors": 500}),
    ],
)
def test_what_only_the_data_can_refuse_is_left_to_them(name, params):
    """As many rows, columns or directions as there are."""
    check_params(name, params)


@pytest.mark.parametrize("name", sorted(name for name in scorers if ":" not in name))
def test_the_defaults_of_every_scorer_pass_when_they_are_written_out(name):
    """They are of the declared types, and in range."""
    import inspect

    parameters = inspect.signature(scorers.load(name)).parameters.values()
    given = {p.name: p.default for p in parameters if p.default is not p.empty and p.name != "seed"}
    check_params(name, given)
