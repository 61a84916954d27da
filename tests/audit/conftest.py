"""Facts that tests make up."""

from collections.abc import Callable

import numpy as np
import pytest

from oodkit.audit.cues import CUES
from oodkit.audit.facts import Facts


@pytest.fixture
def facts() -> Callable[..., Facts]:
    """`facts(n, seed, width=..., format=...)`: facts of n images with chance cues, but those that are given."""

    def make(n: int, seed: int, format: str = "PNG", **given: object) -> Facts:
        chance = np.random.default_rng(seed)
        cues = chance.random((n, len(CUES)))
        for name, values in given.items():
            cues[:, CUES.index(name)] = values
        digests = chance.integers(0, 256, (n, 32), dtype=np.uint8)
        thumbs = chance.integers(0, 256, (n, 32, 32), dtype=np.uint8)
        return Facts(digests, np.array([format] * n), cues, thumbs)

    return make
