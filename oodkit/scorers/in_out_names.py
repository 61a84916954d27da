"""Names of in- and out-of-distribution classes against each other (Fort et al., NeurIPS 2021)."""

from math import log

from torch import Tensor

from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.checks import check_positive
from oodkit.scorers.log_sum_exp import cosine_log_sum_exp
from oodkit.scorers.unit_rows import unit_rows


class InOutNames(Scorer):
    """Log-odds that an image is of an in-distribution name rather than of an OOD name; any real number.

    It USES NAMES OF THE OOD CLASSES, given as `out_text`: where these are the true ones, its results are not
    comparable with those of methods that know nothing of the OOD side.

    With v the image embedding, t_c the text embeddings of the C in-names and n_m of the M out-names, all scaled to
    length 1, and temperature T:

        score = log sum_c exp(v . t_c / T) - log sum_m exp(v . n_m / T)

    sigmoid(score) is the sum of the in-names' probabilities in a softmax over all names. Features are image embeddings
    of the joint image-text space, of any length; `fit` learns nothing from them but their width.

    Parameters
    ----------
    temperature : float, default 0.01
        T, positive; 0.01 is about the inverse of CLIP's logit scale.

    Attributes
    ----------
    text_ : (C, D) tensor
        Text embeddings of the in-names, of length 1, float64.
    out_text_ : (M, D) tensor
        Those of the out-names.
    notes_ : list of str
        Says that OOD names were used.

    Raises
    ------
    InvalidInput
        The temperature is not positive, or `text` or `out_text` were not given.

    Notes
    -----
    The published score is the sum of probabilities. The log-odds keep its order and do not round to 0 or 1. More names
    on one side raise that side's sum: there is no correction for their number.

    References
    ----------
    S. Fort, J. Ren, B. Lakshminarayanan: Exploring the Limits of Out-of-Distribution Detection. NeurIPS 2021.
    arXiv:2106.03004.
    """

    needs = frozenset({Need.TEXT, Need.OUT_TEXT})

    text_: Tensor
    out_text_: Tensor

    def __init__(self, temperature: float = 0.01) -> None:
        self.temperature = temperature

    def _fit(self, train: Train) -> None:
        check_positive("temperature", self.temperature)
        assert train.text is not None
        assert train.out_text is not None
        self.text_, self.out_text_ = unit_rows(train.text.double()), unit_rows(train.out_text.double())
        self.notes_.append("names of OOD classes were used")

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        v, text, out_text = unit_rows(x), self.text_.to(x.dtype), self.out_text_.to(x.dtype)
        inside = cosine_log_sum_exp(v, text, self.temperature)[:, 0] + log(len(text))
        return inside - cosine_log_sum_exp(v, out_text, self.temperature)[:, 0] - log(len(out_text))
