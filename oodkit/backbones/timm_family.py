"""Backbones of timm: MODEL.TAG with weights from the Hugging Face hub, or MODEL/FILE with weights from a file."""

import copy
from pathlib import Path
from typing import Any

from torch import nn

from oodkit.backbones.hub import fetching
from oodkit.backbones.network import Network
from oodkit.backbones.preprocessing import Preprocessing
from oodkit.backbones.state_file import load_strictly, read_state_file
from oodkit.errors import InvalidInput, WeightsError, unknown_name


def load_network(model: str, weights: str | None, image_size: int | None) -> Network:
    """A timm model before its classifier, with its own evaluation preprocessing.

    Args:
        model: timm's name, with or without tag, such as "vit_base_patch14_dinov2.lvd142m".
        weights: a file with a state dict (.safetensors, .pth, .pt), or None for timm's own weights.
        image_size: input side in pixels, or None for the model's own.

    Raises:
        UnknownName: timm has no such model or tag.
        WeightsError: the weights do not fit, or the model has none.
        DownloadFailed: the weights could not be fetched.
    """
    import timm

    if not timm.is_model(model.partition(".")[0]):
        raise unknown_name("timm model", model, timm.list_models(), "oodkit list backbones 'timm:*'")
    cfg = _pretrained_cfg(model)
    if weights is None and not (cfg.has_weights or cfg.file):
        raise WeightsError(
            f"timm has no weights for {model!r}; choose another tag (`oodkit list backbones 'timm:{model}*'`) "
            f"or give a file as timm:{model}/FILE"
        )
    if weights is None and "quickgelu" in " ".join(map(str, cfg.notes or ())).lower() and "quickgelu" not in model:
        base, _, tag = model.partition(".")
        near = [name for name in timm.list_models("*quickgelu*") if name.startswith(base.partition("_clip")[0])]
        raise WeightsError(
            f"the weights of timm:{model} need QuickGELU, but {base} is built with GELU; use the quickgelu variant: "
            f"{' or '.join(f'timm:{name}.{tag}' for name in near[:3]) or 'none is known'}"
        )
    preprocessing = _preprocessing(cfg.to_dict())
    options: dict[str, Any] = {}
    if image_size is not None and image_size != preprocessing.size:
        preprocessing = preprocessing.at_size(image_size)
        if cfg.fixed_input_size:
            options["img_size"] = image_size
    elif image_size is not None:
        preprocessing = preprocessing.at_size(image_size)
    net = _create(model, pretrained=weights is None, options=options)
    if weights is not None:
        load_strictly(net, read_state_file(Path(weights)), f"timm:{model}")
    module, classifier = split_classifier(net)
    spelled = "".join(f" {key}={value}" for key, value in sorted(options.items()))
    return Network(module, preprocessing, f"timm:{model.partition('.')[0]} pooled{spelled}", classifier=classifier)


def split_classifier(model: Any) -> tuple[nn.Module, nn.Linear | None]:
    """A timm model without its classifier, and a float32 copy of the classifier where it is one linear layer."""
    classifier = model.get_classifier()
    kept = copy.deepcopy(classifier).eval().requires_grad_(False) if isinstance(classifier, nn.Linear) else None
    model.reset_classifier(0)
    return model, kept


def _pretrained_cfg(model: str) -> Any:
    import timm

    try:
        return timm.get_pretrained_cfg(model, allow_unregistered=False)
    except RuntimeError:
        base = model.partition(".")[0]
        tags = timm.list_pretrained(f"{base}*")
        raise unknown_name("timm weights", model, tags, f"oodkit list backbones 'timm:{base}*'") from None


def _create(model: str, pretrained: bool, options: dict[str, Any]) -> Any:
    import timm

    try:
        if not pretrained:
            return timm.create_model(model, pretrained=False, **options)
        with fetching(f"timm:{model}", f"timm:{model}/FILE"):
            return timm.create_model(model, pretrained=True, **options)
    except TypeError as error:
        if "img_size" not in options:
            raise
        raise InvalidInput(f"timm:{model} takes no other image size than its own; leave --image-size out") from error


def _preprocessing(cfg: dict[str, Any]) -> Preprocessing:
    from timm.data.config import resolve_data_config

    data = resolve_data_config(pretrained_cfg=cfg)  # type: ignore[no-untyped-call]
    size = data["input_size"][-1]
    squash = data["crop_mode"] == "squash"
    if data["crop_mode"] not in ("center", "squash"):
        raise InvalidInput(f"timm's crop mode {data['crop_mode']!r} is not supported; give --image-size")
    return Preprocessing(
        size=size,
        resize=size if squash else max(size, int(size / data["crop_pct"])),
        mean=tuple(data["mean"]),
        std=tuple(data["std"]),
        interpolation=data["interpolation"],
        mode="squash" if squash else "shortest",
    )
