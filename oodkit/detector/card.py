"""What a person should know of a saved detector, as a page beside it."""

from collections.abc import Iterable, Mapping
from typing import Any


def model_card(about: Mapping[str, Any], scorer: str, notes: Iterable[str]) -> str:
    """A page in Markdown.

    Args:
        about: the detector's description as it is saved.
        scorer: its text.
        notes: what the user should know of the fit.
    """
    backbone, calibration = about["backbone"], about["calibration"]
    count = "" if about["fit_images"] is None else f"{about['fit_images']:,} images of "
    lines = [
        "# Out-of-distribution detector",
        "",
        f"- Backbone: `{backbone['name']}`, {backbone['image_size']} px, {backbone['precision']}, "
        f"fingerprint `{backbone['fingerprint']}`",
        f"- Scorer: `{scorer}`",
        f"- Fitted on: {count}`{about['train'] or 'features'}`, fingerprint `{about['fitted_on']}`",
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
    if listed := [f"- {note}" for note in notes]:
        lines += ["", "## Notes", "", *listed]
    return "\n".join(lines) + "\n"
