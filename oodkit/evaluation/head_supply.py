"""The head that scorers of logits are given: which one, whether it can be made, and of what."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from oodkit.backbones import Backbone, Capability
from oodkit.data.image_set import ImageSet
from oodkit.embedding import Embeddings
from oodkit.evaluation.extras import Extras
from oodkit.evaluation.text_supply import TextSupply
from oodkit.heads import Ingredients, LinearHead, as_linear_head, heads, make_head

GIVEN = "given"  # what a head is called that the user made
HOW_TO_LABEL = "use a folder per class, a list with labels, or another scorer"


class HeadSupply:
    """One head over the features of one in-set.

    Args:
        backbone: that the features are of.
        in_: name of the in-set, for messages.
        images: its train images.
        extras: what the user gives.
        texts: for text heads.

    Raises:
        UnknownName: no such head.
        InvalidInput: a head that is none.
    """

    def __init__(self, backbone: Backbone, in_: str, images: ImageSet, extras: Extras, texts: TextSupply) -> None:
        self._backbone, self._in, self._images, self._extras, self._texts = backbone, in_, images, extras, texts
        self.given: LinearHead | None = None
        if isinstance(extras.head, str):
            _ = heads[extras.head]
        elif extras.head is not None:
            self.given = as_linear_head(extras.head)

    @property
    def name(self) -> str | None:
        """Registry name of the head that is asked for or at hand; None if there is none."""
        return GIVEN if self.given is not None else self._extras.head or self._automatic

    @property
    def uses_text(self) -> bool:
        """Whether it is made of texts."""
        return uses_text(self.name)

    @property
    def is_over_joint_space(self) -> bool:
        """Whether its inputs are image embeddings of the image-text space."""
        return self.name == "zero_shot" if self.given is None else self.given.unit_features

    @property
    def has_classes_of_set(self) -> bool:
        """Whether its classes are those of the in-set."""
        if self.given is not None:
            return len(self.given.weight) == self._texts.count
        return self.name != "backbone" or self._backbone.classifier.out_features == self._texts.count

    @property
    def doubtful_order(self) -> bool:
        """Whether its classes may stand in another order than the data set's."""
        return self.name != "probe" and (self.name in ("backbone", GIVEN) or bool(self._extras.class_names))

    def lacks(self) -> str | None:
        """Why there is none; None where there is."""
        name, backbone, in_ = self.name, self._backbone, self._in
        if name is None:
            return f"{backbone.name} has no classifier, and {in_} has no labels to train a probe on"
        if name == "backbone" and not self._has_classifier:
            return f"{backbone.name} has no classifier of its own; choose another --head"
        if name == "probe" and self._images.labels is None:
            return f"a probe is trained on class labels, and {in_} has none; {HOW_TO_LABEL}"
        if name in ("probe", "pseudo_label_probe") and self._texts.count == 1:
            return f"a probe needs at least 2 classes, and {in_} has 1; choose another --head"
        if not uses_text(name):
            return None
        if not self._texts.has_space:
            return f"{name} needs a backbone with an image-text space, such as one of open_clip"
        if (reason := self._texts.lacks_names()) is not None:
            return f"{name} needs class names: {reason}"
        if self._extras.logit_scale and backbone.logit_scale is None:
            return f"{backbone.name} has no logit scale; leave --logit-scale out"
        return None

    def make(self, fit: Embeddings, joint: Callable[[], NDArray[Any]]) -> LinearHead:
        """The head.

        Args:
            fit: features of the train images.
            joint: gives the same in the image-text space, for a head made of texts.
        """
        if self.given is not None:
            return self.given
        name, over_joint = self.name, self.uses_text
        assert name is not None, "lacks() was not asked"
        given = Ingredients(
            features=fit.features,
            labels=fit.labels,
            class_names=self._texts.class_names,
            classifier=self._backbone.classifier if name == "backbone" else None,
            joint=joint() if over_joint else None,
            embed_text=self._texts.embed if over_joint else None,
            prompts=self._extras.prompts,
            scale=self._backbone.logit_scale if self._extras.logit_scale and over_joint else None,
        )
        return make_head(name, given)

    @cached_property
    def _automatic(self) -> str | None:
        if self._has_classifier and self._texts.count == self._backbone.classifier.out_features:
            return "backbone"
        if self._images.labels is not None and self._texts.count != 1:
            return "probe"
        if self._texts.class_names is not None and self._texts.has_space:
            return "zero_shot"
        return "backbone" if self._has_classifier else None

    @property
    def _has_classifier(self) -> bool:
        return Capability.CLASSIFIER in self._backbone.capabilities


def uses_text(head: str | None) -> bool:
    """Whether a head of this name is made of texts."""
    return head is not None and head in heads and "text" in heads[head].needs
