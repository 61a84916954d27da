"""Decoding: every kind of image a folder may hold becomes 8-bit RGB, or one line that says why not."""

import struct
import subprocess
import sys
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from oodkit.data.images import decode_image
from oodkit.errors import UnreadableImage

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (6, 9, 3), dtype=np.uint8)
GREY = RNG.integers(0, 256, (6, 9), dtype=np.uint8)


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def decoded(data: bytes) -> NDArray[np.uint8]:
    image = decode_image(data, "some.image")
    assert image.mode == "RGB"
    return np.asarray(image)


def png_with_header(width: int, height: int) -> bytes:
    """A tiny file that claims to be large."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_rgb_comes_back_as_it_was(kind: str) -> None:
    """Pixels of a lossless format are unchanged."""
    np.testing.assert_array_equal(decoded(encode(Image.fromarray(RGB), kind)), RGB)


def test_lossless_webp_comes_back_as_it_was() -> None:
    """WebP is read."""
    np.testing.assert_array_equal(decoded(encode(Image.fromarray(RGB), "WEBP", lossless=True)), RGB)


def test_grey_gets_three_equal_channels() -> None:
    """8-bit grey keeps its values."""
    np.testing.assert_array_equal(decoded(encode(Image.fromarray(GREY), "PNG")), np.dstack([GREY] * 3))


def test_one_bit_is_black_and_white() -> None:
    """1-bit images become 0 and 255."""
    bits = GREY > 127
    expected = np.dstack([bits * np.uint8(255)] * 3)
    np.testing.assert_array_equal(decoded(encode(Image.fromarray(bits), "PNG")), expected)


@pytest.mark.parametrize("colours", ["RGB", "L"])
def test_alpha_is_dropped_and_not_blended(colours: str) -> None:
    """Transparent pixels keep the colour that is stored for them."""
    opaque = Image.fromarray(RGB).convert(colours)
    image = opaque.copy()
    image.putalpha(Image.fromarray(GREY))
    np.testing.assert_array_equal(decoded(encode(image, "PNG")), np.asarray(opaque.convert("RGB")))


@pytest.mark.parametrize("transparency", [None, 3, bytes(range(0, 256, 4))], ids=["opaque", "index", "table"])
def test_a_palette_is_looked_up(transparency: int | bytes | None) -> None:
    """Palette images become the palette's colours, transparent or not, and without a warning."""
    palette = Image.fromarray(RGB).quantize(16)
    options = {} if transparency is None else {"transparency": transparency}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pixels = decoded(encode(palette, "PNG", **options))
    np.testing.assert_array_equal(pixels, np.asarray(palette.convert("RGB")))


def test_cmyk_jpeg_is_converted_as_pillow_does() -> None:
    """CMYK needs no profile: cyan, magenta, yellow and black are subtracted."""
    data = encode(Image.fromarray(RGB).convert("CMYK"), "JPEG", quality=95)
    np.testing.assert_array_equal(decoded(data), np.asarray(Image.open(BytesIO(data)).convert("RGB")))
    white = Image.new("CMYK", (8, 8), (0, 0, 0, 0))
    assert decoded(encode(white, "JPEG")).min() == 255


def test_16_bit_grey_is_clipped_as_pillow_does_and_a_warning_says_so() -> None:
    """Values above 255 turn white, as Pillow's own conversion makes them; the user is told."""
    deep = np.array([[0, 100, 255, 256, 65535]], dtype=np.uint16)
    data = encode(Image.fromarray(deep), "PNG")
    with pytest.warns(UserWarning, match="clipped"):
        pixels = decoded(data)
    np.testing.assert_array_equal(pixels[0, :, 0], [0, 100, 255, 255, 255])
    np.testing.assert_array_equal(pixels, np.asarray(Image.open(BytesIO(data)).convert("RGB")))


def test_16_bit_grey_that_fits_in_8_bits_is_no_cause_for_a_warning() -> None:
    """Nothing is lost, so nothing is said."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pixels = decoded(encode(Image.fromarray(GREY.astype(np.uint16)), "PNG"))
    np.testing.assert_array_equal(pixels, np.dstack([GREY] * 3))


def test_floats_up_to_one_are_warned_of() -> None:
    """A float image in [0, 1] turns black, and the user is told."""
    with pytest.warns(UserWarning, match="clipped"):
        pixels = decoded(encode(Image.fromarray(np.full((4, 4), 0.9, dtype=np.float32)), "TIFF"))
    assert pixels.max() == 0


def test_16_bit_colour_keeps_its_high_bytes() -> None:
    """A 16-bit RGB PNG is reduced to 8 bits, not clipped."""
    rows = (RGB.astype(">u2") * 256 + 77).astype(">u2")
    raw = b"".join(b"\0" + row.tobytes() for row in rows)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 9, 6, 16, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    np.testing.assert_array_equal(decoded(data), RGB)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_exif_orientation_is_applied_once(kind: str, orientation: int) -> None:
    """Each of the eight orientations is undone; what comes back has none left to apply again."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(Image.fromarray(RGB), kind, exif=exif)
    image = decode_image(data, "turned")
    expected = ImageOps.exif_transpose(Image.open(BytesIO(data)))
    np.testing.assert_array_equal(np.asarray(image), np.asarray(expected))
    np.testing.assert_array_equal(np.asarray(ImageOps.exif_transpose(image)), np.asarray(image))


def test_orientation_six_turns_the_top_row_to_the_right_edge() -> None:
    """6 is stored lying on its left side: shown, the stored first row is the right column."""
    exif = Image.Exif()
    exif[0x0112] = 6
    shown = decoded(encode(Image.fromarray(RGB), "PNG", exif=exif))
    assert shown.shape == (9, 6, 3)
    np.testing.assert_array_equal(shown[:, -1], RGB[0])


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("exif", [b"Exif\0\0nonsense", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0", bytes(range(40))])
def test_damaged_exif_does_not_lose_the_image(exif: bytes) -> None:
    """Pixels are sound, so the image is read as it is stored."""
    plain = encode(Image.fromarray(RGB), "JPEG")
    np.testing.assert_array_equal(decoded(encode(Image.fromarray(RGB), "JPEG", exif=exif)), decoded(plain))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_is_taken(kind: str) -> None:
    """An animated GIF, WebP or PNG and a TIFF of many pages give their first frame."""
    red, blue = Image.new("RGB", (8, 8), (255, 0, 0)), Image.new("RGB", (8, 8), (0, 0, 255))
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encode(red, kind, save_all=True, append_images=[blue], **options)
    np.testing.assert_array_equal(decoded(data), np.asarray(red))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "PPM"])
def test_one_pixel_is_an_image(kind: str) -> None:
    """A 1x1 image is read like any other."""
    assert decoded(encode(Image.new("RGB", (1, 1), (255, 255, 255)), kind)).tolist() == [[[255, 255, 255]]]


BROKEN = {
    "zero bytes": (b"", "empty"),
    "html": (b"\n <!DOCTYPE html><html><body>404</body></html>", "HTML"),
    "text": (b"not an image at all", "format"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "format"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "format"),
    "header only": (b"\x89PNG\r\n\x1a\n", "cannot read"),
    "a jpeg's first bytes": (b"\xff\xd8\xff\xe0\0\x10JFIF", "cannot read"),
    "a png that claims a billion pixels": (png_with_header(40_000, 40_000), "pixels"),
    "a png just above the limit": (png_with_header(10_000, 10_000), "pixels"),
}


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_image_is_one_line_with_name_and_reason(case: str) -> None:
    """No traceback of a decoder: the name, why, and nothing of Python's objects."""
    data, reason = BROKEN[case]
    with pytest.raises(UnreadableImage, match=reason) as caught:
        decode_image(data, "cats/one.jpg")
    message = str(caught.value)
    assert "'cats/one.jpg'" in message
    assert len(message.splitlines()) == 1
    assert "BytesIO" not in message


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "PPM"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_truncated_image_is_refused(kind: str, share: float) -> None:
    """Half an image is not an image, in any format."""
    data = encode(Image.fromarray(RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)), kind)
    with pytest.raises(UnreadableImage, match=r"cannot read image 'cut'"):
        decode_image(data[: int(len(data) * share)], "cut")


def test_bytes_changed_at_random_give_an_image_or_unreadable_image() -> None:
    """Whatever decoders do on damaged bytes, only UnreadableImage gets out."""
    for kind in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"):
        sound = encode(Image.fromarray(RGB), kind)
        for _ in range(60):
            data = bytearray(sound)
            for place in RNG.integers(0, len(data), 4):
                data[place] = RNG.integers(0, 256)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    image = decode_image(bytes(data), "damaged")
                except UnreadableImage:
                    continue
            assert image.mode == "RGB"


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_the_limit_of_pixels_is_pillows_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """An image above PIL.Image.MAX_IMAGE_PIXELS is refused, at the limit it is read, and None lifts it."""
    data = encode(Image.fromarray(RGB), "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 54)
    assert decoded(data).shape == (6, 9, 3)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 53)
    with pytest.raises(UnreadableImage, match="9 x 6 pixels is above the limit of 53"):
        decode_image(data, "large")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert decoded(data).shape == (6, 9, 3)


def test_a_lower_limit_of_pixels_can_be_set() -> None:
    """At it an image is read, above it refused."""
    data = encode(Image.fromarray(RGB), "PNG")
    assert decode_image(data, "small", max_pixels=54).size == (9, 6)
    with pytest.raises(UnreadableImage, match="9 x 6 pixels is above the limit of 53"):
        decode_image(data, "large", max_pixels=53)


def test_the_first_images_may_be_read_by_many_threads() -> None:
    """No image is taken for unreadable because another thread is still loading Pillow's formats."""
    data = encode(Image.fromarray(RGB), "WEBP")
    code = f"""
import threading
from concurrent.futures import ThreadPoolExecutor
from oodkit.data.images import decode_image
gate = threading.Barrier(8)
def read(i):
    gate.wait()
    return decode_image({data!r}, str(i)).size
with ThreadPoolExecutor(8) as pool:
    print(set(pool.map(read, range(8))))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "{(9, 6)}", done.stderr


def test_threads_read_the_same_pixels() -> None:
    """Decoding in threads gives what decoding alone gives."""
    data = [encode(Image.fromarray(np.roll(RGB, i, axis=0)), "PNG") for i in range(6)]
    with ThreadPoolExecutor(4) as pool:
        pixels = list(pool.map(decoded, data * 20))
    for i, found in enumerate(pixels):
        np.testing.assert_array_equal(found, np.roll(RGB, i % 6, axis=0))
