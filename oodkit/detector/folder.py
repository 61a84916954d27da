"""A detector in a folder: JSON, safetensors, a model card and the SHA-256 of each file; never pickle."""

import json
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from oodkit.backbones import Backbone, load_backbone
from oodkit.detector.calibration import Calibration
from oodkit.detector.card import model_card
from oodkit.detector.checksums import FILE as CHECKSUMS
from oodkit.detector.checksums import check_checksums, listed_files, write_checksums
from oodkit.detector.neighbours import FitImages
from oodkit.detector.origin import Origin
from oodkit.errors import DataNotFound, InvalidInput
from oodkit.evaluation.rows import Rows
from oodkit.evaluation.versions import library_versions
from oodkit.heads import LinearHead
from oodkit.scorers import load as load_scorer
from oodkit.scorers.base import Scorer

FORMAT = 3
DESCRIPTION, ARRAYS, IDS, CARD, SCORER = "detector.json", "arrays.safetensors", "fit_images.json", "card.md", "scorer"


@dataclass(frozen=True, eq=False)
class Saved:
    """All that a folder holds of a detector.

    Attributes:
        backbone: by name and fingerprint.
        scorer: fitted.
        rows: what takes features to what the scorer takes.
        calibration: or None.
        images: that it was fitted on, or None where they are not known.
        origin: what is known of them besides, or None.
    """

    backbone: Backbone
    scorer: Scorer
    rows: Rows
    calibration: Calibration | None
    images: FitImages | None
    origin: Origin | None


def check_target(folder: str | os.PathLike[str]) -> Path:
    """The folder that a detector may be written to.

    Raises:
        InvalidInput: it is a file, or holds anything but a detector.
    """
    path = Path(folder).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise InvalidInput(f"{path} is a file; give a new folder")
    if path.is_dir() and any(path.iterdir()):
        try:
            known = {CHECKSUMS, *listed_files(path)}
        except (DataNotFound, InvalidInput) as error:
            raise InvalidInput(f"{path} holds other things than a detector; give a new folder") from error
        here = {file.relative_to(path).as_posix() for file in path.rglob("*") if not file.is_dir()}
        if other := sorted(here - known):
            raise InvalidInput(f"{path} holds {other[0]}, which is no part of a detector; give a new folder")
    return path


def write_detector(saved: Saved, folder: str | os.PathLike[str], notes: list[str]) -> None:
    """Write a detector beside its place and rename it, so that the folder is never half a detector.

    Raises:
        InvalidInput: the folder holds other things, or the scorer cannot be saved.
    """
    path = check_target(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _write(saved, made, notes)
        if path.exists():
            old = made.with_name(f"{made.name}.old")
            path.rename(old)
            made.rename(path)
            shutil.rmtree(old)
        else:
            made.rename(path)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def read_detector(
    folder: str | os.PathLike[str], backbone: Backbone | str | None, device: str
) -> tuple[Saved, list[str]]:
    """What `write_detector` wrote, and notes on what differs here.

    Raises:
        DataNotFound: there is no detector, or a file is missing.
        InvalidInput: a file was changed, the folder is of a newer format, or the backbone is another.
    """
    path = Path(folder).expanduser()
    about = _read_description(path)
    check_checksums(path)
    try:
        arrays = load_file(path / ARRAYS)
    except SafetensorError as error:
        raise InvalidInput(f"{path / ARRAYS} is damaged; save the detector again") from error
    loaded = _backbone(about["backbone"], backbone, device)
    head, calibration, images = about["rows"]["head"], about["calibration"], None
    if head is not None:
        weight, bias = torch.from_numpy(arrays["head.weight"]), torch.from_numpy(arrays["head.bias"])
        names = None if head["class_names"] is None else tuple(head["class_names"])
        head = LinearHead(weight, bias, names, tuple(head["notes"]), head["unit_features"])
    if "fit_images" in arrays:
        ids = tuple(json.loads((path / IDS).read_text("utf-8")))
        images = FitImages(ids, arrays["fit_images"], arrays.get("fit_digests"))
    if calibration is not None:
        calibration = Calibration(arrays["calibration"], calibration["fpr"], calibration["source"])
    rows = Rows(loaded.project if about["rows"]["project"] else None, about["rows"]["unit"], head)
    scorer = load_scorer(path / SCORER)
    origin = None if about["fitted_on"] is None else Origin.from_dict(about["fitted_on"])
    saved = Saved(loaded, scorer, rows, calibration, images, origin)
    return saved, _differences(about["libraries"])


def _write(saved: Saved, folder: Path, notes: list[str]) -> None:
    folder.mkdir()
    saved.scorer.save(folder / SCORER)
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    head = saved.rows.head
    if head is not None:
        arrays |= {"head.weight": head.weight.detach().cpu().numpy(), "head.bias": head.bias.detach().cpu().numpy()}
    if saved.calibration is not None:
        arrays["calibration"] = saved.calibration.scores
    if saved.images is not None:
        arrays["fit_images"] = saved.images.rows
        if saved.images.digests is not None:
            arrays["fit_digests"] = saved.images.digests
        (folder / IDS).write_text(json.dumps(saved.images.ids), "utf-8")
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / ARRAYS)
    about = _description(saved)
    (folder / DESCRIPTION).write_text(json.dumps(about, indent=2, allow_nan=False) + "\n", "utf-8")
    (folder / CARD).write_text(model_card(about, repr(saved.scorer), [*notes, *saved.scorer.notes_]), "utf-8")
    for file in folder.rglob("*.safetensors"):  # which are written for their owner alone
        file.chmod((folder / CARD).stat().st_mode)
    write_checksums(folder)


def _description(saved: Saved) -> dict[str, Any]:
    backbone, rows, calibration = saved.backbone, saved.rows, saved.calibration
    head = None
    if rows.head is not None:
        names = None if rows.head.class_names is None else list(rows.head.class_names)
        head = {"class_names": names, "notes": list(rows.head.notes), "unit_features": rows.head.unit_features}
    return {
        "format": FORMAT,
        "backbone": {
            "name": backbone.name,
            "fingerprint": backbone.fingerprint,
            "image_size": backbone.image_size,
            "precision": backbone.precision,
            "compile": backbone.compile,
        },
        "rows": {"project": rows.project is not None, "unit": rows.unit, "head": head},
        "calibration": None
        if calibration is None
        else {
            "fpr": calibration.fpr,
            "threshold": calibration.threshold,
            "n": len(calibration.scores),
            "source": calibration.source,
            "guarantee": calibration.guarantee,
        },
        "fit_images": None if saved.images is None else len(saved.images.ids),
        "fitted_on": None if saved.origin is None else saved.origin.to_dict(),
        "libraries": library_versions(),
    }


def _read_description(path: Path) -> dict[str, Any]:
    try:
        about: dict[str, Any] = json.loads((path / DESCRIPTION).read_text("utf-8"))
        newest = about["format"]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DataNotFound(f"no detector in {path}; give the folder that `oodkit fit` or save() wrote") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{path / DESCRIPTION} is damaged; save the detector again") from error
    if newest != FORMAT:
        raise InvalidInput(
            f"{path} has format {newest}, and this version reads format {FORMAT}; install the version that wrote it, "
            "or fit again"
        )
    return about


def _backbone(about: dict[str, Any], given: Backbone | str | None, device: str) -> Backbone:
    """The backbone that the detector was fitted with, whichever preprocessing it was given."""
    if given is None and about["name"].startswith("module:"):
        raise InvalidInput(
            f"the detector was fitted with {about['name']}, which is Python code, and a saved detector never chooses "
            "what code is run: name the backbone yourself (--backbone, or load(folder, backbone=...))"
        )
    tried: list[Backbone] = []
    if isinstance(given, Backbone):
        tried.append(given)
    else:
        name, settings = given or about["name"], {key: about[key] for key in ("precision", "compile")}
        for size in (None, about["image_size"]):
            tried.append(load_backbone(name, image_size=size, device=device, **settings))
            if tried[-1].fingerprint == about["fingerprint"]:
                break
    backbone = tried[-1]
    if backbone.fingerprint != about["fingerprint"]:
        raise InvalidInput(
            f"{backbone.name} at {backbone.image_size} px is not the backbone that the detector was fitted with "
            f"({about['name']}, {about['image_size']} px): weights or preprocessing differ; fit again"
        )
    if (backbone.precision, backbone.compile) != (about["precision"], about["compile"]):
        raise InvalidInput(f"the detector was fitted in {about['precision']}, got a backbone in {backbone.numerics}")
    return backbone


def _differences(then: dict[str, str]) -> list[str]:
    now = library_versions()
    return [
        f"fitted with {name} {version}, here is {now.get(name, 'none')}: scores may differ, so check some known images"
        for name, version in then.items()
        if now.get(name) != version
    ]
