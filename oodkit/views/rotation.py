"""Rotations by quarter turns, counter-clockwise; no pixel is interpolated."""

from oodkit.views.view import View

rotate90 = View("rotate90", lambda pixels: pixels.rot90(1, (-2, -1)).contiguous())
rotate180 = View("rotate180", lambda pixels: pixels.rot90(2, (-2, -1)).contiguous())
rotate270 = View("rotate270", lambda pixels: pixels.rot90(3, (-2, -1)).contiguous())
