"""Five hundred damaged images through `oodkit predict`: each is a row, and nothing else happens."""

import io
import json

import numpy as np
import pytest

from oodkit.cli.main import run

FORMATS = {"PNG": {}, "JPEG": {}, "WEBP": {}, "GIF": {}, "TIFF": {"compression": "tiff_lzw"}, "BMP": {}, "PPM": {}}


@pytest.fixture
def damaged(tmp_path, photograph):
    """A folder of 500 files: bytes flipped, cut, doubled, zeroed; heads of other formats; extensions at random."""
    rng = np.random.default_rng(0)
    whole = []
    for number, (name, options) in enumerate(FORMATS.items()):
        stream = io.BytesIO()
        photograph(number, 40, 30).save(stream, name, **options)
        whole.append(stream.getvalue())
    folder = tmp_path / "damaged"
    folder.mkdir()
    for number in range(500):
        content = bytearray(whole[number % len(whole)])
        other = whole[int(rng.integers(len(whole)))]
        for _ in range(int(rng.integers(1, 4))):
            place, length = int(rng.integers(len(content))), int(rng.integers(1, 40))
            match int(rng.integers(6)):
                case 0:
                    content[place] ^= 1 << int(rng.integers(8))
                case 1:
                    del content[place:]
                case 2:
                    content[place:place] = content[place : place + length]
                case 3:
                    content[place : place + length] = bytes(length)
                case 4:
                    content[:length] = other[:length]
                case 5:
                    content[min(place, 30)] = int(rng.integers(256))
            content = content or bytearray(b"\0")
        (folder / f"{number:03d}.{rng.choice(['png', 'jpg', 'webp', 'gif', 'tif'])}").write_bytes(content)
    return folder


def test_each_is_a_row_and_the_run_goes_on(damaged, many_photos, tiny_name, tmp_path, capsys):
    """With a score or one line of error; no traceback, and the page and the table have them too."""
    target, page, table = tmp_path / "detector", tmp_path / "page.html", tmp_path / "t.parquet"
    assert run(["fit", "--in", str(many_photos), "--backbone", tiny_name, "--to", str(target)]) == 0
    capsys.readouterr()
    files = ["--html", str(page), "--parquet", str(table)]
    assert run(["predict", str(target), str(damaged), "-b", tiny_name, "--json", *files]) == 1
    captured = capsys.readouterr()
    rows = json.loads(captured.out)["images"]
    assert len(rows) == 500
    errors = [row["error"] for row in rows if "error" in row]
    assert 100 < len(errors) < 400
    for error in errors:
        assert error.startswith("cannot read image")
        assert "\n" not in error
    assert "Traceback" not in captured.err
    assert f"{len(errors)} images cannot be read" in page.read_text()
