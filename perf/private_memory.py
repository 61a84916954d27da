"""Peak private memory of this process while something runs (Linux)."""

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread


def peak_private_bytes(run: Callable[[], object], every_seconds: float = 0.005) -> tuple[int, int]:
    """Anonymous resident memory before `run` and the most it rose by while it ran, by sampling, in bytes.

    Pages of memory-mapped files do not count: the system drops them when it needs the memory.
    """
    done = Event()
    before = _anonymous_bytes()
    peaks = [before]

    def watch() -> None:
        while not done.wait(every_seconds):
            peaks.append(max(peaks.pop(), _anonymous_bytes()))

    watcher = Thread(target=watch)
    watcher.start()
    try:
        run()
    finally:
        done.set()
        watcher.join()
    return before, peaks[0] - before


def _anonymous_bytes() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))
