"""What feature matching is worth where its targets are among the fit images, and where they are not."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from oodkit.data.image_set import ImageSet
from oodkit.detector import Detector
from oodkit.metrics import auroc


def target_aurocs(
    detector: Detector,
    train: ImageSet,
    others: NDArray[np.bool_],
    test: ImageSet,
    clean: ImageSet,
    attacked: ImageSet,
) -> Mapping[str, float]:
    """The four AUROCs of the paper's study, as fractions.

    Args:
        detector: fitted on all of `train`; stays as it is.
        train: the fit images.
        others: (N,) false where a fit image is a target of the attack.
        test: in-distribution images that were not fitted on.
        clean: OOD images.
        attacked: the same after the attack.

    Returns:
        `clean` and `attacked`, of the detector; `clean_without_targets` and `attacked_without_targets`, of one fitted
        without the target images.

    Source: Adaloglou et al., arXiv:2303.05828, and its published notebook.
    """
    without = Detector(detector.backbone, clone(detector.scorer), cache=detector.cache)
    without.fit(train.subset([int(i) for i in others.nonzero()[0]]))
    found = {}
    for suffix, model in (("", detector), ("_without_targets", without)):
        inside = model.score(test)
        found[f"clean{suffix}"] = auroc(inside, model.score(clean))
        found[f"attacked{suffix}"] = auroc(inside, model.score(attacked))
    return found
