"""Image encoders that oodkit trains itself, described by plain values so that a file can say which one it holds."""

import math
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn
from torch.nn.functional import interpolate

from oodkit.errors import InvalidInput

Norm = Literal["batch", "group", "batch_statistics"]
_GROUPS = 8  # of channels that group normalisation treats alike


@dataclass(frozen=True)
class ViTSpec:
    """A vision transformer; the feature is its class token after the last normalisation.

    Attributes:
        width, depth, heads: of the token, of blocks, of attention heads.
        patch: side of a patch in pixels.
        input_size: side of the images that positions are learnt for, in pixels.
        drop_path: stochastic depth while training.
    """

    width: int
    depth: int
    heads: int
    patch: int
    input_size: int
    drop_path: float = 0.0
    kind: str = "vit"

    def build(self) -> nn.Module:
        """The module with freshly drawn weights: pixels (B, 3, H, W) -> (B, width)."""
        from timm.models.vision_transformer import VisionTransformer

        return VisionTransformer(
            img_size=self.input_size,
            patch_size=self.patch,
            embed_dim=self.width,
            depth=self.depth,
            num_heads=self.heads,
            num_classes=0,
            drop_path_rate=self.drop_path,
            dynamic_img_size=True,  # local crops have fewer tokens: positions are interpolated, bicubic
        )


@dataclass(frozen=True)
class ResNetSpec:
    """A residual network of basic blocks; the feature is its last, linear layer.

    Attributes:
        layers: blocks of each of the four stages: (2, 2, 2, 2) is ResNet-18, (3, 4, 6, 3) ResNet-34.
        channels: of each stage.
        stem: "3x3" keeps the resolution, "5x5" halves it twice, "7x7" is the usual one.
        dim: numbers that come out.
        in_channels: 3, or 6 for two images on top of each other.
        act: "relu" or "elu".
        norm: "batch"; or "group", by which no image depends on another, not even in training; or "batch_statistics":
            of the present batch also in evaluation, but for the shortcuts.
    """

    layers: tuple[int, int, int, int]
    channels: tuple[int, int, int, int]
    stem: Literal["3x3", "5x5", "7x7"]
    dim: int
    in_channels: int = 3
    act: Literal["relu", "elu"] = "relu"
    norm: Norm = "batch"
    kind: str = "resnet"

    def build(self) -> nn.Module:
        """The module with freshly drawn weights: pixels (B, in_channels, H, W) -> (B, dim)."""
        from timm.models.resnet import BasicBlock, ResNet

        block: Any = BasicBlock
        net: Any = ResNet(
            block,
            self.layers,
            num_classes=self.dim,
            in_chans=self.in_channels,
            channels=self.channels,
            act_layer=nn.ELU if self.act == "elu" else nn.ReLU,
            norm_layer=_group_norm if self.norm == "group" else nn.BatchNorm2d,
            zero_init_last=False,
        )
        width = net.conv1.out_channels
        if self.stem == "3x3":
            net.conv1 = nn.Conv2d(self.in_channels, width, 3, 1, 1, bias=False)
            net.maxpool = nn.Identity()
        elif self.stem == "5x5":
            net.conv1 = nn.Conv2d(self.in_channels, width, 5, 2, 2, bias=False)
        if self.stem != "7x7":
            nn.init.kaiming_normal_(net.conv1.weight, mode="fan_out", nonlinearity="relu")
        if self.norm == "batch_statistics":
            for name, part in net.named_modules():
                if isinstance(part, nn.BatchNorm2d) and "downsample" not in name:
                    part.track_running_stats = False
                    part.running_mean = part.running_var = part.num_batches_tracked = None
        return net  # type: ignore[no-any-return]


@dataclass(frozen=True)
class BackboneSpec:
    """The network of another backbone, trained further.

    Attributes:
        name: of that backbone.
        image_size: its input size, in pixels; None for its own.
        dim: numbers that a linear layer on top gives; None for no such layer.
    """

    name: str
    image_size: int | None
    dim: int | None = None
    kind: str = "backbone"

    def build(self) -> nn.Module:
        """A copy of the module with that backbone's weights."""
        from oodkit.backbones.load import load_backbone

        backbone = load_backbone(self.name, image_size=self.image_size, device="cpu")
        module = backbone.trainable_module()
        return module if self.dim is None else nn.Sequential(module, nn.Linear(backbone.dim, self.dim))


EncoderSpec = ViTSpec | ResNetSpec | BackboneSpec
_KINDS: dict[str, type[ViTSpec] | type[ResNetSpec] | type[BackboneSpec]] = {
    "vit": ViTSpec,
    "resnet": ResNetSpec,
    "backbone": BackboneSpec,
}


class Squeezed(nn.Module):
    """A network behind a change of size: its images come in at a low source resolution and are enlarged.

    Args:
        network: what sees the enlarged images.
        size: side of these, in pixels.
    """

    def __init__(self, network: nn.Module, size: int) -> None:
        super().__init__()
        self.network, self.size = network, size

    def forward(self, pixels: Tensor) -> Tensor:  # (B, 3, H, W) -> (B, D)
        """Features of pixels at any size, enlarged by bicubic interpolation."""
        return self.network(interpolate(pixels, size=(self.size, self.size), mode="bicubic", align_corners=False))  # type: ignore[no-any-return]


def read_spec(values: dict[str, Any]) -> EncoderSpec:
    """The spec that `dataclasses.asdict` made these values of.

    Raises:
        InvalidInput: they describe none.
    """
    kind = _KINDS.get(str(values.get("kind")))
    if kind is None:
        raise InvalidInput(f"no encoder of kind {values.get('kind')!r}; there are {', '.join(_KINDS)}")
    try:
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return kind(**fields)
    except TypeError as error:
        raise InvalidInput(f"these values describe no encoder: {error}") from error


def _group_norm(channels: int, **place: Any) -> nn.GroupNorm:
    return nn.GroupNorm(math.gcd(_GROUPS, channels), channels, **place)
