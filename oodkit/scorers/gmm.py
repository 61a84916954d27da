"""Log-density of a Gaussian mixture: one component per class, or components found by expectation-maximisation."""

import math
import warnings
from typing import Literal

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from torch import Tensor

from oodkit.clustering.row_order import row_order
from oodkit.errors import TooFewSamples
from oodkit.scorers.base import Need, Scorer, Train
from oodkit.scorers.checks import check_choice, check_integer, check_seed
from oodkit.scorers.class_covariances import class_variances, squared_distances, whiten_classes
from oodkit.scorers.gaussian import ClassGaussians, class_gaussians
from oodkit.scorers.parts import in_parts

MixtureCovariance = Literal["tied", "full", "diag"]

RIDGE = 1e-6  # of the mean variance; added to covariances in EM, and the least variance of a diagonal
EM_STEPS = 200


class GMM(Scorer):
    """Log-density of a Gaussian mixture fitted to the fit rows.

    With weights pi_k, means m_k and covariances S_k of the K components, computed in log space:

        score(z) = log sum_k pi_k N(z; m_k, S_k)

    With labels, each class is a component: its share of the fit rows, its mean and its covariance, divided by the
    number of its rows. Without, all rows are ONE Gaussian, and a note says so. With `components` labels are ignored
    and the mixture is found by expectation-maximisation. With equal weights and a tied covariance, `Mahalanobis` is
    its hard version: the nearest component alone, without the sum.

    A density needs covariances of full rank. Of classes, a singular one is shrunk by Ledoit and Wolf's formula (with
    "diag", a variance below 1e-6 of the mean variance is raised to that); a class whose rows vary in too few
    directions takes the covariance that all share. A note says all this. In expectation-maximisation 1e-6 of the mean
    variance is added to every covariance.

    Parameters
    ----------
    components : int or None, default None
        Number of components found by expectation-maximisation; None: the classes are the components.
    covariance : "tied", "full" or "diag", default "tied"
        One covariance for all components; one for each, which holds K D^2 numbers of 8 bytes and wants many more fit
        rows than dimensions in each component; or the variances alone, for each component.
    seed : int, default 0
        Of expectation-maximisation.

    Attributes
    ----------
    covariance_ : str
        `covariance`, but "tied" for one component with "full".
    weights_ : (K,) tensor
        The components' weights; they sum to 1. Float64, as are all.
    location_ : (D,) tensor
        Mean of the fit rows.
    whitening_ : (D, D), (K, D, D) or (K, D) tensor
        The map in which distances to components are Euclidean, one for each with "full"; factors with "diag".
    component_means_ : (K, D) tensor
        Component means relative to `location_`, mapped by `whitening_`.
    log_factors_ : (K,) tensor
        Logarithm of weight times density of each component at its mean.

    Raises
    ------
    InvalidInput
        A parameter is out of its range.
    TooFewSamples
        Fewer fit rows than components, a single fit row, or rows that do not vary.

    Notes
    -----
    pytorch-ood fits class-conditional full covariances with a ridge; here a singular one is shrunk instead. OpenOOD
    sums densities before the logarithm, which underflows far away and makes ties; here all is in log space.

    References
    ----------
    Dempster, Laird, Rubin: Maximum Likelihood from Incomplete Data via the EM Algorithm, JRSS B 1977.
    Lee, Lee, Lee, Shin: A Simple Unified Framework for Detecting Out-of-Distribution Samples and Adversarial Attacks,
    NeurIPS 2018, arXiv 1807.03888 (class-conditional Gaussians).
    """

    optional = frozenset({Need.LABELS})

    covariance_: str
    weights_: Tensor
    location_: Tensor
    whitening_: Tensor
    component_means_: Tensor
    log_factors_: Tensor

    def __init__(self, components: int | None = None, covariance: MixtureCovariance = "tied", seed: int = 0) -> None:
        self.components = components
        self.covariance = covariance
        self.seed = seed

    def _fit(self, train: Train) -> None:
        check_choice("covariance", self.covariance, MixtureCovariance)
        check_seed(self.seed)
        components = 1 if self.components is None else check_integer("components", self.components, 1)
        labels = train.labels
        if self.components is not None and labels is not None:
            self.notes_.append("labels are ignored: components are found by expectation-maximisation")
            labels = None
        if labels is None and self.components is None:
            self.notes_.append("no labels were given: all fit samples are one Gaussian")
        if len(train.features) < components:
            raise TooFewSamples(
                f"components={self.components} needs at least {self.components} fit samples, "
                f"got {len(train.features)} sample(s); lower components"
            )
        gaussians = class_gaussians(train.features, labels)
        if len(train.features) == 1 or not float(gaussians.total.trace()) > gaussians.rounding():
            raise TooFewSamples(
                f"a density needs fit samples that differ, got {len(train.features)} equal sample(s), 1 sample is not "
                "enough; give more"
            )
        self.location_ = gaussians.mean
        self.covariance_ = self.covariance
        if components == 1:
            self._fit_classes(train.features, labels, gaussians)
        else:
            self._fit_components(train.features, components, gaussians)
        constant = -self.location_.numel() / 2 * math.log(2 * math.pi)
        self.log_factors_ = self.weights_.log() + _log_determinants(self.whitening_, self.covariance_) + constant

    def _fit_classes(self, features: Tensor, labels: Tensor | None, gaussians: ClassGaussians) -> None:
        if labels is None:
            labels = torch.zeros(len(features), dtype=torch.int64, device=features.device)
        width = len(gaussians.mean)
        self.weights_ = gaussians.counts.double() / len(features)
        offsets = gaussians.class_means - gaussians.mean
        if self.covariance == "diag":
            variances = class_variances(features, labels, gaussians)
            least = RIDGE * float(gaussians.total.trace()) / width
            low = int((variances < least).sum())
            if low:
                raised = f"{low} of {variances.numel()} variances of classes are"
                self.notes_.append(f"{raised} below 1e-6 of the mean variance of a feature, and raised to that")
            self.whitening_ = variances.clamp(min=least).rsqrt()
            self.component_means_ = offsets * self.whitening_
            return
        within = gaussians.whiten_within()
        if within.matrix.shape[1] < width:
            raise TooFewSamples(
                f"the {len(features)} fit samples vary in too few of {width} directions for a density, and shrinking "
                'does not help; give more samples, or take covariance="diag"'
            )
        if self.covariance == "tied" or len(gaussians.counts) == 1:
            self.covariance_ = "tied"
            self.whitening_ = within.matrix
            self.component_means_ = offsets @ within.matrix
            self.notes_ += within.notes(len(features), "within-class covariance")
        else:
            own = whiten_classes(features, labels, gaussians, within)
            self.whitening_ = own.matrices
            self.component_means_ = (offsets[:, None] @ own.matrices)[:, 0]
            self.notes_ += own.notes()

    def _fit_components(self, features: Tensor, components: int, gaussians: ClassGaussians) -> None:
        scale = float((gaussians.total.trace() / len(gaussians.mean)).sqrt())
        rows = ((features.double() - gaussians.mean) / scale).cpu().numpy()
        model = GaussianMixture(
            components,
            covariance_type=self.covariance,
            reg_covar=RIDGE,
            max_iter=EM_STEPS,
            random_state=int(self.seed),
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # noted below
            model.fit(rows[row_order(rows)])
        if not model.converged_:
            self.notes_.append(f"expectation-maximisation did not converge in {EM_STEPS} steps")
        weights, means, factors = (
            torch.from_numpy(np.asarray(a)).to(features.device)
            for a in (model.weights_, model.means_, model.precisions_cholesky_)
        )
        self.weights_ = weights
        self.whitening_ = factors / scale
        mapped = means * factors if self.covariance == "diag" else (means[:, None] @ factors)[:, 0]
        self.component_means_ = mapped

    def _score(self, x: Tensor) -> Tensor:  # (B, D) -> (B,)
        x = x.double() - self.location_

        def log_density(part: Tensor) -> Tensor:
            return (self.log_factors_ - self._distances(part) / 2).logsumexp(dim=1)

        return in_parts(log_density, x, 3 * len(self.log_factors_))

    def _distances(self, x: Tensor) -> Tensor:  # (B, D) -> (B, K)
        if self.covariance_ == "full":
            return squared_distances(x, self.component_means_, self.whitening_)
        means = self.component_means_
        if self.covariance_ == "diag":
            squares, products = x.square() @ self.whitening_.square().T, x @ (self.whitening_ * means).T
        else:
            x = x @ self.whitening_
            squares, products = x.square().sum(dim=1, keepdim=True), x @ means.T
        return (squares - 2 * products + means.square().sum(dim=1)).clamp(min=0)


def _log_determinants(whitening: Tensor, covariance: str) -> Tensor:
    """Half the log-determinants of the inverse covariances: (K,), or () where they share one."""
    if covariance == "diag":
        return whitening.log().sum(dim=1)
    # one by one: with several threads torch's batched factorisation of wide matrices ends in errors of MKL, or never
    each = [torch.linalg.slogdet(matrix).logabsdet for matrix in whitening.view(-1, *whitening.shape[-2:])]
    return torch.stack(each).view(whitening.shape[:-2])
