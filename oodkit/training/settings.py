"""What decides how a method is trained: all of it, as values that can be written down and compared."""

import math
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from oodkit.backbones.encoders import BackboneSpec, EncoderSpec, ResNetSpec, ViTSpec
from oodkit.errors import InvalidInput, unknown_name
from oodkit.scorers.checks import check_integer, check_number, check_positive

Shift = Literal["rotate", "rotate_any", "patches2", "patches4", "pixels", "none"]
# Which go together with the network, and are changed with it.
_FIXED = ("encoder", "discriminator", "source_size", "enlarged")
SHIFTS: tuple[str, ...] = ("rotate", "rotate_any", "patches2", "patches4", "pixels", "none")


@dataclass(frozen=True)
class SelfDistillSettings:
    """Self-distillation with shifted negatives.

    Attributes:
        encoder: the network.
        source_size: side in pixels that images are brought to first.
        enlarged: side that global crops, and images at the end, are enlarged to; None to leave them.
        local_size: side of local crops.
        epochs, batch: passes over the images, and images of a step, all processes together.
        base_rate: peak learning rate for 256 images a step; it grows with them.
        final_rate: learning rate at the end of its cosine.
        warm_up: epochs of a linear rise from 0.
        weight_decay: at the first and at the last step, half a cosine between; biases and gains have none.
        clip: largest norm of the gradient of one tensor.
        frozen_epochs: in which the last layer does not learn.
        momentum: of the teacher at the first step; 1 at the last.
        teacher_temperatures: at the first and at the last step.
        student_temperature: of the student.
        centre_momentum: of the centre of the teacher's logits.
        hidden, code, outputs: widths of the head.
        learn_gains: let the last layer learn what its cosines are multiplied by, as published; with all of them at 1,
            answers that are uniform for every image, which cost little while negatives are not yet told apart, are out
            of reach.
        local_crops: positive local crops of an image, beside two global ones.
        negative_local_crops: local crops of a set of negatives, beside one global one.
        shift: what makes an image a negative.
        negative_weight: of the loss of negatives.
        patience: epochs to wait for a lower loss of held-out images before training stops; 0 to train to the end.
        held_out: share of the images that are held out for that.
    """

    encoder: EncoderSpec
    source_size: int
    enlarged: int | None
    local_size: int
    epochs: int
    batch: int
    base_rate: float
    final_rate: float
    warm_up: int
    weight_decay: tuple[float, float]
    clip: float
    frozen_epochs: int
    momentum: float
    teacher_temperatures: tuple[float, float]
    student_temperature: float
    centre_momentum: float
    hidden: int
    code: int
    outputs: int
    learn_gains: bool
    local_crops: int
    negative_local_crops: int
    shift: Shift
    negative_weight: float
    patience: int = 0
    held_out: float = 0.1

    @property
    def global_size(self) -> int:
        """Side of global crops in pixels."""
        return self.enlarged or self.source_size

    def check(self, with_aux: bool) -> None:
        """Raise InvalidInput for values that cannot work.

        Args:
            with_aux: whether there is an auxiliary set.
        """
        for name in ("epochs", "batch", "hidden", "code", "outputs"):
            check_integer(name, getattr(self, name), 1)
        for name in ("local_crops", "negative_local_crops", "frozen_epochs", "warm_up", "patience"):
            check_integer(name, getattr(self, name), 0)
        for name in ("source_size", "local_size"):
            check_integer(name, getattr(self, name), 8)
        for name in ("base_rate", "clip", "student_temperature"):
            check_positive(name, getattr(self, name))
        for name in ("momentum", "centre_momentum"):
            check_number(name, getattr(self, name), "a share from 0 to 1", lambda share: 0 <= share <= 1)
        _check_shared(self)
        if self.shift == "none" and not with_aux:
            raise InvalidInput("shift=none leaves no negatives: name another shift, or an auxiliary set with --aux D")
        if isinstance(self.encoder, ViTSpec):
            sides = (self.global_size, self.local_size)
            if any(side % self.encoder.patch for side in sides):
                raise InvalidInput(
                    f"crops of {sides[0]} and {sides[1]} px cannot be cut into patches of {self.encoder.patch} px; "
                    "choose an --image-size of which half is a multiple"
                )


@dataclass(frozen=True)
class SemSADSettings:
    """Contrastive encoder, then a discriminator of pairs of images.

    Attributes:
        encoder: the network that neighbours are searched with.
        source_size: side in pixels that images are brought to.
        epochs, batch: of the encoder; images of a step, all processes together.
        learning_rate, weight_decay: of the encoder, by Adam.
        temperature: that cosines are divided by.
        discriminator: the network of pairs, with 6 channels.
        discriminator_epochs, discriminator_batch: of the discriminator; pairs of each kind in a step.
        discriminator_rate: its learning rate, by Adam (AMSGrad).
        rate_steps: (epoch, factor): from that epoch on, the discriminator's rate is so many times as large.
        pool: images from which the anchors of one step are drawn, and their neighbours from the pool before; None:
            anchors are a part of a pass over all images, and neighbours are searched among all others.
        neighbours: a semantic pair is an image and one of so many nearest.
        semantic_share: of the positive pairs that are semantic.
        transductive: batch statistics in the discriminator, also at the end, as the published code has them.
        shift: what is done to the second image of shifted negative pairs; "none" has no such pairs, as published.
        shifted_share: of the negative pairs whose second image is a mild view, shifted, of the first image or of
            another; those of the rest are strong views of others.
        patience: epochs to wait, in both stages, for a lower loss of held-out images before training stops; 0 to train
            to the end.
        held_out: share of the images that are held out for that.
    """

    encoder: EncoderSpec
    source_size: int
    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float
    temperature: float
    discriminator: ResNetSpec
    discriminator_epochs: int
    discriminator_batch: int
    discriminator_rate: float
    rate_steps: tuple[tuple[int, float], ...]
    pool: int | None
    neighbours: int
    semantic_share: float
    transductive: bool = False
    shift: Shift = "none"
    shifted_share: float = 0.5
    patience: int = 0
    held_out: float = 0.1

    def check(self, with_aux: bool) -> None:
        """Raise InvalidInput for values that cannot work."""
        if with_aux:
            raise InvalidInput("semsad takes no auxiliary set: its negatives are other in-images; leave --aux out")
        for name in ("epochs", "discriminator_epochs", "neighbours"):
            check_integer(name, getattr(self, name), 1)
        for name in ("batch", "discriminator_batch"):
            check_integer(name, getattr(self, name), 2)
        check_integer("source_size", self.source_size, 8)
        if self.pool is not None:
            check_integer("pool", self.pool, max(self.neighbours, 1))
        for name in ("learning_rate", "discriminator_rate", "temperature"):
            check_positive(name, getattr(self, name))
        for name in ("semantic_share", "shifted_share"):
            check_number(name, getattr(self, name), "a share from 0 to 1", lambda share: 0 <= share <= 1)
        check_integer("patience", self.patience, 0)
        _check_shared(self)


Settings = SelfDistillSettings | SemSADSettings


def changed(settings: Settings, values: dict[str, Any]) -> Settings:
    """The settings with some values replaced; lists become tuples.

    Raises:
        UnknownName: no such setting.
        InvalidInput: a value of another kind than the one that stands there.
    """
    known = [field.name for field in fields(settings) if field.name not in _FIXED]
    for name, value in values.items():
        if name not in known:
            raise unknown_name("setting", name, known, "oodkit train --help")
        _check_kind(name, value, getattr(settings, name))
    return replace(settings, **{name: _tuple(value) for name, value in values.items()})


def with_image_size(settings: Settings, size: int) -> Settings:
    """The settings with images brought to another size; a network that sees them as they are is made for it."""
    if isinstance(settings, SemSADSettings):
        return replace(settings, source_size=size, encoder=_sized(settings.encoder, size))
    if settings.enlarged is not None:
        return replace(settings, source_size=size)
    return replace(settings, source_size=size, local_size=size // 2, encoder=_sized(settings.encoder, size))


def from_backbone(settings: Settings, name: str, size: int, dim: int | None) -> Settings:
    """The settings for the network of a backbone instead of one from scratch.

    Args:
        settings: to begin from.
        name: of the backbone.
        size: side of its input in pixels.
        dim: of a linear layer on top; None for none.
    """
    encoder = BackboneSpec(name, size, dim)
    if isinstance(settings, SemSADSettings):
        return replace(settings, source_size=size, encoder=encoder)
    return replace(settings, source_size=size, enlarged=None, local_size=size // 2, encoder=encoder)


def _check_shared(settings: Settings) -> None:
    if settings.shift not in SHIFTS:
        raise unknown_name("shift", settings.shift, SHIFTS, "oodkit train --help")
    check_number("held_out", settings.held_out, "a share above 0 and below 1", lambda share: 0 < share < 1)


def _sized(encoder: EncoderSpec, size: int) -> EncoderSpec:
    return replace(encoder, input_size=size) if isinstance(encoder, ViTSpec) else encoder


def _tuple(value: Any) -> Any:
    return tuple(_tuple(item) for item in value) if isinstance(value, list) else value


def _check_kind(name: str, value: Any, present: Any) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    kinds = {
        bool: isinstance(value, bool),
        str: isinstance(value, str),
        int: number and float(value).is_integer(),
        float: number and math.isfinite(value),
        tuple: isinstance(value, list | tuple),
    }
    fits = kinds.get(type(present), number) or (name == "pool" and value is None)
    if not fits:
        raise InvalidInput(f"{name} must be of the kind of {present!r}, got {value!r}")
