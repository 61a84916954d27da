"""A set of attacked images on disk: PNGs that score as reported, and a manifest."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from oodkit.atomic import write_atomically
from oodkit.attacks.base import Attack
from oodkit.attacks.goal import Direction, Goal
from oodkit.data.image_set import ImageSet
from oodkit.detector import Detector
from oodkit.errors import InvalidInput
from oodkit.progress import progress
from oodkit.robustness.attack_sheet import attack_sheet
from oodkit.robustness.batches import Batch, batches, check_size
from oodkit.robustness.manifest import Manifest, detector_settings
from oodkit.robustness.targets import Targets

MANIFEST = "manifest.jsonl"
JPEG_QUALITY = 90
BATCH = 16


@dataclass(frozen=True)
class AttackSet:
    """What was made.

    Attributes:
        folder: of the images.
        sheet: picture of some originals, changes and results.
        settings: what the set was made with.
        images: a line of the manifest for each image, in the order of the set: `file`, `source`, `seed`, `distance`
            (in the ball's norm), `linf`, `l2`, and the scores `before`, `found` (before rounding), `after` and
            `jpeg` (after being saved as JPEG).
    """

    folder: Path
    sheet: Path
    settings: Mapping[str, Any]
    images: tuple[Mapping[str, Any], ...]


def make_attack_set(
    detector: Detector,
    images: ImageSet,
    attack: Attack,
    folder: str | os.PathLike[str],
    *,
    direction: Direction = "out2in",
    seed: int = 0,
    batch_size: int = BATCH,
    targets: Targets | None = None,
) -> AttackSet:
    """Attack every image and write the results as PNG, in a folder that is a data set.

    Started again with the same settings it goes on where it stood.

    Args:
        detector: fitted; its backbone must take images of its input size as they are.
        images: what is attacked.
        attack: how.
        folder: new, or that of an earlier run with the same settings.
        direction: "out2in" raises scores, "in2out" lowers them.
        seed: of the attack's draws.
        batch_size: images that are attacked at once; does not change the result but for float arithmetic.
        targets: whose features images are moved to, in place of the detector's score; for `feature_matching`.

    Raises:
        InvalidInput: the folder holds something else, the attack cannot be used on this detector, or images are to
            be moved to targets in the other direction.
        UnreadableImage: an image cannot be read.
    """
    if targets is not None and direction != "out2in":
        raise InvalidInput(f"images are moved to in-distribution targets, which is out2in, not {direction!r}")
    check_size(detector.backbone)
    place = Path(folder)
    settings = detector_settings(detector) | {
        "images": images.fingerprint,
        "set": f"{images.name}:{images.split}",
        "attack": repr(attack),
        "direction": direction,
        "targets": None if targets is None else list(targets.names),
        "seed": seed,
    }
    manifest = Manifest(place / MANIFEST, settings)
    lines = {line["source"]: line for line in manifest.lines if (place / line["file"]).exists()}
    left = [i for i, identifier in enumerate(images.ids) if str(identifier) not in lines]
    with progress("attacking", len(left)) as advance:
        for batch in batches(images, detector.backbone, batch_size, seed, left):
            new = _attacked(detector, images, attack, batch, direction, targets, place)
            manifest.add(new)
            lines |= {line["source"]: line for line in new}
            advance(len(batch.places))
    order = {str(identifier): i for i, identifier in enumerate(images.ids)}
    ordered = sorted(lines.values(), key=lambda line: order[line["source"]])
    sheet = place.with_name(f"{place.name}_contact_sheet.png")
    picture = attack_sheet(
        [(images.open(order[line["source"]]), place / line["file"]) for line in ordered[:12]], detector.backbone
    )
    write_atomically(sheet, _png(picture))
    return AttackSet(place, sheet, settings, tuple(ordered))


def _attacked(
    detector: Detector,
    images: ImageSet,
    attack: Attack,
    batch: Batch,
    direction: Direction,
    targets: Targets | None,
    folder: Path,
) -> list[dict[str, Any]]:
    goal = Goal(detector.score_pixels, direction, detector.scorer.differentiable)
    if targets is not None:
        goal = targets.goal(detector.backbone, batch.places)
    found = attack.run(goal, batch.pixels, batch.seeds)
    saved = _levels(found.images)
    again = torch.stack([_as_jpeg(picture) for picture in saved]).to(batch.pixels.device)
    with torch.no_grad():
        scores = {
            name: detector.score_pixels(pixels).double().tolist()
            for name, pixels in (
                ("before", batch.pixels),
                ("found", found.unrounded),
                ("after", found.images),
                ("jpeg", again),
            )
        }
    change = (found.images - batch.pixels).flatten(1).double()
    lines = []
    for row, i in enumerate(batch.places):
        name = f"{i:06d}.png"
        write_atomically(folder / name, _png(Image.fromarray(saved[row])))
        lines.append(
            {
                "file": name,
                "source": str(images.ids[i]),
                "seed": batch.seeds[row],
                "distance": float(found.distance[row]),
                "linf": float(change[row].abs().max()),
                "l2": float(change[row].norm()),
                **{key: values[row] for key, values in scores.items()},
                "zero_gradient": bool(found.zero_slopes[row]),
            }
        )
    return lines


def _levels(pixels: Tensor) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """(B, H, W, 3) grey levels."""
    return (pixels * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()


def _as_jpeg(picture: np.ndarray[Any, np.dtype[np.uint8]]) -> Tensor:
    """(3, H, W) pixels after a round trip through JPEG."""
    stream = BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=JPEG_QUALITY)
    decoded = np.array(Image.open(stream).convert("RGB"))
    return torch.from_numpy(decoded).permute(2, 0, 1).float() / 255


def _png(picture: Image.Image) -> bytes:
    stream = BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()
