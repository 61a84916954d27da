"""Embedding by the workers of a Ray cluster on this machine."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from oodkit.backbones import load_backbone
from oodkit.embedding import embed

pytest.importorskip("ray", reason="the extra `ray`")

OODKIT = [sys.executable, "-c", "from oodkit.cli.main import main; main()"]

SLOW = """
import os, time
from pathlib import Path

import torch
from torch import nn

from oodkit.backbones import from_module


class Slow(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 4)

    def forward(self, pixels):
        time.sleep(float(os.environ["PAUSE"]))
        return self.fc(pixels.mean(dim=(2, 3)))


def slow():
    Path(os.environ["PIDS"], str(os.getpid())).touch()
    torch.manual_seed(0)
    return from_module(Slow(), image_size=16, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
"""


@pytest.fixture
def many(tmp_path, photograph):
    """1,100 pictures, three tasks, of which one cannot be read."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(1100):
        photograph(number, 24, 24).save(folder / f"{number:04d}.bmp")
    (folder / "0700.bmp").write_bytes(b"no image")
    return folder


def test_a_killed_worker_costs_nothing(tmp_path, many, monkeypatch):
    """Two workers, one killed midway: the run ends whole, with bit for bit the features of a single process."""
    (tmp_path / "slow.py").write_text(SLOW)
    pids = tmp_path / "pids"
    pids.mkdir()
    name = f"module:{tmp_path / 'slow.py'}:slow"
    command = [*OODKIT, "embed", str(many), "--backbone", name, "--json", "--skip-unreadable"]
    monkeypatch.setenv("PIDS", str(pids))
    monkeypatch.setenv("PAUSE", "0.5")  # a task lasts longer than another worker takes to start
    ray = subprocess.Popen(
        [*command, "--engine", "ray", "--workers", "2", "--cache", str(tmp_path / "ray")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    workers: set[int] = set()
    while ray.poll() is None and len(workers) < 2:
        workers = {int(path.name) for path in pids.iterdir()} - {ray.pid}
        time.sleep(0.05)
    time.sleep(0.3)
    os.kill(min(workers), signal.SIGKILL)
    out, errors = ray.communicate()

    assert ray.returncode == 0, errors
    (row,) = json.loads(out)["sets"]
    assert (row["images"], row["computed"], len(row["skipped"])) == (1099, 1099, 1)
    assert len({path.name for path in pids.iterdir()} - {str(ray.pid)}) == 3  # another took the place of the killed one
    monkeypatch.setenv("PAUSE", "0")
    subprocess.run([*command, "--cache", str(tmp_path / "one")], check=True, capture_output=True)
    backbone = load_backbone(name, device="cpu")
    stored = [embed(str(many), backbone, cache=tmp_path / c, skip_unreadable=True) for c in ("ray", "one")]
    assert stored[0].computed == stored[1].computed == 0
    assert stored[0].ids == stored[1].ids
    np.testing.assert_array_equal(stored[0].digests, stored[1].digests)
    np.testing.assert_array_equal(stored[0].features, stored[1].features)


def test_what_stops_a_worker_is_one_line(tmp_path, many, tiny_name):
    """An image that cannot be read is named as in one process; what was done before is kept."""
    command = [*OODKIT, "embed", str(many), "--backbone", tiny_name, "--engine", "ray"]
    found = subprocess.run(
        [*command, "--workers", "1", "--cache", str(tmp_path / "c")], capture_output=True, text=True, check=False
    )

    assert found.returncode == 2
    (line,) = [line for line in found.stderr.splitlines() if "rror" in line]
    assert "0700.bmp" in line
