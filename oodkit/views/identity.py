"""The image as it is."""

from oodkit.views.view import View

identity = View("identity", lambda pixels: pixels)
