"""Bring your own module: FILE.py:FACTORY on the command line, `from_module` in Python."""

import copy
import dataclasses
import hashlib
import importlib.util
import inspect
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import Tensor, nn

from oodkit.backbones.fingerprint import file_digest
from oodkit.backbones.network import Network
from oodkit.backbones.preprocessing import Preprocessing
from oodkit.backbones.state_file import load_strictly, read_state_file
from oodkit.errors import DataNotFound, InvalidInput, OodkitError, UnknownName, nearest_names


def from_module(
    module: nn.Module,
    *,
    image_size: int,
    mean: Sequence[float],
    std: Sequence[float],
    resize: int | None = None,
    state_dict: str | Path | None = None,
    classifier: str | None = None,
    project: str | None = None,
    encode_text: str | None = None,
    logit_scale: float | None = None,
) -> Network:
    """Describe your own module as a network that a backbone can be made of.

    What the module computes is told apart by its weights and buffers, its layers and their plain attributes, and the
    source files of their classes. Code that these import, and what a function closes over, is not seen: where such
    code changes, name another `--cache`, or change a version attribute of the module.

    Args:
        module: normalised pixels (B, 3, H, W) -> features (B, D), or -> logits if `classifier` is given. It is copied.
        image_size: input side in pixels.
        mean: three numbers per channel, in units of [0, 1].
        std: three numbers per channel, in units of [0, 1].
        resize: shorter side before the centre crop; default `image_size`.
        state_dict: a .safetensors file or torch checkpoint, loaded strictly; None if the weights are loaded already.
        classifier: dotted name of the last nn.Linear; it is taken off, so that its input becomes the feature.
        project: name of the module's method or layer that takes features (B, D) to image embeddings (B, J) of a joint
            image-text space.
        encode_text: name of its method that takes a list of texts to their embeddings (T, J) in that space, on the CPU.
        logit_scale: what the model multiplies cosines of images and texts by.

    Raises:
        WeightsError: the state dict does not fit.
        InvalidInput: the module has no such classifier, method or layer, or a constant is out of range.
    """
    module = copy.deepcopy(module)
    if state_dict is not None:
        load_strictly(module, read_state_file(Path(state_dict)), type(module).__name__)
    if len(mean) != 3 or len(std) != 3:
        raise InvalidInput(f"mean and std must have three numbers, got {len(mean)} and {len(std)}")
    preprocessing = Preprocessing(
        size=image_size,
        resize=image_size if resize is None else resize,
        mean=(mean[0], mean[1], mean[2]),
        std=(std[0], std[1], std[2]),
    )
    head = None if classifier is None else _take_classifier(module, classifier)
    joint = _joint_space(module, project, encode_text)
    named = "".join(f" {role} {name}" for role, name in (("project", project), ("text", encode_text)) if name)
    return Network(
        module,
        preprocessing,
        architecture=f"module {_structure(module)}{named}",
        classifier=head,
        project=joint.project if project else None,
        encode_text=joint.encode_text if encode_text else None,
        logit_scale=logit_scale,
    )


def load_network(target: str, image_size: int | None) -> Network:
    """Call FACTORY of FILE.py, which returns what `from_module` returns.

    The file is Python code and is run: only name files that you trust.

    Raises:
        DataNotFound: no such file.
        UnknownName: no such factory in it.
        InvalidInput: the factory returned something else.
    """
    file, colon, factory = target.rpartition(":")
    if not colon or not file.endswith(".py"):
        raise InvalidInput(f"write module:FILE.py:FACTORY, got 'module:{target}'")
    path = Path(file).expanduser()
    if not path.is_file():
        raise DataNotFound(f"no file {path}; write module:FILE.py:FACTORY with the path of a Python file")
    code = _import_file(path)
    make = getattr(code, factory, None)
    if not callable(make):
        own = {n: v for n, v in vars(code).items() if inspect.isfunction(v) and v.__module__ == code.__name__}
        names = [name for name in own if not name.startswith("_")]
        near = ", ".join(nearest_names(factory, names) or names[:3])
        raise UnknownName(f"no function {factory!r} in {path}; it has: {near}")
    network = _called(make, f"{factory} in {path}")
    if not isinstance(network, Network):
        raise InvalidInput(
            f"{factory} in {path} must return oodkit.backbones.from_module(...), got {type(network).__name__}"
        )
    preprocessing = network.preprocessing if image_size is None else network.preprocessing.at_size(image_size)
    made_by = f"{network.architecture} made by {factory} of {file_digest(path)}"
    return dataclasses.replace(network, preprocessing=preprocessing, architecture=made_by)


def _take_classifier(module: nn.Module, name: str) -> nn.Linear:
    try:
        classifier = module.get_submodule(name)
    except AttributeError:
        classifier = None
    if not isinstance(classifier, nn.Linear):
        linear = [key for key, part in module.named_modules() if isinstance(part, nn.Linear)]
        raise InvalidInput(f"no linear layer {name!r} in the module; it has: {', '.join(linear) or 'none'}")
    owner, _, last = name.rpartition(".")
    setattr(module.get_submodule(owner), last, nn.Identity())
    return classifier.eval().requires_grad_(False)


class _JointSpace:
    """A module's own way to the joint space, in float32 whatever its features are computed in."""

    def __init__(self, module: nn.Module, project: str, encode_text: str) -> None:
        self._module = module.float().eval().requires_grad_(False)
        self._project, self._encode_text = project, encode_text

    def project(self, features: Tensor) -> Tensor:
        result: Tensor = attrgetter(self._project)(self._module.to(features.device))(features)
        return result

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        result: Tensor = attrgetter(self._encode_text)(self._module.to("cpu"))(list(texts))
        return result


def _joint_space(module: nn.Module, project: str | None, encode_text: str | None) -> _JointSpace:
    for name in filter(None, (project, encode_text)):
        try:
            found = attrgetter(name)(module)
        except AttributeError:
            found = None
        if not callable(found):
            raise InvalidInput(f"the module {type(module).__name__} has no method or layer {name!r}")
    wanted = project or encode_text
    return _JointSpace(copy.deepcopy(module) if wanted else nn.Identity(), project or "", encode_text or "")


def _structure(module: nn.Module) -> str:
    """Layers, their plain attributes and the source of their classes: weights alone do not say what is computed."""
    parts, files = [], {}
    for name, part in module.named_modules():
        kind = type(part)
        attributes = {key: repr(value) for key, value in vars(part).items() if _is_plain(value) and key != "training"}
        parts.append(f"{name} {kind.__module__ if _is_library(kind) else ''}.{kind.__qualname__} {attributes}")
        if not _is_library(kind):
            files[kind.__qualname__] = _source_digest(kind)
    return hashlib.sha256(json.dumps([repr(module), parts, sorted(files.items())]).encode()).hexdigest()


def _is_plain(value: object) -> bool:
    if isinstance(value, tuple | list):
        return all(_is_plain(item) for item in value)
    return value is None or isinstance(value, bool | int | float | str)


def _is_library(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in ("torch", "torchvision", "timm")


def _source_digest(kind: type) -> str:
    """Of the whole file that defines a class, since its methods may call what stands beside it."""
    try:
        file = inspect.getsourcefile(kind)
    except TypeError:
        file = None
    return file_digest(Path(file)) if file is not None and Path(file).is_file() else ""


def _import_file(path: Path) -> ModuleType:
    name = f"oodkit_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InvalidInput(f"{path} cannot be imported as Python code")
    code = importlib.util.module_from_spec(spec)
    sys.modules[name] = code
    _called(partial(spec.loader.exec_module, code), str(path))
    return code


def _called(function: Callable[[], Any], name: str) -> Any:
    """Run a user's code; what it raises becomes one line."""
    try:
        return function()
    except OodkitError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())
        raise InvalidInput(f"{name} fails with {type(error).__name__}: {reason}; --debug shows where") from error
