import weakref

import numpy as np
import pandas as pd
import pytest
import torch

from oodkit.errors import DataNotFound, InvalidInput
from oodkit.scorers import Need, NotFitted, Scorer


class Centre(Scorer):
    """Minus the squared distance to the mean."""

    def _fit(self, train):
        self.centre_ = train.features.mean(dim=0)

    def _score(self, x):
        return -(x - self.centre_.to(x.dtype)).square().sum(dim=1)


class Everything(Centre):
    """Needs all there is."""

    needs = frozenset(Need)

    def _fit(self, train):
        super()._fit(train)
        self.seen_ = [
            name
            for name in ("labels", "head", "text", "out_text", "captions", "negatives", "views", "aux")
            if getattr(train, name) is not None
        ]


class Recorder(Centre):
    """Remembers the sizes of the chunks it is given."""

    chunk_bytes = 4 * 3 * 5

    def _fit(self, train):
        super()._fit(train)
        self.sizes_ = []

    def _score(self, x):
        self.sizes_.append(len(x))
        return super()._score(x)


ROWS = np.arange(36, dtype=np.float32).reshape(12, 3)
NEEDED = {
    "head": (np.ones((2, 3)), np.zeros(2)),
    "text": np.ones((2, 3)),
    "out_text": np.ones((2, 3)),
    "captions": np.ones((4, 3)),
    "negatives": np.ones((5, 3)),
    "views": np.ones((2, 12, 3)),
    "aux": np.ones((5, 3)),
}


def test_rows_come_in_chunks() -> None:
    """Scoring works through chunks of about `chunk_bytes`; the scores come together in order."""
    scorer = Recorder().fit(ROWS)

    scores = scorer.score_samples(ROWS)

    assert scorer.sizes_ == [5, 5, 2]
    np.testing.assert_allclose(scores, Centre().fit(ROWS).score_samples(ROWS))


@pytest.mark.parametrize("missing", ["labels", *NEEDED])
def test_a_missing_need_names_scorer_need_and_remedy(missing) -> None:
    """What a scorer needs and is not given is named, with the way to give it."""
    given = {"labels": np.zeros(12, dtype=int), **NEEDED}
    assert set(Everything().fit(ROWS, **given).seen_) == set(given)
    del given[missing]

    with pytest.raises(InvalidInput, match=rf"^Everything .*needs .*fit\(features, {missing}"):
        Everything().fit(ROWS, **given)


def test_labels_have_two_names() -> None:
    """Labels can be given by position, as `y` or as `labels`, but not twice."""
    labels = np.arange(12) % 2
    for fit in (
        lambda s: s.fit(ROWS, labels, **NEEDED),
        lambda s: s.fit(ROWS, y=labels, **NEEDED),
        lambda s: s.fit(ROWS, labels=labels, **NEEDED),
    ):
        assert "labels" in fit(Everything()).seen_
    with pytest.raises(InvalidInput, match="given twice"):
        Everything().fit(ROWS, labels, labels=labels, **NEEDED)


def test_what_is_not_needed_is_ignored_and_what_is_unknown_is_not() -> None:
    """Callers may pass all they have; a misspelt name is an error."""
    Centre().fit(ROWS, np.zeros(12), **NEEDED)
    with pytest.raises(InvalidInput, match="did you mean 'negatives'"):
        Centre().fit(ROWS, negative=np.ones((1, 3)))


def test_a_failed_fit_leaves_nothing_half_fitted() -> None:
    """If a method gives up, what it had set is gone; if the input is refused, the earlier fit stands."""

    class GivesUp(Centre):
        def _fit(self, train):
            super()._fit(train)
            if len(train.features) < 5:
                raise InvalidInput("too few")

    scorer = GivesUp().fit(ROWS)
    with pytest.raises(InvalidInput, match="must be finite"):
        scorer.fit(np.full((9, 3), np.nan))
    assert len(scorer.score_samples(ROWS)) == 12

    with pytest.raises(InvalidInput, match="too few"):
        scorer.fit(ROWS[:3])
    with pytest.raises(NotFitted, match="this GivesUp is not fitted yet; call fit"):
        scorer.score_samples(ROWS)


def test_float32_overflow_is_computed_in_float64() -> None:
    """Rows whose scores overflow float32 get their float64 score, the rest is untouched; beyond that, an error."""
    scorer = Centre().fit(ROWS)
    rows = ROWS.copy()
    rows[3] = 1e30

    scores = scorer.score_samples(rows)

    assert scores[3] == pytest.approx(-3e60, rel=1e-6)
    np.testing.assert_array_equal(np.delete(scores, 3), np.delete(scorer.score_samples(ROWS), 3))
    with pytest.raises(InvalidInput, match="row 1 overflows float64"):
        scorer.score_samples(np.array([[0, 0, 0], [1e200, 0, 0]]))


def test_an_error_counts_rows_from_the_beginning() -> None:
    """The row that an error names is that of the whole input, in whatever chunk it comes."""
    rows = ROWS.astype(np.float64)
    rows[7] = 1e200

    with pytest.raises(InvalidInput, match="row 7 overflows float64"):
        Recorder().fit(ROWS).score_samples(rows)


def test_a_refit_leaves_nothing_of_the_earlier_fit() -> None:
    """What only the first of two fits learned is gone after the second."""

    class UsesLabels(Centre):
        optional = frozenset({Need.LABELS})

        def _fit(self, train):
            super()._fit(train)
            if train.labels is not None:
                self.classes_ = len(train.labels.unique())

    scorer = UsesLabels().fit(ROWS, np.arange(12))

    assert scorer.classes_ == 12
    assert not hasattr(scorer.fit(ROWS), "classes_")


def test_score_tensor_takes_tensors_alone() -> None:
    """Anything else has no gradient; the message says what to call."""
    with pytest.raises(InvalidInput, match="takes a tensor, got ndarray; use score_samples"):
        Centre().fit(ROWS).score_tensor(ROWS)


def test_half_precision_tensors_are_scored_in_float32() -> None:
    """Scores are never silently float16, and gradients reach a half-precision input."""
    rows = torch.from_numpy(ROWS).half().requires_grad_(True)

    scores = Centre().fit(ROWS).score_tensor(rows)
    scores.sum().backward()

    assert scores.dtype == torch.float32
    assert rows.grad.dtype == torch.float16
    assert rows.grad.any()


def test_fitting_under_inference_mode_leaves_gradients_possible() -> None:
    """What was learned in inference mode can be differentiated through later."""
    with torch.inference_mode():
        scorer = Centre().fit(torch.from_numpy(ROWS))
    rows = torch.from_numpy(ROWS).requires_grad_(True)

    scorer.score_tensor(rows).sum().backward()

    assert rows.grad is not None


def test_the_default_dtype_and_device_of_the_caller_do_not_matter() -> None:
    """A caller's torch defaults change no score."""
    expected = Centre().fit(ROWS).score_samples(ROWS)
    torch.set_default_dtype(torch.float64)
    try:
        found = Centre().fit(ROWS).score_samples(ROWS)
    finally:
        torch.set_default_dtype(torch.float32)

    np.testing.assert_array_equal(found, expected)


def test_to_moves_what_was_learned() -> None:
    """`to` moves every learned tensor, in place, and returns the scorer."""
    scorer = Centre().fit(ROWS)

    assert scorer.to("meta") is scorer
    assert scorer.centre_.device.type == "meta"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_devices() -> None:
    """Features on a GPU are learned and scored there; score_tensor moves what it needs and leaves the scorer alone."""
    scorer = Centre().fit(ROWS)

    assert scorer.score_tensor(torch.from_numpy(ROWS).cuda()).device.type == "cuda"
    assert scorer.centre_.device.type == "cpu"
    assert Centre().fit(torch.from_numpy(ROWS).cuda()).centre_.device.type == "cuda"


def test_column_names_of_a_data_frame_are_kept_and_compared() -> None:
    """As in scikit-learn, a data frame's columns are remembered, survive saving, and others are reported."""
    frame = pd.DataFrame(ROWS, columns=["a", "b", "c"])

    scorer = Centre().fit(frame)

    assert list(scorer.feature_names_in_) == ["a", "b", "c"]
    with pytest.raises(ValueError, match="feature names"):
        scorer.score_samples(frame.rename(columns={"c": "d"}))


def test_saving_needs_a_fit_and_loading_the_same_class(tmp_path) -> None:
    """Only a fitted scorer can be saved; only its own class, or a registered name, loads it."""
    with pytest.raises(NotFitted):
        Centre().save(tmp_path)
    with pytest.raises(DataNotFound, match="no saved scorer in"):
        Centre.load(tmp_path)
    Centre().fit(ROWS).save(tmp_path)

    with pytest.raises(InvalidInput, match=r"holds a tests.scorers.test_base:Centre, not a .*:Everything"):
        Everything.load(tmp_path)
    np.testing.assert_array_equal(Centre.load(tmp_path).centre_, Centre().fit(ROWS).centre_)


class OfViews(Scorer):
    """Needs two views of its images, and one of auxiliary images."""

    needs = frozenset({Need.VIEWS, Need.AUX})

    def view_names(self):
        return ("mild1", "strong1")

    def aux_view_names(self):
        return ("rotate90",)

    def _fit(self, train):
        self.means_ = torch.cat([train.views.mean(dim=(1, 2)), train.aux.mean(dim=(1, 2))])

    def _score(self, x):
        return x[:, 0]


def test_views_are_those_that_the_scorer_names():
    """As many views as names, for the images and for auxiliary ones; the message says which and in what order."""
    rows = np.ones((4, 3))
    views, aux = np.stack([rows, 2 * rows]), np.stack([3 * rows, 4 * rows])
    fitted = OfViews().fit(rows, views=views, aux=aux)
    assert fitted.means_.tolist() == [1, 2, 3, 4]
    with pytest.raises(InvalidInput, match=r"mild1, strong1: shape \(2, N, D\), got \(1, 4, 3\)"):
        OfViews().fit(rows, views=views[:1], aux=aux)
    with pytest.raises(InvalidInput, match=r"aux must be \(2, A, D\): the images, rotate90; got \(1, 4, 3\)"):
        OfViews().fit(rows, views=views, aux=rows)


def test_scores_are_kept_in_one_tensor() -> None:
    """A tensor per chunk, kept till the end, would lie between temporaries: none of them outlives its chunk."""
    alive: list[int] = []
    made: list[weakref.ref] = []

    class Counting(Centre):
        chunk_bytes = 4 * 8 * 10  # ten rows of eight numbers

        def _score(self, x):
            alive.append(sum(ref() is not None for ref in made))
            scores = super()._score(x)
            made.append(weakref.ref(scores))
            return scores

    rows = np.random.default_rng(0).standard_normal((500, 8)).astype(np.float32)
    Counting().fit(rows).score_samples(rows)

    assert len(alive) == 50
    assert max(alive) <= 1
