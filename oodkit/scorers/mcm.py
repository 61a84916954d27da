"""Maximum concept matching (Ming et al., NeurIPS 2022)."""

from torch import Tensor

from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.checks import check_positive
from oodkit.scorers.parts import in_parts
from oodkit.scorers.softmax import log_max_probability
from oodkit.scorers.unit_rows import unit_rows


class MCM(Scorer):
    """Logarithm of the largest softmax probability of an image's cosines with the class texts, in [-log C, 0].

    With v the image embedding and t_c the text embedding of class c, all scaled to length 1, and temperature T:

        s_c = v . t_c,    score = max_c log p_c,    p = softmax(s / T)

    The cosines are raw: not multiplied by the model's logit scale (about 100), which is T = 0.01 here and gives the
    maximum softmax probability of the zero-shot classifier. At T = 1 the probability lies between 1/C and
    e^2 / (e^2 + C - 1), so all scores are close together; their order is what counts. Features are image embeddings of
    the joint image-text space, of any length; `fit` learns nothing from them but their width. A zero row has cosine 0
    with every text.

    Parameters
    ----------
    temperature : float, default 1.0
        T, positive.

    Attributes
    ----------
    text_ : (C, D) tensor
        Text embeddings of length 1, float64.
    notes_ : list of str
        Says so where there is only one class, for which every score is 0.

    Raises
    ------
    InvalidInput
        The temperature is not positive, or no `text` was given.

    Notes
    -----
    The published score is the probability itself; exp(score) is that. The logarithm keeps its order, and softmax is
    taken in float64: common implementations take it in float32, where at T = 1 and a thousand classes about one image
    in ten ties with another, and at small T all confident images tie at 1.

    References
    ----------
    Y. Ming, Z. Cai, J. Gu, Y. Sun, W. Li, Y. Li: Delving into Out-of-Distribution Detection with Vision-Language
    Representations. NeurIPS 2022. arXiv:2211.13445.
    """

    needs = frozenset({Need.TEXT})

    text_: Tensor

    def __init__(self, temperature: float = 1.0) -> None:
        self.temperature = temperature

    def _fit(self, train: Train) -> None:
        check_positive("temperature", self.temperature)
        assert train.text is not None
        self.text_ = unit_rows(train.text.double())
        if len(self.text_) == 1:
            self.notes_.append("there is one class text, so all scores are equal")

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        text = self.text_.to(x.dtype)
        if len(text) == 1:
            return x[:, 0] * 0

        def of_rows(rows: Tensor) -> Tensor:
            return log_max_probability((rows @ text.T).double() / self.temperature)

        return in_parts(of_rows, unit_rows(x), 3 * len(text))
