"""A saved detector behind HTTP: verdicts for images that are sent, many callers at once."""

# ruff: noqa: E402 - what is missing is said before anything fails for the want of it

from importlib.util import find_spec

from oodkit.errors import MissingDependency

for package in ("fastapi_offline", "prometheus_client", "python_multipart", "uvicorn"):
    if find_spec(package) is None:
        raise MissingDependency(f"serving needs the package {package!r}; pip install 'oodkit-vision[serve]'")

from oodkit.serving.app import create_app
from oodkit.serving.limits import Limits

__all__ = ["Limits", "create_app"]
