"""Near-duplicates side by side in one picture."""

from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw

from oodkit.audit.audit import NearDuplicate
from oodkit.data.image_set import ImageSet

MOST_PAIRS = 60
_CELL, _GAP, _LINE, _COLUMNS = 112, 10, 14, 4


def contact_sheet(
    pairs: Sequence[NearDuplicate], in_images: ImageSet, others: ImageSet, most: int = MOST_PAIRS
) -> Image.Image:
    """The first pairs, four a row: the in-image on the left, the other on the right, their ids below.

    Args:
        pairs: at least one.
        in_images: where the in-images are.
        others: where the other images are.
        most: how many pairs are shown at most.
    """
    shown = pairs[:most]
    left, right = _places(in_images), _places(others)
    width, height = 2 * _CELL + _GAP, _CELL + 3 * _LINE + _GAP
    columns = min(_COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    sheet = Image.new("RGB", (columns * width + _GAP, rows * height + _GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for place, pair in enumerate(shown):
        x, y = _GAP + place % columns * width, _GAP + place // columns * height
        for offset, images, at in ((0, in_images, left[pair.in_id]), (_CELL, others, right[pair.other_id])):
            picture = _fitted(images.open(at))
            sheet.paste(picture, (x + offset + (_CELL - picture.width) // 2, y + (_CELL - picture.height) // 2))
        how = "same bytes" if pair.identical else f"{'mirrored, ' if pair.mirrored else ''}detail {pair.detail:.2f}"
        for line, text in enumerate((pair.in_id, pair.other_id, how)):
            draw.text((x, y + _CELL + line * _LINE), _short(text), fill="black")
    return sheet


def _places(images: ImageSet) -> Mapping[str, int]:
    return {str(identifier): place for place, identifier in enumerate(images.ids)}


def _fitted(image: Image.Image) -> Image.Image:
    side = _CELL - 2
    scale = side / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.BICUBIC if scale < 1 else Image.Resampling.NEAREST)


def _short(text: str) -> str:
    plain = text.encode("ascii", "replace").decode()
    return plain if len(plain) <= 36 else f"...{plain[-33:]}"
