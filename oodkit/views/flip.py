"""The image mirrored left to right."""

from oodkit.views.view import View

flip = View("flip", lambda pixels: pixels.flip(-1))
