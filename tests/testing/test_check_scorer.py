"""The conformance suite accepts a sound scorer and catches every fault that is planted in it."""

import numpy as np
import pytest
import torch

from oodkit.scorers import KNN, Need, Scorer
from oodkit.testing import check_scorer


class Sound(Scorer):
    """Minus the squared distance to the mean, in units of the spread."""

    def __init__(self, power: float = 2.0) -> None:
        self.power = power

    def _fit(self, train):
        x = train.features.double()
        self.centre_, self.spread_ = x.mean(dim=0), float(x.std())

    def _score(self, x):
        return -((x.double() - self.centre_) / self.spread_).abs().pow(self.power).sum(dim=1)


class SoundLogits(Scorer):
    needs = frozenset({Need.LOGITS})

    def _fit(self, train):
        pass

    def _score(self, x):
        return x.amax(dim=1)


class SoundWithEverything(Sound):
    needs = frozenset(Need) - {Need.LOGITS}

    def _fit(self, train):
        super()._fit(train)
        self.negative_ = train.negatives.mean(dim=0).double()
        self.offset_ = float(
            train.views.mean() + train.text.mean() + train.head.bias.mean() + train.labels.float().mean()
        )

    def _score(self, x):
        return super()._score(x) + (x.double() - self.negative_).square().sum(dim=1) + self.offset_


class FlippedSign(Sound):
    def _score(self, x):
        return -super()._score(x)


class BatchStatistics(Sound):
    def _score(self, x):
        scores = super()._score(x)
        return scores - scores.mean()


class GrowsOnRefit(Sound):
    def _fit(self, train):
        self.rows = torch.cat([*([self.rows] if hasattr(self, "rows") else []), train.features.double()])
        self.centre_, self.spread_ = self.rows.mean(dim=0), float(self.rows.std())


class WrongShape(Sound):
    def _score(self, x):
        return super()._score(x)[:, None]


class ZeroRowIsNaN(Sound):
    def _score(self, x):
        return super()._score(x) / x.norm(dim=1) * x.norm(dim=1)


class NoGradient(Sound):
    def _score(self, x):
        return super()._score(x.detach())


class NotSaveable(Sound):
    saveable = False

    def _fit(self, train):
        super()._fit(train)
        self.object_ = object


class SavesAnObject(NotSaveable):
    saveable = True


class DeclaredWithoutGradient(NoGradient):
    differentiable = False


class WrongGradient(Sound):
    def _score(self, x):
        return super()._score(x).detach() + x.sum(dim=1) - x.sum(dim=1).detach()


class ChangesParameters(Sound):
    def _fit(self, train):
        super()._fit(train)
        self.power = 1.0


class HiddenState(Sound):
    def _fit(self, train):
        super()._fit(train)
        self._centre = self.centre_
        self.centre_ = None

    def _score(self, x):
        return -((x.double() - self._centre) / self.spread_).square().sum(dim=1)


class ChangesItsInput(Sound):
    def _fit(self, train):
        train.features.sub_(1)
        super()._fit(train)


class KeepsItsInput(Scorer):
    def _fit(self, train):
        self.rows_ = train.features

    def _score(self, x):
        return -(x - self.rows_.to(x.dtype).mean(dim=0)).square().sum(dim=1)


class FirstRowCounts(Sound):
    def _fit(self, train):
        super()._fit(train)
        self.centre_ = train.features[0].double()


class LabelsAreNumbers(Sound):
    optional = frozenset({Need.LABELS})

    def _fit(self, train):
        super()._fit(train)
        self.centre_ = self.centre_ + (0 if train.labels is None else 0.1 * float(train.labels.float().mean()))


class DrawsGlobally(Sound):
    def _fit(self, train):
        super()._fit(train)
        np.random.random()


class NoChecks(Sound):
    def score_samples(self, features):
        with torch.no_grad():
            return self._score(torch.as_tensor(np.asarray(features))).numpy()


class Crashes(Sound):
    def _score(self, x):
        raise RuntimeError("out of order")


@pytest.mark.parametrize("scorer", [Sound(), Sound(power=1.5), SoundLogits(), SoundWithEverything()], ids=repr)
def test_a_sound_scorer_passes(scorer) -> None:
    """A scorer that keeps the contract passes, whatever it needs, and is itself left unfitted."""
    check_scorer(scorer)

    assert not hasattr(scorer, "n_features_in_")


@pytest.mark.parametrize(
    ("scorer", "rule"),
    [
        (FlippedSign(), "Higher means more in-distribution"),
        (BatchStatistics(), "depends on its own row only"),
        (GrowsOnRefit(), "A second fit forgets the first"),
        (WrongShape(), r"Scores are \(N,\) float64"),
        (ZeroRowIsNaN(), "finite for every finite row"),
        (NoGradient(), "Gradients of score_tensor"),
        (WrongGradient(), "Gradients of score_tensor"),
        (ChangesParameters(), "Fit leaves the parameters"),
        (HiddenState(), "saved and loaded"),
        (SavesAnObject(), "saved and loaded"),
        (ChangesItsInput(), "changes what it is given"),
        (KeepsItsInput(), "nor notices when that is changed afterwards"),
        (FirstRowCounts(), "Neither the order of the fit rows"),
        (LabelsAreNumbers(), "nor the names of the classes"),
        (DrawsGlobally(), "Nothing global changes"),
        (NoChecks(), "breaks a rule"),
        (Crashes(), "RuntimeError: out of order"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Scorer) else "",
)
def test_a_planted_fault_is_caught_and_its_rule_named(scorer, rule) -> None:
    """Each fault is caught by the rule it breaks, and the message names scorer and rule."""
    with pytest.raises(AssertionError, match=rule) as caught:
        check_scorer(scorer)

    assert type(scorer).__name__ in str(caught.value)


def test_an_indifferent_scorer_may_go_without_gradients() -> None:
    """A score without gradients passes where the caller says that it has none."""
    check_scorer(DeclaredWithoutGradient())


def test_a_scorer_may_be_impossible_to_save() -> None:
    """One that says so passes if `save` refuses in one line."""
    check_scorer(NotSaveable())


def test_an_own_problem_can_be_given() -> None:
    """A scorer whose domain the default problem does not fit is checked on data of its own."""
    from oodkit.testing import Problem

    rng = np.random.default_rng(0)
    rows = (rng.standard_normal((40, 3)) + np.array([9, 0, 0])).astype(np.float32)
    problem = Problem(rows, np.arange(40) % 2, rows[:10] + 0.1, -rows[:10])

    check_scorer(KNN(k=3), problem=problem)
    with pytest.raises(AssertionError, match="Higher means"):
        check_scorer(KNN(k=3), problem=Problem(rows, np.arange(40) % 2, -rows[:10], rows[:10]))
