"""What an audit of a pair found."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from oodkit.audit.baselines import Baseline
from oodkit.audit.class_names import SharedClass


@dataclass(frozen=True)
class NearDuplicate:
    """Two images that are nearly the same picture.

    Attributes:
        in_id: id of the in-set's test image.
        other_id: id of the image in the out-set or in the fit split.
        in_digest: SHA-256 (hex) of the in-image's encoded content.
        other_digest: the same of the other image.
        correlation: of the grey values of both at 32 x 32 pixels.
        detail: the same of what is finer than a blur by 2 pixels.
        mirrored: whether one is the mirror image of the other.
        identical: whether both files hold the same bytes.
    """

    in_id: str
    other_id: str
    in_digest: str
    other_digest: str
    correlation: float
    detail: float
    mirrored: bool
    identical: bool


@dataclass(frozen=True)
class Audit:
    """What may mislead in the comparison of an in-set and an out-set. All figures are fractions, not per cent.

    Attributes:
        in_: name of the in-set.
        out: name of the out-set.
        n_in: number of in-images tested.
        n_out: number of out-images.
        n_fit: number of images of the fit split; 0 where there was none to compare with.
        source_resolution: what shorter side, in pixels, both sets were shrunk to first; None for none.
        smaller: how many images of both sets are smaller than that, and stayed as they are.
        baselines: AUROC of trivial cues, the strongest first.
        in_out: near-duplicates between the in-set's test images and the out-set, the most alike first.
        in_fit: near-duplicates between the in-set's test images and its fit split.
        shared_classes: classes that both sets have by name.
        notes: what a reader should know beside, one line each.
        provenance: content hashes, thresholds and the backbone whose features helped to find near-duplicates.
    """

    in_: str
    out: str
    n_in: int
    n_out: int
    n_fit: int
    source_resolution: int | None
    smaller: int
    baselines: tuple[Baseline, ...]
    in_out: tuple[NearDuplicate, ...]
    in_fit: tuple[NearDuplicate, ...]
    shared_classes: tuple[SharedClass, ...]
    notes: tuple[str, ...]
    provenance: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "Audit":
        """The audit that `to_dict` was called on."""
        values = {field.name: given[field.name] for field in fields(cls)}
        kinds: dict[str, Any] = {
            "baselines": Baseline,
            "in_out": NearDuplicate,
            "in_fit": NearDuplicate,
            "shared_classes": SharedClass,
        }
        for name, kind in kinds.items():
            values[name] = tuple(kind(**item) for item in values[name])
        return cls(**{**values, "notes": tuple(values["notes"])})

    @property
    def same_resolution(self) -> bool:
        """Whether both sets were brought to one source resolution, so that their files' sizes no longer matter."""
        return self.source_resolution is not None and self.smaller == 0

    def excluded(self) -> dict[str, tuple[str, str]]:
        """Images that a count should leave out: set ("in" or "out") and id by SHA-256 (hex) of their content.

        Of a pair of near-duplicates between in- and out-set both, since either may be labelled wrongly; of one
        between test and fit split the test image.
        """
        found = {pair.in_digest: ("in", pair.in_id) for pair in (*self.in_out, *self.in_fit)}
        for pair in self.in_out:
            found.setdefault(pair.other_digest, ("out", pair.other_id))
        return found
