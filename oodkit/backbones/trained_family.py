"""Encoders that `oodkit train` has written: a folder with a card and weights."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from oodkit.backbones.encoders import EncoderSpec, Squeezed, read_spec
from oodkit.backbones.network import Network
from oodkit.backbones.preprocessing import Preprocessing
from oodkit.backbones.state_file import load_strictly, read_state_file
from oodkit.errors import DataNotFound, InvalidInput, WeightsError

CARD, WEIGHTS = "card.json", "encoder.safetensors"


def load_network(folder: str, image_size: int | None) -> Network:
    """The encoder of a folder that `oodkit train` has finished.

    Args:
        folder: path of the folder.
        image_size: side in pixels that images come in at; None for that of the training.

    Raises:
        DataNotFound: no such folder, or its training is not finished.
        WeightsError: card and weights do not fit.
        InvalidInput: the card cannot be read.
    """
    path = Path(folder).expanduser()
    card = read_card(path)
    try:
        spec = read_spec(card["encoder"])
        preprocessing = read_preprocessing(card["preprocessing"])
        enlarged = card["enlarged"]
    except (KeyError, TypeError) as error:
        raise InvalidInput(f"{path / CARD} is not the card of a trained encoder ({error}); train it again") from error
    module = spec.build()
    load_strictly(module, read_state_file(path / WEIGHTS), f"the encoder of {path / CARD}")
    if image_size is not None and image_size != preprocessing.size:
        preprocessing = preprocessing.at_size(image_size)
    return Network(
        module if enlarged is None else Squeezed(module, enlarged),
        preprocessing,
        architecture(spec, enlarged),
    )


def read_card(folder: Path) -> dict[str, Any]:
    """What `oodkit train` wrote about an encoder.

    Raises:
        DataNotFound: there is no card.
        WeightsError: it is no JSON object.
    """
    path = folder / CARD
    if not path.is_file():
        raise DataNotFound(f"no trained encoder in {folder} ({CARD} is missing); run `oodkit train ... --to {folder}`")
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise WeightsError(f"{path} cannot be read as JSON; train the encoder again") from error
    if not isinstance(card, dict):
        raise WeightsError(f"{path} is not a card; train the encoder again")
    return card


def read_preprocessing(values: dict[str, Any]) -> Preprocessing:
    """The preprocessing that `dataclasses.asdict` made these values of."""
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return Preprocessing(**fields)


def architecture(spec: EncoderSpec, enlarged: int | None) -> str:
    """What a fingerprint says of an encoder besides its weights."""
    return f"trained {json.dumps(asdict(spec), sort_keys=True)} enlarged {enlarged}"
