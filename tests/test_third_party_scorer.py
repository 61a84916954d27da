"""A scorer of another package: found by its entry point, and then used like any other."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

MODULE = '''
"""A scorer that knows the middle of the data."""

from torch import Tensor

from oodkit.scorers import Scorer, Train


class Centre(Scorer):
    """Minus the distance to the mean, times a weight."""

    def __init__(self, weight: float = 1.0) -> None:
        self.weight = weight

    def _fit(self, train: Train) -> None:
        self.mean_ = train.features.mean(dim=0)

    def _score(self, x: Tensor) -> Tensor:
        return -self.weight * (x - self.mean_.to(x)).square().sum(dim=1).add(1e-12).sqrt()
'''

COMMAND = "from oodkit.cli.main import main; main()"

CONTRACT = """
import sys
import numpy as np
from oodkit.errors import InvalidInput
from oodkit.scorers import create, load, parse_params, scorers
from oodkit.testing import check_scorer

assert scorers["centre"].package == "middle 1.0"
scorer = create("centre", weight=2.0)
check_scorer(scorer)
rows = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
scorer.fit(rows).save(sys.argv[1])
loaded = load(sys.argv[1])
assert type(loaded) is type(scorer) and loaded.get_params() == {"weight": 2.0}
assert np.array_equal(loaded.score_samples(rows), scorer.score_samples(rows))
expected = -2 * np.linalg.norm(rows - rows.mean(axis=0), axis=1)
np.testing.assert_allclose(scorer.score_samples(rows), expected, rtol=1e-4)
try:
    parse_params("centre", {"wieght": "3"})
except InvalidInput as error:
    assert "did you mean 'weight'?" in str(error)
"""


@pytest.fixture
def python(tmp_path):
    """`python(*words)`: Python with the package installed, as far as it can tell."""
    site = tmp_path / "site"
    info = site / "middle-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "middle.py").write_text(MODULE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: middle\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[oodkit.scorers]\ncentre = middle:Centre\n")
    path = os.pathsep.join([str(site), str(Path(__file__).parents[1])])

    def run(*words: str) -> subprocess.CompletedProcess:
        environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
        return subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True, check=False)

    return run


def test_it_keeps_the_contract_and_comes_back_from_a_folder(python, tmp_path):
    """The registry, `create`, `check_scorer`, `save`, `load` and `parse_params` know it."""
    done = python("-c", CONTRACT, str(tmp_path / "saved"))
    assert done.returncode == 0, done.stderr


def test_it_is_listed_with_its_package(python):
    """On a line like the others."""
    done = python("-c", COMMAND, "list", "scorers", "centre")
    assert done.stdout.split() == ["centre", "from", "middle", "1.0"], done.stderr


def test_it_is_scored_by_name_with_its_parameters(python, tmp_path, photo_folder, tiny_name):
    """Text becomes a number; by hand, the score is the distance to the mean."""
    out = tmp_path / "noise"
    out.mkdir()
    for number in range(8):
        pixels = np.random.default_rng(number).integers(0, 256, (20, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(out / f"{number}.png")
    words = ["-c", COMMAND, "score", "--in", str(photo_folder), "--out", str(out), "--backbone", tiny_name]
    words += ["--device", "cpu", "--json"]
    done = python(*words, "--scorer", "centre", "--param", "centre.weight=3")
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)["results"]
    assert (result["scorer"], result["params"]) == ("centre", {"weight": 3.0})
    assert 0 <= result["auroc"] <= 1
