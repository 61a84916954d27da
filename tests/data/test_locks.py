"""A lock between processes that ends with its holder."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from oodkit.data.locks import exclusive

pytest.importorskip("fcntl", reason="there are no such locks on this system")


def test_who_comes_second_waits_until_the_first_is_gone(tmp_path: Path) -> None:
    """However it goes: a killed process holds nothing."""
    lock = tmp_path / "lock"
    code = (
        "import sys, time; from pathlib import Path; from oodkit.data.locks import exclusive\n"
        "with exclusive(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(lock)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    got = threading.Event()

    def take() -> None:
        with exclusive(lock):
            got.set()

    waiting = threading.Thread(target=take)
    waiting.start()
    waited = not got.wait(0.2)
    holder.kill()
    waiting.join()
    holder.wait()
    holder.stdout.close()

    assert waited
    assert got.is_set()
