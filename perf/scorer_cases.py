"""Our scorers beside their counterparts in pytorch-ood 0.4, one line each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import Any

from scorer_data import Data, activations, logits
from torch import Tensor
from torch.nn import Flatten, Linear, Sequential

MakeData = Callable[[], Data]


@dataclass(frozen=True)
class Peer:
    """A detector of pytorch-ood, without a network.

    Attributes:
        name: class in `pytorch_ood.detector`.
        fit: its method that takes rows and labels; empty where it needs none.
        score: its method that takes rows.
        arguments: gives its constructor's arguments.
        as_maps: whether rows are given as feature maps of one pixel.
    """

    name: str
    fit: str
    score: str
    arguments: Callable[[Data], dict[str, Any]]
    as_maps: bool = False

    def fitted(self, data: Data) -> Any:
        """A new detector, fitted if it can be."""
        detector = getattr(import_module("pytorch_ood.detector"), self.name)(**self.arguments(data))
        if self.fit:
            getattr(detector, self.fit)(self._rows(data.rows), data.labels)
        return detector

    def scores(self, detector: Any, data: Data) -> Tensor:
        """What it makes of the queries; higher is further out."""
        scores: Tensor = getattr(detector, self.score)(self._rows(data.queries))
        return scores

    def _rows(self, rows: Tensor) -> Tensor:
        return rows[:, :, None, None] if self.as_maps else rows


def on_logits(name: str, fit: str = "", **params: Any) -> Peer:
    return Peer(name, fit, "predict_logits", lambda _: {"model": None, **params})


def on_features(name: str, fit: str = "fit_features", **params: Any) -> Peer:
    return Peer(name, fit, "predict_features", lambda _: {"encoder": None, **params})


def with_head(name: str, **params: Any) -> Peer:
    return Peer(
        name, "fit_features", "predict_features", lambda data: {"encoder": None, "head": linear(data), **params}
    )


def with_weights(name: str, **params: Any) -> Peer:
    return Peer(
        name,
        "fit_features",
        "predict_features",
        lambda data: {"encoder": None, "w": data.weight, "b": data.bias, **params},
    )


def shaping(name: str, fit: str = "", **params: Any) -> Peer:
    """A method that changes feature maps, of one pixel here, under the head."""
    return Peer(
        name,
        fit,
        "predict_feature_maps",
        lambda data: {"backbone": None, "head": Sequential(Flatten(), linear(data)), **params},
        as_maps=True,
    )


def linear(data: Data) -> Linear:
    head = Linear(data.weight.shape[1], data.weight.shape[0])
    head.load_state_dict({"weight": data.weight, "bias": data.bias})
    return head.requires_grad_(False)


def gradient_of_weight() -> Peer:
    """Gradients of the head's weight alone, as in the paper; the default takes those of all parameters."""

    def arguments(data: Data) -> dict[str, Any]:
        return {"model": linear(data).requires_grad_(True), "param_filter": lambda name: name == "weight"}

    return Peer("GradNorm", "", "predict", arguments)


def with_texts() -> Peer:
    return Peer("MCM", "", "predict_features", lambda data: {"encoder": None, "text_embeddings": data.weight})


@dataclass(frozen=True)
class Case:
    """One line of the table.

    Attributes:
        name: registry name of the scorer.
        peer: how pytorch-ood computes it; None where it does not have it.
        params: of our scorer.
        data: makes what both get.
        size: what is smaller than usual, where the peer cannot do more.
        remark: why ranks differ, where they do.
    """

    name: str
    peer: Peer | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    data: MakeData = activations
    size: str = ""
    remark: str = ""


TIES = "its float32 probabilities tie"
FEWER = partial(activations, queries=1_000)
LOGITS = (
    Case("msp", on_logits("MaxSoftmax"), data=logits, remark=TIES),
    Case("max_logit", on_logits("MaxLogit"), data=logits),
    Case("energy", on_logits("EnergyBased"), data=logits),
    Case("entropy", on_logits("Entropy"), data=logits, remark=TIES + ", less so the clip at 1e-7"),
    Case("gen", on_logits("GEN", M=100), data=logits, remark=TIES + ", and are clamped to [1e-7, 1 - 1e-7]"),
    Case("l1", data=logits),
    Case("odin", on_logits("MaxSoftmax", t=1000.0), data=logits, remark=TIES),
    Case("kl_matching", on_logits("KLMatching", fit="fit_logits"), data=logits),
    Case(
        "temp_scaling",
        on_logits("TemperatureScaling", fit="fit_logits"),
        data=partial(logits, mistakes=0.2),
        remark=TIES + "; its search stops early",
    ),
    Case(
        "openmax",
        on_logits("OpenMax", fit="fit_logits", tailsize=20),
        data=partial(logits, 100, 2_000, 400),
        size="2,000 x 100",
        remark=TIES,
    ),
)
FEATURES = (
    Case("knn_kth", on_features("KNN", k=50), {"k": 50}),
    Case("mahalanobis", on_features("Mahalanobis"), data=FEWER, size="1,000 queries"),
    Case("relative_mahalanobis", on_features("RMD"), data=FEWER, size="1,000 queries"),
    Case(
        "gmm",
        on_features("GMM"),
        {"covariance": "full"},
        data=partial(activations, 10, 2_000, 2_000),
        size="2,000 queries, 10 classes",
        remark="it adds 1e-6 to singular covariances, ours are shrunk",
    ),
    Case("vim", with_weights("ViM", d=512)),
    Case("nnguide", with_head("NNGuide")),
    Case("fdbd", with_head("fDBD")),
    Case("she", with_head("SHE")),
    Case("nci", with_head("NCI", alpha=1e-4)),
    Case("react", shaping("ReAct", fit="fit_feature_maps")),
    Case("dice", with_weights("DICE", p=0.9), data=partial(activations, queries=500), size="500 queries"),
    Case("ash", shaping("ASH", percentile=0.9)),
    Case("scale", shaping("SCALE", percentile=0.85)),
    Case(
        "vra",
        shaping("VRA", fit="fit_feature_maps", lower_percentile=0.1, upper_percentile=0.9),
        {"lower": 10, "upper": 90, "below": "clip"},
        remark="it has thresholds of each feature",
    ),
    Case("gradnorm", gradient_of_weight(), data=FEWER, size="1,000 queries"),
    Case("mcm", with_texts(), remark=TIES),
)
CASES = LOGITS + FEATURES
