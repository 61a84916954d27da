"""Fetching weights from the Hugging Face hub: at once from its cache when there is no network, without noise."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from urllib.request import getproxies

from oodkit.errors import DownloadFailed, WeightsError

_NOISY = ("huggingface_hub", "timm", "root")


@contextmanager
def fetching(name: str, by_hand: str) -> Iterator[None]:
    """Turn a failed download into one line.

    Args:
        name: the backbone whose weights are fetched.
        by_hand: how to give a file instead.

    Raises:
        DownloadFailed: the weights are neither cached nor to be had.
        WeightsError: they do not fit.
    """
    from huggingface_hub import constants

    offline = constants.HF_HUB_OFFLINE
    levels = {logger: logger.level for logger in map(logging.getLogger, _NOISY)}
    try:
        for logger in levels:
            logger.setLevel(logging.CRITICAL)
        constants.HF_HUB_OFFLINE = offline or not _resolves(constants.ENDPOINT)
        yield
    except (OSError, RuntimeError) as error:
        if "state_dict" in str(error):
            fault = " ".join(str(error).split())[:200]
            raise WeightsError(f"the weights of {name} do not fit its architecture ({fault})") from error
        reason = "no network" if constants.HF_HUB_OFFLINE else " ".join(str(error).split())[:160]
        raise DownloadFailed(
            f"the weights of {name} are not in the hub's cache and could not be fetched ({reason}); "
            f"connect to the network once, or give a file as {by_hand}"
        ) from error
    finally:
        constants.HF_HUB_OFFLINE = offline
        for logger, level in levels.items():
            logger.setLevel(level)


def _resolves(url: str) -> bool:
    """Whether the host of a URL has an address here; behind a proxy that is the proxy's business."""
    if getproxies() or os.environ.get("HF_HUB_OFFLINE"):
        return True
    try:
        socket.getaddrinfo(urlsplit(url).hostname, 443)
    except OSError:
        return False
    return True
