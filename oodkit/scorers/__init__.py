"""Scorers: in-distribution features in, scores out; higher means more in-distribution.

`scorers` is the registry; looking at it, or importing this package, imports neither torch nor scikit-learn.
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oodkit.errors import InvalidInput
from oodkit.scorers.entries import ENTRIES, FAMILIES
from oodkit.scorers.families import ScorerRegistry

if TYPE_CHECKING:
    from oodkit.scorers.ash import ASH
    from oodkit.scorers.base import Head, Need, NotFitted, Scorer, Train
    from oodkit.scorers.caption import Caption
    from oodkit.scorers.clusters import Clusters
    from oodkit.scorers.dice import DICE
    from oodkit.scorers.energy import Energy
    from oodkit.scorers.ensemble import Ensemble
    from oodkit.scorers.entropy import Entropy
    from oodkit.scorers.fdbd import FDBD
    from oodkit.scorers.gaussian import ClassMoments
    from oodkit.scorers.gen import GEN
    from oodkit.scorers.gmm import GMM
    from oodkit.scorers.gradnorm import GradNorm
    from oodkit.scorers.in_out_names import InOutNames
    from oodkit.scorers.kernel import Kernel
    from oodkit.scorers.kl_matching import KLMatching
    from oodkit.scorers.knn import KNN
    from oodkit.scorers.knn_kth import KNNKth
    from oodkit.scorers.kpca import KernelPCA
    from oodkit.scorers.l1 import L1
    from oodkit.scorers.mahalanobis import Mahalanobis
    from oodkit.scorers.max_logit import MaxLogit
    from oodkit.scorers.mcm import MCM
    from oodkit.scorers.msp import MSP
    from oodkit.scorers.nci import NCI
    from oodkit.scorers.neco import NECO
    from oodkit.scorers.neglabel import NegLabel
    from oodkit.scorers.nnguide import NNGuide
    from oodkit.scorers.odin import ODIN
    from oodkit.scorers.openmax import OpenMax
    from oodkit.scorers.pca import PCA
    from oodkit.scorers.prototypes import Prototypes
    from oodkit.scorers.react import ReAct
    from oodkit.scorers.relative_mahalanobis import RelativeMahalanobis
    from oodkit.scorers.residual import Residual
    from oodkit.scorers.scale import SCALE
    from oodkit.scorers.selfdistill import SelfDistill
    from oodkit.scorers.semsad import SemSAD
    from oodkit.scorers.she import SHE
    from oodkit.scorers.ssd import SSD
    from oodkit.scorers.temp_scaling import TemperatureScaling
    from oodkit.scorers.third_party import ThirdParty
    from oodkit.scorers.vim import ViM
    from oodkit.scorers.vra import VRA

__all__ = [
    "ASH",
    "DICE",
    "FDBD",
    "GEN",
    "GMM",
    "KNN",
    "L1",
    "MCM",
    "MSP",
    "NCI",
    "NECO",
    "ODIN",
    "PCA",
    "SCALE",
    "SHE",
    "SSD",
    "VRA",
    "Caption",
    "ClassMoments",
    "Clusters",
    "Energy",
    "Ensemble",
    "Entropy",
    "GradNorm",
    "Head",
    "InOutNames",
    "KLMatching",
    "KNNKth",
    "Kernel",
    "KernelPCA",
    "Mahalanobis",
    "MaxLogit",
    "NNGuide",
    "Need",
    "NegLabel",
    "NotFitted",
    "OpenMax",
    "Prototypes",
    "ReAct",
    "RelativeMahalanobis",
    "Residual",
    "Scorer",
    "SelfDistill",
    "SemSAD",
    "TemperatureScaling",
    "ThirdParty",
    "Train",
    "ViM",
    "create",
    "load",
    "parse_params",
    "scorers",
]

_LAZY = {
    **{name: f"oodkit.scorers.base:{name}" for name in ("Head", "Need", "NotFitted", "Scorer", "Train")},
    **{entry.target.partition(":")[2]: entry.target for entry in ENTRIES.values()},
    "ClassMoments": "oodkit.scorers.gaussian:ClassMoments",
    "ThirdParty": "oodkit.scorers.third_party:ThirdParty",
}

scorers = ScorerRegistry("scorer", ENTRIES, group="oodkit.scorers", families=FAMILIES)


def create(name: str, **params: Any) -> "Scorer":
    """A scorer by its registry name, not fitted.

    Args:
        name: such as "knn" or "sklearn:LocalOutlierFactor"; `scorers` lists all.
        **params: its parameters, such as `k=5`.

    Raises:
        UnknownName: no such scorer; the message has the nearest names.
        InvalidInput: it has no such parameter; likewise.
        MissingDependency: it needs a package that is not installed.
    """
    from oodkit.scorers.parameters import check_names

    make = scorers.load(name)
    check_names(name, make, params)
    scorer: Scorer = make(**params)
    return scorer


def parse_params(name: str, texts: Mapping[str, str]) -> dict[str, Any]:
    """Parameters typed as text in the types that the scorer declares, ready for `create`.

    Args:
        name: registry name of the scorer.
        texts: parameter names to text, such as `{"k": "5"}` or `{"normalize": "true"}`.

    Raises:
        UnknownName: no such scorer.
        InvalidInput: no such parameter, or text that is not of its type.
    """
    from oodkit.scorers.parameters import parse

    return parse(name, scorers.load(name), texts)


def load(folder: str | Path) -> "Scorer":
    """Read whatever registered scorer was saved in a folder.

    Only registered classes are imported, whatever the file says.

    Raises:
        DataNotFound: no scorer was saved in the folder.
        InvalidInput: damaged files, or a scorer that is not registered here.
    """
    from oodkit.scorers.saving import read_description

    kind = read_description(Path(folder))["scorer"]
    for name, entry in scorers.items():
        if entry.target == kind:
            cls: Any = scorers.load(name)
            scorer: Scorer = cls.load(folder)
            return scorer
    raise InvalidInput(f"{folder} holds a {kind}, which is not registered; install its package or use its own load()")


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _LAZY[name].partition(":")
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
