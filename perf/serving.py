"""Requests per second and latency of `oodkit serve` beside the bare forward of the same images in the same run.

Run: python perf/serving.py [--requests N] [--repeats N] [--callers N ...] [--data-root DIR]

The server runs in a process of its own, on 127.0.0.1 alone; a request is a form with one JPEG of 500 x 375, quality 90.
Callers keep their connections and ask again as soon as they are answered; each level ends after N requests. The bare
forward is that of pixels that are ready, in the threads and batches of `oodkit predict`. Callers use the same cores.
"""

import argparse
import http.client
import io
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from urllib.parse import urlsplit

import numpy as np
from photographs import photographs
from PIL import Image
from pipeline import network_alone
from surroundings import surroundings

from oodkit import Detector, load_backbone
from oodkit.backbones.preprocessing import pixels_of

IMAGES = 64
SECONDS = 60  # the longest that a request may take


def main(requests: int, repeats: int, levels: list[int], data_root: Path | None) -> None:
    images, kind = photographs(IMAGES + 100, 500, 375, data_root)
    backbone = load_backbone().load()
    pixels = backbone.preprocessing.fit([pixels_of(image) for image in images[:IMAGES]])
    bodies = [form(image) for image in images[:IMAGES]]
    print(surroundings("fastapi", "uvicorn"))
    print(f"efficientnet_lite0, knn, {kind}, {requests} requests a level, {repeats} alternating repeats")
    with tempfile.TemporaryDirectory() as folder:
        detector = Detector(backbone, "knn", cache=f"{folder}/store").fit(images[IMAGES:], hold_out=0.2).calibrate()
        detector.save(f"{folder}/detector")
        with server(f"{folder}/detector") as address:
            found: dict[int, list[tuple[float, float, float]]] = {level: [] for level in levels}
            alone: list[float] = []
            ask_all(address, bodies, 2 * IMAGES, 8)  # warm
            for _ in range(repeats):
                start = perf_counter()
                for _ in range(max(1, requests // IMAGES)):
                    network_alone(backbone, pixels)
                alone.append(max(1, requests // IMAGES) * IMAGES / (perf_counter() - start))
                for level in levels:
                    found[level].append(ask_all(address, bodies, requests, level))
    print(f"bare forward: {median(alone):.1f} images/s ({min(alone):.1f} to {max(alone):.1f})")
    print(f"{'callers':>7}  {'requests/s':<22} {'of bare forward':<16} {'p50 ms':>7} {'p99 ms':>7}")
    for level, rows in found.items():
        rate, half, most = (median(column) for column in zip(*rows, strict=True))
        rates = [row[0] for row in rows]
        shares = median(row[0] / bare for row, bare in zip(rows, alone, strict=True))
        spread = f"{rate:.1f} ({min(rates):.1f} to {max(rates):.1f})"
        print(f"{level:>7}  {spread:<22} {shares:<16.2f} {half:>7.0f} {most:>7.0f}")


def ask_all(address: str, bodies: list[bytes], requests: int, callers: int) -> tuple[float, float, float]:
    """Requests per second, and the median and 99th percentile of latency in milliseconds."""

    def call(first: int) -> list[float]:
        place = urlsplit(address)
        assert place.hostname == "127.0.0.1"
        line = http.client.HTTPConnection(place.hostname, place.port, timeout=SECONDS)
        taken = []
        for number in range(first, requests, callers):
            start = perf_counter()
            line.request("POST", "/predict", bodies[number % len(bodies)], HEADERS)
            answer = line.getresponse()
            text = answer.read()
            assert answer.status == 200, text
            taken.append(perf_counter() - start)
        line.close()
        return taken

    start = perf_counter()
    with ThreadPoolExecutor(callers) as pool:
        taken = [seconds for part in pool.map(call, range(callers)) for seconds in part]
    whole = perf_counter() - start
    half, most = np.percentile(taken, [50, 99])
    return requests / whole, 1000 * half, 1000 * most


HEADERS = {"Content-Type": "multipart/form-data; boundary=edge"}


def form(image: Image.Image) -> bytes:
    """The body of a request with one JPEG."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    head = b'--edge\r\nContent-Disposition: form-data; name="images"; filename="photo.jpg"\r\n\r\n'
    return head + file.getvalue() + b"\r\n--edge--\r\n"


@contextmanager
def server(folder: str) -> Iterator[str]:
    """The address of a server that runs while the block does."""
    program = [sys.executable, "-c", "from oodkit.cli.main import main; main()", "serve", folder, "--port", "0"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            if not address:
                raise SystemExit("the server did not start; run `oodkit serve` to see why")
            yield address
        finally:
            process.send_signal(signal.SIGTERM)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 4, 16, 64])
    parser.add_argument("--data-root", type=Path)
    arguments = parser.parse_args()
    main(arguments.requests, arguments.repeats, arguments.callers, arguments.data_root)
