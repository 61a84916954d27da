"""GradNorm: length of the gradient of the divergence from uniform (Huang et al., NeurIPS 2021)."""

from torch import Tensor

from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.parts import in_parts
from oodkit.scorers.softmax import constant_notes


class GradNorm(Scorer):
    """L1 norm of the gradient of the loss against uniform labels, in the head's weights; in [0, inf).

    The loss -sum_c log p_c, with p = softmax(W z + b), has the gradient (C p_c - 1) z_j in weight w_cj. The sum of
    their absolute values needs no backward pass:

        score(z) = ||z||_1 sum_c |C p_c - 1|

    It is 0 where p is uniform, and grows with confidence and with the length of the features. The method assumes that
    in-distribution features are the longer ones, which holds for few networks: look at the scores of held-out data.

    Attributes
    ----------
    weight_, bias_ : (C, D) and (C,) tensors
        The head.

    Raises
    ------
    InvalidInput
        No head.

    Notes
    -----
    This is the paper's choice, the weights of the last layer at temperature 1, and what the authors' code and OpenOOD
    compute for a batch of one image. pytorch-ood divides by C, and takes all parameters of the network unless it is
    told not to, which is another score. With one class the score is 0.

    References
    ----------
    R. Huang, A. Geng, Y. Li: On the Importance of Gradients for Detecting Distributional Shifts in the Wild. NeurIPS
    2021. arXiv:2110.00218.
    """

    needs = frozenset({Need.HEAD})

    weight_: Tensor
    bias_: Tensor

    def _fit(self, train: Train) -> None:
        assert train.head is not None
        self.weight_, self.bias_ = train.head.weight.clone(), train.head.bias.clone()
        self.notes_ += constant_notes(self.weight_.T)  # logits have as many columns

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        weight, bias = self.weight_.to(x.dtype), self.bias_.to(x.dtype)

        def from_uniform(part: Tensor) -> Tensor:
            shares = (bias + part @ weight.T).softmax(dim=1)
            return (len(bias) * shares - 1).abs().sum(dim=1)

        return x.abs().sum(dim=1) * in_parts(from_uniform, x, len(bias))
