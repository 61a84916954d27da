"""What several tests of data sets need."""

from collections.abc import Iterator

import pytest

from tests.data.web import Web, serving


@pytest.fixture
def web() -> Iterator[Web]:
    """A web server on this machine."""
    with serving() as server:
        yield server
