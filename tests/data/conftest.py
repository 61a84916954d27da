"""What several tests of data sets need."""

from collections.abc import Iterator

import pytest

from tests.data.web import Web, serving


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever proxy is set for the outside, this machine is asked directly."""
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def web() -> Iterator[Web]:
    """A web server on this machine."""
    with serving() as server:
        yield server
