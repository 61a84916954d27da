"""What a person should know of a saved detector, as a page beside it."""

from collections.abc import Iterable, Mapping
from typing import Any

from oodkit.detector.comparison import Comparison
from oodkit.detector.origin import Origin


def model_card(about: Mapping[str, Any], scorer: str, notes: Iterable[str]) -> str:
    """A page in Markdown.

    Args:
        about: the detector's description as it is saved.
        scorer: its text.
        notes: what the user should know of the fit.
    """
    backbone, calibration = about["backbone"], about["calibration"]
    count = "" if about["fit_images"] is None else f"{about['fit_images']:,} images of "
    origin = None if about["fitted_on"] is None else Origin.from_dict(about["fitted_on"])
    lines = [
        "# Out-of-distribution detector",
        "",
        f"- Backbone: `{backbone['name']}`, {backbone['image_size']} px, {backbone['precision']}, "
        f"fingerprint `{backbone['fingerprint']}`",
        f"- Scorer: `{scorer}`",
        *_origin(origin, count),
        f"- Libraries: {', '.join(f'{name} {version}' for name, version in about['libraries'].items())}",
        "",
        "## Threshold",
        "",
    ]
    if calibration is None:
        lines.append("Not calibrated: it gives scores, and no verdicts.")
    else:
        guarantee = calibration["guarantee"]
        lines += [
            f"An image with a score below {calibration['threshold']!r} is flagged as OOD.",
            "",
            f"Guarantee: {guarantee}. Calibrated on {calibration['source']}, which the scorer was not fitted on.",
            "",
            "It holds for in-distribution images that are drawn as the calibration images were. It says nothing about",
            "how many OOD images are found, and a new camera, source or way of saving images can raise the share that",
            "is flagged: watch that share on images known to be in-distribution.",
        ]
    if origin is not None and origin.comparison is not None:
        lines += ["", "## How it was chosen", "", *_comparison(origin.comparison)]
    if listed := [f"- {note}" for note in notes]:
        lines += ["", "## Notes", "", *listed]
    return "\n".join(lines) + "\n"


def _origin(origin: Origin | None, count: str) -> list[str]:
    if origin is None:
        return ["- Fitted on: features"]
    lines = [f"- Fitted on: {count}`{origin.images}`, fingerprint `{origin.fingerprint}`"]
    if origin.kinds is not None:
        lines.append(f"- Their files: {origin.kinds} (of {origin.kinds.images:,} looked at)")
    if origin.averaged:
        names = ", ".join(origin.averaged)
        lines.append(f"- Each of these stands for the mean of its features and of its views {names}")
    return [*lines, f"- Classes: {origin.classes or 'none used'}"]


def _comparison(comparison: Comparison) -> list[str]:
    rows = [
        f"| `{one.scorer}` | `{one.backbone}` | {100 * one.mean:.2f} | {100 * one.spread:.2f} |"
        for one in comparison.candidates
    ]
    left_out = [f"- `{name}` was left out: {reason}" for name, reason in comparison.left_out.items()]
    heads = ["| scorer | backbone | mean AUROC, % | standard deviation over folds |", "| --- | --- | --- | --- |"]
    doubt = [] if comparison.doubt is None else ["", f"Doubt: {comparison.doubt}."]
    return [*heads, *rows, "", f"It is {comparison.caution}.", *doubt, *([""] if left_out else []), *left_out]
