"""Verdicts on many files at once, of which few should be false (Benjamini and Hochberg)."""

import dataclasses
import json
from array import array
from collections.abc import Generator, Iterable
from tempfile import TemporaryFile

import numpy as np
from scipy import stats

from oodkit.detector.judging import Verdict
from oodkit.detector.neighbours import Neighbour


def with_false_discovery_rate(verdicts: Iterable[Verdict], rate: float) -> Generator[Verdict, None, None]:
    """The same verdicts, `ood` where Benjamini and Hochberg's procedure over all of them flags.

    Of the flagged images at most `rate` are in-distribution, in expectation, if in-distribution images are drawn as the
    calibration images were. Verdicts wait in a temporary file, since the first depends on the last; p-values alone are
    held in memory.

    Args:
        verdicts: of all images that are judged together.
        rate: in (0, 1).

    Source: Benjamini and Hochberg, Journal of the Royal Statistical Society B 1995; for conformal p-values Bates et
    al., Annals of Statistics 2023.
    """
    p_values = array("d")
    with TemporaryFile("w+", encoding="utf-8") as waiting:
        for verdict in verdicts:
            waiting.write(json.dumps(dataclasses.asdict(verdict)) + "\n")
            if verdict.p_value is not None:
                p_values.append(verdict.p_value)
        adjusted = stats.false_discovery_control(np.array(p_values)) if p_values else np.empty(0)
        flagged = iter(adjusted <= rate)
        waiting.seek(0)
        for line in waiting:
            kept = json.loads(line)
            near = tuple(Neighbour(**one) for one in kept.pop("neighbours"))
            verdict = Verdict(**kept, neighbours=near)
            yield verdict if verdict.p_value is None else dataclasses.replace(verdict, ood=bool(next(flagged)))
