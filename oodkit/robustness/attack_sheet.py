"""Originals, magnified changes and results side by side."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from oodkit.backbones import Backbone

_CELL, _GAP, _LINE, _COLUMNS = 112, 8, 14, 3


def attack_sheet(pairs: Sequence[tuple[Image.Image, Path]], backbone: Backbone) -> Image.Image:
    """Three images a row, each as original, change and result; the changes of all are magnified by one number.

    Args:
        pairs: original image, and the file of the attacked one.
        backbone: that brings the original to its input size.
    """
    triples = []
    for original, file in pairs:
        clean = np.round(backbone.preprocess(original).permute(1, 2, 0).numpy() * 255)
        with Image.open(file) as picture:
            moved = np.asarray(picture.convert("RGB"), dtype=np.float64)
        triples.append((clean, moved - clean, moved))
    largest = max((float(np.abs(change).max()) for _, change, _ in triples), default=0.0)
    gain = 127 / largest if largest else 1.0
    columns = max(1, min(_COLUMNS, len(triples)))
    rows = -(-len(triples) // columns)
    width, height = 3 * _CELL + _GAP, _CELL + _GAP
    sheet = Image.new("RGB", (columns * width + _GAP, rows * height + _LINE + 2 * _GAP), "white")
    text = f"original, change x {gain:.3g} around grey (largest {largest:.0f}/255), attacked"
    ImageDraw.Draw(sheet).text((_GAP, _GAP), text, fill="black")
    for place, (clean, change, moved) in enumerate(triples):
        x, y = _GAP + place % columns * width, _LINE + 2 * _GAP + place // columns * height
        for offset, pixels in enumerate((clean, 127.5 + gain * change, moved)):
            drawn = Image.fromarray(pixels.round().clip(0, 255).astype(np.uint8))
            sheet.paste(drawn.resize((_CELL, _CELL)), (x + offset * _CELL, y))
    return sheet
