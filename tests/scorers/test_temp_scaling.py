import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from oodkit.errors import InvalidInput
from oodkit.scorers import MSP, TemperatureScaling
from tests.scorers.logit_rows import log_sum_exp


def calibrated(temperature: float, seed: int = 0, n: int = 400, width: int = 4):
    """Logits whose labels were drawn from softmax(l / temperature)."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(0, 3, (n, width))
    noise = rng.gumbel(size=rows.shape)
    return rows, (rows / temperature + noise).argmax(axis=1)


def loss(rows, labels, temperature: float) -> float:
    rows = rows / temperature
    return float(np.mean([log_sum_exp(row) - row[label] for row, label in zip(rows, labels, strict=True)]))


def test_two_of_three_rows_right() -> None:
    """Leads of log 8 that are right in 2 of 3 rows are best at T = 3: there, p is 2/3."""
    rows = np.log([[8.0, 1.0]] * 3)

    scorer = TemperatureScaling().fit(rows, [0, 0, 1])

    assert scorer.temperature_ == pytest.approx(3, rel=1e-9)
    np.testing.assert_allclose(np.exp(scorer.score_samples(rows)), 2 / 3, rtol=1e-9)
    assert scorer.notes_ == []


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_finds_the_minimum_of_the_likelihood(temperature) -> None:
    """The temperature agrees with a search over the loss itself, and scores with MSP at this temperature."""
    rows, labels = calibrated(temperature)
    scorer = TemperatureScaling().fit(rows, labels)

    best = minimize_scalar(lambda log_t: loss(rows, labels, np.exp(log_t)), bounds=(-4, 4), options={"xatol": 1e-8})

    assert scorer.temperature_ == pytest.approx(np.exp(best.x), rel=1e-4)
    expected = MSP(scorer.temperature_).fit(rows).score_samples(rows)
    np.testing.assert_array_equal(scorer.score_samples(rows), expected)


def test_logits_that_are_scaled_already_have_temperature_one() -> None:
    """Fitting l / T* again gives 1; permuting classes changes nothing."""
    rows, labels = calibrated(2.5)
    scorer = TemperatureScaling().fit(rows, labels)
    order = np.array([2, 0, 3, 1])

    again = TemperatureScaling().fit(rows / scorer.temperature_, labels)
    permuted = TemperatureScaling().fit(rows[:, order], np.argsort(order)[labels])

    assert again.temperature_ == pytest.approx(1, rel=1e-9)
    assert permuted.temperature_ == pytest.approx(scorer.temperature_, rel=1e-9)


def test_two_classes_keep_their_order() -> None:
    """With two classes no temperature changes the order of the maximum probability."""
    rows, labels = calibrated(3.0, width=2)

    scores = TemperatureScaling().fit(rows, labels).score_samples(rows[:50])

    assert (np.argsort(scores) == np.argsort(MSP().fit(rows).score_samples(rows[:50]))).all()


def test_the_best_temperature_may_be_out_of_bounds() -> None:
    """Rows that are all right ask for T = 0, rows that are all wrong for infinity; the bound is used, and noted."""
    rows = np.array([[5.0, 0.0], [0.0, 5.0]])

    right, wrong = TemperatureScaling().fit(rows, [0, 1]), TemperatureScaling().fit(rows, [1, 0])

    assert right.temperature_ == 0.01
    assert right.notes_ == ["the best temperature lies outside [0.01, 100.0]; 0.01 is used"]
    assert wrong.temperature_ == 100
    assert np.isfinite(right.score_samples([[1e4, -1e4], [3.0, 3.0]])).all()


def test_rows_that_say_nothing_leave_the_temperature_at_one() -> None:
    """One class, or logits that are all equal, fit labels equally well at any temperature."""
    for rows in (np.array([[3.0], [1.0]]), np.full((2, 3), 7.0)):
        scorer = TemperatureScaling().fit(rows, [0, 0])
        assert scorer.temperature_ == 1
        assert "all temperatures fit the labels equally well; 1 is used" in scorer.notes_


def test_labels_that_are_no_column_are_left_out() -> None:
    """They are counted in a note; with nothing but such labels fit refuses."""
    rows, labels = calibrated(2.0)
    extra = np.concatenate([rows, np.zeros((3, 4))]), np.concatenate([labels, [4, -1, 9]])

    scorer = TemperatureScaling().fit(*extra)

    assert scorer.temperature_ == pytest.approx(TemperatureScaling().fit(rows, labels).temperature_, rel=1e-12)
    assert scorer.notes_ == ["3 of 403 rows were left out: their label is no column of the logits, 0 to 3"]
    with pytest.raises(InvalidInput, match="labels must be columns of the logits, 0 to 3"):
        TemperatureScaling().fit(rows, labels + 4)
