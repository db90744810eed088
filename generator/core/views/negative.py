"""The channel's mean before the ReLU, times -1: the picture with the lowest value."""

from generator.core.views.view import View, maps_of

view = View(
    "the mean before the ReLU, as low as it goes",
    wakes=False,
    measure=lambda bare, channels, relu: -maps_of(bare, channels).float().mean((1, 2)),
)
