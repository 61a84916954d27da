"""How well a detector tells sets apart while somebody moves their images."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from oodkit.attacks import create_attack
from oodkit.attacks.base import Attack
from oodkit.attacks.goal import Goal
from oodkit.data.image_set import ImageSet
from oodkit.detector import Detector
from oodkit.errors import InvalidInput
from oodkit.metrics import summarise
from oodkit.progress import Advance, progress
from oodkit.robustness.batches import batches
from oodkit.robustness.doubts import Found, doubts
from oodkit.robustness.manifest import Manifest, detector_settings
from oodkit.robustness.radius import make_ball

CLEAN, WORST = "clean", "worst"
SIDES = ("out", "in", "both")
_DIRECTION = {"out": "out2in", "in": "in2out"}
BATCH = 16
SCORES = "scores.jsonl"


@dataclass(frozen=True)
class RobustResult:
    """One cell: an attack, a radius and the side that is attacked.

    Attributes:
        attack: name of the attack, "clean" for none, "worst" for the worst of all attacks image by image.
        eps: radius in pixels of [0, 1]; 0 for none.
        side: "out" where OOD images are raised, "in" where in-images are lowered, "both"; "none" for clean.
        auroc: fraction.
        auroc_ci: its 95 % interval.
        fpr95: share of OOD images accepted where 95 % of the in-images are.
        shift: mean change of the attacked scores toward the attacker's aim, in standard deviations of the clean
            in-scores.
    """

    attack: str
    eps: float
    side: str
    auroc: float
    auroc_ci: tuple[float, float]
    fpr95: float
    shift: float


@dataclass(frozen=True)
class Robustness:
    """All cells of a detector and a pair.

    Attributes:
        in_: name of the in-set.
        out: name of the out-set.
        backbone: name.
        scorer: its text.
        norm: of the ball.
        n_in: number of in-images.
        n_out: number of OOD images.
        results: the cells; the clean one first.
        doubts: what may make these figures better than the detector is.
        scores: by (attack, eps, side "in" or "out"), of each image.
    """

    in_: str
    out: str
    backbone: str
    scorer: str
    norm: str
    n_in: int
    n_out: int
    results: tuple[RobustResult, ...]
    doubts: tuple[str, ...]
    scores: Mapping[tuple[str, float, str], NDArray[np.float64]] = field(repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """All but the scores, for JSON."""
        return {key: value for key, value in asdict(self).items() if key != "scores"}


def evaluate_robustness(
    detector: Detector,
    in_images: ImageSet,
    out_images: ImageSet,
    attacks: Sequence[str] = ("pgd", "apgd"),
    eps: Sequence[float] = (2 / 255, 8 / 255),
    *,
    norm: str = "linf",
    sides: Sequence[str] = SIDES,
    params: Mapping[str, Mapping[str, Any]] | None = None,
    seed: int = 0,
    draws: int = 1,
    batch_size: int = BATCH,
    folder: str | os.PathLike[str] | None = None,
) -> Robustness:
    """AUROC and FPR95 clean, and under attacks of one side or both, for a list of radii.

    Each image counts with its score after rounding to 8 bits; a moved image never counts as less of a success than the
    one it came from. With several attacks, "worst" takes for each image the attack that did most.

    Args:
        detector: fitted.
        in_images: in-distribution images that it was not fitted on.
        out_images: OOD images.
        attacks: names, such as "pgd" or "torchattacks:PGD".
        eps: radii in pixels of [0, 1].
        norm: "linf" or "l2".
        sides: which of "out", "in" and "both" are attacked.
        params: parameters by attack, such as {"pgd": {"steps": 100}}.
        seed: of the attacks' draws.
        draws: scores averaged in each evaluation, for a detector that draws at random.
        batch_size: images that are attacked at once.
        folder: where the score of each image is kept as it is found, so that a run that was broken off, or is asked for
            more attacks or radii, goes on from there; None to keep nothing.

    Raises:
        InvalidInput: an unknown attack, side or norm, a radius out of range, an attack that cannot be used on the
            scorer, or a folder that holds something else.
    """
    check_sides(sides)
    if not attacks or not eps or not sides:
        raise InvalidInput("robustness needs at least one attack, one eps and one side")
    radii = sorted(set(eps))
    made = {
        (name, r): create_attack(name, make_ball(norm, r), **(params or {}).get(name, {}))
        for name in attacks
        for r in radii
    }
    moved = [side for side in ("out", "in") if side in sides or "both" in sides]
    sets = {"in": in_images, "out": out_images}
    scores: dict[tuple[str, float, str], NDArray[np.float64]] = {}
    for side, images in sets.items():
        scores[CLEAN, 0.0, side] = _clean(detector, images, batch_size, seed, draws)
    found: list[Found] = []
    kept = None if folder is None else _kept(Path(folder), detector, sets, seed, draws)
    with progress("attacking", sum(len(sets[side]) for side in moved) * len(made)) as advance:
        for side in moved:
            for (name, radius), attack in made.items():
                goal = Goal(detector.score_pixels, _DIRECTION[side], detector.scorer.differentiable, draws)  # type: ignore[arg-type]
                cell = _attacked(detector, sets[side], attack, goal, side, batch_size, seed, kept, advance)
                found.append(Found(name, radius, side, **cell))
                scores[name, radius, side] = found[-1].scores
    worst = _worst(scores, list(attacks), radii, moved)
    again = _clean(detector, sets["out"], batch_size, seed, draws)
    results = _results(scores | worst, [*dict.fromkeys(attacks)], radii, sides)
    return Robustness(
        in_=in_images.name,
        out=out_images.name,
        backbone=detector.backbone.name,
        scorer=repr(detector.scorer),
        norm=norm,
        n_in=len(in_images),
        n_out=len(out_images),
        results=tuple(results),
        doubts=tuple(doubts(found, scores[CLEAN, 0.0, "in"], scores[CLEAN, 0.0, "out"], again, draws)),
        scores=scores | worst,
    )


def check_sides(sides: Sequence[str]) -> None:
    """Refuse what is no side; raises InvalidInput."""
    for side in sides:
        if side not in SIDES:
            raise InvalidInput(f"sides are {', '.join(SIDES)}, got {side!r}")


def _clean(detector: Detector, images: ImageSet, batch_size: int, seed: int, draws: int) -> NDArray[np.float64]:
    goal = Goal(detector.score_pixels, draws=draws)
    with torch.no_grad():
        parts = [goal(b.pixels).double().cpu().numpy() for b in batches(images, detector.backbone, batch_size, seed)]
    return np.concatenate(parts)


def _kept(path: Path, detector: Detector, sets: Mapping[str, ImageSet], seed: int, draws: int) -> Manifest:
    prints = {f"{side}-images": images.fingerprint for side, images in sets.items()}
    return Manifest(path / SCORES, detector_settings(detector) | prints | {"seed": seed, "draws": draws})


def _attacked(
    detector: Detector,
    images: ImageSet,
    attack: Attack,
    goal: Goal,
    side: str,
    batch_size: int,
    seed: int,
    kept: Manifest | None,
    advance: Advance,
) -> dict[str, Any]:
    about = {"attack": repr(attack), "side": side}
    earlier = [] if kept is None else [line for line in kept.lines if about.items() <= line.items()]
    done = {line["image"]: line for line in earlier}
    left = [i for i, identifier in enumerate(images.ids) if str(identifier) not in done]
    advance(len(images) - len(left))
    for batch in batches(images, detector.backbone, batch_size, seed, left):
        one = attack.run(goal, batch.pixels, batch.seeds)
        new = [
            about | {"image": str(images.ids[i]), "score": score, "zero_gradient": zero, "calls": one.calls}
            for i, score, zero in zip(batch.places, one.after.double().tolist(), one.zero_slopes.tolist(), strict=True)
        ]
        done |= {line["image"]: line for line in new}
        if kept is not None:
            kept.add(new)
        advance(len(batch.places))
    lines = [done[str(identifier)] for identifier in images.ids]
    return {
        "scores": np.array([line["score"] for line in lines]),
        "zero_slopes": float(np.mean([line["zero_gradient"] for line in lines])),
        "calls": lines[0]["calls"],
        "white_box": attack.white_box,
    }


def _worst(
    scores: Mapping[tuple[str, float, str], NDArray[np.float64]],
    attacks: list[str],
    radii: list[float],
    moved: list[str],
) -> dict[tuple[str, float, str], NDArray[np.float64]]:
    """The attacker's best of all attacks, image by image."""
    best = {"out": np.maximum, "in": np.minimum}
    return {
        (WORST, radius, side): best[side].reduce([scores[name, radius, side] for name in attacks])
        for radius in radii
        for side in moved
    }


def _results(
    scores: Mapping[tuple[str, float, str], NDArray[np.float64]],
    attacks: list[str],
    radii: list[float],
    sides: Sequence[str],
) -> list[RobustResult]:
    clean = {side: scores[CLEAN, 0.0, side] for side in ("in", "out")}
    spread = float(clean["in"].std()) or 1.0
    results = [_result(CLEAN, 0.0, "none", clean["in"], clean["out"], 0.0)]
    names = [*attacks, WORST] if len(attacks) > 1 else attacks
    for name in names:
        for radius in radii:
            for side in sides:
                both = {s: scores[name, radius, s] if side in (s, "both") else clean[s] for s in ("in", "out")}
                moves = [
                    sign * (both[s] - clean[s]).mean() for s, sign in (("out", 1), ("in", -1)) if side in (s, "both")
                ]
                results.append(_result(name, radius, side, both["in"], both["out"], float(np.mean(moves)) / spread))
    return results


def _result(
    name: str, radius: float, side: str, in_scores: NDArray[np.float64], out_scores: NDArray[np.float64], shift: float
) -> RobustResult:
    summary = summarise(in_scores, out_scores)
    return RobustResult(name, radius, side, summary.auroc, summary.auroc_ci, summary.fpr95_in, shift)
