"""The mean of a channel over the grid: the channel may be active anywhere in the picture."""

from generator.core.views.view import View, maps_of

view = View(
    "the channel's mean over the grid",
    wakes=True,
    measure=lambda bare, channels, relu: relu(maps_of(bare, channels)).float().mean((1, 2)),
)
