"""A frozen backbone: pixels in, features out."""

import copy
import dataclasses
import enum
import hashlib
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Literal, get_args

import torch
from PIL import Image
from torch import Tensor, nn

from oodkit.backbones.compilation import CompiledModule
from oodkit.backbones.device import choose_device
from oodkit.backbones.fingerprint import backbone_fingerprint, weights_digest
from oodkit.backbones.network import Network
from oodkit.backbones.preprocessing import Preprocessing, pixels_of
from oodkit.errors import InvalidInput

Precision = Literal["fp32", "bf16", "fp16"]
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class Capability(enum.Enum):
    """What a backbone can do besides giving features."""

    CLASSIFIER = "classifier"
    PROJECT = "project"
    EMBED_TEXT = "embed_text"


class Backbone:
    """A frozen network in evaluation mode that turns images into features.

    Weights are loaded when they are first needed, so that a backbone whose embeddings are all stored costs nothing.

    Args:
        name: full name, such as "timm:resnet50.a1_in1k".
        load: gives the network; called once, when features are first asked for.
        preprocessing: how images become pixels.
        architecture: as in `Network`; part of the fingerprint.
        weights: digest of the weights; part of the fingerprint.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        precision: type of weights and activations; features come out as float32 whatever it is.
        compile: run through torch.compile; pays off from some thousand images on.
    """

    def __init__(
        self,
        name: str,
        load: Callable[[], Network],
        *,
        preprocessing: Preprocessing,
        architecture: str,
        weights: str,
        device: str = "auto",
        precision: Precision = "fp32",
        compile: bool = False,
    ) -> None:
        if precision not in get_args(Precision):
            raise InvalidInput(f"precision must be one of {', '.join(get_args(Precision))}, got {precision!r}")
        self.name = name
        self.preprocessing = preprocessing
        self.architecture = architecture
        self.weights = weights
        self.device = choose_device(device)
        self.precision: Precision = precision
        self.compile = compile
        self._load = load
        self._loading = threading.Lock()

    @classmethod
    def of(
        cls,
        name: str,
        network: Network,
        *,
        device: str = "auto",
        precision: Precision = "fp32",
        compile: bool = False,
        take: bool = False,
    ) -> "Backbone":
        """A backbone over a network that is loaded already; its weights are hashed.

        Args:
            name: what the backbone is called; not part of its fingerprint.
            network: copied, so that later changes to the module reach neither the backbone nor its fingerprint.
            device: as in the class.
            precision: as in the class.
            compile: as in the class.
            take: take the module itself instead of a copy, to freeze and cast it: nobody else may use it.
        """
        if not take:
            network = dataclasses.replace(network, module=copy.deepcopy(network.module))
        return cls(
            name,
            lambda: network,
            preprocessing=network.preprocessing,
            architecture=network.architecture,
            weights=weights_digest(_tensors(network.module)),
            device=device,
            precision=precision,
            compile=compile,
        )

    @property
    def image_size(self) -> int:
        """Side of the square input, in pixels."""
        return self.preprocessing.size

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over architecture, feature layer, weights and preprocessing; never over the name."""
        return backbone_fingerprint(self.architecture, self.weights, self.preprocessing)

    @cached_property
    def text_fingerprint(self) -> str:
        """SHA-256 (hex) over the fingerprint and the text tower, where that is not part of the module itself."""
        state = self._network.text_state
        if state is None:
            return self.fingerprint
        return hashlib.sha256(f"{self.fingerprint} {weights_digest(state)}".encode()).hexdigest()

    @cached_property
    def numerics(self) -> str:
        """How the arithmetic is done, as far as it changes the features' digits: the precision, and compilation."""
        return f"{self.precision}+compile" if self.compile else self.precision

    @cached_property
    def dim(self) -> int:
        """Number of features D."""
        with torch.inference_mode():
            return int(self._run(self._module, torch.zeros(1, 3, self.image_size, self.image_size)).shape[1])

    @cached_property
    def capabilities(self) -> frozenset[Capability]:
        """What this backbone can do besides giving features."""
        has = {
            Capability.CLASSIFIER: self._network.classifier,
            Capability.PROJECT: self._network.project,
            Capability.EMBED_TEXT: self._network.encode_text,
        }
        return frozenset(capability for capability, part in has.items() if part is not None)

    @property
    def classifier(self) -> nn.Linear:
        """The backbone's own classifier, float32: features (B, D) -> logits (B, C); raises InvalidInput without one."""
        if self._network.classifier is None:
            raise InvalidInput(f"backbone {self.name} has no classifier")
        return self._network.classifier.to(self.device)

    def load(self) -> "Backbone":
        """Load the weights now and return the backbone; otherwise they are loaded when they are first needed.

        May be called from several threads: they are loaded once.
        """
        with self._loading:
            _ = self._forward
        return self

    def trainable_module(self) -> nn.Module:
        """A copy of the network in training mode on the CPU, float32, whose weights may change."""
        with torch.inference_mode(False):
            return copy.deepcopy(self._network.module).to("cpu").float().requires_grad_(True).train()

    def preprocess(self, image: Image.Image) -> Tensor:
        """An image as (3, size, size) float32 pixels in [0, 1], not yet normalised."""
        return self.preprocessing.fit([pixels_of(image)])[0].float() / 255

    def embed_pixels(self, pixels: Tensor) -> Tensor:
        """Features of pixels; differentiable with respect to them.

        Args:
            pixels: (B, 3, H, W) in [0, 1], on any device.

        Returns:
            (B, D) float32 on the backbone's device, not normalised.
        """
        return self._run(self._forward, pixels)

    def embed_images(self, images: Sequence[Image.Image]) -> Tensor:
        """Features (B, D) float32 of images, on the backbone's device, without gradients."""
        with torch.inference_mode():
            return self.embed_pixels(self.preprocessing.fit([pixels_of(image) for image in images]).float() / 255)

    def project(self, features: Tensor) -> Tensor:
        """Features (B, D) -> image embeddings (B, J) of the joint image-text space, not normalised.

        Raises:
            InvalidInput: the backbone has no joint space.
        """
        if self._network.project is None:
            raise InvalidInput(f"backbone {self.name} has no image-text projection; use an open_clip backbone")
        return self._network.project(features)

    def embed_text(self, texts: Sequence[str]) -> Tensor:
        """Text embeddings (T, J) of the joint image-text space, not normalised, without gradients.

        Raises:
            InvalidInput: the backbone has no text tower.
        """
        if self._network.encode_text is None:
            raise InvalidInput(f"backbone {self.name} has no text tower; use an open_clip backbone")
        with torch.inference_mode():
            return self._network.encode_text(texts)

    @property
    def logit_scale(self) -> float | None:
        """What the model multiplies cosines of images and texts by; None where it has no such number."""
        return self._network.logit_scale

    def __repr__(self) -> str:
        """Name, input size, precision and device."""
        return f"<Backbone {self.name} {self.image_size} px {self.numerics} on {self.device}>"

    @cached_property
    def _network(self) -> Network:
        return self._load()

    @cached_property
    def _module(self) -> nn.Module:
        with torch.inference_mode(False):  # weights that are made in that mode can never be part of a gradient
            module = self._network.module.eval().requires_grad_(False)
            return module.to(device=self.device, dtype=_DTYPES[self.precision], memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    @cached_property
    def _forward(self) -> Callable[[Tensor], Tensor]:
        return CompiledModule(self._module, self.device) if self.compile else self._module

    def _run(self, forward: Callable[[Tensor], Tensor], pixels: Tensor) -> Tensor:
        pixels = self.preprocessing.normalise(pixels.to(self.device))
        pixels = pixels.to(_DTYPES[self.precision], memory_format=torch.channels_last)
        with _full_float32(self.device):
            return forward(pixels).float()


def _full_float32(device: torch.device) -> AbstractContextManager[None]:
    """On a GPU, convolutions without TF32, which torch allows by default and which keeps 10 bits of 23."""
    if device.type != "cuda":
        return nullcontext()
    cudnn = torch.backends.cudnn
    return cudnn.flags(
        enabled=cudnn.enabled, benchmark=cudnn.benchmark, deterministic=cudnn.deterministic, allow_tf32=False
    )


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    """The state dict, and the buffers that it leaves out."""
    return {**dict(module.named_buffers()), **module.state_dict()}
