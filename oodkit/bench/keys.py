"""Keys of cells, from the contents of images, weights and settings."""

import hashlib
from collections.abc import Sequence
from typing import Any

from oodkit.backbones import Capability
from oodkit.bench.cell import cell_key, scorer_digest
from oodkit.bench.suite import ScorerChoice
from oodkit.data.image_set import ImageSet
from oodkit.embedding.embed import view_key
from oodkit.evaluation.session import Session
from oodkit.scorers.base import Need, Scorer
from oodkit.views import after


class Keys:
    """Keys of the cells of one session, once the digests of its images are known.

    Args:
        session: whose cells they are.
        asked_head: as the suite asks for it.
        fit: digest of the images that are fitted.
        test: digest of the in-set's test images.
    """

    def __init__(self, session: Session, asked_head: str | None, view: str, fit: str, test: str) -> None:
        self._view = session.view
        backbone, images = session.backbone, session.limited(session.halves.fit)
        has_text = Capability.EMBED_TEXT in backbone.capabilities
        self._common: dict[str, Any] = {
            "backbone": backbone.fingerprint,
            "text": backbone.text_fingerprint if has_text else None,
            "numerics": backbone.numerics,
            "view": view,
            "head": asked_head,
            "fit": fit,
            "test": test,
            "labels": None if images.labels is None else hashlib.sha256(images.labels.tobytes()).hexdigest(),
            "classes": images.class_names if has_text else None,
            "seed": session.seed,
        }

    def key(self, choice: ScorerChoice, model: Scorer, out: str, out_images: ImageSet) -> str:
        """The key of one cell.

        Args:
            choice: the scorer as the suite asks for it.
            model: the same, made.
            out: digest of the out-images.
            out_images: for the names of their classes, where the scorer uses these.
        """
        uses_names = Need.OUT_TEXT in model.needs | model.optional
        return cell_key(
            {
                **self._common,
                "scorer": choice.name,
                "params": model.get_params(),
                "code": scorer_digest(type(model)),
                "out": out,
                "views": [view_key(after(self._view, name)) for name in model.view_names()],
                "out_classes": out_images.class_names if uses_names else None,
            }
        )


def digest_of(digests: Sequence[bytes]) -> str:
    """One digest of the images of a set, in their order."""
    return hashlib.sha256(b"".join(digests)).hexdigest()
