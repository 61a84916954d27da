"""Backbones of open_clip: MODEL/TAG with weights from the hub, or MODEL/FILE with weights from a file.

The feature is the visual tower's output before the projection to the joint image-text space, for every tower
(Adaloglou et al., 2023); `project` and `embed_text` lead into the joint space.
"""

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from oodkit.backbones.hub import fetching
from oodkit.backbones.network import Network
from oodkit.backbones.preprocessing import Preprocessing
from oodkit.backbones.state_file import load_strictly, read_state_file
from oodkit.errors import InvalidInput, WeightsError, unknown_name


def load_network(model: str, weights: str | None, image_size: int | None) -> Network:
    """A CLIP-like model with its own evaluation preprocessing, including the mean and std of its weights' tag.

    Args:
        model: open_clip's name, such as "ViT-B-32".
        weights: a tag, such as "laion2b_s34b_b79k", or a file with a state dict.
        image_size: input side in pixels, or None for the model's own.

    Raises:
        UnknownName: open_clip has no such model or tag.
        WeightsError: no tag was given, the weights do not fit, or they need the other GELU.
        DownloadFailed: the weights could not be fetched.
    """
    import open_clip

    if model not in open_clip.list_models():
        raise unknown_name("open_clip model", model, open_clip.list_models(), "oodkit list backbones 'open_clip:*'")
    tags = open_clip.list_pretrained_tags_by_model(model)
    if weights is None:
        raise WeightsError(
            f"open_clip:{model} needs weights: write open_clip:{model}/TAG with a tag of {', '.join(tags) or 'none'}"
            ", or open_clip:MODEL/FILE"
        )
    is_file = weights not in tags and Path(weights).suffix in (".safetensors", ".pt", ".pth", ".bin")
    if not is_file:
        if weights not in tags:
            raise unknown_name(f"weights for open_clip:{model}", weights, tags, f"oodkit list backbones '{model}/*'")
        check_activation(model, weights)
    clip = _create(model, None if is_file else weights, image_size)
    if is_file:
        load_strictly(clip, read_state_file(Path(weights)), f"open_clip:{model}")
    clip = clip.eval().requires_grad_(False)
    preprocessing = _preprocessing(clip.visual.preprocess_cfg)
    if image_size is not None:
        preprocessing = preprocessing.at_size(image_size)
    tower, project = split_projection(clip.visual)
    return Network(
        tower,
        preprocessing,
        architecture=f"open_clip:{model} pre-projection {preprocessing.size} px",
        project=project,
        encode_text=_text_encoder(clip, model),
        text_state={name: value for name, value in clip.state_dict().items() if not name.startswith("visual.")},
        logit_scale=float(clip.logit_scale.exp()),
    )


def check_activation(model: str, tag: str) -> None:
    """Refuse weights that were trained with the other GELU than the model is built with.

    Raises:
        WeightsError: names the model to use instead.
    """
    import open_clip

    config, pretrained = open_clip.get_model_config(model), open_clip.get_pretrained_cfg(model, tag)
    built, trained = bool(config.get("quick_gelu", False)), bool(pretrained.get("quick_gelu", False))
    if built != trained:
        other = f"{model}-quickgelu" if trained else model.removesuffix("-quickgelu")
        kinds = ("QuickGELU", "GELU") if trained else ("GELU", "QuickGELU")
        raise WeightsError(
            f"the weights {tag!r} need {kinds[0]}, but {model} is built with {kinds[1]}; use open_clip:{other}/{tag}"
        )


def split_projection(visual: Any) -> tuple[nn.Module, Callable[[Tensor], Tensor]]:
    """A visual tower that stops before its projection, and the projection in float32.

    Handles open_clip's vision transformer, modified ResNet and timm towers.

    Raises:
        InvalidInput: the tower is of a kind whose projection is not known.
    """
    if hasattr(visual, "trunk") and hasattr(visual, "head"):
        head: nn.Module = visual.head
        visual.head = nn.Identity()
        pool = getattr(head, "pool", None)
        if pool is not None:  # the attention pool of this tower belongs to the feature
            visual.head = pool
            head = nn.Sequential(*[part for part in head if part is not pool])  # type: ignore[attr-defined]
        return visual, _kept(head)
    if hasattr(visual, "attnpool"):
        out = visual.attnpool.c_proj
        projection = _kept(out)
        same = nn.Linear(out.in_features, out.in_features)
        nn.init.eye_(same.weight)
        nn.init.zeros_(same.bias)
        visual.attnpool.c_proj = same.requires_grad_(False)
        return visual, projection
    if hasattr(visual, "proj"):
        matrix = None if visual.proj is None else visual.proj.detach().clone().float()
        visual.proj = None
        module = _FirstOutput(visual)
        if matrix is None:
            return module, _kept(nn.Identity())
        return module, lambda features: features @ matrix.to(features.device)
    raise InvalidInput(f"open_clip's tower {type(visual).__name__} is not supported: its projection is not known")


class _FirstOutput(nn.Module):
    """The pooled output of towers that give token outputs beside it."""

    def __init__(self, tower: nn.Module) -> None:
        super().__init__()
        self.tower = tower

    def forward(self, pixels: Tensor) -> Tensor:
        output = self.tower(pixels)
        pooled: Tensor = output[0] if isinstance(output, tuple) else output
        return pooled


def _kept(projection: nn.Module) -> Callable[[Tensor], Tensor]:
    kept = copy.deepcopy(projection).float().eval().requires_grad_(False)

    def project(features: Tensor) -> Tensor:
        result: Tensor = kept.to(features.device)(features)
        return result

    return project


def _create(model: str, tag: str | None, image_size: int | None) -> Any:
    import open_clip

    options = {"force_image_size": image_size, "pretrained_text": False, "weights_only": True}
    if tag is None:
        return open_clip.create_model(model, **options)
    with fetching(f"open_clip:{model}/{tag}", f"open_clip:{model}/FILE"):
        return open_clip.create_model(model, pretrained=tag, **options)


def _preprocessing(cfg: Any) -> Preprocessing:
    size = cfg["size"] if isinstance(cfg["size"], int) else cfg["size"][0]
    mode = cfg.get("resize_mode", "shortest")
    if mode not in ("shortest", "squash"):
        raise InvalidInput(f"open_clip's resize mode {mode!r} is not supported; give --image-size")
    interpolation = cfg.get("interpolation", "bicubic")
    return Preprocessing(
        size=size,
        resize=size,
        mean=tuple(cfg["mean"]),
        std=tuple(cfg["std"]),
        interpolation="bicubic" if interpolation == "random" else interpolation,
        mode=mode,
    )


def _text_encoder(clip: Any, model: str) -> Callable[[Sequence[str]], Tensor]:
    def encode(texts: Sequence[str]) -> Tensor:
        import open_clip

        tokens: Tensor = open_clip.get_tokenizer(model)(list(texts))
        embedded: Tensor = clip.encode_text(tokens).float()
        return embedded

    return torch.inference_mode()(encode)
