"""What a server says, as its schema shows it."""

from typing import Self

from pydantic import BaseModel, Field

from oodkit.detector import Calibration, Detector, Verdict
from oodkit.serving.limits import Limits


class Near(BaseModel):
    """An in-distribution image that resembles another one."""

    id: str = Field(description="Of the image among those that the detector was fitted on.")
    cosine: float = Field(description="Of the two images' features.")


class Judged(BaseModel):
    """What the detector says of an image."""

    path: str = Field(description="The name that was sent.")
    score: float = Field(description="Higher is more in-distribution.")
    p_value: float = Field(description="How unusual the score is among in-distribution images, in (0, 1].")
    ood: bool = Field(description="Whether the score is below the threshold.")
    neighbours: list[Near] = Field(description="The fit images that it resembles most, nearest first.")


class Answer(BaseModel):
    """Verdicts, as `oodkit predict --json` prints them."""

    threshold: float = Field(description="An image with a score below it is flagged.")
    fpr: float = Field(description="Share of in-distribution images that may be flagged.")
    images: list[Judged] = Field(description="In the order in which they were sent.")

    @classmethod
    def of(cls, calibration: Calibration, verdicts: list[Verdict]) -> Self:
        """The answer that holds these verdicts."""
        images = [Judged.model_validate(verdict, from_attributes=True) for verdict in verdicts]
        return cls(threshold=calibration.threshold, fpr=calibration.fpr, images=images)


class Accepted(BaseModel):
    """What may be sent."""

    body_bytes: int
    pixels: int = Field(description="Of one image.")
    images: int = Field(description="Of one request.")


class Health(BaseModel):
    """The server works, and with what."""

    status: str = "ok"
    detector: str = Field(description="Scorer, backbone and input size.")
    threshold: float
    fpr: float
    guarantee: str = Field(description="What the threshold promises.")
    limits: Accepted

    @classmethod
    def of(cls, detector: Detector, calibration: Calibration, limits: Limits) -> Self:
        """The answer of a server that has loaded a detector."""
        return cls(
            detector=f"{detector.scorer!r} on {detector.backbone.name}, {detector.backbone.image_size} px",
            threshold=calibration.threshold,
            fpr=calibration.fpr,
            guarantee=calibration.guarantee,
            limits=Accepted(body_bytes=limits.body_bytes, pixels=limits.pixels, images=limits.images),
        )


class Refusal(BaseModel):
    """Why a request was not answered."""

    error: str = Field(description="One line.")
