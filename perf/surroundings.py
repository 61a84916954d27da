"""What a measurement ran on, in one line."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import torch


def surroundings(*packages: str) -> str:
    """Versions, processor, threads, and how busy the machine was before."""
    versions = ", ".join(f"{package} {version(package)}" for package in ("torch", *packages))
    load = f", load {os.getloadavg()[0]:.1f} before" if hasattr(os, "getloadavg") else ""
    return f"{versions}; {_processor()}, {torch.get_num_threads()} threads{load}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.processor())
