"""A detector as one ONNX graph: pixels in, scores and verdicts out."""

import contextlib
import io
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from oodkit.atomic import write_atomically
from oodkit.data.image_list import Images, as_image_set
from oodkit.data.images import decode_image
from oodkit.detector.detector import Detector
from oodkit.detector.graph_scores import graph_score
from oodkit.errors import DataNotFound, InvalidInput, MissingDependency
from oodkit.scorers.unit_rows import unit_rows

if TYPE_CHECKING:
    from oodkit.evaluation.rows import Rows

TOLERANCE = 1e-4  # relative
CHECK_IMAGES = 16


def export_onnx(detector: Detector, file: str | os.PathLike[str], check: Images | None = None) -> float:
    """Write a detector as ONNX, once ONNX Runtime has given its scores on some images.

    Input: `pixels` (B, 3, size, size) float32 in [0, 1], RGB, resized and cropped but not normalised, any B. Outputs:
    `score` (B,) float64 and `ood` (B,) bool, where the score is below the threshold.

    Args:
        detector: calibrated, in fp32.
        file: to be written or replaced; left as it was where something fails.
        check: images to compare scores on, each as it is and mirrored; None for some that it was fitted on.

    Returns:
        The largest relative difference of scores found.

    Raises:
        MissingDependency: onnx, onnxscript or onnxruntime is not installed.
        InvalidInput: the scorer or backbone cannot be written as a graph, or scores differ by more than `TOLERANCE`.
        DataNotFound: no images to compare on.
    """
    _require_packages()
    if detector.calibration is None:
        raise InvalidInput("this detector has no threshold; call calibrate() first, or fit one with `oodkit fit`")
    if detector.backbone.precision != "fp32":
        raise InvalidInput(f"a graph computes in fp32, and this detector was fitted in {detector.backbone.precision}")
    graph = _Graph(detector, detector.calibration.threshold)
    pixels = _pixels(detector, check)
    path = Path(file).expanduser()
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "detector.onnx")
        _write(graph, pixels[:2], made, detector)
        difference = _difference(detector, made, pixels)
        if not difference <= TOLERANCE:
            raise InvalidInput(
                f"scores of ONNX Runtime differ by {difference:.1e} relative, more than {TOLERANCE:g}, so nothing is "
                "written; another scorer or backbone may be exact enough"
            )
        write_atomically(path, made.read_bytes())
    return difference


class _Graph(nn.Module):
    """Backbone, rows, scorer and threshold."""

    def __init__(self, detector: Detector, threshold: float) -> None:
        super().__init__()
        self._preprocessing, self._threshold = detector.backbone.preprocessing, threshold
        self._network = detector.backbone.trainable_module().eval().requires_grad_(False)
        self._rows, self._score = _rows_of(detector._rows), graph_score(detector.scorer)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:  # (B, 3, H, W) -> (B,), (B,)
        features = self._network(self._preprocessing.normalise(pixels)).float()
        score = self._score(self._rows(features)).double()
        return score, score < self._threshold


def _rows_of(rows: "Rows") -> nn.Module:
    if rows.project is not None:
        raise InvalidInput("a scorer in the joint space of images and texts cannot be written as a graph")
    steps: list[nn.Module] = [_Unit()] if rows.unit else []
    if rows.head is not None:
        head = nn.Linear(rows.head.weight.shape[1], rows.head.weight.shape[0])
        head.weight.data, head.bias.data = rows.head.weight.float().cpu(), rows.head.bias.float().cpu()
        steps += [_Unit(), head] if rows.head.unit_features else [head]
    return nn.Sequential(*steps)


class _Unit(nn.Module):
    def forward(self, rows: Tensor) -> Tensor:
        return unit_rows(rows)


def _write(graph: _Graph, example: Tensor, path: Path, detector: Detector) -> None:
    import onnx

    calibration = detector.calibration
    assert calibration is not None
    try:
        with _quiet(), torch.no_grad():
            torch.onnx.export(
                graph.requires_grad_(False),
                (example,),
                path,
                input_names=["pixels"],
                output_names=["score", "ood"],
                dynamic_shapes={"pixels": {0: torch.export.Dim("batch", min=1)}},
                dynamo=True,
                external_data=False,
                verbose=False,
            )
        model = onnx.load(path)
    except Exception as error:  # exporters fail in ways of their own
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise InvalidInput(f"{detector!r} cannot be written as a graph: {reason}") from error
    about = {
        "oodkit.threshold": repr(calibration.threshold),
        "oodkit.fpr": repr(calibration.fpr),
        "oodkit.guarantee": calibration.guarantee,
        "oodkit.backbone": detector.backbone.name,
        "oodkit.scorer": repr(detector.scorer),
        "oodkit.preprocessing": repr(detector.backbone.preprocessing),
    }
    onnx.helper.set_model_props(model, about)
    onnx.save(model, path)


def _difference(detector: Detector, path: Path, pixels: Tensor) -> float:
    """Largest relative difference of scores; verdicts follow from them."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found: list[NDArray[np.float64]] = []
    expected: list[NDArray[np.float64]] = []
    for part in torch.split(pixels, 8):
        found.append(session.run(["score"], {"pixels": part.numpy()})[0])
        with torch.inference_mode():
            features = detector.backbone.embed_pixels(part).cpu().numpy()
        expected.append(detector.score_features(features))
    ours, theirs = np.concatenate(expected), np.concatenate(found)
    return float(np.max(np.abs(ours - theirs) / np.maximum(np.abs(ours), np.finfo(np.float32).tiny)))


def _pixels(detector: Detector, check: Images | None) -> Tensor:
    """(2 N, 3, size, size): images, and the same mirrored, so that k-NN sees others than its own."""
    if check is None:
        ids = set(detector._fit_images().ids[:CHECK_IMAGES])
        images = [decode_image(data, name) for name, data in detector.fit_contents(ids)]
        if not images:
            raise DataNotFound("the images of the fit are not where they were; name some with --check to compare on")
    else:
        chosen = as_image_set(check)
        images = [chosen.open(place) for place in islice(range(len(chosen)), 1024)]
    pixels = torch.stack([detector.backbone.preprocess(image) for image in images]).contiguous()
    return torch.cat([pixels, pixels.flip(3)])


def _require_packages() -> None:
    from importlib.util import find_spec

    for package in ("onnx", "onnxscript", "onnxruntime"):
        if find_spec(package) is None:
            raise MissingDependency(f"the export needs the package {package!r}; pip install 'oodkit-vision[onnx]'")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What exporters tell their own developers is kept from users."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
